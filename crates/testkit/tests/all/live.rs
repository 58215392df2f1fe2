//! The wire in memory keeps the contract, and wires with one flaw each are detected.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    runs::{LiveLine, LiveMessage, LiveWire},
};
use devskyy_testkit::{contracts::live::WireUnderTest, fakes::InMemoryLiveWire, live_contract};
use futures_util::FutureExt;

async fn in_memory() -> WireUnderTest {
    WireUnderTest { wire: Arc::new(InMemoryLiveWire::default()), keep: Box::new(()) }
}

live_contract!(in_memory);

/// What is wrong with a wire.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Returns messages to their sender.
    Echoing,
    /// Delivers everything twice.
    Stuttering,
    /// Delivers in reverse order.
    Reversed,
    /// Cuts off what exceeds one message.
    Curt,
    /// Delivers messages that were not sent.
    Chatty,
    /// Replays earlier messages to new subscribers.
    Recalling,
    /// Takes a message off the wire long before it delivers it.
    Absent,
    /// Receives nothing while it sends.
    Deaf,
}

struct Flawed {
    honest: InMemoryLiveWire,
    flaw: Flaw,
}

struct FlawedLine {
    honest: Box<dyn LiveLine>,
    flaw: Flaw,
    first: Arc<Mutex<Vec<LiveMessage>>>,
}

#[async_trait]
impl LiveWire for Flawed {
    async fn join(&self) -> Result<Box<dyn LiveLine>, PortError> {
        let before = if self.flaw == Flaw::Recalling { self.honest.said() } else { vec![] };
        let (honest, first) = (self.honest.join().await?, Arc::new(Mutex::new(before)));
        Ok(Box::new(FlawedLine { honest, flaw: self.flaw, first }))
    }
}

fn curt(message: LiveMessage) -> LiveMessage {
    match message {
        LiveMessage::Listening(mut runs) => {
            runs.truncate(100);
            LiveMessage::Listening(runs)
        }
        LiveMessage::Spoken(mut spoken) => {
            spoken.delta.text = spoken.delta.text.chars().take(1_000).collect();
            LiveMessage::Spoken(spoken)
        }
    }
}

#[async_trait]
impl LiveLine for FlawedLine {
    async fn say(&mut self, messages: Vec<LiveMessage>) -> Result<(), PortError> {
        let messages = match self.flaw {
            Flaw::Echoing => {
                self.first.lock().unwrap().extend(messages.clone());
                messages
            }
            Flaw::Stuttering => messages.iter().chain(&messages).cloned().collect(),
            Flaw::Reversed => messages.into_iter().rev().collect(),
            Flaw::Curt => messages.into_iter().map(curt).collect(),
            Flaw::Chatty if messages.is_empty() => vec![LiveMessage::Listening(vec![])],
            _ => messages,
        };
        while self.flaw == Flaw::Deaf && self.honest.hear().now_or_never().is_some() {}
        self.honest.say(messages).await
    }

    async fn hear(&mut self) -> Result<LiveMessage, PortError> {
        let first = {
            let mut first = self.first.lock().unwrap();
            if first.is_empty() { None } else { Some(first.remove(0)) }
        };
        if let Some(first) = first {
            return Ok(first);
        }
        let heard = self.honest.hear().await;
        if self.flaw == Flaw::Absent {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        heard
    }
}

fn flawed() -> [WireUnderTest; 8] {
    let flaws = [
        Flaw::Echoing,
        Flaw::Stuttering,
        Flaw::Reversed,
        Flaw::Curt,
        Flaw::Chatty,
        Flaw::Recalling,
        Flaw::Absent,
        Flaw::Deaf,
    ];
    flaws.map(|flaw| {
        let wire = Flawed { honest: InMemoryLiveWire::default(), flaw };
        WireUnderTest { wire: Arc::new(wire), keep: Box::new(()) }
    })
}

mod caught {
    use super::flawed;

    devskyy_testkit::live_contract!(broken flawed);
}

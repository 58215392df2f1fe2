use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Aside, Position, SetAside},
};
use devskyy_testkit::{
    contracts::set_aside::SetAsideUnderTest,
    fakes::{FixedClock, InMemorySetAside},
    set_aside_contract,
};

struct InMemory {
    clock: Arc<FixedClock>,
    aside: Arc<InMemorySetAside>,
}

#[async_trait]
impl SetAsideUnderTest for InMemory {
    fn aside(&self) -> Arc<dyn SetAside> {
        self.aside.clone()
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

fn fresh() -> InMemory {
    let clock = Arc::new(FixedClock::default());
    InMemory { aside: Arc::new(InMemorySetAside::with_clock(clock.clone())), clock }
}

async fn in_memory() -> InMemory {
    fresh()
}

set_aside_contract!(in_memory);

/// What is wrong with a quarantine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Takes everything as due at once.
    Hasty,
    /// Never finds anything due.
    Idle,
    /// Returns something as due that was not quarantined.
    Inventive,
    /// Counts only the first failure.
    Forgiving,
    /// Removes nothing.
    Clinging,
    /// Removes the next event as well.
    Careless,
    /// Returns the newest first.
    Hurried,
    /// Returns more than requested.
    Generous,
    /// Does not separate subscriptions.
    Common,
}

struct Flawed {
    honest: InMemory,
    flaw: Flaw,
}

impl Flawed {
    fn name<'a>(&self, name: &'a str) -> &'a str {
        if self.flaw == Flaw::Common { "all" } else { name }
    }
}

#[async_trait]
impl SetAside for Flawed {
    async fn put(&self, name: &str, at: Position, failure: &str, pause: Duration) -> Result<(), PortError> {
        let pause = if self.flaw == Flaw::Hasty { Duration::ZERO } else { pause };
        self.honest.aside.put(self.name(name), at, failure, pause).await
    }

    async fn due(&self, name: &str, most: u64) -> Result<Vec<Aside>, PortError> {
        let most = if self.flaw == Flaw::Generous { most + 1 } else { most };
        let mut due = self.honest.aside.due(self.name(name), most).await?;
        match self.flaw {
            Flaw::Idle => due.clear(),
            Flaw::Inventive => due.push(Aside { position: 1, failures: 1 }),
            Flaw::Forgiving => due.iter_mut().for_each(|aside| aside.failures = 1),
            Flaw::Hurried => due.reverse(),
            _ => {}
        }
        Ok(due)
    }

    async fn settle(&self, name: &str, at: Position) -> Result<(), PortError> {
        let name = self.name(name);
        match self.flaw {
            Flaw::Clinging => Ok(()),
            Flaw::Careless => {
                self.honest.aside.settle(name, at + 1).await?;
                self.honest.aside.settle(name, at).await
            }
            _ => self.honest.aside.settle(name, at).await,
        }
    }
}

struct Suspect(Arc<Flawed>);

#[async_trait]
impl SetAsideUnderTest for Suspect {
    fn aside(&self) -> Arc<dyn SetAside> {
        self.0.clone()
    }

    async fn pass(&self, time: Duration) {
        self.0.honest.pass(time).await;
    }
}

fn flawed() -> [Suspect; 9] {
    let flaws = [
        Flaw::Hasty,
        Flaw::Idle,
        Flaw::Inventive,
        Flaw::Forgiving,
        Flaw::Clinging,
        Flaw::Careless,
        Flaw::Hurried,
        Flaw::Generous,
        Flaw::Common,
    ];
    flaws.map(|flaw| Suspect(Arc::new(Flawed { honest: fresh(), flaw })))
}

mod caught {
    use super::flawed;

    devskyy_testkit::set_aside_contract!(each broken flawed);
}

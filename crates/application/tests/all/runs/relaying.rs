//! A model's partial answer in one process reaches another process that subscribed to it.

use std::{sync::Arc, time::Duration};

use devskyy_application::runs::{Delta, LiveListener, LiveMessage, LiveRelay, LiveRuns};
use devskyy_domain::kernel::ids::{OperationId, RunId};
use devskyy_testkit::fakes::{FixedClock, InMemoryLiveWire};
use uuid::Uuid;

/// Two processes on one wire, whose time passes only while one of them waits.
struct Processes {
    clock: Arc<FixedClock>,
    wire: InMemoryLiveWire,
    one: Arc<LiveRuns>,
    other: Arc<LiveRuns>,
}

impl Processes {
    async fn start() -> Self {
        let (clock, wire) = (Arc::new(FixedClock::default()), InMemoryLiveWire::default());
        let live = || {
            let live = Arc::new(LiveRuns::default());
            let relay = LiveRelay::new(live.clone(), Arc::new(wire.clone()), clock.clone());
            tokio::spawn(async move { relay.work(std::future::pending()).await });
            live
        };
        let (one, other) = (live(), live());
        let processes = Self { one, other, wire, clock };
        processes.pass(Duration::from_millis(200)).await;
        processes
    }

    async fn pass(&self, time: Duration) {
        let step = Duration::from_millis(20);
        for _ in 0..time.as_millis() / step.as_millis() {
            self.clock.advance(step);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn moment(&self) {
        self.pass(Duration::from_millis(300)).await;
    }

    /// The number of pieces sent over the wire.
    fn crossed(&self) -> usize {
        self.wire.said().iter().filter(|message| matches!(message, LiveMessage::Spoken(_))).count()
    }
}

fn run() -> RunId {
    RunId::from(Uuid::from_u128(1))
}

fn say(live: &LiveRuns, offset: u64, text: &str) {
    let operation = OperationId::from(Uuid::from_u128(9));
    let delta = Delta { step: "turn_1".into(), operation, attempt: 1, offset, text: text.to_owned() };
    live.publish(run(), 1, &delta);
}

fn heard(listener: &LiveListener) -> String {
    listener.take().into_iter().map(|delta| format!("{}:{} ", delta.offset, delta.text)).collect()
}

#[tokio::test]
async fn what_is_said_in_one_process_is_heard_in_another() {
    let processes = Processes::start().await;
    let listener = processes.other.listen(run());
    processes.moment().await;
    say(&processes.one, 0, "It is");
    processes.moment().await;
    say(&processes.one, 5, " filed.");
    processes.moment().await;
    assert_eq!(heard(&listener), "0:It is 5: filed. ");
}

#[tokio::test]
async fn listeners_beside_the_worker_hear_everything_once() {
    let processes = Processes::start().await;
    let (here, _there) = (processes.one.listen(run()), processes.other.listen(run()));
    processes.moment().await;
    say(&processes.one, 0, "It is filed.");
    processes.moment().await;
    assert_eq!(heard(&here), "0:It is filed. ");
}

#[tokio::test]
async fn what_nobody_elsewhere_listens_to_stays_in_the_process() {
    let processes = Processes::start().await;
    let _here = processes.one.listen(run());
    processes.moment().await;
    say(&processes.one, 0, "It is filed.");
    processes.moment().await;
    assert_eq!(processes.crossed(), 0);
}

#[tokio::test]
async fn what_nobody_listens_to_any_more_stays_in_the_process() {
    let processes = Processes::start().await;
    drop(processes.other.listen(run()));
    processes.moment().await;
    let listener = processes.other.listen(run());
    processes.moment().await;
    drop(listener);
    processes.pass(Duration::from_secs(10)).await;
    say(&processes.one, 0, "It is filed.");
    processes.moment().await;
    assert_eq!(processes.crossed(), 0);
}

#[tokio::test]
async fn whoever_listens_for_long_hears_on() {
    let processes = Processes::start().await;
    let listener = processes.other.listen(run());
    processes.pass(Duration::from_secs(60)).await;
    say(&processes.one, 0, "It is filed.");
    processes.moment().await;
    assert_eq!(heard(&listener), "0:It is filed. ");
}

#[tokio::test]
async fn a_thousand_pieces_a_second_cross_in_ten_messages() {
    let processes = Processes::start().await;
    let listener = processes.other.listen(run());
    processes.moment().await;
    for number in 0..50 {
        for piece in 0..20 {
            say(&processes.one, number * 20 + piece, "x");
        }
        processes.pass(Duration::from_millis(20)).await;
    }
    processes.moment().await;
    let text: String = listener.take().into_iter().map(|delta| delta.text).collect();
    assert_eq!((text.len(), (8..=12).contains(&processes.crossed())), (1_000, true), "{}", processes.crossed());
}

#[tokio::test]
async fn a_broken_wire_heals_by_itself() {
    let processes = Processes::start().await;
    let listener = processes.other.listen(run());
    processes.moment().await;
    processes.wire.break_all();
    processes.pass(Duration::from_secs(8)).await;
    say(&processes.one, 0, "It is filed.");
    processes.moment().await;
    assert_eq!(heard(&listener), "0:It is filed. ");
}

#[tokio::test]
async fn what_was_said_while_the_wire_was_away_is_not_told_late() {
    let processes = Processes::start().await;
    let listener = processes.other.listen(run());
    processes.moment().await;
    processes.wire.break_all();
    say(&processes.one, 0, "It is");
    processes.pass(Duration::from_secs(8)).await;
    say(&processes.one, 5, " filed.");
    processes.moment().await;
    assert_eq!(heard(&listener), "5: filed. ");
}

#[tokio::test]
async fn a_process_nobody_listens_in_hardly_uses_the_wire() {
    let processes = Processes::start().await;
    processes.pass(Duration::from_secs(60)).await;
    assert!((1..=10).contains(&processes.wire.turns()), "{} turns of two processes", processes.wire.turns());
}

#[tokio::test]
async fn a_process_somebody_listens_in_uses_the_wire_less_than_once_a_second() {
    let processes = Processes::start().await;
    let _listener = processes.other.listen(run());
    processes.pass(Duration::from_secs(60)).await;
    assert!((20..=40).contains(&processes.wire.turns()), "{} turns", processes.wire.turns());
}

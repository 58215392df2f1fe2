//! What holds for every workflow and every history.

use proptest::prelude::*;

use super::*;
use crate::workflow::{Action, Limits, Step};

/// A workflow without cycles: each step needs some of those before it.
fn workflows() -> impl Strategy<Value = Workflow> {
    let step = (any::<u8>(), any::<u8>(), any::<bool>());
    (proptest::collection::vec(step, 1..7), 1_u32..40, 1_u32..5).prop_map(|(steps, max_steps, concurrency)| {
        let steps = steps.into_iter().enumerate().map(|(n, (needs, kind, each))| Step {
            id: format!("s{n}"),
            needs: (0..n).filter(|bit| needs & (1 << bit) != 0).map(|need| format!("s{need}")).collect(),
            when: None,
            for_each: each.then(|| ".".to_owned()),
            action: match kind % 3 {
                0 => Action::Approval { prompt: "?".into(), data: Json::Null, on_deny: Denial::Continue },
                1 => Action::Agent { agent: order().agent, input: Json::Null },
                _ => Action::Tool { name: "jq".into(), arguments: Json::Null },
            },
        });
        let limits = Limits { max_steps, concurrency, ..Limits::default() };
        let workflow: Workflow = serde_json::from_str(r#"{"steps":[]}"#).unwrap();
        Workflow { steps: steps.collect(), limits, ..workflow }
    })
}

/// What the world does next, drawn at random.
struct Dice(Vec<u8>, usize);

impl Dice {
    fn roll(&mut self, sides: u8) -> u8 {
        self.1 += 1;
        self.0[self.1 % self.0.len()].wrapping_add(u8::try_from(self.1 % 251).unwrap()) % sides
    }
}

struct Play<'w> {
    run: Run,
    workflow: &'w Workflow,
    now: DateTime<Utc>,
    ids: u128,
    dice: Dice,
    history: Vec<RunEvent>,
}

impl Play<'_> {
    fn take(&mut self, decided: Result<Vec<RunEvent>, RunError>) {
        let events = decided.expect("a decision that follows from the state is never refused");
        self.run = std::mem::take(&mut self.run).evolved(&events);
        self.history.extend(events);
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }

    fn act(&mut self, step: &Step, place: Place) -> Vec<Progress> {
        let operation = op(self.id());
        match &step.action {
            Action::Approval { on_deny, .. } => {
                let (approval, on_deny) = (ApprovalId::from(Uuid::from(operation)), *on_deny);
                let prompt = "?".to_owned();
                vec![Progress::Ask { place, approval, prompt, data: Json::Null, on_deny, at: self.now }]
            }
            Action::Agent { agent, .. } => {
                vec![Progress::Delegate { place, operation, agent: *agent, agent_version: 1 }]
            }
            Action::Tool { name, .. } => {
                let effect = [Effect::ReadOnly, Effect::Idempotent, Effect::Unsafe][usize::from(self.dice.roll(3))];
                let call = Progress::Call { place, operation, tool: name.clone(), effect, arguments: Json::Null };
                [Some(call), self.result(operation)].into_iter().flatten().collect()
            }
        }
    }

    /// How a call ends; not at all when its worker vanishes.
    fn result(&mut self, operation: OperationId) -> Option<Progress> {
        let error = Failure::new("x", "y");
        match self.dice.roll(8) {
            0 => None,
            1 => Some(Progress::Lose { operation, error }),
            2 => Some(Progress::Fail { operation, error, retry_at: Some(self.now + TimeDelta::seconds(5)) }),
            3 if self.dice.roll(4) == 0 => Some(Progress::Fail { operation, error, retry_at: None }),
            _ => Some(Progress::Answer { operation, result: Json::from(1_i64) }),
        }
    }

    fn begin(&mut self, task: &Task<'_>) -> Vec<Progress> {
        match task {
            Task::Enter { step } if self.dice.roll(5) == 0 => vec![Progress::Skip { step: step.id.clone() }],
            Task::Enter { step } if step.for_each.is_some() => {
                let items = vec![Json::Null; usize::from(self.dice.roll(4))];
                vec![Progress::Expand { step: step.id.clone(), items }]
            }
            Task::Enter { step } => self.act(step, Place::step(&step.id)),
            Task::Element { step, index, .. } => self.act(step, Place::element(&step.id, *index)),
            Task::Again { operation, .. } => [Some(Progress::Again { operation: *operation }), self.result(*operation)]
                .into_iter()
                .flatten()
                .collect(),
            Task::Lose { operation, .. } => {
                vec![Progress::Lose { operation: *operation, error: Failure::new("x", "y") }]
            }
        }
    }

    /// People answer, children end, verdicts come.
    fn world(&mut self) {
        let open: Vec<Unit> = self.run.units().map(|(_, _, unit)| unit.clone()).collect();
        for unit in open {
            let decided = match unit {
                Unit::Asking { approval, .. } => {
                    let choice = if self.dice.roll(3) == 0 { Choice::Deny } else { Choice::Approve };
                    self.run.decide_approval(approval, choice, None, "user:1", self.now)
                }
                Unit::Child { operation } => self.run.end_child(operation, &ChildEnd::Completed { output: Json::Null }),
                Unit::InDoubt(call) => self.run.reconcile(call.operation, &Verdict::Retry, "user:1", self.now),
                _ => continue,
            };
            self.take(decided);
        }
    }

    fn turn(&mut self) {
        let workflow = self.workflow;
        let fence = self.run.fence();
        let next = next(&self.run, workflow, self.now, &none());
        assert_eq!(next, super::next(&self.run, workflow, self.now, &none()), "the same state gives the same answer");
        match next {
            Next::Rest => {}
            Next::Finish(ending) => self.take(self.run.finish(fence, &ending, self.now)),
            Next::Conclude => self.take(self.run.finish(fence, &Ending::Completed(Json::Null), self.now)),
            Next::Attend { .. } => panic!("nothing is under way"),
            Next::Begin(tasks) => {
                for task in &tasks {
                    let reports = self.begin(task);
                    self.take(self.run.record(fence, &reports));
                }
                // Sometimes the worker vanishes and another one comes.
                if self.dice.roll(3) == 0 {
                    self.take(self.run.claim("w", self.now));
                }
            }
            Next::Wait { waiting, until } => {
                self.take(self.run.park(fence, &waiting, until));
                self.world();
                self.now = self.now.max(until.min(self.now + TimeDelta::seconds(10)));
                self.take(self.run.claim("w", self.now));
            }
        }
    }
}

fn play(workflow: &Workflow, dice: Vec<u8>) -> (Run, Vec<RunEvent>) {
    let order = late(order());
    let first = Run::default().queue(&order, at(0)).unwrap();
    let mut play =
        Play { run: Run::default(), workflow, now: at(1), ids: 100, dice: Dice(dice, 0), history: Vec::new() };
    play.take(Ok(first));
    play.take(play.run.claim("w", at(1)));
    for _ in 0..2_000 {
        if play.run.ended() {
            return (play.run, play.history);
        }
        play.turn();
    }
    panic!("the run never ends: {:?}", play.run);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_of_a_sound_workflow_ends(workflow in workflows(), dice in proptest::collection::vec(any::<u8>(), 1..64)) {
        let (run, _) = play(&workflow, dice);
        prop_assert!(!matches!(run.phase(), Phase::Failed(failure) if failure.code == "run.stuck"));
    }

    #[test]
    fn the_fold_of_a_history_is_the_state_it_led_to(workflow in workflows(), dice in proptest::collection::vec(any::<u8>(), 1..64)) {
        let (run, history) = play(&workflow, dice);
        prop_assert_eq!(Run::default().evolved(&history), run);
    }

    #[test]
    fn folding_takes_in_any_events_in_any_order(
        workflow in workflows(),
        dice in proptest::collection::vec(any::<u8>(), 1..64),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let (_, history) = play(&workflow, dice);
        let shuffled: Vec<_> = order.iter().map(|index| index.get(&history).clone()).collect();
        let run = Run::default().evolved(&shuffled);
        let _ = next(&run, &workflow, at(2), &none());
    }
}

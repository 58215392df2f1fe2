//! Properties of every definition and every history.

use proptest::prelude::*;

use super::*;
use crate::{
    assistant::Assistant,
    conversation::{Finish, TokenCount, ToolCall},
    workflow::{Action, Limits, Step},
};

/// An assistant with or without each policy.
pub(super) fn assistants() -> impl Strategy<Value = Definition> {
    let window = proptest::option::of(1_u32..4);
    let policy = (window, proptest::option::of(1_u32..60), 0_u32..3, any::<bool>());
    let limits = (1_u32..60, 1_u32..5, proptest::option::of(50_u64..500));
    (policy, limits).prop_map(|((turns, tokens, pinned, summary), (max_steps, concurrency, max_tokens))| {
        let mut assistant: Assistant = serde_json::from_str(r#"{"model":"a/b","instructions":"?"}"#).unwrap();
        assistant.context.window_turns = turns;
        assistant.context.window_tokens = tokens;
        assistant.context.pinned_turns = pinned;
        assistant.context.summary = summary;
        assistant.limits.max_steps = max_steps;
        assistant.limits.concurrency = concurrency;
        assistant.limits.max_tokens = max_tokens;
        assistant.into()
    })
}

pub(super) fn definitions() -> impl Strategy<Value = Definition> {
    prop_oneof![workflows(), assistants()]
}

/// A workflow without cycles: each step needs some of those before it.
fn workflows() -> impl Strategy<Value = Definition> {
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
        Workflow { steps: steps.collect(), limits, ..workflow }.into()
    })
}

/// Random decisions of the environment.
struct Dice(Vec<u8>, usize);

impl Dice {
    fn roll(&mut self, sides: u8) -> u8 {
        self.1 += 1;
        self.0[self.1 % self.0.len()].wrapping_add(u8::try_from(self.1 % 251).unwrap()) % sides
    }
}

pub(super) struct Play<'w> {
    pub(super) run: Run,
    workflow: &'w Definition,
    now: DateTime<Utc>,
    ids: u128,
    dice: Dice,
    pub(super) history: Vec<RunEvent>,
    reported: Vec<Progress>,
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
                let (call, expires_at, at) = (None, None, self.now);
                vec![Progress::Ask { place, approval, prompt, data: Json::Null, on_deny, call, expires_at, at }]
            }
            Action::Agent { agent, .. } => {
                vec![Progress::Delegate { place, operation, agent: *agent, agent_version: 1 }]
            }
            Action::Tool { .. } => self.call(place),
        }
    }

    fn call(&mut self, place: Place) -> Vec<Progress> {
        let operation = op(self.id());
        let effect = [Effect::ReadOnly, Effect::Idempotent, Effect::Unsafe][usize::from(self.dice.roll(3))];
        let call = Progress::Call { place, operation, tool: "t".into(), effect, arguments: Json::Null };
        [Some(call), self.result(operation)].into_iter().flatten().collect()
    }

    /// The reports about a call the model requests.
    fn look(&mut self, place: Place) -> Vec<Progress> {
        match self.dice.roll(5) {
            0 => vec![Progress::Unable { place, error: Failure::new("x", "y") }],
            1 => {
                let approval = ApprovalId::from(Uuid::from(op(self.id())));
                let (prompt, on_deny, at) = ("?".to_owned(), Denial::Fail, self.now);
                let call = Some(ProposedCall { tool: "t".into(), arguments_hash: "h".into() });
                let expires_at = (self.dice.roll(2) == 0).then_some(self.now + TimeDelta::seconds(7));
                vec![Progress::Ask { place, approval, prompt, data: Json::Null, on_deny, call, expires_at, at }]
            }
            2 => {
                let operation = op(self.id());
                vec![Progress::Delegate { place, operation, agent: order().agent, agent_version: 1 }]
            }
            _ => self.call(place),
        }
    }

    /// The result of a model call; `None` if its worker vanishes.
    fn reply(&mut self, operation: OperationId) -> Option<Progress> {
        let error = Failure::new("x", "y");
        let in_full = self.run.operation(operation).is_ok_and(|(place, _)| self.run.asks_in_full(place));
        let calls = match self.dice.roll(12) {
            0 => return None,
            4 if in_full && self.dice.roll(2) == 0 => {
                return Some(Progress::Overflow { operation, error, at: self.now });
            }
            1 => return Some(Progress::Fail { operation, error, retry_at: Some(self.now + TimeDelta::seconds(5)) }),
            2 if self.dice.roll(6) == 0 => return Some(Progress::Fail { operation, error, retry_at: None }),
            3 if self.dice.roll(3) == 0 => {
                let retry_at = self.now + TimeDelta::seconds(5);
                return Some(Progress::Postpone { operation, error, retry_at });
            }
            calls => calls % 4,
        };
        let call = |n| ToolCall { id: format!("c{}", n % 2), name: "t".into(), arguments: Json::Null };
        let calls: Vec<_> = (0..calls).map(call).collect();
        let finish = match self.dice.roll(40) {
            0 => Finish::Length,
            1 => Finish::Refused,
            _ if calls.is_empty() => Finish::Stop,
            _ => Finish::ToolCalls,
        };
        let usage = TokenCount { input: 10, output: 5, ..TokenCount::default() };
        let carry = (!calls.is_empty()).then(|| Json::from("signed"));
        let reply = Reply {
            text: ["so", ""][usize::from(self.dice.roll(5) == 0)].into(),
            calls,
            finish,
            usage,
            estimated: false,
            model: "b".into(),
            answered_by: "a/b".into(),
            price: None,
            carry,
        };
        Some(Progress::Reply { operation, reply })
    }

    /// Accepts the final answer, or rejects it once.
    fn conclude(&mut self, fence: u64) {
        let step = turn_step(self.run.turns());
        let rejects = self.run.turns() > 0 && self.run.rejections() == 0 && self.dice.roll(2) == 0;
        let reject = [Progress::Reject { step, errors: vec!["no".into()] }];
        self.take(if rejects {
            self.run.record(fence, &reject)
        } else {
            self.run.finish(fence, &Ending::Completed(Json::Null.into()), self.now)
        });
    }

    /// The result of a call; `None` if its worker vanishes.
    fn result(&mut self, operation: OperationId) -> Option<Progress> {
        let error = Failure::new("x", "y");
        match self.dice.roll(8) {
            0 => None,
            1 => Some(Progress::Lose { operation, error }),
            2 => Some(Progress::Fail { operation, error, retry_at: Some(self.now + TimeDelta::seconds(5)) }),
            3 if self.dice.roll(4) == 0 => Some(Progress::Fail { operation, error, retry_at: None }),
            _ => Some(Progress::Answer { operation, result: Json::from(1_i64).into() }),
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
            Task::Again { place, operation } => {
                let model = matches!(self.run.unit(place).and_then(Unit::call), Some(call) if matches!(call.callee, Callee::Model(_)));
                let result = if model { self.reply(*operation) } else { self.result(*operation) };
                [Some(Progress::Again { operation: *operation }), result].into_iter().flatten().collect()
            }
            Task::Prompt { place } | Task::Summarise { place, .. } => {
                let operation = op(self.id());
                let call = Progress::Prompt { place: place.clone(), operation, model: "a/b".into() };
                [Some(call), self.reply(operation)].into_iter().flatten().collect()
            }
            Task::Compact { from, through, summary, cause, unsummarised, .. } => {
                let (from, through, summary, cause) = (*from, *through, *summary, *cause);
                vec![Progress::Compact { from, through, summary, cause, unsummarised: *unsummarised }]
            }
            Task::Use { place, .. } => self.look(place.clone()),
            Task::Perform { place, .. } => self.call(place.clone()),
            Task::Expire { approval, .. } => vec![Progress::Expire { approval: *approval, at: self.now }],
            Task::Lose { operation, .. } => {
                vec![Progress::Lose { operation: *operation, error: Failure::new("x", "y") }]
            }
        }
    }

    /// Answers approvals, ends child runs and gives verdicts.
    fn world(&mut self) {
        let open: Vec<Unit> = self.run.units().map(|(_, _, unit)| unit.clone()).collect();
        for unit in open {
            let decided = match unit {
                Unit::Asking { expires_at: Some(expiry), .. } if expiry <= self.now || self.dice.roll(3) == 0 => {
                    continue;
                }
                Unit::Asking { approval, .. } => {
                    let choice = if self.dice.roll(3) == 0 { Choice::Deny } else { Choice::Approve };
                    self.run.decide_approval(approval, &said(choice, None, "user:1"), self.now)
                }
                Unit::Child { operation } => {
                    self.run.end_child(operation, &ChildEnd::Completed { output: Json::Null.into() }, Spent::default())
                }
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
            Next::Conclude => self.conclude(fence),
            Next::Attend { .. } => panic!("nothing is under way"),
            Next::Begin(tasks) => {
                let begun: BTreeSet<_> = tasks.iter().map(Task::place).collect();
                if let Next::Begin(more) = super::next(&self.run, workflow, self.now, &begun) {
                    assert!(more.iter().all(|task| !begun.contains(&task.place())), "nothing is begun twice");
                }
                for task in &tasks {
                    let reports = self.begin(task);
                    self.take(self.run.record(fence, &reports));
                    self.reported.extend(reports);
                }
                // Sometimes the worker vanishes and another one comes.
                if self.dice.roll(3) == 0 {
                    self.take(self.run.claim("w", self.run.fence() + 1, self.now));
                }
            }
            Next::Wait { waiting, until } => {
                self.take(self.run.park(fence, &waiting, until));
                self.world();
                self.now = self.now.max(until.min(self.now + TimeDelta::seconds(10)));
                self.take(self.run.claim("w", self.run.fence() + 1, self.now));
            }
        }
    }
}

fn play(workflow: &Definition, dice: Vec<u8>) -> (Run, Vec<RunEvent>) {
    let play = played(workflow, dice);
    (play.run, play.history)
}

pub(super) fn played(workflow: &Definition, dice: Vec<u8>) -> Play<'_> {
    let first = Run::default().queue(&late(order()), at(0)).unwrap();
    played_from(first, workflow, dice)
}

/// A run with these first events, played to its end.
pub(super) fn played_from(first: Vec<RunEvent>, workflow: &Definition, dice: Vec<u8>) -> Play<'_> {
    let mut play = Play {
        run: Run::default(),
        workflow,
        now: at(1),
        ids: 100,
        dice: Dice(dice, 0),
        history: Vec::new(),
        reported: Vec::new(),
    };
    play.take(Ok(first));
    play.take(play.run.claim("w", play.run.fence() + 1, at(1)));
    for _ in 0..2_000 {
        if play.run.ended() {
            return play;
        }
        play.turn();
    }
    panic!("the run never ends: {:?}", play.run);
}

/// Records reports against the whole run instead of its excerpt.
fn recorded_at_length(run: &Run, reports: &[Progress]) -> Result<Vec<RunEvent>, RunError> {
    run.held(run.fence())?;
    let (mut state, mut recorded) = (run.clone(), Vec::new());
    for report in reports {
        let event = state.report(report)?;
        state.apply(&event);
        recorded.push(event);
    }
    Ok(recorded)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_of_a_sound_definition_ends(workflow in definitions(), dice in proptest::collection::vec(any::<u8>(), 1..64)) {
        let (run, _) = play(&workflow, dice);
        prop_assert!(!matches!(run.phase(), Phase::Failed(failure) if failure.code == "run.stuck"));
    }

    #[test]
    fn the_fold_of_a_history_is_the_state_it_led_to(workflow in definitions(), dice in proptest::collection::vec(any::<u8>(), 1..64)) {
        let (run, history) = play(&workflow, dice);
        prop_assert_eq!(Run::default().evolved(&history), run);
    }

    #[test]
    fn reports_are_judged_by_what_they_are_about_as_by_the_whole_run(
        workflow in definitions(),
        dice in proptest::collection::vec(any::<u8>(), 1..64),
        from in any::<prop::sample::Index>(),
        chosen in proptest::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let Play { history, reported, .. } = played(&workflow, dice);
        prop_assume!(!reported.is_empty());
        let run = Run::default().evolved(&history[..from.index(history.len() + 1)]);
        let first = chosen[0].index(reported.len());
        let row = reported[first..].iter().take(chosen.len()).cloned();
        let mixed = chosen.iter().map(|index| index.get(&reported).clone());
        for reports in [row.collect::<Vec<_>>(), mixed.collect()] {
            prop_assert_eq!(run.record(run.fence(), &reports), recorded_at_length(&run, &reports));
        }
    }

    #[test]
    fn every_history_keeps_the_invariants_and_none_that_lost_its_claim_does(
        workflow in definitions(),
        dice in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let (_, history) = play(&workflow, dice);
        let id = RunId::from(Uuid::from_u128(50));
        let of = |events: &[RunEvent]| -> BTreeSet<Invariant> {
            let breaches = super::invariants::broken(events.iter().map(|event| (id, event)));
            // Child runs have no history of their own here.
            breaches.into_iter().map(|breach| breach.invariant).filter(|kind| *kind != Invariant::ChildrenAgree).collect()
        };
        prop_assert_eq!(of(&history), BTreeSet::new());
        let unclaimed: Vec<_> = history.iter().filter(|event| !matches!(event, RunEvent::Claimed(_))).cloned().collect();
        prop_assert!(of(&unclaimed).contains(&Invariant::HeldByOne));
    }

    #[test]
    fn folding_takes_in_any_events_in_any_order(
        workflow in definitions(),
        dice in proptest::collection::vec(any::<u8>(), 1..64),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let (_, history) = play(&workflow, dice);
        let shuffled: Vec<_> = order.iter().map(|index| index.get(&history).clone()).collect();
        let run = Run::default().evolved(&shuffled);
        let _ = next(&run, &workflow, at(2), &none());
    }
}

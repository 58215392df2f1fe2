//! Counters of attempts with one flaw each, which their contract must detect.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    error::PortError,
    identity::{AttemptKey, Attempts, Charge, Charged, Perishable},
};
use devskyy_testkit::contracts::{
    is_broken,
    people::{self as promise, PeopleUnderTest, Perishables},
};

/// What is wrong with a counter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// Refuses nothing.
    Lenient,
    /// Checks first and counts later, so that others check in between.
    Hesitant,
    /// Counts charge by charge, even if a later one is refused.
    Piecemeal,
    /// Never starts a new window.
    Merciless,
    /// Restarts the window with every attempt.
    Prolonging,
    /// Refunds nothing.
    Grasping,
    /// Refunds twice.
    Generous,
    /// Forgets all sources.
    Forgetful,
    /// Sweeps nothing.
    Untidy,
    /// Sweeps everything.
    Zealous,
    /// Does not distinguish callers.
    Confused,
    /// Returns results in another order.
    Shuffling,
}

const FLAWS: [Flaw; 12] = [
    Flaw::Lenient,
    Flaw::Hesitant,
    Flaw::Piecemeal,
    Flaw::Merciless,
    Flaw::Prolonging,
    Flaw::Grasping,
    Flaw::Generous,
    Flaw::Forgetful,
    Flaw::Untidy,
    Flaw::Zealous,
    Flaw::Confused,
    Flaw::Shuffling,
];

struct Flawed(Arc<dyn Attempts>, Flaw);

#[async_trait]
impl Attempts for Flawed {
    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Charged, PortError> {
        match self.1 {
            Flaw::Lenient => {
                let endless: Vec<Charge> = charges.iter().map(|it| Charge { most: u32::MAX, ..*it }).collect();
                self.0.charge(&endless, now).await
            }
            Flaw::Hesitant => {
                let looked = self.0.charge(charges, now).await?;
                let keys: Vec<AttemptKey> = charges.iter().map(|it| it.allowance).collect();
                if let Charged::Within(_) = looked {
                    self.0.refund(&keys).await?;
                    tokio::task::yield_now().await;
                    let endless: Vec<Charge> = charges.iter().map(|it| Charge { most: u32::MAX, ..*it }).collect();
                    return self.0.charge(&endless, now).await;
                }
                Ok(looked)
            }
            Flaw::Piecemeal => {
                let mut all = Vec::new();
                for charge in charges {
                    match self.0.charge(&[*charge], now).await? {
                        Charged::Within(one) => all.extend(one),
                        exhausted @ Charged::Exhausted { .. } => return Ok(exhausted),
                    }
                }
                Ok(Charged::Within(all))
            }
            Flaw::Merciless => self.0.charge(charges, promise::now()).await,
            Flaw::Prolonging => match self.0.charge(charges, now).await? {
                Charged::Exhausted { .. } => Ok(Charged::Exhausted { until: now + charges[0].window }),
                within @ Charged::Within(_) => Ok(within),
            },
            Flaw::Confused => {
                let one: Vec<Charge> = charges.iter().map(|it| Charge { allowance: [0; 32], ..*it }).collect();
                self.0.charge(&one, now).await
            }
            Flaw::Shuffling => match self.0.charge(charges, now).await? {
                Charged::Within(spent) => Ok(Charged::Within(spent.into_iter().rev().collect())),
                exhausted @ Charged::Exhausted { .. } => Ok(exhausted),
            },
            Flaw::Grasping | Flaw::Generous | Flaw::Forgetful | Flaw::Untidy | Flaw::Zealous => {
                self.0.charge(charges, now).await
            }
        }
    }

    async fn refund(&self, allowances: &[AttemptKey]) -> Result<(), PortError> {
        match self.1 {
            Flaw::Grasping => Ok(()),
            Flaw::Generous => self.0.refund(&allowances.repeat(2)).await,
            _ => self.0.refund(allowances).await,
        }
    }

    async fn remember(&self, source: &AttemptKey, now: DateTime<Utc>) -> Result<(), PortError> {
        if self.1 == Flaw::Forgetful { Ok(()) } else { self.0.remember(source, now).await }
    }

    async fn last_seen(&self, source: &AttemptKey) -> Result<Option<DateTime<Utc>>, PortError> {
        self.0.last_seen(source).await
    }
}

/// Sweeps with a flaw.
struct Sweeping(Arc<dyn Perishable>, Flaw);

#[async_trait]
impl Perishable for Sweeping {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        match self.1 {
            Flaw::Untidy => Ok(0),
            Flaw::Zealous => self.0.sweep(before + TimeDelta::days(1_000)).await,
            _ => self.0.sweep(before).await,
        }
    }
}

fn with(flaw: Flaw) -> PeopleUnderTest {
    let honest = PeopleUnderTest::in_memory();
    let attempts = Arc::new(Flawed(honest.attempts.clone(), flaw));
    let sweeping = Arc::new(Sweeping(honest.perishables.attempts.clone(), flaw));
    let perishables = Perishables { attempts: sweeping, ..honest.perishables };
    PeopleUnderTest { attempts, perishables, ..honest }
}

fn flawed() -> [PeopleUnderTest; 12] {
    FLAWS.map(with)
}

mod caught {
    use super::flawed;

    devskyy_testkit::attempts_contract!(each broken flawed);
}

macro_rules! caught {
    ($($name:ident: $flaw:ident by $promise:ident;)+) => {$(
        #[tokio::test]
        async fn $name() {
            assert!(is_broken(promise::$promise(&with(Flaw::$flaw))).await);
        }
    )+};
}

caught! {
    a_counter_without_a_limit: Lenient by an_allowance_is_used_up;
    a_counter_that_looks_before_it_counts: Hesitant by of_twenty_parallel_attempts_only_five_are_within_five;
    a_counter_that_counts_piece_by_piece: Piecemeal by a_refused_attempt_is_counted_nowhere;
    a_counter_that_never_forgets: Merciless by an_allowance_is_whole_again_after_its_window;
    a_counter_that_prolongs: Prolonging by a_later_attempt_does_not_prolong_the_window;
    a_counter_that_gives_nothing_back: Grasping by a_refund_gives_one_attempt_back;
    a_counter_that_gives_back_twice: Generous by a_refund_gives_one_attempt_back;
    a_counter_that_knows_nobody: Forgetful by a_source_is_remembered_with_its_last_sign_in;
    a_counter_that_keeps_everything: Untidy by windows_that_are_over_are_swept;
}

#[tokio::test]
async fn the_counter_behind_all_flaws_is_honest() {
    let honest = PeopleUnderTest::in_memory();
    promise::an_allowance_is_used_up(&honest).await;
    let outcome = honest.attempts.charge(&[], promise::now()).await.unwrap();
    assert_eq!(outcome, Charged::Within(vec![]));
}

use std::{collections::HashMap, sync::Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use devskyy_application::{
    error::PortError,
    identity::{AttemptKey, Attempts, Charge, Charged, KNOWN_FOR, Perishable, Spent},
};

use super::identity::lock;

/// Attempts and known sources in memory.
#[derive(Debug, Default)]
pub struct InMemoryAttempts {
    spent: Mutex<HashMap<AttemptKey, Spent>>,
    seen: Mutex<HashMap<AttemptKey, DateTime<Utc>>>,
}

#[async_trait]
impl Attempts for InMemoryAttempts {
    async fn charge(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Charged, PortError> {
        let mut spent = lock(&self.spent);
        let mut after = Vec::new();
        for Charge { allowance, most, window } in charges {
            let fresh = Spent { count: 0, until: now + *window };
            let before = spent.get(allowance).copied().filter(|it| it.until > now).unwrap_or(fresh);
            if before.count >= *most {
                return Ok(Charged::Exhausted { until: before.until });
            }
            after.push(Spent { count: before.count + 1, ..before });
        }
        spent.extend(charges.iter().map(|charge| charge.allowance).zip(after.iter().copied()));
        Ok(Charged::Within(after))
    }

    async fn refund(&self, allowances: &[AttemptKey]) -> Result<(), PortError> {
        let mut spent = lock(&self.spent);
        for allowance in allowances {
            if let Some(it) = spent.get_mut(allowance) {
                it.count = it.count.saturating_sub(1);
            }
        }
        Ok(())
    }

    async fn remember(&self, source: &AttemptKey, now: DateTime<Utc>) -> Result<(), PortError> {
        lock(&self.seen).insert(*source, now);
        Ok(())
    }

    async fn last_seen(&self, source: &AttemptKey) -> Result<Option<DateTime<Utc>>, PortError> {
        Ok(lock(&self.seen).get(source).copied())
    }
}

#[async_trait]
impl Perishable for InMemoryAttempts {
    async fn sweep(&self, before: DateTime<Utc>) -> Result<u64, PortError> {
        let (mut spent, mut seen) = (lock(&self.spent), lock(&self.seen));
        let held = spent.len() + seen.len();
        spent.retain(|_, it| it.until >= before);
        seen.retain(|_, at| *at + KNOWN_FOR >= before);
        Ok((held - spent.len() - seen.len()) as u64)
    }
}

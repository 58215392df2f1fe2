//! Two processes on one database, each with its own cache: what ends on one ends on the other in time.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use devskyy_application::{
    context::Actor,
    es::{AppendRequest, Precondition, Repository},
    identity::{PasswordChange, PasswordHash, Rotation, Sessions as _, Standings},
};
use devskyy_domain::{
    identity::{PlatformRole, User},
    kernel::ids::{SessionId, UserId},
};
use devskyy_infrastructure::{
    identity::{CachedStandings, SqlSessions},
    sql::{Database, Port},
};
use devskyy_testkit::{
    contracts::people::{PeopleUnderTest, account, now, session},
    fakes::SequentialIds,
};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Statement, TransactionTrait as _};
use tokio::time::timeout;

use crate::{
    databases::{self, Fresh},
    people::over,
};

/// Within this time an end must have taken effect everywhere.
const BITES_WITHIN: TimeDelta = TimeDelta::seconds(5);

fn ada() -> UserId {
    SequentialIds::nth(1).into()
}

fn sign_in() -> SessionId {
    SequentialIds::nth(50).into()
}

/// One process that changes things, and another that has just accepted a session.
struct Replicas {
    one: PeopleUnderTest,
    other: CachedStandings,
    db: Database,
}

impl Replicas {
    async fn over(fresh: Fresh) -> Self {
        let db = Database::connect(&fresh.url, 4).await.unwrap();
        let other = CachedStandings::new(Arc::new(SqlSessions::new(db.clone())));
        let replicas = Self { one: over(fresh).await, other, db };
        replicas.decide(|it| it.register(PlatformRole::Admin, SequentialIds::nth(700).into())).await;
        replicas.one.sessions.open(&session(sign_in(), ada(), 1)).await.unwrap();
        assert_eq!(replicas.stands(now()).await, Some(PlatformRole::Admin));
        replicas
    }

    /// The state of the session in the other process.
    async fn stands(&self, at: DateTime<Utc>) -> Option<PlatformRole> {
        self.other.of(ada(), sign_in(), at).await.unwrap()
    }

    async fn decide(
        &self,
        decide: impl FnOnce(
            &User,
        )
            -> Result<Vec<devskyy_domain::identity::UserEvent>, devskyy_domain::identity::IdentityError>,
    ) {
        let state = Repository::<User>::new(self.one.store.clone()).load(ada()).await.unwrap().state;
        let write = Repository::<User>::write(ada(), Precondition::Any, &decide(&state).unwrap()).unwrap();
        let context = Actor::system("replicas", SequentialIds::nth(9_999)).event_context(None);
        let request = AppendRequest { writes: vec![write], claims: vec![], idempotency: None, context };
        self.one.store.append(request).await.unwrap();
    }
}

async fn a_log_out_bites_everywhere(replicas: &Replicas) {
    replicas.one.sessions.revoke(sign_in(), now()).await.unwrap();
    assert_eq!(replicas.stands(now() + BITES_WITHIN).await, None);
}

async fn a_disabled_account_is_out_everywhere(replicas: &Replicas) {
    replicas.decide(User::disable).await;
    assert_eq!(replicas.stands(now() + BITES_WITHIN).await, None);
}

async fn a_demotion_counts_everywhere(replicas: &Replicas) {
    replicas.decide(|it| it.change_role(PlatformRole::Member)).await;
    assert_eq!(replicas.stands(now() + BITES_WITHIN).await, Some(PlatformRole::Member));
}

async fn a_changed_password_ends_other_sign_ins_everywhere(replicas: &Replicas) {
    replicas.one.accounts.save(&account(ada(), 1)).await.unwrap();
    let (from, to) = (account(ada(), 1).password, PasswordHash("another".to_owned()));
    let change = PasswordChange { user: ada(), from, to, keep: SequentialIds::nth(51).into(), at: now() };
    replicas.one.changes.set_password(&change).await.unwrap();
    assert_eq!(replicas.stands(now() + BITES_WITHIN).await, None);
}

async fn a_reused_refresh_token_ends_its_sign_in_everywhere(replicas: &Replicas) {
    for (presented, next) in [(1, 2), (2, 3), (1, 4)] {
        let until = now() + TimeDelta::days(7);
        replicas.one.sessions.rotate(&[presented; 32], &[next; 32], now(), until).await.unwrap();
    }
    assert_eq!(replicas.stands(now() + BITES_WITHIN).await, None);
}

async fn of_twenty_successors_from_two_processes_exactly_one_is_live(replicas: &Replicas) {
    let other = SqlSessions::new(replicas.db.clone());
    let until = now() + TimeDelta::days(7);
    let exchanges = (100_u8..120).map(|n| {
        let other = &other;
        async move {
            match n % 2 {
                0 => replicas.one.sessions.rotate(&[1; 32], &[n; 32], now(), until).await,
                _ => other.rotate(&[1; 32], &[n; 32], now(), until).await,
            }
        }
    });
    let answered = join_all(exchanges).await.iter().filter(|it| matches!(it, Ok(Rotation::Rotated { .. }))).count();
    let live = "SELECT count(*) AS live FROM refresh_tokens t JOIN sessions s ON s.current_token = t.digest \
                WHERE s.revoked_at IS NULL";
    let row = replicas.db.reader.query_one_raw(Statement::from_string(replicas.db.backend(), live)).await.unwrap();
    assert!(answered > 0 && row.unwrap().try_get::<i64>("", "live").unwrap() == 1, "{answered} answered");
}

macro_rules! on {
    ($(#[$meta:meta])* $database:ident: $($promise:ident),+ $(,)?) => {
        mod $database {
            on! { @each [$(#[$meta])*] $database: $($promise),+ }
        }
    };
    (@each $metas:tt $database:ident: $($promise:ident),+) => {
        $(on! { @one $metas $database, $promise })+
    };
    (@one [$(#[$meta:meta])*] $database:ident, $promise:ident) => {
        #[tokio::test]
        $(#[$meta])*
        async fn $promise() {
            super::$promise(&super::Replicas::over(super::databases::$database().await).await).await;
        }
    };
}

on! {
    sqlite:
    a_log_out_bites_everywhere,
    a_disabled_account_is_out_everywhere,
    a_demotion_counts_everywhere,
    a_changed_password_ends_other_sign_ins_everywhere,
    a_reused_refresh_token_ends_its_sign_in_everywhere,
    of_twenty_successors_from_two_processes_exactly_one_is_live,
}

on! {
    #[ignore = "needs PostgreSQL"]
    postgres:
    a_log_out_bites_everywhere,
    a_disabled_account_is_out_everywhere,
    a_demotion_counts_everywhere,
    a_changed_password_ends_other_sign_ins_everywhere,
    a_reused_refresh_token_ends_its_sign_in_everywhere,
    of_twenty_successors_from_two_processes_exactly_one_is_live,
}

/// A demoted server responds, and refuses writes; a connection made before stays like that.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_connection_to_a_demoted_server_is_not_kept() {
    let fresh = databases::postgres().await;
    let name = fresh.url.rsplit('/').next().unwrap().to_owned();
    let turn = async |mode: &str| {
        let admin = Database::connect(&fresh.url, 3).await.unwrap();
        let sql = format!("BEGIN READ WRITE; ALTER DATABASE {name} {mode}; COMMIT");
        admin.writer.execute_unprepared(&sql).await.unwrap();
        admin.close().await;
    };
    turn("SET default_transaction_read_only = on").await;
    let db = Database::connect(&fresh.url, 3).await.unwrap();
    turn("RESET default_transaction_read_only").await;
    let write = async || {
        let written = db.writer.execute_unprepared("DELETE FROM known_sources").await;
        written.map_err(Port("test").failed("writing"))
    };
    let refused = write().await.unwrap_err();
    assert!(refused.retryable && write().await.is_ok(), "{refused:?}");
}

/// A broken connection is noticed on one; the others of its age would each fail another request.
#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn one_broken_connection_is_enough_to_leave_those_of_its_time() {
    let fresh = databases::postgres().await;
    let db = Database::connect(&fresh.url, 4).await.unwrap();
    let asked = async |_| {
        let answer = db.reader.execute_unprepared("SELECT pg_sleep(0.05)").await;
        answer.map_err(Port("test").failed("reading"))
    };
    join_all((0..4).map(asked)).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    fresh.db.writer.execute_unprepared(cut).await.unwrap();
    let noticed = asked(0).await.is_err();
    let failed = join_all((0..4).map(asked)).await.iter().filter(|answer| answer.is_err()).count();
    assert_eq!((noticed, failed), (true, 0));
}

/// A writer holds the one write connection to SQLite; strangers with made-up tokens do not queue for it.
#[tokio::test]
async fn a_refresh_token_that_was_never_handed_out_waits_for_no_writer() {
    let fresh = databases::sqlite().await;
    let held = fresh.db.writer.begin().await.unwrap();
    let sessions = SqlSessions::new(fresh.db.clone());
    let refused = timeout(Duration::from_secs(5), sessions.rotate(&[1; 32], &[2; 32], now(), now())).await;
    assert_eq!(refused.expect("an answer in time").unwrap(), Rotation::Refused);
    held.rollback().await.unwrap();
}

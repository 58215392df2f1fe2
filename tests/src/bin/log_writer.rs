//! A process that appends to a log as fast as it can, for tests that run several of them or kill them.
//!
//! `log_writer <url> <name> <mode> <writers> <streams> <commands>` prints `ready`, then one line per acknowledged
//! append: `<key> <position> <stream> <version>`. With 0 commands it never ends. Mode `log` uses the real log with real
//! events, of projects that are renamed repeatedly, and their views; mode `naive` takes positions from a database
//! sequence inside parallel transactions, which is the mistake the tests must be able to detect.
#![expect(clippy::print_stdout, reason = "acknowledgements go to the test over standard output")]

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, Result, bail};
use devskyy_application::es::{
    AppendError, AppendRequest, EventContext, EventStore, Idempotency, Precondition, Repository,
};
use devskyy_domain::{
    kernel::ids::{ProjectId, UserId},
    projects::{Project, ProjectCreated, ProjectEvent, ProjectName, ProjectRenamed},
};
use devskyy_infrastructure::{
    es::{PerStream, Projection, SqlEventStore},
    projects::ProjectsProjection,
    sql::Database,
    system::SystemClock,
    totals::TotalsProjection,
};
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement, TransactionTrait};
use uuid::Uuid;

/// What one writer works on.
#[derive(Clone)]
struct Work {
    name: String,
    streams: u64,
    commands: u64,
    next: Arc<AtomicU64>,
}

impl Work {
    /// Jumps through all the streams. Writers of other names begin elsewhere, so that together they reach each stream,
    /// and many of them from two sides.
    fn stream(&self, n: u64) -> u64 {
        let name = self.name.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
        n.wrapping_add(name * self.streams / 3).wrapping_mul(0x9E37_79B9) % self.streams
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, name, mode, writers, streams, commands] = arguments.as_slice() else {
        bail!("usage: log_writer <url> <name> <mode> <writers> <streams> <commands>");
    };
    let commands = match commands.parse()? {
        0 => u64::MAX,
        some => some,
    };
    let work = Work { name: name.clone(), streams: streams.parse()?, commands, next: Arc::default() };
    let db = Database::connect(url, 24).await.context("connecting")?;
    match mode.as_str() {
        "log" => write_log(db, work, writers.parse()?).await,
        "naive" => write_naively(db, work, writers.parse()?).await,
        other => bail!("no such mode: {other}"),
    }
}

fn acknowledge(key: &str, position: u64, stream: u64, version: u64) {
    println!("{key} {position} {stream} {version}");
}

async fn write_log(db: Database, work: Work, writers: u64) -> Result<()> {
    let projections: [Arc<dyn Projection>; 2] = [Arc::new(PerStream(ProjectsProjection)), Arc::new(TotalsProjection)];
    let store = Arc::new(SqlEventStore::start(db, Arc::new(SystemClock), projections.to_vec()).await?);
    println!("ready");
    std::io::stdout().flush()?;
    let tasks: Vec<_> = (0..writers).map(|_| tokio::spawn(append(store.clone(), work.clone()))).collect();
    for task in tasks {
        task.await??;
    }
    store.stop().await;
    Ok(())
}

/// Appends with the version it expects, and learns the actual one from each conflict.
async fn append(store: Arc<SqlEventStore>, work: Work) -> Result<()> {
    let mut known = std::collections::HashMap::<u64, u64>::new();
    loop {
        let n = work.next.fetch_add(1, Ordering::Relaxed);
        if n >= work.commands {
            return Ok(());
        }
        let (key, stream) = (format!("{}-{n}", work.name), work.stream(n));
        loop {
            let version = known.get(&stream).copied().unwrap_or_default();
            match store.append(request(&key, stream, version)?).await {
                Ok(done) if done.replayed => acknowledge(&key, done.first, stream, 0),
                Ok(done) => {
                    known.insert(stream, version + 1);
                    acknowledge(&key, done.first, stream, version + 1);
                }
                Err(AppendError::Conflict { actual, .. }) => {
                    known.insert(stream, actual);
                    continue;
                }
                Err(AppendError::Overloaded) => continue,
                Err(error) => bail!("{key}: {error:?}"),
            }
            break;
        }
    }
}

/// Creates the project, or renames it to the key.
fn request(key: &str, stream: u64, version: u64) -> Result<AppendRequest> {
    let name = ProjectName::parse(key)?;
    let (slug, owner) = (name.slug(), UserId::from(Uuid::from_u64_pair(1, stream % 7)));
    let event: ProjectEvent = match version {
        0 => ProjectCreated { name, slug, owner, personal: false }.into(),
        _ => ProjectRenamed { name, slug }.into(),
    };
    let id = ProjectId::from(Uuid::from_u64_pair(0x0199_0000_0000_7000, stream));
    Ok(AppendRequest {
        writes: vec![Repository::<Project>::write(id, Precondition::Version(version), &[event])?],
        claims: Vec::new(),
        idempotency: Some(Idempotency { scope: Uuid::nil(), key: key.to_owned(), fingerprint: [7; 32] }),
        context: EventContext {
            actor: "system:log_writer".to_owned(),
            project: None,
            correlation_id: Uuid::nil(),
            causation_id: Uuid::nil(),
            source: None,
            traceparent: None,
        },
    })
}

async fn write_naively(db: Database, work: Work, writers: u64) -> Result<()> {
    println!("ready");
    std::io::stdout().flush()?;
    let tasks: Vec<_> = (0..writers).map(|_| tokio::spawn(append_naively(db.clone(), work.clone()))).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn append_naively(db: Database, work: Work) -> Result<()> {
    loop {
        let n = work.next.fetch_add(1, Ordering::Relaxed);
        if n >= work.commands {
            return Ok(());
        }
        let key = format!("{}-{n}", work.name);
        // A busy machine may delay a connection; what matters here is the order of positions.
        let position = loop {
            if let Ok(position) = insert_naively(&db, &key, n).await {
                break position;
            }
        };
        acknowledge(&key, position, 0, 1);
    }
}

async fn insert_naively(db: &Database, key: &str, n: u64) -> Result<u64> {
    let tx = db.writer.begin().await?;
    let insert = "INSERT INTO naive_events (key) VALUES ($1) RETURNING position";
    let statement = Statement::from_sql_and_values(DatabaseBackend::Postgres, insert, vec![key.into()]);
    let row = tx.query_one_raw(statement).await?.context("no position")?;
    // Transactions differ in length, as they do when views change in them.
    tokio::time::sleep(std::time::Duration::from_millis(n % 3 * 4)).await;
    tx.commit().await?;
    Ok(u64::try_from(row.try_get_by_index::<i64>(0)?)?)
}

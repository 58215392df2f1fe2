//! The PostgreSQL server itself is killed with `kill -9` in the middle of appends, and started again.

use std::{
    fs::{self, OpenOptions},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use devskyy_application::es::{EventFilter, EventStore, Position};
use devskyy_infrastructure::{
    es::{SqlEventStore, verify},
    sql::Database,
    system::SystemClock,
};
use devskyy_testkit::{
    chance::Chance,
    contracts::event_store::{Request, key, lamp, text_of},
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

/// How often the server dies.
const DEATHS: u32 = 5;
/// Number of concurrent writers.
const WRITERS: u64 = 8;
/// How many appends of each life are acknowledged before the server dies in the middle of others.
const APPENDS: u64 = 40;
/// How long a server may take to start, and an append to be acknowledged after that.
const PATIENCE: Duration = Duration::from_secs(60);

/// A PostgreSQL for this test, from the programs that Debian installs.
struct Cluster {
    programs: PathBuf,
    directory: TempDir,
    owner: Option<(u32, u32)>,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    /// Creates a fresh one. PostgreSQL refuses to run as root: then it runs as its own user.
    fn make() -> Self {
        let versions =
            fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL's programs are where Debian installs them");
        let newest = versions.map(|version| version.unwrap().path()).max().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let owner = root.then(|| user("postgres"));
        if let Some((user, group)) = owner {
            chown(directory.path(), Some(user), Some(group)).unwrap();
        }
        let cluster = Self { programs: newest.join("bin"), directory, owner, port: port_nobody_takes(), server: None };
        let data = cluster.data();
        let arguments = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--pgdata"];
        let made = cluster.program("initdb").args(arguments).arg(data).status().unwrap();
        assert!(made.success(), "initdb: {made}\n{}", cluster.said());
        cluster
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// The output of the programs so far: why they failed.
    fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn program(&self, name: &str) -> Command {
        let mut program = Command::new(self.programs.join(name));
        let log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        program.current_dir(self.directory.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if let Some((user, group)) = self.owner {
            program.uid(user).gid(group);
        }
        program
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the server until it stays up: the remains of a dead one must be gone first.
    async fn start(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < until, "the server does not start:\n{}", self.said());
            let (data, port) = (self.data(), self.port.to_string());
            let mut server = self.program("postgres");
            server.arg("-D").arg(data).args(["-p", &port, "-h", "127.0.0.1", "-c", "unix_socket_directories="]);
            self.server = Some(server.spawn().unwrap());
            while self.server.as_mut().unwrap().try_wait().unwrap().is_none() {
                if Database::connect(&self.url(), 3).await.is_ok() {
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.kill();
        }
    }
}

/// A free port outside the range of outgoing connections, so that it is still free when the server comes back: clients
/// that wait for it might otherwise take it.
fn port_nobody_takes() -> u16 {
    let given = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let first: u16 = given.split_whitespace().next().unwrap().parse().unwrap();
    let mut below = (first - 5_000..first).rev();
    below.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// The ids of a user of this machine and of its group.
fn user(name: &str) -> (u32, u32) {
    let users = fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let entry = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|entry| entry[0] == name);
    let entry = entry.expect("PostgreSQL's packages come with its user");
    (entry[2].parse().unwrap(), entry[3].parse().unwrap())
}

/// Appends one after the other, each until it is acknowledged; returns which, and where.
async fn append(store: Arc<SqlEventStore>, writer: u64, quiet: Arc<AtomicBool>) -> Vec<(Position, String)> {
    let mut acknowledged = Vec::new();
    while !quiet.load(Ordering::Relaxed) {
        let note = format!("{writer}-{}", acknowledged.len());
        let position = loop {
            let request = Request::to(lamp(writer), &[&note]).under(key(7, &note, 1));
            match timeout(PATIENCE, request.ask(&*store)).await.expect("an answer") {
                Ok(appended) => break appended.first,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        };
        acknowledged.push((position, note));
    }
    acknowledged
}

async fn recorded(store: &SqlEventStore) -> Vec<(Position, String)> {
    let mut recorded: Vec<(Position, String)> = Vec::new();
    loop {
        let after = recorded.last().map_or(0, |(position, _)| *position);
        let events = store.read_all(after, 5_000, &EventFilter::default()).await.unwrap().events;
        if events.is_empty() {
            return recorded;
        }
        recorded.extend(events.iter().map(|event| (event.position, text_of(event).to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL's own programs"]
async fn what_was_acknowledged_survives_the_death_of_the_server_and_the_log_goes_on() {
    let (mut cluster, mut chance) = (Cluster::make(), Chance::drawn());
    cluster.start().await;
    let db = Database::connect(&cluster.url(), 8).await.unwrap();
    db.migrate().await.unwrap();
    let store = Arc::new(SqlEventStore::start(db, Arc::new(SystemClock), Vec::new()).await.unwrap());
    let quiet = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(append(store.clone(), writer, quiet.clone()))).collect();
    let mut reached = 0;
    for _ in 0..DEATHS {
        reached = timeout(PATIENCE, store.beyond(reached + APPENDS, 0)).await.expect("the log goes on");
        sleep(Duration::from_micros(chance.below(20_000))).await;
        cluster.kill();
        cluster.start().await;
    }
    timeout(PATIENCE, store.beyond(reached + APPENDS, 0)).await.expect("the log goes on");
    quiet.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    acknowledged.sort();
    assert_eq!(recorded(&store).await, acknowledged);
    let unharmed = Database::connect(&cluster.url(), 3).await.unwrap();
    assert_eq!(verify(&unharmed, &[], vec![], |_, _| ()).await.unwrap().faults, []);
}

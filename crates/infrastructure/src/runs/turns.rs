//! What the queue of runs asks a database.
//!
//! A lane is what is open in one project at one priority. An index holds lane after lane, each in the order in which its
//! runs are taken up. The lanes are found by leaping from one to the next; in a lane, only what can be taken is looked at,
//! and what is held. A look costs as much as there are lanes, however long they are. What only has to end waits in no lane:
//! two indexes of their own hold what is to stop and what is overdue, of all projects.

use sea_orm::DatabaseBackend;

/// The moment a look is about: a lease that lapsed between two statements would be neither claimed nor told.
const NOW: &str = "CAST($1 AS BIGINT)";

/// A run that is due and that nobody holds.
const FREE: &str = "r.ready_at <= CAST($1 AS BIGINT) AND NOT EXISTS (SELECT 1 FROM run_leases l \
     WHERE l.run_id = r.id AND l.lease_until >= CAST($1 AS BIGINT) AND l.fence >= r.fence)";

/// Which of a project's runs goes first.
const URGENCY: &str = "priority DESC, ready_at, id";

const RUN: &str = "r.project_id, r.id, r.fence, r.priority, r.ready_at";

/// The statements in the dialect of an engine. Their places are numbered; counts of rows are part of the text, because
/// planners then know that there are few.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns(pub(super) DatabaseBackend);

impl Turns {
    /// Takes turns with others who look, and asks for microseconds since 1970 from when it has its turn. Turns and shares are
    /// exact only when nobody else counts at the same time; SQLite has one writer anyway. A lease is nobody's truth: it need
    /// not outlive the server's machine, and others wait no longer than the look takes.
    pub(super) fn alone(self) -> String {
        let turn = match self.0 {
            DatabaseBackend::Postgres => {
                "WITH turn AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', TRUE), \
                 pg_advisory_xact_lock(hashtext('devskyy.run_queue')) LIMIT 1) "
            }
            _ => "WITH turn AS (SELECT 1) ",
        };
        format!("{turn}SELECT {} FROM turn", self.micros())
    }

    const fn micros(self) -> &'static str {
        match self.0 {
            DatabaseBackend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
            _ => "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        }
    }

    /// Leases at most so many runs, the next in turn first, and before them so many that only have to end. Now (1), most runs
    /// a project may have under way (2), the worker (3), how long the lease lasts (4) and most runs of a project that the
    /// worker itself may have (5).
    ///
    /// A project's next run has the turn after those of its runs that are held; the lowest turns come first. So nothing is
    /// taken but from the projects whose first runs come first, as many as runs are wanted. What has to end has no turn and
    /// counts for no share. The condition on a conflict is there again, because a lease may be renewed meanwhile.
    pub(super) fn claim(self, most: usize, ending: usize) -> String {
        let (lanes, heads, ending, in_lane) = (self.lanes(), self.heads(), self.ending(ending), self.in_lane(most));
        let leased = self.each("r.id = l.run_id", "r.id", 1);
        format!(
            "WITH RECURSIVE {lanes}, {ending}, {heads}, \
             held AS (SELECT r.project_id, COUNT(*) AS runs, COUNT(*) FILTER (WHERE l.owner = CAST($3 AS TEXT)) AS own \
             FROM run_leases l {leased} \
             WHERE l.lease_until >= {NOW} AND l.fence >= r.fence AND r.ready_at <= {NOW} GROUP BY r.project_id), \
             firsts AS (SELECT h.*, ROW_NUMBER() OVER (PARTITION BY project_id ORDER BY {URGENCY}) AS place FROM heads h), \
             nearest AS (SELECT f.project_id FROM firsts f LEFT JOIN held h ON h.project_id = f.project_id \
             WHERE f.place = 1 AND COALESCE(h.runs, 0) < CAST($2 AS BIGINT) AND COALESCE(h.own, 0) < CAST($5 AS BIGINT) \
             ORDER BY COALESCE(h.runs, 0), {URGENCY} LIMIT {most}), \
             free AS (SELECT {RUN} FROM nearest n JOIN lanes l ON l.project_id = n.project_id {in_lane}), \
             places AS (SELECT f.*, ROW_NUMBER() OVER (PARTITION BY project_id ORDER BY {URGENCY}) AS place FROM free f), \
             turns AS (SELECT p.id, p.fence, p.priority, p.ready_at, COALESCE(h.runs, 0) + p.place AS turn, \
             COALESCE(h.own, 0) + p.place AS own FROM places p LEFT JOIN held h ON h.project_id = p.project_id), \
             taken AS (SELECT id, fence, priority, ready_at, 0 AS turn FROM ending \
             UNION ALL SELECT * FROM (SELECT id, fence, priority, ready_at, turn FROM turns \
             WHERE turn <= CAST($2 AS BIGINT) AND own <= CAST($5 AS BIGINT) ORDER BY turn, {URGENCY} LIMIT {most}) t) \
             INSERT INTO run_leases (run_id, owner, fence, lease_until) \
             SELECT id, CAST($3 AS TEXT), fence + 1, {NOW} + CAST($4 AS BIGINT) FROM taken \
             WHERE TRUE ORDER BY turn, {URGENCY} \
             ON CONFLICT (run_id) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, \
             lease_until = excluded.lease_until \
             WHERE run_leases.lease_until < {NOW} OR run_leases.fence < excluded.fence - 1 \
             RETURNING run_id, fence"
        )
    }

    /// When the passing of time alone makes something claimable: as far from now (1) as each of three kinds of it.
    pub(super) fn next_due() -> String {
        format!(
            "SELECT (SELECT MIN(ready_at) FROM runs WHERE ready_at > {NOW}) - {NOW}, \
             (SELECT MIN(lease_until) FROM run_leases WHERE lease_until >= {NOW}) - {NOW}, \
             (SELECT MIN(deadline) FROM runs WHERE ready_at IS NOT NULL AND deadline > {NOW}) - {NOW}"
        )
    }

    /// A row where something is free now (1).
    pub(super) fn left_over(self) -> String {
        let (lanes, heads, ending) = (self.lanes(), self.heads(), self.ending(1));
        format!(
            "WITH RECURSIVE {lanes}, {ending}, {heads} SELECT id FROM heads UNION ALL SELECT id FROM ending LIMIT 1"
        )
    }

    /// Extends a run's lease (1), under a fence (2), for its holder (3), by so many microseconds (4).
    pub(super) fn renew(self) -> String {
        let clock = self.micros();
        format!(
            "UPDATE run_leases SET lease_until = {clock} + $4, fence = $2 WHERE run_id = $1 AND owner = $3 AND fence <= $2 \
             AND EXISTS (SELECT 1 FROM runs WHERE id = $1 AND fence <= $2 AND ready_at IS NOT NULL) RETURNING fence"
        )
    }

    /// The lanes, and which projects are not in use.
    fn lanes(self) -> String {
        let next = self.next_lane();
        format!(
            "lanes AS (SELECT project_id, priority FROM (SELECT project_id, priority FROM runs \
             WHERE ready_at IS NOT NULL ORDER BY project_id, priority LIMIT 1) f \
             UNION ALL SELECT r.project_id, r.priority FROM lanes l {next}), \
             resting AS (SELECT DISTINCT l.project_id FROM lanes l \
             WHERE EXISTS (SELECT 1 FROM projects p WHERE p.id = l.project_id AND p.status <> 'active'))"
        )
    }

    /// A run of the lane after each lane. SQLite seeks only the first of two values that are compared together, and would
    /// read the lanes of the same project.
    fn next_lane(self) -> String {
        let open = "FROM runs r WHERE r.ready_at IS NOT NULL AND";
        let (beyond, order) = ("(r.project_id, r.priority) > (l.project_id, l.priority)", "r.project_id, r.priority");
        match self.0 {
            DatabaseBackend::Postgres => self.each(&format!("r.ready_at IS NOT NULL AND {beyond}"), order, 1),
            _ => format!(
                "CROSS JOIN runs r ON r.id IN (SELECT COALESCE((SELECT r.id {open} r.project_id = l.project_id \
                 AND r.priority > l.priority ORDER BY r.priority LIMIT 1), \
                 (SELECT r.id {open} r.project_id > l.project_id ORDER BY {order} LIMIT 1)))"
            ),
        }
    }

    /// The first run that is free of each lane of a project in use.
    fn heads(self) -> String {
        let first = self.in_lane(1);
        format!(
            "heads AS (SELECT {RUN} FROM lanes l {first} WHERE l.project_id NOT IN (SELECT project_id FROM resting))"
        )
    }

    /// What has to end, of all projects: runs that are to stop, and those whose deadline has passed. When they became due is
    /// hidden from planners, which would read all that is due instead; SQLite is told which index it is, because it would sort
    /// everything where most runs are of that kind.
    fn ending(self, most: usize) -> String {
        let by = |index: &str| match self.0 {
            DatabaseBackend::Postgres => String::new(),
            _ => format!("INDEXED BY {index}"),
        };
        let (stoppable, late) = (by("runs_stopping"), by("runs_overdue"));
        let free = FREE.replacen("r.ready_at", "+r.ready_at", 1);
        let stopping = format!("r.status = 'cancelling' AND {free} ORDER BY r.created_at, r.id LIMIT {most}");
        let overdue =
            format!("r.ready_at IS NOT NULL AND r.deadline <= {NOW} AND {free} ORDER BY r.deadline, r.id LIMIT {most}");
        format!(
            "ending AS (SELECT * FROM (SELECT {RUN} FROM runs r {stoppable} WHERE {stopping}) s \
             UNION SELECT * FROM (SELECT {RUN} FROM runs r {late} WHERE {overdue}) o LIMIT {most})"
        )
    }

    /// What is free in a lane, without what is taken to end anyway.
    fn in_lane(self, most: usize) -> String {
        let of_lane = "r.project_id = l.project_id AND r.priority = l.priority";
        let others = "r.id NOT IN (SELECT id FROM ending)";
        self.each(&format!("{of_lane} AND {FREE} AND {others}"), "r.ready_at, r.id", most)
    }

    /// Joins to each row before it its own first runs of a kind. It is written so that an engine has no other choice than to
    /// look each of them up: planners that misjudge how many there are would rather read all runs once.
    fn each(self, wanted: &str, order: &str, most: usize) -> String {
        let found = format!("FROM runs r WHERE {wanted} ORDER BY {order} LIMIT {most}");
        match self.0 {
            DatabaseBackend::Postgres => format!("CROSS JOIN LATERAL (SELECT r.* {found}) r"),
            _ => format!("CROSS JOIN runs r ON r.id IN (SELECT r.id {found})"),
        }
    }
}

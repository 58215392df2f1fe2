//! The SQL of the queue of runs.
//!
//! A lane contains the open runs of one project with one priority. An index orders the runs by lane, and within a lane
//! in the order of claiming. A recursive query jumps from lane to lane and reads only runs that can be claimed or are
//! held. So the cost depends on the number of lanes, not on their length. Runs that only have to end are in no lane:
//! two more indexes contain those being cancelled and those overdue.

use sea_orm::DatabaseBackend;

/// The time of the look; with a time per statement, a lease that lapses in between might be missed by both.
const NOW: &str = "CAST($1 AS BIGINT)";

/// A run that is due and has no valid lease.
const FREE: &str = "r.ready_at <= CAST($1 AS BIGINT) AND NOT EXISTS (SELECT 1 FROM run_leases l \
     WHERE l.run_id = r.id AND l.lease_until >= CAST($1 AS BIGINT) AND l.fence >= r.fence)";

/// The order of runs within a project.
const URGENCY: &str = "priority DESC, ready_at, id";

const RUN: &str = "r.project_id, r.id, r.fence, r.priority, r.ready_at";

/// The statements in the dialect of a database. Parameters are numbered; row limits are part of the text, so that
/// planners know that they are small.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turns(pub(super) DatabaseBackend);

impl Turns {
    /// Takes a lock that serialises looks, and returns the time in microseconds since 1970 at which it was acquired.
    /// Turns and shares are exact only if no other look counts at the same time; SQLite has one writer anyway. Leases
    /// need not survive a crash of the server, and no look waits longer than the others take.
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

    /// Leases at most `most` runs, in the order of their turns, and before them at most `ending` runs that only have to
    /// end. Parameters: the time (1), maximum runs of a project (2), the worker (3), the duration of the lease (4) and
    /// maximum runs of a project held by this worker (5).
    ///
    /// A project's next run has the turn after those of its held runs; the lowest turns come first. So only the
    /// projects with the first heads matter, as many as runs are requested. Runs that only have to end have no turn and
    /// count towards no share. The conflict clause repeats the condition, because a lease may be renewed concurrently.
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

    /// Time until something becomes claimable without an event, relative to the time (1), for each of three reasons.
    pub(super) fn next_due() -> String {
        format!(
            "SELECT (SELECT MIN(ready_at) FROM runs WHERE ready_at > {NOW}) - {NOW}, \
             (SELECT MIN(lease_until) FROM run_leases WHERE lease_until >= {NOW}) - {NOW}, \
             (SELECT MIN(deadline) FROM runs WHERE ready_at IS NOT NULL AND deadline > {NOW}) - {NOW}"
        )
    }

    /// Returns a row if a run is free at the time (1).
    pub(super) fn left_over(self) -> String {
        let (lanes, heads, ending) = (self.lanes(), self.heads(), self.ending(1));
        format!(
            "WITH RECURSIVE {lanes}, {ending}, {heads} SELECT id FROM heads UNION ALL SELECT id FROM ending LIMIT 1"
        )
    }

    /// Extends the lease of a run (1) under a fence (2) for its holder (3) by a number of microseconds (4).
    pub(super) fn renew(self) -> String {
        let clock = self.micros();
        format!(
            "UPDATE run_leases SET lease_until = {clock} + $4, fence = $2 WHERE run_id = $1 AND owner = $3 AND fence <= $2 \
             AND EXISTS (SELECT 1 FROM runs WHERE id = $1 AND fence <= $2 AND ready_at IS NOT NULL) RETURNING fence"
        )
    }

    /// The lanes, and the projects that are not active.
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

    /// A run of the lane after each lane. SQLite only seeks by the first column of a row comparison, and would
    /// otherwise read all lanes of the same project.
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

    /// The first free run of each lane of an active project.
    fn heads(self) -> String {
        let first = self.in_lane(1);
        format!(
            "heads AS (SELECT {RUN} FROM lanes l {first} WHERE l.project_id NOT IN (SELECT project_id FROM resting))"
        )
    }

    /// Runs of all projects that only have to end: those being cancelled and those overdue. The condition on the due
    /// time is hidden from planners, which would otherwise read all due runs. For SQLite the index is prescribed,
    /// because it would otherwise sort all rows if most runs qualify.
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

    /// The free runs of a lane, except those that are claimed to end.
    fn in_lane(self, most: usize) -> String {
        let of_lane = "r.project_id = l.project_id AND r.priority = l.priority";
        let others = "r.id NOT IN (SELECT id FROM ending)";
        self.each(&format!("{of_lane} AND {FREE} AND {others}"), "r.ready_at, r.id", most)
    }

    /// Joins each row with its own first matching runs. The query is written so that the database must look them up per
    /// row: planners that misjudge their number would rather scan all runs once.
    fn each(self, wanted: &str, order: &str, most: usize) -> String {
        let found = format!("FROM runs r WHERE {wanted} ORDER BY {order} LIMIT {most}");
        match self.0 {
            DatabaseBackend::Postgres => format!("CROSS JOIN LATERAL (SELECT r.* {found}) r"),
            _ => format!("CROSS JOIN runs r ON r.id IN (SELECT r.id {found})"),
        }
    }
}

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::Database;
use crate::es::statement;

/// Rows deleted per transaction, so that other writers can proceed in between.
pub(crate) const AT_ONCE: u64 = 1_000;

/// Rows of another table that refer to this row. PostgreSQL looks them up through an index or by a hash, but never by a
/// nested scan of both lists.
pub(crate) fn naming(own: impl ColumnTrait, by: impl ColumnTrait) -> SelectStatement {
    let same = Expr::col(by.as_column_ref()).equals(own.as_column_ref());
    Query::select().expr(Expr::val(1)).from(by.entity_name()).and_where(same).to_owned()
}

/// The condition that no such row exists.
pub(crate) fn none(rows: SelectStatement) -> Expr {
    Expr::exists(rows).not()
}

/// Deletes rows older than an instant, in batches of one transaction each. Returns how many.
pub(crate) async fn delete_before(
    db: &Database,
    table: &str,
    key: &str,
    time: &str,
    before: i64,
) -> Result<u64, DbErr> {
    let sql = format!(
        "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {time} < ? ORDER BY {time} LIMIT {AT_ONCE})"
    );
    let mut deleted = 0;
    loop {
        let portion = db.writer.execute_raw(statement(db.backend(), &sql, vec![before.into()])).await?.rows_affected();
        deleted += portion;
        if portion < AT_ONCE {
            return Ok(deleted);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use sea_orm::ConnectionTrait as _;

    use super::delete_before;
    use crate::sql::tests::sqlite;

    #[tokio::test]
    async fn what_is_old_is_deleted_in_portions() {
        let (db, commits) = (sqlite().await, Arc::new(AtomicU64::new(0)));
        let fill = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500) \
             INSERT INTO known_sources (source, seen_at) SELECT CAST(n AS BLOB), n FROM n";
        db.writer.execute_unprepared(fill).await.expect("rows");
        let counted = Arc::clone(&commits);
        let mut connection = db.writer.get_sqlite_connection_pool().acquire().await.expect("the connection");
        connection.lock_handle().await.expect("the database").set_commit_hook(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        });
        drop(connection);
        let deleted = delete_before(&db, "known_sources", "source", "seen_at", 2_401).await.expect("a sweep");
        assert_eq!((deleted, commits.load(Ordering::Relaxed)), (2_400, 3));
    }
}

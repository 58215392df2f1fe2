//! Statements whose number of rows varies, in a few fixed sizes: each size is prepared once and then reused.

use std::fmt::Write;

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement, Value};

/// Rows per multi-row statement. The largest stays below SQLite's 32,766 values for 13 columns.
const SIZES: [usize; 5] = [256, 64, 16, 4, 1];

/// Writes `?` or `$n`.
fn placeholder(backend: DatabaseBackend, sql: &mut String, n: usize) {
    match backend {
        DatabaseBackend::Postgres => {
            let _ = write!(sql, "${n}");
        }
        _ => sql.push('?'),
    }
}

/// A statement with one place for each value, written once as `?` for both engines.
pub(crate) fn statement(backend: DatabaseBackend, sql: &str, values: Vec<Value>) -> Statement {
    if backend != DatabaseBackend::Postgres {
        return Statement::from_sql_and_values(backend, sql, values);
    }
    let mut numbered = String::with_capacity(sql.len() + 16);
    let mut n = 0;
    for part in sql.split_inclusive('?') {
        match part.strip_suffix('?') {
            Some(before) => {
                n += 1;
                numbered.push_str(before);
                placeholder(backend, &mut numbered, n);
            }
            None => numbered.push_str(part),
        }
    }
    Statement::from_sql_and_values(backend, numbered, values)
}

/// A statement around a list of rows: `INSERT … VALUES (…), (…)` or a lookup of many keys at once.
#[derive(Debug)]
pub(super) struct Rows {
    backend: DatabaseBackend,
    columns: usize,
    /// The text for each of [`SIZES`].
    texts: [String; SIZES.len()],
}

impl Rows {
    /// `casts` name PostgreSQL's types of the columns where it cannot infer them; else empty.
    pub(super) fn new(backend: DatabaseBackend, head: &str, columns: usize, casts: &[&str], tail: &str) -> Self {
        let texts = SIZES.map(|rows| {
            let mut sql = String::from(head);
            for row in 0..rows {
                sql.push_str(if row == 0 { "(" } else { ", (" });
                for column in 0..columns {
                    if column > 0 {
                        sql.push_str(", ");
                    }
                    placeholder(backend, &mut sql, row * columns + column + 1);
                    if let (DatabaseBackend::Postgres, Some(cast)) = (backend, casts.get(column)) {
                        let _ = write!(sql, "::{cast}");
                    }
                }
                sql.push(')');
            }
            sql.push_str(tail);
            sql
        });
        Self { backend, columns, texts }
    }

    /// Statements that together cover all rows, none left out and none repeated.
    pub(super) fn covering(&self, rows: usize, mut values: impl Iterator<Item = Value>) -> Vec<Statement> {
        let mut statements = Vec::new();
        let mut left = rows;
        for (size, text) in SIZES.iter().zip(&self.texts) {
            while left >= *size {
                let of_chunk: Vec<Value> = values.by_ref().take(size * self.columns).collect();
                statements.push(Statement::from_sql_and_values(self.backend, text, of_chunk));
                left -= size;
            }
        }
        statements
    }

    /// Executes for all rows.
    pub(super) async fn execute(
        &self,
        tx: &impl ConnectionTrait,
        rows: usize,
        values: impl Iterator<Item = Value>,
    ) -> Result<(), DbErr> {
        for statement in self.covering(rows, values) {
            tx.execute_raw(statement).await?;
        }
        Ok(())
    }
}

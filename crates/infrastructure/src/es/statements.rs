//! Statements over lists of rows of any length, written once for both engines.

use std::fmt::Write;

use sea_orm::{DatabaseBackend, Statement, Value, sea_query::ArrayType};

/// Most rows of one statement on SQLite: with 12 columns below its 32,766 values.
const MOST_ROWS: usize = 2_048;
/// Most values of one statement on SQLite.
const MOST_VALUES: usize = 32_766;

/// A statement with placeholders, written as `?` for both engines.
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
                let _ = write!(numbered, "${n}");
            }
            None => numbered.push_str(part),
        }
    }
    Statement::from_sql_and_values(backend, numbered, values)
}

/// The type of a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Number,
    Small,
    Id,
    Text,
    Bytes,
}

impl Kind {
    const fn array(self) -> (ArrayType, &'static str) {
        match self {
            Self::Number => (ArrayType::BigInt, "bigint"),
            Self::Small => (ArrayType::SmallInt, "smallint"),
            Self::Id => (ArrayType::Uuid, "uuid"),
            Self::Text => (ArrayType::String, "text"),
            Self::Bytes => (ArrayType::Bytes, "bytea"),
        }
    }
}

/// Name and type of each column of a list. The first is never null.
pub(super) type Columns = [(&'static str, Kind)];

/// A builder of statements.
#[derive(Debug)]
pub(super) struct Composer {
    backend: DatabaseBackend,
    sql: String,
    values: Vec<Value>,
}

impl Composer {
    pub(super) fn new(backend: DatabaseBackend) -> Self {
        Self { backend, sql: String::with_capacity(4_096), values: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sql.is_empty()
    }

    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        match self.backend {
            DatabaseBackend::Postgres => {
                let _ = write!(self.sql, "${}", self.values.len());
            }
            _ => self.sql.push('?'),
        }
        self
    }

    /// A list of rows as a table named `w`. PostgreSQL takes one array per column, so that one prepared statement
    /// serves any number of rows. SQLite binds each value: lists are padded with empty rows to a few fixed lengths, so
    /// that few statements have to be prepared.
    pub(super) fn rows<const N: usize>(&mut self, columns: &Columns, rows: impl ExactSizeIterator<Item = [Value; N]>) {
        match self.backend {
            DatabaseBackend::Postgres => self.arrays(columns, rows),
            _ => self.padded(columns, rows),
        }
    }

    fn arrays<const N: usize>(&mut self, columns: &Columns, rows: impl ExactSizeIterator<Item = [Value; N]>) {
        let mut arrays: [Vec<Value>; N] = std::array::from_fn(|_| Vec::with_capacity(rows.len()));
        for row in rows {
            for (array, value) in arrays.iter_mut().zip(row) {
                array.push(value);
            }
        }
        // In the select list the arrays are unnested in step; in `FROM` each would be materialised first.
        self.push("(SELECT ");
        for (index, (array, (name, kind))) in arrays.into_iter().zip(columns).enumerate() {
            let (element, cast) = kind.array();
            self.push(if index == 0 { "unnest(" } else { ", unnest(" });
            self.bind(Value::Array(element, Some(Box::new(array))));
            self.push("::").push(cast).push("[]) AS ").push(name);
        }
        self.push(") w");
    }

    fn padded<const N: usize>(&mut self, columns: &Columns, rows: impl ExactSizeIterator<Item = [Value; N]>) {
        let length = padded_length(rows.len());
        self.push("(SELECT ");
        for (index, (name, _)) in columns.iter().enumerate() {
            let _ = write!(self.sql, "{}column{} AS {name}", if index == 0 { "" } else { ", " }, index + 1);
        }
        self.push(" FROM (VALUES ");
        let row = format!("(?{})", ", ?".repeat(N.saturating_sub(1)));
        for index in 0..length {
            self.push(if index == 0 { "" } else { ", " }).push(&row);
        }
        self.push(") WHERE column1 IS NOT NULL) w");
        let end = self.values.len() + length * N;
        self.values.extend(rows.flatten());
        self.values.resize(end, Value::BigInt(None));
    }

    /// How many rows may be added to one statement at once.
    pub(super) const fn most_rows(backend: DatabaseBackend) -> usize {
        match backend {
            DatabaseBackend::Postgres => usize::MAX,
            _ => MOST_ROWS,
        }
    }

    /// Whether a list of that size still fits.
    pub(super) fn fits(&self, rows: usize, columns: usize) -> bool {
        self.backend == DatabaseBackend::Postgres || self.values.len() + padded_length(rows) * columns <= MOST_VALUES
    }

    pub(super) fn finish(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.sql, self.values)
    }
}

/// The names of a list's columns, to follow `INSERT INTO … (` or `SELECT`.
pub(super) fn names(columns: &Columns) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The next of 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on.
fn padded_length(rows: usize) -> usize {
    let power = rows.next_power_of_two();
    let between = power / 4 * 3;
    if rows <= between { between } else { power }
}

#[cfg(test)]
mod tests {
    use super::padded_length;

    #[test]
    fn lists_are_filled_up_by_at_most_half_their_length() {
        let worst =
            (1..=2_048usize).map(|rows| padded_length(rows) - rows).zip(1..).all(|(added, rows)| added * 2 <= rows);
        assert!(worst);
    }
}

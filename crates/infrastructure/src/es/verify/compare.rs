//! Compares a live table with the same table derived again, whatever engine the live one is on: both engines convert
//! every value to the same text, and rows are walked in key order.

use std::cmp::Ordering;

use devskyy_application::es::Position;
use futures_util::{Stream, StreamExt};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, QueryResult, StreamTrait};

use super::{super::statements::statement, Fault};

/// A column and the expression of its text on each side.
struct Column {
    name: String,
    key: bool,
    live: String,
    truth: String,
}

/// One row: every column as text, and its keys.
struct Row {
    values: Vec<Option<String>>,
    keys: Vec<Option<String>>,
}

/// The difference with the lowest position, if there is any.
pub(super) async fn table(
    live: &DatabaseTransaction,
    truth: &DatabaseTransaction,
    projection: &'static str,
    table: &'static str,
) -> Result<Option<Fault>, DbErr> {
    let columns = columns(live, truth, table).await?;
    let mut is = Box::pin(rows(live, table, &columns, |column| &column.live).await?);
    let mut should = Box::pin(rows(truth, table, &columns, |column| &column.truth).await?);
    let (mut left, mut right) = (is.next().await.transpose()?, should.next().await.transpose()?);
    let mut first: Option<(Option<Position>, String)> = None;
    while left.is_some() || right.is_some() {
        let order = match (&left, &right) {
            (Some(left), Some(right)) => left.keys.cmp(&right.keys),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        if let Some(why) = difference(order, left.as_ref(), right.as_ref(), &columns) {
            let row = if order == Ordering::Less { &left } else { &right };
            let at = row.as_ref().and_then(|row| position(row, &columns));
            if first.as_ref().is_none_or(|(known, _)| at < *known) {
                first = Some((at, why));
            }
        }
        if order != Ordering::Greater {
            left = is.next().await.transpose()?;
        }
        if order != Ordering::Less {
            right = should.next().await.transpose()?;
        }
    }
    Ok(first.map(|(position, why)| Fault::Projection { projection, table, position, why }))
}

fn difference(order: Ordering, is: Option<&Row>, should: Option<&Row>, columns: &[Column]) -> Option<String> {
    let named = |row: Option<&Row>| row.map(|row| row.keys.iter().flatten().cloned().collect::<Vec<_>>().join(", "));
    match (order, is, should) {
        (Ordering::Less, is, _) => Some(format!("row {} should not be there", named(is)?)),
        (Ordering::Greater, _, should) => Some(format!("row {} is missing", named(should)?)),
        (Ordering::Equal, Some(is), Some(should)) => {
            let row = named(Some(is))?;
            let differs = is.values.iter().zip(&should.values).position(|(is, should)| is != should)?;
            let shown =
                |value: &Option<String>| value.as_ref().map_or("null".to_owned(), |text| format!("{text:.120}"));
            let (is, should) = (shown(is.values.get(differs)?), shown(should.values.get(differs)?));
            Some(format!("row {row}: {} is {is} and should be {should}", columns.get(differs)?.name))
        }
        (Ordering::Equal, ..) => None,
    }
}

fn position(row: &Row, columns: &[Column]) -> Option<Position> {
    let index = columns.iter().position(|column| column.name == "position")?;
    row.values.get(index)?.as_ref()?.parse().ok()
}

async fn rows<'a>(
    tx: &'a DatabaseTransaction,
    table: &str,
    columns: &'a [Column],
    text: impl Fn(&Column) -> &String,
) -> Result<impl Stream<Item = Result<Row, DbErr>> + 'a, DbErr> {
    let selected: Vec<_> = columns.iter().map(|column| text(column).as_str()).collect();
    let collation = if backend(tx) == DatabaseBackend::Postgres { " COLLATE \"C\"" } else { "" };
    let keys = columns.iter().filter(|column| column.key);
    let order: Vec<_> = keys.map(|column| format!("{}{collation}", text(column))).collect();
    let sql = format!("SELECT {} FROM {table} ORDER BY {}", selected.join(", "), order.join(", "));
    let found = tx.stream_raw(statement(backend(tx), &sql, Vec::new())).await?;
    Ok(found.map(|row| read(&row?, columns)))
}

fn read(row: &QueryResult, columns: &[Column]) -> Result<Row, DbErr> {
    let values: Vec<Option<String>> =
        (0..columns.len()).map(|index| row.try_get_by_index(index)).collect::<Result<_, _>>()?;
    let keys = columns.iter().zip(&values).filter(|(column, _)| column.key).map(|(_, value)| value.clone()).collect();
    Ok(Row { values, keys })
}

async fn columns(live: &DatabaseTransaction, truth: &DatabaseTransaction, table: &str) -> Result<Vec<Column>, DbErr> {
    let mut columns = Vec::new();
    let described = format!("SELECT name, pk FROM pragma_table_info('{table}')");
    for row in truth.query_all_raw(statement(DatabaseBackend::Sqlite, &described, Vec::new())).await? {
        let (name, key): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let truth = on_sqlite(&name);
        let live = match backend(live) {
            DatabaseBackend::Postgres => on_postgres(live, table, &name).await?,
            _ => truth.clone(),
        };
        columns.push(Column { name, key: key > 0, live, truth });
    }
    if !columns.iter().any(|column| column.key) {
        columns.iter_mut().for_each(|column| column.key = true);
    }
    Ok(columns)
}

fn backend(tx: &DatabaseTransaction) -> DatabaseBackend {
    ConnectionTrait::get_database_backend(tx)
}

/// Bytes as hexadecimal digits, everything else as text.
fn on_sqlite(name: &str) -> String {
    format!("CASE typeof(\"{name}\") WHEN 'blob' THEN lower(hex(\"{name}\")) ELSE CAST(\"{name}\" AS TEXT) END")
}

async fn on_postgres(live: &DatabaseTransaction, table: &str, name: &str) -> Result<String, DbErr> {
    let find = "SELECT data_type::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = ? AND column_name = ?";
    let values = vec![table.into(), name.into()];
    let row = live.query_one_raw(statement(DatabaseBackend::Postgres, find, values)).await?;
    let kind: String = row.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?;
    Ok(match kind.as_str() {
        "uuid" => format!("replace(\"{name}\"::text, '-', '')"),
        "bytea" => format!("encode(\"{name}\", 'hex')"),
        "boolean" => format!("(\"{name}\"::int)::text"),
        _ => format!("\"{name}\"::text"),
    })
}

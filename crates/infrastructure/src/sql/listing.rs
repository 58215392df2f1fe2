use devskyy_application::paging::{Key, KeyValue, KeysetRequest, PageOf, Part};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, FromQueryResult, ModelTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Value,
    sea_query::{Expr, ExprTrait, LikeExpr, Order as Direction},
};
use uuid::Uuid;

use crate::totals::Kept;

/// A total order of a table's rows; an index should begin with its columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<C> {
    /// The first sort column: whole numbers, or a text compared by code points.
    pub(crate) by: C,
    /// The tie-breaker: a UUID.
    pub(crate) id: C,
    /// Whether the order is descending.
    pub(crate) descending: bool,
}

impl<C: ColumnTrait> Order<C> {
    fn sorted<E: EntityTrait<Column = C>>(self, rows: Select<E>) -> Select<E> {
        let direction = if self.descending { Direction::Desc } else { Direction::Asc };
        rows.order_by(self.by, direction.clone()).order_by(self.id, direction)
    }

    /// Only rows after a key: a row comparison, which both databases answer from the index.
    fn after<E: EntityTrait<Column = C>>(self, rows: Select<E>, place: &Key) -> Select<E> {
        let value = match &place.value {
            KeyValue::Number(number) => Value::from(*number),
            KeyValue::Text(text) => Value::from(text.clone()),
        };
        let columns = Expr::tuple([self.by.as_column_ref(), self.id.as_column_ref()].map(Expr::col));
        let place = Expr::tuple([Expr::val(value), Expr::val(place.id)]);
        rows.filter(if self.descending { columns.lt(place) } else { columns.gt(place) })
    }

    pub(super) fn stretch<E: EntityTrait<Column = C>>(
        self,
        rows: Select<E>,
        after: Option<&Key>,
        most: u64,
    ) -> Select<E> {
        let rows = after.into_iter().fold(rows, |rows, place| self.after(rows, place));
        self.sorted(rows).limit(most)
    }

    /// The key of a row. A column of another type would be a bug of this crate.
    fn place<M: ModelTrait>(self, row: &M) -> Key
    where
        M::Entity: EntityTrait<Column = C>,
    {
        let value = match row.get(self.by) {
            Value::BigInt(Some(number)) => KeyValue::Number(number),
            Value::Int(Some(number)) => KeyValue::Number(number.into()),
            Value::String(Some(text)) => KeyValue::Text(text),
            _ => KeyValue::Number(0),
        };
        let id = match row.get(self.id) {
            Value::Uuid(Some(id)) => id,
            _ => Uuid::nil(),
        };
        Key { value, id }
    }
}

/// Rows whose column contains a text. The column holds lower-case text; wildcards of `LIKE` are escaped.
pub(crate) fn containing<E: EntityTrait>(rows: Select<E>, column: impl ExprTrait, text: &str) -> Select<E> {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    rows.filter(column.like(LikeExpr::new(pattern).escape('\\')))
}

/// Reads one part of a list. If its length is not maintained, it is counted.
pub(crate) async fn part_of<E>(
    db: &DatabaseConnection,
    rows: Select<E>,
    order: Order<E::Column>,
    part: &Part,
    kept: Option<Kept>,
) -> Result<PageOf<E::Model>, DbErr>
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + FromQueryResult + Send + Sync,
{
    match part {
        Part::Page(page) => {
            let total = match kept {
                Some(kept) => kept.total(db).await?,
                None => rows.clone().select_only().column(order.id).count(db).await?,
            };
            let found = order.sorted(rows).offset(page.offset()).limit(page.page_size).all(db).await?;
            Ok(PageOf::of_total(found, total))
        }
        Part::Keyset(KeysetRequest { after, limit }) => {
            let found = order.stretch(rows, after.as_ref(), limit + 1).all(db).await?;
            Ok(PageOf::up_to(found, *limit, |row| order.place(row)))
        }
    }
}

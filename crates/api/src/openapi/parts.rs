//! The parameters that select a part of a list, or a moment; their bounds are those that are enforced.

use chrono::{DateTime, Utc};
use devskyy_application::paging::{MAX_PAGE, MAX_PAGE_SIZE, USUAL_PAGE_SIZE};
use utoipa::{
    IntoParams,
    openapi::{
        Object, ObjectBuilder,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::Type,
    },
};

use crate::extract::LONGEST_CURSOR;

/// Which page of a list is requested; version 2 has [`Stretch`] instead.
pub(crate) struct Paging;

impl IntoParams for Paging {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            query("page", "Which page, from 1.", number(MAX_PAGE, 1)),
            query("page_size", "Items per page.", number(MAX_PAGE_SIZE, USUAL_PAGE_SIZE)),
        ]
    }
}

/// Which part of a list is requested.
pub(crate) struct Stretch;

impl IntoParams for Stretch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let cursor = Object::builder().schema_type(Type::String).max_length(Some(LONGEST_CURSOR));
        let about =
            "Where to go on: `next_cursor` of the answer before, from the same list with the same filter and sort.";
        vec![query("cursor", about, cursor), query("limit", "Items at most.", number(MAX_PAGE_SIZE, USUAL_PAGE_SIZE))]
    }
}

/// As of when a thing is shown.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what the operation takes")]
pub(crate) struct BackThen {
    /// As it was after so many of its events: a `version` it had, also its `ETag` then.
    #[param(required = false, minimum = 1)]
    version: u64,
    /// As it was at this instant; excludes `version`.
    #[param(required = false)]
    as_of: DateTime<Utc>,
}

fn number(most: u64, usual: u64) -> ObjectBuilder {
    let number = Object::builder().schema_type(Type::Integer);
    number.minimum(Some(1)).maximum(Some(most)).default(Some(usual.into()))
}

fn query(name: &str, about: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

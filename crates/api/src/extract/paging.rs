use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header::LINK};
use devskyy_application::paging::{Age, Beyond, Key, KeysetRequest, PageOf, PageRequest, Part, Sort, USUAL_PAGE_SIZE};
use devskyy_domain::kernel::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    cursor::{Cursors, tells_the_list},
    parameters::Parameters,
};
use crate::{bounds::SEARCH, problem::request::LIST_CURSOR, version::ApiVersion};

/// The fields most lists can be sorted by, by name.
pub(crate) const BY_AGE: [(&str, Age); 1] = [("created_at", Age::CreatedAt)];

/// Takes `page` and `page_size`, or in version 2 `cursor` and `limit`.
pub(crate) fn page(parameters: &mut Parameters) -> Part {
    match ApiVersion::spoken() {
        ApiVersion::V1 => Part::Page(numbered(parameters)),
        ApiVersion::V2 => Part::Keyset(stretch(parameters)),
    }
}

/// Takes the part of a short list: in version 2 as for any list; in version 1, which returns it whole, nothing.
pub(crate) fn short(parameters: &mut Parameters) -> Option<Part> {
    (ApiVersion::spoken() == ApiVersion::V2).then(|| Part::Keyset(stretch(parameters)))
}

const FORM: &str = "a whole number";

fn numbered(parameters: &mut Parameters) -> PageRequest {
    let (page, page_size) = (parameters.take("page", FORM), parameters.take("page_size", FORM));
    for (name, outcome) in
        [("page", PageRequest::parse(page, None)), ("page_size", PageRequest::parse(None, page_size))]
    {
        if let Err(refusal) = outcome {
            parameters.fault(refusal.code(), name, refusal.to_string());
        }
    }
    PageRequest::parse(page, page_size).unwrap_or_default()
}

fn stretch(parameters: &mut Parameters) -> KeysetRequest {
    let limit = parameters.take("limit", FORM);
    let after = parameters.take_place();
    KeysetRequest::parse(after, limit).unwrap_or_else(|refusal| {
        parameters.fault(refusal.code(), "limit", refusal.to_string());
        KeysetRequest { after: None, limit: USUAL_PAGE_SIZE }
    })
}

impl Parameters {
    fn take_place(&mut self) -> Option<Key> {
        let raw = self.take::<String>("cursor", "a cursor")?;
        let place = self.cursors.open(&raw);
        if place.is_none() {
            self.fault(LIST_CURSOR.code, "cursor", "this is no cursor of this list, filter and sort".to_owned());
        }
        place
    }

    /// Takes a search text.
    pub(crate) fn take_search(&mut self, name: &'static str) -> Option<String> {
        let form = format!("{} to {} characters", SEARCH.start(), SEARCH.end());
        self.take_by(name, &form, |raw| {
            let text = raw.trim();
            SEARCH.contains(&text.chars().count()).then(|| text.to_owned())
        })
    }

    /// Takes `sort`: the name of a field, with `-` before it for descending.
    pub(crate) fn take_sort<F: Copy>(&mut self, fields: &[(&'static str, F)], usual: Sort<F>) -> Sort<F> {
        let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let form = format!("one of {}, with `-` before it for descending", names.join(", "));
        let sort = self.take_by("sort", &form, |raw| {
            let (name, descending) = raw.strip_prefix('-').map_or((raw, false), |name| (name, true));
            fields.iter().find(|(known, _)| *known == name).map(|(_, by)| Sort { by: *by, descending })
        });
        sort.unwrap_or(usual)
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Paged<T> {
    /// The items of this page.
    pub(crate) items: Vec<T>,
    /// Items on all pages.
    pub(crate) total: u64,
    /// This page.
    pub(crate) page: u64,
    /// Items per page.
    pub(crate) page_size: u64,
    /// Pages in all.
    pub(crate) total_pages: u64,
}

/// One part of a list.
#[derive(Debug, Serialize)]
struct Continued<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// A list, and the members beside it.
#[derive(Serialize)]
struct Beside<B, L> {
    #[serde(flatten)]
    beside: B,
    #[serde(flatten)]
    list: L,
}

/// The members beside most lists.
#[derive(Serialize)]
struct Nothing {}

/// A list that is returned whole.
#[derive(Serialize)]
struct Whole<T> {
    items: Vec<T>,
}

/// Responds with a short list: whole, or in version 2 the requested part of it.
pub(crate) fn told<T, B: Serialize + From<T>>(
    request: &HttpRequest,
    wanted: Option<&Part>,
    all: Vec<T>,
    descending: bool,
    key: impl Fn(&T) -> Key,
) -> HttpResponse {
    match wanted {
        None => HttpResponse::Ok().json(Whole { items: all.into_iter().map(B::from).collect::<Vec<_>>() }),
        Some(part) => paged(request, part, PageOf::cut(all, part, descending, key).map(B::from)),
    }
}

/// Responds with one part of a list, with links to its neighbours (RFC 8288).
pub(crate) fn paged<T: Serialize>(request: &HttpRequest, wanted: &Part, found: PageOf<T>) -> HttpResponse {
    paged_beside(HttpResponse::Ok(), request, wanted, found, Nothing {})
}

/// Responds with one part of a list and members beside it, with links to its neighbours (RFC 8288).
pub(crate) fn paged_beside<T: Serialize>(
    mut response: HttpResponseBuilder,
    request: &HttpRequest,
    wanted: &Part,
    found: PageOf<T>,
    beside: impl Serialize,
) -> HttpResponse {
    let PageOf { items, beyond } = found;
    match (beyond, wanted) {
        (Beyond::Next(next), Part::Page(_) | Part::Keyset(_)) => {
            let next_cursor = next.map(|place| Cursors::of(request).seal(&place));
            if let Some(cursor) = &next_cursor {
                let limit = match wanted {
                    Part::Keyset(wanted) => wanted.limit,
                    Part::Page(wanted) => wanted.page_size,
                };
                response.insert_header((LINK, link(request, &format!("limit={limit}&cursor={cursor}"), "next")));
            }
            response.json(Beside { beside, list: Continued { items, next_cursor } })
        }
        (Beyond::Total(total), wanted) => {
            let PageRequest { page, page_size } = match wanted {
                Part::Page(wanted) => *wanted,
                Part::Keyset(_) => PageRequest::default(),
            };
            let total_pages = total.div_ceil(page_size);
            response.insert_header((LINK, links(request, page, page_size, total_pages)));
            response.json(Beside { beside, list: Paged { items, total, page, page_size, total_pages } })
        }
    }
}

fn links(request: &HttpRequest, page: u64, page_size: u64, total_pages: u64) -> String {
    let last = total_pages.max(1);
    let around = [
        ("first", Some(1)),
        ("prev", (page > 1).then(|| (page - 1).min(last))),
        ("next", (page < last).then_some(page + 1)),
        ("last", Some(last)),
    ];
    let links = around
        .into_iter()
        .filter_map(|(relation, page)| Some(link(request, &format!("page={}&page_size={page_size}", page?), relation)));
    links.collect::<Vec<_>>().join(", ")
}

/// A link to another part of the same list.
pub(crate) fn link(request: &HttpRequest, part: &str, relation: &str) -> String {
    let mut link = format!("<{}?{part}", request.path());
    for pair in request.query_string().split('&').filter(|pair| tells_the_list(pair)) {
        let _ = write!(link, "&{pair}");
    }
    let _ = write!(link, ">; rel=\"{relation}\"");
    link
}

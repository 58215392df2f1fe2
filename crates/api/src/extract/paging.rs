use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, http::header::LINK};
use devskyy_application::paging::{PageOf, PageRequest};
use devskyy_domain::kernel::Refusal;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::parameters::Parameters;

/// Which part of a list is wanted, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes what `page` takes")]
pub(crate) struct Paging {
    /// Which page, from 1.
    #[param(minimum = 1, default = 1, required = false)]
    page: u64,
    /// Items per page.
    #[param(minimum = 1, maximum = 100, default = 20, required = false)]
    page_size: u64,
}

/// Takes `page` and `page_size`.
pub(crate) fn page(parameters: &mut Parameters) -> PageRequest {
    const FORM: &str = "a whole number";
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

/// Answers one page, with links to its neighbours (RFC 8288).
pub(crate) fn paged<T: Serialize>(request: &HttpRequest, wanted: PageRequest, found: PageOf<T>) -> HttpResponse {
    let PageRequest { page, page_size } = wanted;
    let PageOf { items, total } = found;
    let total_pages = total.div_ceil(page_size);
    let mut response = HttpResponse::Ok();
    response.insert_header((LINK, links(request, wanted, total_pages)));
    response.json(Paged { items, total, page, page_size, total_pages })
}

fn links(request: &HttpRequest, wanted: PageRequest, total_pages: u64) -> String {
    let last = total_pages.max(1);
    let page = wanted.page;
    let around = [
        ("first", Some(1)),
        ("prev", (page > 1).then(|| (page - 1).min(last))),
        ("next", (page < last).then_some(page + 1)),
        ("last", Some(last)),
    ];
    let others: Vec<&str> = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("page=") && !pair.starts_with("page_size="))
        .collect();
    let mut header = String::new();
    for (relation, page) in around.into_iter().filter_map(|(relation, page)| Some((relation, page?))) {
        let separator = if header.is_empty() { "" } else { ", " };
        let _ = write!(header, "{separator}<{}?page={page}&page_size={}", request.path(), wanted.page_size);
        for pair in &others {
            let _ = write!(header, "&{pair}");
        }
        let _ = write!(header, ">; rel=\"{relation}\"");
    }
    header
}

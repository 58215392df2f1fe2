use std::fmt::Write as _;

use actix_web::{HttpRequest, HttpResponse, http::header::LINK};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::parameters::Parameters;
use crate::problem::request;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// Which page, from 1.
    #[param(minimum = 1, default = 1, required = false)]
    pub(crate) page: u32,
    /// Items per page.
    #[param(minimum = 1, maximum = 100, default = 20, required = false)]
    pub(crate) page_size: u32,
}

impl Paging {
    /// Takes `page` and `page_size`.
    pub(crate) fn take(parameters: &mut Parameters) -> Self {
        Self { page: number(parameters, "page", 1, u32::MAX), page_size: number(parameters, "page_size", 20, 100) }
    }
}

fn number(parameters: &mut Parameters, name: &'static str, default: u32, most: u32) -> u32 {
    let Some(raw) = parameters.raw(name) else { return default };
    raw.parse().ok().filter(|number| (1..=most).contains(number)).unwrap_or_else(|| {
        parameters.fault(request::PAGE.code, name, format!("must be a whole number from 1 to {most}"));
        default
    })
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Paged<T> {
    /// The items of this page.
    pub(crate) items: Vec<T>,
    /// Items on all pages.
    pub(crate) total: u64,
    /// This page.
    pub(crate) page: u32,
    /// Items per page.
    pub(crate) page_size: u32,
    /// Pages in all.
    pub(crate) total_pages: u64,
}

/// Answers one page, with links to its neighbours (RFC 8288).
pub(crate) fn paged<T: Serialize>(request: &HttpRequest, paging: Paging, items: Vec<T>, total: u64) -> HttpResponse {
    let Paging { page, page_size } = paging;
    let total_pages = total.div_ceil(u64::from(page_size));
    let mut response = HttpResponse::Ok();
    response.insert_header((LINK, links(request, paging, total_pages)));
    response.json(Paged { items, total, page, page_size, total_pages })
}

fn links(request: &HttpRequest, paging: Paging, total_pages: u64) -> String {
    let last = total_pages.max(1);
    let page = u64::from(paging.page);
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
        let _ = write!(header, "{separator}<{}?page={page}&page_size={}", request.path(), paging.page_size);
        for pair in &others {
            let _ = write!(header, "&{pair}");
        }
        let _ = write!(header, ">; rel=\"{relation}\"");
    }
    header
}

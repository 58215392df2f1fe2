use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    http::{
        Method,
        header::{ALLOW, HeaderValue},
    },
    web::Data,
};
use serde::{Deserialize, de::IgnoredAny};

use crate::problem::{Problem, request};

/// Of the OpenAPI document, what tells methods.
#[derive(Deserialize)]
struct Paths {
    paths: BTreeMap<String, BTreeMap<String, IgnoredAny>>,
}

/// Which methods each documented address takes.
#[derive(Default)]
pub(crate) struct Routes(Vec<(ResourceDef, String)>);

impl Routes {
    /// Reads them from the OpenAPI document.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn of(document: &str) -> serde_json::Result<Self> {
        let Paths { paths } = serde_json::from_str(document)?;
        Ok(Self(paths.iter().map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item))).collect()))
    }

    /// The methods an address takes; nothing where there is no such address.
    pub(super) fn allowed(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(route, _)| route.is_match(path)).map(|(_, methods)| methods.as_str())
    }

    /// Whether an address takes a method.
    pub(super) fn takes(&self, method: &Method, path: &str) -> bool {
        self.allowed(path).is_some_and(|methods| methods.split(", ").any(|taken| taken == method.as_str()))
    }
}

fn methods(item: &BTreeMap<String, IgnoredAny>) -> String {
    let all = [("GET, HEAD", "get"), ("POST", "post"), ("PUT", "put"), ("PATCH", "patch"), ("DELETE", "delete")];
    let taken: Vec<&str> = all.into_iter().filter(|(_, key)| item.contains_key(*key)).map(|(name, _)| name).collect();
    taken.join(", ")
}

/// Answers what no route takes: 405 where the address exists, 404 where it does not.
pub(crate) async fn unmatched(request: HttpRequest, routes: Data<Routes>) -> Result<HttpResponse, Problem> {
    let Some(methods) = routes.allowed(request.path()) else {
        return Err(Problem::new(request::ROUTE_NOT_FOUND, "there is nothing at this address"));
    };
    let problem = Problem::new(request::METHOD_NOT_ALLOWED, format!("this address takes {methods}"));
    Err(match HeaderValue::from_str(methods) {
        Ok(methods) => problem.header(ALLOW, methods),
        Err(_) => problem,
    })
}

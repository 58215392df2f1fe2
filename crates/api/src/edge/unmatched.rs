use actix_web::{
    HttpRequest, HttpResponse,
    dev::ResourceDef,
    http::header::{ALLOW, HeaderValue},
    web::Data,
};
use utoipa::openapi::{OpenApi, PathItem};

use crate::problem::{Problem, request};

/// Which methods each documented address takes.
pub(crate) struct Routes(Vec<(ResourceDef, String)>);

impl Routes {
    /// Reads them from the document, which is collected from the routes themselves.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let routes = document.paths.paths.iter();
        Self(routes.map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item))).collect())
    }

    /// The methods an address takes; nothing where there is no such address.
    pub(super) fn allowed(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(route, _)| route.is_match(path)).map(|(_, methods)| methods.as_str())
    }
}

fn methods(item: &PathItem) -> String {
    let all = [
        ("GET, HEAD", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    let taken: Vec<&str> = all.into_iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| name).collect();
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

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ALLOW, HeaderValue},
    web::Data,
};

use super::routes::Routes;
use crate::problem::{Problem, request};

/// The response if no route matches: 405 if the address exists, otherwise 404.
pub(crate) async fn unmatched(request: HttpRequest, routes: Data<Routes>) -> Result<HttpResponse, Problem> {
    let Some(methods) = routes.allowed(request.path()) else {
        return Err(Problem::new(request::ROUTE_NOT_FOUND, "there is no such path"));
    };
    let problem = Problem::new(request::METHOD_NOT_ALLOWED, format!("this path allows {methods}"));
    Err(match HeaderValue::from_str(methods) {
        Ok(methods) => problem.header(ALLOW, methods),
        Err(_) => problem,
    })
}

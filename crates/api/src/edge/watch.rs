use actix_web::{
    Error, FromRequest,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
    web::Data,
};
use devskyy_application::audit::SecurityLog;

use super::routes::Routes;
use crate::{
    extract::{CurrentActor, Visitor},
    problem::Problem,
};

/// Records denials that were not recorded when they were decided.
pub(crate) async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let security = request.app_data::<Data<SecurityLog>>().cloned();
    let answer = next.call(request).await?;
    let problem = answer.response().error().and_then(|error| error.as_error::<Problem>());
    let noted = problem.is_some_and(Problem::is_noted);
    if let Some(security) = security.filter(|_| answer.status() == StatusCode::FORBIDDEN && !noted) {
        let asked = answer.request();
        let CurrentActor(actor) = match CurrentActor::from_request(asked, &mut Payload::None).await {
            Ok(known) => known,
            Err(_) => CurrentActor(Visitor::from_request(asked, &mut Payload::None).await?.0),
        };
        let route = asked.match_pattern().unwrap_or_default();
        let routes = asked.app_data::<Data<Routes>>();
        let project = routes.and_then(|routes| routes.find(asked.path())?.project());
        security.denied(&actor, project, &format!("{} {route}", asked.method()));
    }
    Ok(answer)
}

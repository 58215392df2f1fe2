use actix_web::{
    Error, FromRequest,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
    web::Data,
};
use devskyy_application::audit::SecurityLog;

use crate::extract::CurrentActor;

/// Where a denial is about the platform and no project; those about projects are noted where they are decided.
const OF_THE_PLATFORM: [&str; 2] = ["/users", "/auth/"];

/// Notes who was denied something about the platform.
pub(crate) async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let security = request.app_data::<Data<SecurityLog>>().cloned();
    let answer = next.call(request).await?;
    let route = answer.request().match_pattern().unwrap_or_default();
    let concerned = answer.status() == StatusCode::FORBIDDEN && OF_THE_PLATFORM.iter().any(|part| route.contains(part));
    if let Some(security) = security.filter(|_| concerned)
        && let Ok(CurrentActor(actor)) = CurrentActor::from_request(answer.request(), &mut Payload::None).await
    {
        security.denied(&actor, None, &format!("{} {route}", answer.request().method()));
    }
    Ok(answer)
}

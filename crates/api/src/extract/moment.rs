use devskyy_application::es::Moment;

use super::parameters::Parameters;
use crate::problem::request;

/// The form of an instant, as error messages give it.
pub(crate) const INSTANT: &str = "an instant in RFC 3339, for example 2026-01-31T12:00:00Z";

/// Takes `version` or `as_of`, the moment to show; both at once are refused.
pub(crate) fn moment(parameters: &mut Parameters) -> Option<Moment> {
    let version = parameters.take("version", "a version number, from 1").map(Moment::Version);
    let as_of = parameters.take("as_of", INSTANT).map(Moment::Instant);
    if version.is_some() && as_of.is_some() {
        parameters.fault(request::PARAMETER.code, "as_of", "cannot be combined with `version`".to_owned());
    }
    version.or(as_of)
}

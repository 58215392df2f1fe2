use std::collections::BTreeSet;

use devskyy_domain::{
    identity::{ApiKeyError, KeyScope},
    projects::ProjectRole,
};

use crate::{
    access::{Permission, allows},
    context::PlatformRole,
    error::{Error, Refused},
};

/// The scopes with these names; without names, all of the role's permissions that a key can have.
///
/// # Errors
/// [`Error::Invalid`] with a refusal per unknown name, or a refusal if the list is empty.
pub fn checked_scopes(names: Option<&[String]>, role: ProjectRole) -> Result<BTreeSet<KeyScope>, Error> {
    let grantable = || Permission::ALL.into_iter().filter(|permission| permission.suits_keys());
    let Some(names) = names else {
        let of_role = grantable().filter(|permission| allows(PlatformRole::Member, Some(role), *permission));
        return Ok(of_role.map(|permission| KeyScope::named(permission.as_str())).collect());
    };
    let unknown = names.iter().enumerate().filter(|(_, name)| !grantable().any(|known| known.as_str() == **name));
    let wrong: Vec<Refused> = unknown.map(|(index, _)| ApiKeyError::ScopeUnknown(index).into()).collect();
    if names.is_empty() {
        return Err(ApiKeyError::ScopesEmpty.into());
    }
    if wrong.is_empty() {
        Ok(names.iter().map(|name| KeyScope::named(name)).collect())
    } else {
        Err(Error::Invalid(wrong))
    }
}

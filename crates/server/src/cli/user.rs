use std::io::BufRead as _;

use devskyy_application::{
    context::Actor,
    error::Error,
    identity::{CreateAdmin, Secrets as _},
};
use devskyy_infrastructure::crypto::{KeyedSecrets, MasterKey};
use secrecy::{ExposeSecret as _, SecretString};

use super::say;
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    run,
    storage::{self, Store},
    wiring::Platform,
};

/// Opens an administrator's account on the machine itself.
pub(super) async fn create_admin(
    settings: Settings,
    email: &str,
    name: &str,
    password_stdin: bool,
) -> Result<(), Failure> {
    crate::crypto::choose();
    let password = if password_stdin { read_password()? } else { make_password()? };
    let command = CreateAdmin::parse(email, password.expose_secret(), name, settings.security.password_policy)
        .map_err(|error| told(&error))?;
    let store = Store::chosen(&settings);
    let _claimed = storage::claim(&settings, &store)?;
    let platform = Platform::build(&settings, run::database(&settings, &store).await?).await?;
    let actor = Actor::system("command line", platform.ground.ids.next());
    let made = platform.identity.create_admin.handle(&actor, command).await;
    platform.close().await;
    let user = made.map_err(|error| told(&error))?;
    say(&format!("administrator {email} is made, with id {}\n", user.id))?;
    if password_stdin { Ok(()) } else { say(&format!("password: {}\n", password.expose_secret())) }
}

fn read_password() -> Result<SecretString, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::operation(format!("cannot read the password from standard input: {error}")))?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// 256 random bits, with the digit and the capital that every password must have.
pub(crate) fn make_password() -> Result<SecretString, Failure> {
    let chance = MasterKey::generate().map_err(|error| Failure::operation(causes(&error)))?;
    let token = KeyedSecrets::new(chance).token().map_err(|error| Failure::operation(causes(&error)))?;
    Ok(SecretString::from(format!("{token}-A1")))
}

/// Every part of a refusal in one line.
fn told(error: &Error) -> Failure {
    match error {
        Error::Invalid(refusals) => {
            Failure::operation(refusals.iter().map(|refused| refused.detail.as_str()).collect::<Vec<_>>().join("; "))
        }
        other => Failure::operation(causes(other)),
    }
}

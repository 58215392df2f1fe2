use std::io::BufRead as _;

use devskyy_application::{
    context::{Actor, PlatformRole},
    error::Error,
    identity::{OpenAccount, TokenMint as _},
};
use devskyy_infrastructure::crypto::{KeyedTokenMint, MasterKey};
use secrecy::{ExposeSecret as _, SecretString};

use super::{arguments::NewUser, say};
use crate::{
    configuration::Settings,
    failure::{Failure, causes},
    run,
    storage::{self, Store},
    wiring::Platform,
};

/// Creates an account from the command line.
pub(super) async fn create(settings: Settings, user: &NewUser, role: PlatformRole) -> Result<(), Failure> {
    crate::crypto::choose();
    let NewUser { email, name, password_stdin } = user;
    let password = if *password_stdin { read_password()? } else { make_password()? };
    let policy = settings.security.password_policy;
    let command =
        OpenAccount::parse(email, password.expose_secret(), name, role, policy).map_err(|error| told(&error))?;
    let store = Store::chosen(&settings);
    let _claimed = storage::claim(&settings, &store)?;
    let platform = Platform::build(&settings, run::database(&settings, &store).await?).await?;
    let actor = Actor::system("command line", platform.ground.ids.next());
    let made = platform.identity.open_account.handle(&actor, command).await;
    platform.close().await;
    let made = made.map_err(|error| told(&error))?;
    let what = match role {
        PlatformRole::Admin => "administrator",
        PlatformRole::Member => "account",
    };
    say(&format!("{what} {email} is created, with id {}\n", made.id))?;
    if *password_stdin { Ok(()) } else { say(&format!("password: {}\n", password.expose_secret())) }
}

fn read_password() -> Result<SecretString, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::operation(format!("cannot read the password from standard input: {error}")))?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// 256 random bits, with the digit and upper-case letter that the password policy requires.
pub(crate) fn make_password() -> Result<SecretString, Failure> {
    let chance = MasterKey::generate().map_err(|error| Failure::operation(causes(&error)))?;
    let token = KeyedTokenMint::new(chance).token().map_err(|error| Failure::operation(causes(&error)))?;
    Ok(SecretString::from(format!("{token}-A1")))
}

/// All parts of a refusal in one line.
fn told(error: &Error) -> Failure {
    match error {
        Error::Invalid(refusals) => {
            Failure::operation(refusals.iter().map(|refused| refused.detail.as_str()).collect::<Vec<_>>().join("; "))
        }
        other => Failure::operation(causes(other)),
    }
}

//! After any actions in any order, what is derived from the log again equals what was there, and unique values are held
//! by their owners.

mod acts;
mod cast;

use std::{path::Path, process::Command, time::Duration};

use devskyy_domain::models::ProviderKind;
use devskyy_testkit::{
    chance::Chance,
    contracts::models::{Act, Reply},
    fakes::ModelServer,
};
use serde_json::Value;

use self::{acts::ACTS, cast::Cast};
use crate::{
    assisting::housed,
    client::Client,
    clustered::Fresh,
    program::{devskyy, ended},
    running::reaching,
    server::Server,
    tracker::Tracker,
};

/// Actions in one history.
const DEEDS: usize = 600;

/// A model with a single answer.
fn brief(_question: &Value) -> Option<Act> {
    Some(Act::Answer(Reply::says(&["so"])))
}

/// Plays a history against a server with this configuration.
async fn lived_through(directory: &Path, choose: &dyn Fn(&mut Command), chance: &mut Chance) {
    let tracker = Tracker::start(Duration::ZERO).await;
    let models = ModelServer::playing(ProviderKind::OpenAi, brief).await.unwrap();
    let server = Server::start_with(directory, |command| {
        reaching(&tracker)(command);
        housed(&models, "openai")(command);
        choose(command.args(["--set", "limits.writes=0", "--set", "limits.reads=0"]));
    });
    let mut cast = Cast::gathered(Client::administrator(&server).await, chance).await;
    for act in ACTS {
        cast.does(act).await;
    }
    for deed in 0..DEEDS {
        match cast.chance.one_of(ACTS) {
            Some(act) if act.rare && cast.chance.below(4) > 0 => {}
            Some(act) if deed % 12 > 0 => cast.does(act).await,
            _ => cast.decides_what_is_asked().await,
        }
    }
    // Less would prove little.
    let (kinds, deeds) = (cast.done.len(), cast.done.values().sum::<usize>());
    assert!(kinds * 4 > ACTS.len() * 3 && deeds > DEEDS / 4, "only {deeds} of {kinds} kinds: {:?}", cast.done);
    server.signal("-TERM");
    server.ended();
}

/// The views follow from the log, and so do the rebuilt ones.
async fn rebuilding_changes_nothing(choose: &dyn Fn(&mut Command)) {
    let (place, mut chance) = (tempfile::tempdir().unwrap(), Chance::drawn());
    lived_through(place.path(), choose, &mut chance).await;
    for arguments in [&["verify"][..], &["projections", "rebuild"], &["verify"]] {
        let mut command = devskyy(place.path());
        choose(command.args(arguments));
        let (code, out, error) = ended(&mut command);
        assert_eq!(code, 0, "{chance}, {arguments:?}: {out}{error}");
    }
}

#[tokio::test]
async fn views_derived_again_from_any_history_are_as_they_were_on_sqlite() {
    rebuilding_changes_nothing(&|_| {}).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn views_derived_again_from_any_history_are_as_they_were_on_postgres() {
    let database = Fresh::make();
    rebuilding_changes_nothing(&|command| database.choose(command)).await;
}

//! How long a failing sign-in takes, by the reason of the failure.

use std::time::Instant;

use serde_json::Value;

use crate::server::{PASSWORD, Server, ms, spread};

/// Attempts of each kind, interleaved so that other load affects all of them.
const ROUNDS: usize = 100;

pub(crate) async fn measure(server: &Server, admin: &str) -> Value {
    server.register("known", None).await;
    let disabled = server.register("disabled", None).await;
    let disable = server.http.post(format!("{}/api/v1/users/{disabled}/disable", server.url)).bearer_auth(admin);
    assert!(disable.send().await.unwrap().status().is_success());
    let kinds = [
        ("wrong_password", "known@example.org", "Wrong-horse-7"),
        ("unknown_email", "nobody@example.org", PASSWORD),
        ("disabled_account", "disabled@example.org", PASSWORD),
        ("no_email_at_all", "nonsense", PASSWORD),
    ];
    let mut taken = kinds.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for ((_, email, password), taken) in kinds.iter().zip(&mut taken) {
            let asked = Instant::now();
            let (status, _) = server.log_in(email, password).await;
            taken.push(ms(asked));
            assert_eq!(status, 401);
        }
    }
    kinds.iter().zip(taken).map(|((name, ..), taken)| ((*name).to_owned(), spread(taken))).collect()
}

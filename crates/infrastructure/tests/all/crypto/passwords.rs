use devskyy_application::identity::{HashError, PasswordHash, PasswordHasher};
use devskyy_domain::identity::{Password, PasswordPolicy};
use devskyy_infrastructure::crypto::{Argon2Cost, Argon2PasswordHasher};
use futures_util::future::join_all;

const CHEAP: Argon2Cost = Argon2Cost { memory_kib: 64, passes: 1, lanes: 1 };

fn password() -> Password {
    Password::parse("Correct-Horse-7", None, PasswordPolicy::Classic).unwrap()
}

#[tokio::test]
async fn a_hash_made_at_another_cost_is_still_verified() {
    let old = Argon2PasswordHasher::start(Argon2Cost { memory_kib: 128, passes: 2, lanes: 1 }, 1, 8).unwrap();
    let hash = old.hash(&password()).await.unwrap();
    let hasher = Argon2PasswordHasher::start(CHEAP, 1, 8).unwrap();
    assert!(hasher.verify("Correct-Horse-7", Some(&hash)).await.unwrap());
}

#[tokio::test]
async fn the_default_cost_is_written_into_the_hash() {
    let hasher = Argon2PasswordHasher::start(Argon2Cost::default(), 1, 8).unwrap();
    let PasswordHash(text) = hasher.hash(&password()).await.unwrap();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
}

#[tokio::test]
async fn a_flood_of_passwords_is_refused_instead_of_piling_up() {
    let hasher = Argon2PasswordHasher::start(Argon2Cost::default(), 1, 2).unwrap();
    let outcomes = join_all((0..20).map(|_| hasher.verify("Correct-Horse-7", None))).await;
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Err(HashError::Overloaded))));
}

#[tokio::test]
async fn a_damaged_hash_is_a_failure_and_not_a_wrong_password() {
    let hasher = Argon2PasswordHasher::start(CHEAP, 1, 8).unwrap();
    let damaged = PasswordHash("$argon2id$v=19$m=64".to_owned());
    assert!(matches!(hasher.verify("Correct-Horse-7", Some(&damaged)).await, Err(HashError::Port(_))));
}

use std::os::unix::fs::PermissionsExt;

use devskyy_application::identity::BootstrapTokens;
use devskyy_infrastructure::crypto::FileBootstrapTokens;

#[tokio::test]
async fn the_token_is_the_same_until_it_is_withdrawn() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = FileBootstrapTokens::new(directory.path());
    let first = tokens.offer().await.unwrap();
    assert_eq!(tokens.offer().await.unwrap(), first);
}

#[tokio::test]
async fn the_token_on_offer_matches() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = FileBootstrapTokens::new(directory.path());
    let offer = tokens.offer().await.unwrap();
    assert!(tokens.matches(&offer.token).await.unwrap());
}

#[tokio::test]
async fn another_token_does_not_match() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = FileBootstrapTokens::new(directory.path());
    tokens.offer().await.unwrap();
    assert!(!tokens.matches("guess").await.unwrap());
}

#[tokio::test]
async fn nothing_matches_a_withdrawn_token() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = FileBootstrapTokens::new(directory.path());
    let offer = tokens.offer().await.unwrap();
    tokens.withdraw().await.unwrap();
    assert!(!tokens.matches(&offer.token).await.unwrap());
}

#[tokio::test]
async fn an_empty_guess_never_matches() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = FileBootstrapTokens::new(directory.path());
    std::fs::write(directory.path().join("bootstrap-token"), "\n").unwrap();
    assert!(!tokens.matches("").await.unwrap());
}

#[tokio::test]
async fn only_its_owner_may_read_the_token_file() {
    let directory = tempfile::tempdir().unwrap();
    FileBootstrapTokens::new(directory.path()).offer().await.unwrap();
    let mode = directory.path().join("bootstrap-token").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

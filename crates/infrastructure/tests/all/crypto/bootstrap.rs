use std::os::unix::fs::PermissionsExt;

use devskyy_application::identity::BootstrapTokens;
use devskyy_infrastructure::crypto::FileBootstrapTokens;

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

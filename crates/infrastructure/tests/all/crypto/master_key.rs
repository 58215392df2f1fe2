use std::{collections::BTreeSet, io::ErrorKind, os::unix::fs::PermissionsExt};

use devskyy_infrastructure::crypto::{MasterKey, MasterKeyError, create_secret_file};

fn key() -> MasterKey {
    MasterKey::parse(&"5e".repeat(32)).unwrap()
}

#[test]
fn what_was_sealed_is_opened_again() {
    let sealed = key().seal("purpose", "name", b"secret").unwrap();
    assert_eq!(key().open("purpose", "name", &sealed).unwrap().as_slice(), b"secret");
}

#[test]
fn a_sealed_secret_opens_only_under_its_own_name() {
    let sealed = key().seal("purpose", "name", b"secret").unwrap();
    assert!(key().open("purpose", "other", &sealed).is_none());
}

#[test]
fn a_sealed_secret_opens_only_for_its_own_purpose() {
    let sealed = key().seal("purpose", "name", b"secret").unwrap();
    assert!(key().open("other", "name", &sealed).is_none());
}

#[test]
fn another_master_key_opens_nothing() {
    let sealed = MasterKey::generate().unwrap().seal("purpose", "name", b"secret").unwrap();
    assert!(key().open("purpose", "name", &sealed).is_none());
}

#[test]
fn a_sealed_secret_with_any_bit_flipped_stays_shut() {
    let sealed = key().seal("purpose", "name", b"secret").unwrap();
    let opened = (0..sealed.len() * 8).filter(|bit| {
        let mut damaged = sealed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        key().open("purpose", "name", &damaged).is_some()
    });
    assert_eq!(opened.count(), 0);
}

#[test]
fn a_sealed_secret_cut_anywhere_stays_shut() {
    let sealed = key().seal("purpose", "name", b"secret").unwrap();
    assert!((0..sealed.len()).all(|length| key().open("purpose", "name", &sealed[..length]).is_none()));
}

#[test]
fn keyed_digests_of_two_purposes_never_meet() {
    assert_ne!(key().keyed("one", b"value"), key().keyed("other", b"value"));
}

#[test]
fn a_key_of_the_wrong_length_is_refused() {
    assert!(matches!(MasterKey::parse("5e5e"), Err(MasterKeyError::Malformed)));
}

#[test]
fn the_key_made_at_the_first_start_is_the_key_of_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master-key");
    let first = MasterKey::load_or_create(&path).unwrap();
    let next = MasterKey::load_or_create(&path).unwrap();
    assert_eq!(first.keyed("p", b"v"), next.keyed("p", b"v"));
}

#[test]
fn only_its_owner_may_read_a_new_key_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master-key");
    MasterKey::load_or_create(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master-key");
    MasterKey::load_or_create(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(MasterKey::load_or_create(&path), Err(MasterKeyError::Exposed(_))));
}

#[test]
fn a_key_is_never_printed() {
    assert_eq!(format!("{:?}", key()), "MasterKey(…)");
}

#[test]
fn an_empty_key_file_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master-key");
    create_secret_file(&path, b"").unwrap();
    let refused = MasterKey::load_or_create(&path).unwrap_err().to_string();
    assert!(refused.contains("master-key is empty") && refused.contains("backup"), "{refused}");
}

#[test]
fn nothing_but_the_key_file_is_left_after_it_was_made() {
    let directory = tempfile::tempdir().unwrap();
    MasterKey::load_or_create(&directory.path().join("master-key")).unwrap();
    let names: Vec<_> = directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["master-key"]);
}

#[test]
fn of_many_processes_that_start_first_all_have_the_same_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master-key");
    let load = || MasterKey::load_or_create(&path).unwrap().keyed("p", b"v");
    let keys: BTreeSet<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..16).map(|_| scope.spawn(load)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(keys.len(), 1);
}

#[test]
fn a_secret_file_that_is_there_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    create_secret_file(&path, b"one").unwrap();
    let again = create_secret_file(&path, b"two").unwrap_err();
    assert_eq!((again.kind(), std::fs::read(&path).unwrap()), (ErrorKind::AlreadyExists, b"one".to_vec()));
}

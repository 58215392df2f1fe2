//! Every event version ever written has a golden file, `tests/golden/<type>/v<version>.json`, which stays for ever. A
//! version that is written in several forms has one for each, `v<version>_<form>.json`.
//!
//! A context adds a module here with one example per stored version and passes it to [`holds`].

use std::{collections::BTreeSet, fs, path::PathBuf};

use devskyy_domain::kernel::EventSet;

/// A stored version of an event and the event it is read as today.
pub(crate) struct Example<E> {
    /// Stored schema version.
    pub(crate) version: u16,
    /// Its form, if there are several.
    pub(crate) form: Option<&'static str>,
    /// The event it is read as.
    pub(crate) event: E,
}

impl<E> Example<E> {
    fn file(&self) -> String {
        let version = self.version;
        self.form.map_or_else(|| format!("v{version}.json"), |form| format!("v{version}_{form}.json"))
    }
}

/// An example in the present version.
pub(crate) fn today<E: EventSet>(event: impl Into<E>) -> Example<E> {
    let event = event.into();
    Example { version: event.schema_version(), form: None, event }
}

/// An example in one of the other forms of the present version.
pub(crate) fn also<E: EventSet>(form: &'static str, event: impl Into<E>) -> Example<E> {
    Example { form: Some(form), ..today(event) }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The golden files of an event that no example reads.
fn unread<E: EventSet>(event: &str, examples: &[Example<E>]) -> Vec<String> {
    let read: BTreeSet<_> = examples.iter().filter(|it| it.event.event_type() == event).map(Example::file).collect();
    let found = fs::read_dir(folder().join(event)).into_iter().flatten().flatten();
    let found = found.map(|entry| entry.file_name().to_string_lossy().into_owned());
    found.filter(|file| !read.contains(file)).map(|file| format!("no example reads {event}/{file}")).collect()
}

/// Everything that is wrong with the golden files of one kind of aggregate.
pub(crate) fn faults<E: EventSet>(examples: &[Example<E>]) -> Vec<String> {
    let mut faults: Vec<_> = examples.iter().filter_map(fault).collect();
    let covered: BTreeSet<_> = examples.iter().map(|example| (example.event.event_type(), example.version)).collect();
    for (name, newest) in E::TYPES {
        let missing = (1..=*newest).filter(|version| !covered.contains(&(*name, *version)));
        faults.extend(missing.map(|version| format!("{name} version {version} has no example")));
        faults.extend(unread(name, examples));
    }
    faults
}

/// Fails unless every version of every event has a file that is read as its example and, today's, written the same.
pub(crate) fn holds<E: EventSet>(examples: &[Example<E>]) {
    let faults = faults(examples);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn fault<E: EventSet>(example: &Example<E>) -> Option<String> {
    let Example { version, event, .. } = example;
    let (name, file) = (event.event_type(), example.file());
    let path = folder().join(name).join(&file);
    let written = write(event);
    let Ok(text) = fs::read_to_string(&path) else {
        return Some(format!("missing golden file\n{name}\t{file}\t{written}"));
    };
    let text = text.trim_end();
    match E::decode(name, *version, &mut serde_json::Deserializer::from_str(text)) {
        Err(error) => Some(format!("{name} version {version}: {error}")),
        Ok(read) if read != *event => Some(format!("{name} version {version} is read as {read:?}")),
        Ok(_) if *version == event.schema_version() && text != written => {
            Some(format!("{name} version {version} is written as {written}"))
        }
        Ok(_) => None,
    }
}

fn write<E: EventSet>(event: &E) -> String {
    let mut bytes = Vec::new();
    event.encode(&mut serde_json::Serializer::new(&mut bytes)).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(bytes).unwrap_or_else(|error| panic!("{error}"))
}

mod culprit {
    //! A made-up offender that the test must detect.

    use serde::{Deserialize, Serialize};

    use super::{faults, today};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct LampBroken {
        watts: u32,
    }
    devskyy_domain::first_version!(LampBroken = "lamp.broken");

    /// Has the name of a published event.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct UserDisabled {}
    devskyy_domain::first_version!(UserDisabled = "user.disabled");
    devskyy_domain::event_set! {
        /// Reads none of its golden files.
        enum UserEvent {
            /// Published long ago.
            Disabled(UserDisabled),
        }
    }

    devskyy_domain::event_set! {
        /// Has no golden file.
        enum LampEvent {
            /// Never written.
            Broken(LampBroken),
        }
    }

    #[test]
    fn an_event_without_a_golden_file_is_caught() {
        let faults = faults::<LampEvent>(&[today(LampBroken { watts: 1 })]);
        assert!(faults.iter().any(|fault| fault.starts_with("missing golden file")), "{faults:?}");
    }

    #[test]
    fn a_golden_file_that_nothing_reads_any_more_is_caught() {
        let faults = faults::<UserEvent>(&[]);
        assert!(faults.contains(&"no example reads user.disabled/v1.json".to_owned()), "{faults:?}");
    }

    #[test]
    fn an_event_without_an_example_is_caught() {
        assert_eq!(faults::<LampEvent>(&[]), ["lamp.broken version 1 has no example"]);
    }
}

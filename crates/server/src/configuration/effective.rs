use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use super::{
    keys::{self, KEYS, Key},
    value::Value,
};
use crate::failure::Failure;

/// The default configuration file.
const FILE: &str = "devskyy.toml";
/// The environment variable that selects another file.
const FILE_VARIABLE: &str = "DEVSKYY_CONFIG";
/// Prefix of variables that belong to the test suites, not to the program.
const FOREIGN: &str = "DEVSKYY_TEST_";

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The built-in default.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A command-line flag.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A command-line flag that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Its name, for example `--port`.
    pub name: &'static str,
    /// The key it sets.
    pub key: String,
    /// The value as written.
    pub value: String,
}

/// The sources of values besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The configuration file, if one is selected by a flag.
    pub file: Option<PathBuf>,
    /// The process's environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Command-line flags.
    pub flags: Vec<Flag>,
}

/// All keys with their effective values and sources; a value is `None` if it is not set and has no default.
#[derive(Debug, Clone)]
pub struct Effective(BTreeMap<String, (&'static Key, Option<Value>, Source)>);

impl Effective {
    /// Merges the layers: defaults, file, environment, flags.
    ///
    /// # Errors
    /// An unknown key or an invalid value, with its source.
    pub fn read(layers: &Layers) -> Result<Self, Failure> {
        let mut effective = Self::defaults()?;
        let environment = variables(&layers.environment)?;
        if let Some((path, text)) = file(layers, &environment)? {
            effective.lay_file(&path, &text)?;
        }
        for (name, value) in &environment {
            effective.lay_variable(name, value)?;
        }
        for flag in &layers.flags {
            let key = known(&flag.key, &format!("flag {}", flag.name))?;
            effective.set(&flag.key, key, key.kind.parse(&flag.value), &flag.value, Source::Flag(flag.name))?;
        }
        Ok(effective)
    }

    fn defaults() -> Result<Self, Failure> {
        let mut effective = Self(BTreeMap::new());
        for key in KEYS.iter().filter(|key| !key.is_open()) {
            effective.0.insert(key.name.to_owned(), (key, None, Source::Default));
            if let Some(default) = key.default {
                effective.set(key.name, key, key.kind.parse(default), default, Source::Default)?;
            }
        }
        Ok(effective)
    }

    fn lay_file(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Failure::configuration(format!("{} is not TOML: line {line}: {}", path.display(), error.message()))
        })?;
        self.lay_table("", &table, path)
    }

    fn lay_table(&mut self, section: &str, table: &toml::Table, path: &Path) -> Result<(), Failure> {
        for (member, value) in table {
            let name = if section.is_empty() { member.clone() } else { format!("{section}.{member}") };
            match value {
                toml::Value::Table(inner) if keys::find(&name).is_none() => self.lay_table(&name, inner, path)?,
                _ => {
                    let key = known(&name, &format!("file {}", path.display()))?;
                    let accepted = key.kind.accept(value);
                    self.set(&name, key, accepted, &value.to_string(), Source::File(path.to_owned()))?;
                }
            }
        }
        Ok(())
    }

    fn lay_variable(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        if name == FILE_VARIABLE {
            return Ok(());
        }
        let path = spelt(&name.trim_start_matches("DEVSKYY_").to_lowercase().replace("__", "."));
        let Some(key) = keys::find(&path) else {
            let meant = keys::variable(&keys::nearest(&path));
            return Err(Failure::configuration(format!(
                "unknown configuration variable {name}; did you mean {meant}?"
            )));
        };
        self.set(&path, key, key.kind.parse(value), value, Source::Environment(name.to_owned()))
    }

    fn set(
        &mut self,
        name: &str,
        key: &'static Key,
        value: Result<Value, String>,
        raw: &str,
        source: Source,
    ) -> Result<(), Failure> {
        let value = value.map_err(|must_be| {
            let shown = match key.kind.shown(&Value::Text(raw.trim_matches('"').to_owned())) {
                Value::Text(text) => text,
                _ => String::new(),
            };
            Failure::configuration(format!("{name} is \"{shown}\" ({source}), but must be {must_be}"))
        })?;
        self.0.insert(name.to_owned(), (key, Some(value), source));
        Ok(())
    }

    /// All keys with values and sources, in the order of the table; keys with a chosen name come last.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &'static Key, Option<&Value>, &Source)> {
        let fixed = KEYS.iter().filter_map(|key| self.0.get_key_value(key.name));
        let chosen = self.0.iter().filter(|(_, (key, ..))| key.is_open());
        fixed.chain(chosen).map(|(name, (key, value, source))| (name.as_str(), *key, value.as_ref(), source))
    }

    /// The names chosen below a section, each once.
    pub(super) fn chosen(&self, section: &str) -> BTreeSet<&str> {
        let open = self.0.iter().filter(|(_, (key, ..))| key.is_open());
        open.filter_map(|(name, _)| name.strip_prefix(section)?.strip_prefix('.')?.split('.').next()).collect()
    }

    /// The value of a key.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).and_then(|(_, value, _)| value.as_ref())
    }
}

/// Environment variables cannot contain the hyphen of a chosen name.
fn spelt(path: &str) -> String {
    match path.split('.').collect::<Vec<_>>().as_slice() {
        ["models", chosen, member] => format!("models.{}.{member}", chosen.replace('_', "-")),
        _ => path.to_owned(),
    }
}

fn known(name: &str, origin: &str) -> Result<&'static Key, Failure> {
    keys::find(name).ok_or_else(|| {
        let meant = keys::nearest(name);
        Failure::configuration(format!("unknown configuration key {name} ({origin}); did you mean {meant}?"))
    })
}

/// The environment variables of this program.
fn variables(environment: &[(OsString, OsString)]) -> Result<Vec<(String, String)>, Failure> {
    let mut ours = Vec::new();
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with("DEVSKYY_") && !name.starts_with(FOREIGN)) else {
            continue;
        };
        let value = value.to_str().ok_or_else(|| Failure::configuration(format!("{name} is not UTF-8 text")))?;
        ours.push((name.to_owned(), value.to_owned()));
    }
    ours.sort();
    Ok(ours)
}

/// The configuration file and its text; a file that was selected explicitly must exist.
fn file(layers: &Layers, environment: &[(String, String)]) -> Result<Option<(PathBuf, String)>, Failure> {
    let variable = environment.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, path)| PathBuf::from(path));
    let asked = layers.file.clone().or(variable);
    let path = asked.clone().unwrap_or_else(|| PathBuf::from(FILE));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && asked.is_none() => Ok(None),
        Err(error) => Err(Failure::configuration(format!(
            "cannot read the configuration file {}: {error}; name another with --config",
            path.display()
        ))),
    }
}

//! The repository as the rules see it: paths and texts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// One file of the repository.
pub(crate) struct SourceFile {
    /// Path from the repository's root, with forward slashes.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

impl SourceFile {
    /// A made-up file, to show that a rule detects what it should.
    pub(crate) fn made_up(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Reports a violation in this file.
    pub(crate) fn finding(&self, line: usize, message: &str) -> String {
        format!("{}:{line}: {message}", self.path)
    }

    /// Whether this is Rust code of the product.
    pub(crate) fn is_product_code(&self) -> bool {
        let in_product = ["crates/", "migrations/src/"].iter().any(|root| self.path.starts_with(root))
            && self.path.contains("/src/")
            && !self.path.starts_with("crates/testkit/");
        in_product && self.is_rust() && !self.is_test_module()
    }

    /// Whether this is Rust at all.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn is_test_module(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// Every text file of the repository except those that builds and runs create.
pub(crate) fn repository() -> Vec<SourceFile> {
    let root = root();
    let mut files = Vec::new();
    if let Err(error) = collect(&root, &root, &mut files) {
        panic!("the repository cannot be read: {error}");
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// The file at a path of the repository.
pub(crate) fn file(path: &str) -> SourceFile {
    match fs::read_to_string(root().join(path)) {
        Ok(text) => SourceFile { path: path.to_owned(), text },
        Err(error) => panic!("{path} cannot be read: {error}"),
    }
}

/// The repository's root directory.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Fails with every finding of a rule over the repository, if there is one.
pub(crate) fn hold(rule: fn(&SourceFile) -> Vec<String>) {
    let findings: Vec<String> = repository().iter().flat_map(rule).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<SourceFile>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if ["target", ".git", "devskyy-data", "node_modules"].contains(&name.as_str()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &entry.path(), files)?;
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            let path = entry.path().strip_prefix(root).unwrap_or(&entry.path()).to_string_lossy().replace('\\', "/");
            files.push(SourceFile { path, text });
        }
    }
    Ok(())
}

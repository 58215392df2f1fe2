//! Bounded contexts are connected by ids and by ports of their own, and name each other's types only by agreement.

use crate::{
    rust_text::{names_after, product_code},
    source::{self, SourceFile},
};

const CONTEXTS: [&str; 7] = ["identity", "projects", "agents", "runs", "models", "secrets", "budgets"];

/// Folders and files that may name one module of another context, each for a reason given in `docs/architecture.md`.
const CROSSINGS: [(&str, &str); 15] = [
    // A user and their personal project are created in one append.
    ("crates/application/src/identity/enrolment.rs", "projects"),
    // A key has a role in its project, never more than its issuer's.
    ("crates/domain/src/identity/keys/", "projects::ProjectRole"),
    ("crates/application/src/identity/keys/", "projects::ProjectRole"),
    ("crates/infrastructure/src/identity/keys/", "projects::ProjectRole"),
    // A member is invited by the e-mail with which they sign in.
    ("crates/application/src/projects/", "identity::Email"),
    // The port `Directory` belongs to projects, and identity implements it.
    ("crates/infrastructure/src/identity/directory.rs", "projects"),
    // The port `Addressees` belongs to projects, and personal data is stored with identity.
    ("crates/infrastructure/src/identity/addressees.rs", "projects"),
    // The port `RunnableAgents` belongs to runs, and agents implement it.
    ("crates/infrastructure/src/runs/agents.rs", "agents"),
    // A model call is recorded in its run and in the budgets it counts towards at once, or not at all.
    ("crates/application/src/runs/", "budgets"),
    // Those who start runs already know the project of an agent.
    ("crates/application/src/budgets/", "runs::RunnableAgents"),
    // The messages of model calls are the same for all callers.
    ("crates/application/src/runs/", "models"),
    ("crates/application/src/agents/", "models::ConfiguredModels"),
    ("crates/application/src/agents/", "models::ModelPrices"),
    // Lists show the contents of one's own projects, which is a join in the database.
    ("crates/infrastructure/src/agents/views.rs", "projects::projects_of"),
    ("crates/infrastructure/src/runs/views.rs", "projects::projects_of"),
];

/// A name of another context.
struct Foreign {
    line: usize,
    root: String,
    path: String,
}

impl Foreign {
    fn is_agreed(&self, file: &SourceFile, (from, to): (&str, &str)) -> bool {
        let module = self.path.split("::").next().unwrap_or_default();
        file.path.starts_with(from) && (module == to || self.path == to)
    }
}

fn foreign(file: &SourceFile, own: &str) -> Vec<Foreign> {
    let code = product_code(&file.text);
    let mut roots = vec![outward(&file.path), "crate::".to_owned()];
    if !file.path.starts_with("crates/domain/") {
        roots.push("devskyy_domain::".to_owned());
    }
    if file.path.starts_with("crates/infrastructure/") {
        roots.push("devskyy_application::".to_owned());
    }
    let mut names = Vec::new();
    for root in roots {
        for (line, path) in names_after(&code, &root) {
            let module = path.split("::").next().unwrap_or_default();
            if CONTEXTS.contains(&module) && module != own {
                names.push(Foreign { line, root: root.clone(), path });
            }
        }
    }
    names
}

fn keeps_to_itself(file: &SourceFile) -> Vec<String> {
    let Some(own) = context_of(&file.path) else { return Vec::new() };
    let names = foreign(file, own).into_iter();
    let names = names.filter(|name| !CROSSINGS.iter().any(|crossing| name.is_agreed(file, *crossing)));
    let meet = "meet through ids, or through a port of one's own";
    names
        .map(|Foreign { line, root, path }| file.finding(line, &format!("{own} must not use {root}{path}; {meet}")))
        .collect()
}

/// Agreed crossings that are no longer used.
fn overgrown(files: &[SourceFile]) -> Vec<String> {
    let goes = |crossing: &(&str, &str), file: &SourceFile| {
        context_of(&file.path).is_some_and(|own| foreign(file, own).iter().any(|name| name.is_agreed(file, *crossing)))
    };
    let unused = CROSSINGS.iter().filter(|crossing| !files.iter().any(|file| goes(crossing, file)));
    unused.map(|(from, to)| format!("{from} does not use {to}: close that way")).collect()
}

/// `crates/domain/src/agents/event.rs` belongs to `agents`.
fn context_of(path: &str) -> Option<&'static str> {
    let layered = ["crates/domain/src/", "crates/application/src/", "crates/infrastructure/src/"];
    let inside = layered.iter().find_map(|root| path.strip_prefix(root))?;
    let folder = inside.split('/').next()?;
    CONTEXTS.iter().find(|context| **context == folder).copied()
}

/// The chain of `super::` that leads from a file of a context to the crate's root.
fn outward(path: &str) -> String {
    let below_src = path.split("/src/").nth(1).unwrap_or_default();
    let depth = below_src.matches('/').count() + usize::from(!path.ends_with("/mod.rs"));
    "super::".repeat(depth)
}

#[test]
fn contexts_do_not_import_each_others_types() {
    source::hold(keeps_to_itself);
}

#[test]
fn every_way_across_is_still_needed() {
    let findings = overgrown(&source::repository());
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn a_way_that_nobody_goes_is_caught() {
    assert_eq!(overgrown(&[]).len(), CROSSINGS.len());
}

#[test]
fn a_context_that_reaches_into_its_neighbour_is_caught() {
    for (path, text) in [
        ("crates/domain/src/runs/run.rs", "use crate::agents::Agent;"),
        ("crates/domain/src/runs/run.rs", "use super::super::agents::Agent;"),
        ("crates/domain/src/runs/mod.rs", "use super::agents::Agent;"),
        ("crates/application/src/runs/start_run.rs", "use devskyy_domain::{kernel::Json, agents::Agent};"),
        ("crates/application/src/runs/start_run.rs", "fn f() { crate::agents::views::g() }"),
        (
            "crates/infrastructure/src/runs/views.rs",
            "use devskyy_application::{\n    es::X,\n    identity::UserView,\n};",
        ),
    ] {
        assert_eq!(keeps_to_itself(&SourceFile::made_up(path, text)).len(), 1, "{text}");
    }
}

#[test]
fn meeting_through_ids_is_fine() {
    let text = "use crate::{es::X, line::Y};\nuse devskyy_domain::{kernel::ids::AgentId, runs::Run};";
    assert_eq!(keeps_to_itself(&SourceFile::made_up("crates/application/src/runs/a.rs", text)), Vec::<String>::new());
}

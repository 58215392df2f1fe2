//! The demo's final output: totals and hints.

use chrono::{DateTime, Utc};

use super::{Shown, account, client::Client, screen::Screen};
use crate::{configuration::Settings, failure::Failure};

/// Prints the totals of the run.
pub(super) async fn totals(screen: &Screen, client: &Client, run: &str, tickets: usize) -> Result<(), Failure> {
    let ended = client.get(&format!("/runs/{run}")).await?;
    let usage = &ended["usage"];
    let number = |name: &str| usage[name].as_u64().unwrap_or_default();
    let time = |name: &str| ended[name].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let took = time("ended_at").zip(time("created_at")).map(|(end, begin)| (end - begin).num_milliseconds());
    screen.gap();
    screen.title("Totals");
    screen.line(&format!(
        "  {} events, {} steps, {} calls ({} retries), {} approval(s), {tickets} ticket(s) at the tracker, {} ms",
        ended["version"].as_u64().unwrap_or_default(),
        number("steps"),
        number("calls"),
        number("retries"),
        number("approvals"),
        took.unwrap_or_default()
    ));
    Ok(())
}

/// Prints where to find everything.
pub(super) fn look_further(screen: &Screen, url: &str, settings: &Settings, shown: &Shown, keep: bool, stays: bool) {
    let data = settings.data_dir.display();
    screen.gap();
    if stays {
        let password = account::password_file(&settings.data_dir);
        screen.title(&format!("API page: {url}/docs"));
        screen.line("Look further:");
        screen.line(&format!("  TOKEN=$(curl -s {url}/api/v1/auth/login -H 'Content-Type: application/json' \\"));
        screen.line(&format!(
            "    -d '{{\"email\": \"{}\", \"password\": \"'$(cat '{}')'\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')",
            account::EMAIL,
            password.display()
        ));
        screen.line(&format!("  curl -s {url}/api/v1/runs/{} -H \"Authorization: Bearer $TOKEN\"", shown.run));
        screen.line(&format!("  curl -s {url}/api/v1/runs/{}/events -H \"Authorization: Bearer $TOKEN\"", shown.run));
        screen.line(&format!("  curl -s {url}/api/v1/agents/{} -H \"Authorization: Bearer $TOKEN\"", shown.agent));
        screen.line("The server keeps running; stop it with Ctrl-C.");
        return;
    }
    screen.title(&format!("API page: {url}/docs (while the server runs)"));
    screen.line("Look further:");
    if keep {
        screen.line(&format!("  devskyy serve --data-dir '{data}'    serves what this demo recorded"));
        screen.line(&format!("  devskyy verify --data-dir '{data}'   proves that nothing was changed since"));
    } else {
        screen.line("  devskyy demo                        on a terminal: asks you, and keeps serving");
        screen.line("  devskyy demo --data-dir DIR --exit  keeps what it recorded in DIR");
    }
}

mod programs;
mod schemas;
mod templates;

use std::{sync::LazyLock, time::Duration};

use devskyy_domain::kernel::Json;
use devskyy_infrastructure::workflow::{Limits, SandboxedExpressions};

/// Steps are the limit and not time, so that a busy machine gives the same results.
const SMALL: Limits = Limits { steps: 3_000_000, time: Duration::from_secs(120), ..Limits::DEFAULT };

static EXPRESSIONS: LazyLock<SandboxedExpressions> =
    LazyLock::new(|| SandboxedExpressions::start(SMALL).expect("threads"));

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

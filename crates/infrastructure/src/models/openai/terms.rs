use super::super::failure::Fault;

/// The variant of the API that a server is addressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Terms {
    /// The server's vendor, according to its address.
    pub(super) whose: Whose,
    /// The name of the output limit.
    pub(super) limit: &'static str,
    /// Whether the form of the answer is requested; if not, it is described in words only.
    pub(super) formed: bool,
}

/// The vendor of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// OpenAI, which enforces the form of an answer.
    OpenAi,
    /// A vendor whose calls carry signed thoughts (`googleapis.com`).
    Google,
    /// A vendor whose calls carry thoughts in words (`api.deepseek.com`).
    DeepSeek,
    /// Any other.
    Other,
}

/// The output limit of OpenAI's reasoning models.
const NEWER_LIMIT: &str = "max_completion_tokens";
/// The output limit of all others; some local servers silently ignore the newer name.
const LIMIT: &str = "max_tokens";

impl Terms {
    /// The first variant to try at an address.
    pub(in super::super) fn at(base_url: &str, formed: bool) -> Self {
        let host = base_url.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
        let whose = if host == "api.openai.com" || host.ends_with(".openai.azure.com") {
            Whose::OpenAi
        } else if host.ends_with(".googleapis.com") {
            Whose::Google
        } else if host == "api.deepseek.com" {
            Whose::DeepSeek
        } else {
            Whose::Other
        };
        let limit = if whose == Whose::OpenAi { NEWER_LIMIT } else { LIMIT };
        Self { whose, limit, formed }
    }

    /// Whether the form of the answer is requested.
    pub(in super::super) const fn formed(self) -> bool {
        self.formed
    }

    /// The variant to try after a server rejected this one; `None` if the request itself was rejected. Rejected
    /// requests cost nothing.
    pub(in super::super) fn milder(self, fault: &Fault) -> Option<Self> {
        if self.limit != NEWER_LIMIT && fault.wants_newer_limit() {
            return Some(Self { limit: NEWER_LIMIT, ..self });
        }
        (self.formed && fault.refuses_form()).then_some(Self { formed: false, ..self })
    }
}

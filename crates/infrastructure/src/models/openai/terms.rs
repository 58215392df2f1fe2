use super::super::failure::Fault;

/// How a question is put to a server: what those who speak the protocol differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Terms {
    /// Whose server it is, as far as its address tells.
    pub(super) whose: Whose,
    /// What the limit of an answer is called.
    pub(super) limit: &'static str,
    /// Whether a form of the answer is asked for; where there is one, it is told in words only, without.
    pub(super) formed: bool,
}

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of those who defined the protocol, and who enforce the form of an answer.
    OpenAi,
    /// Of one whose calls have signed thoughts beside them.
    Google,
    /// Of one whose calls have thoughts in words beside them.
    DeepSeek,
    /// Of anybody else.
    Other,
}

/// The limit of an answer as OpenAI's reasoning models want it.
const NEWER_LIMIT: &str = "max_completion_tokens";
/// The limit of an answer as everybody else knows it; some local servers ignore the newer name without a word.
const LIMIT: &str = "max_tokens";

impl Terms {
    /// How whoever is at an address is asked first.
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

    /// Whether a form of the answer is asked for.
    pub(in super::super) const fn formed(self) -> bool {
        self.formed
    }

    /// How the same question is put to a server that did not take it this way; `None` where it is the question that it does not
    /// take. A question that is refused costs nothing.
    pub(in super::super) fn milder(self, fault: &Fault) -> Option<Self> {
        if self.limit != NEWER_LIMIT && fault.wants_newer_limit() {
            return Some(Self { limit: NEWER_LIMIT, ..self });
        }
        (self.formed && fault.refuses_form()).then_some(Self { formed: false, ..self })
    }
}

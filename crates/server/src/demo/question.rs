use tokio::sync::oneshot;

use super::{Answer, screen::Screen};
use crate::failure::Failure;

/// Answers the run's approval: as decided beforehand, or by asking a person.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answerer {
    /// Decided on the command line.
    Decided(Answer),
    /// A person is asked.
    Person,
    /// There is no terminal to ask on.
    Nobody,
}

impl Answerer {
    pub(super) fn new(decided: Option<Answer>, screen: &Screen) -> Self {
        match decided {
            Some(answer) => Self::Decided(answer),
            None if screen.interactive() => Self::Person,
            None => Self::Nobody,
        }
    }

    /// The answer and its reason, for the record.
    pub(super) async fn answer(self, screen: &Screen, prompt: &str) -> Result<(Answer, &'static str), Failure> {
        Ok(match self {
            Self::Decided(Answer::Approve) => {
                screen.line("  approving, as --approve says");
                (Answer::Approve, "--approve on the command line")
            }
            Self::Decided(Answer::Deny) => {
                screen.line("  denying, as --deny says");
                (Answer::Deny, "--deny on the command line")
            }
            Self::Nobody => {
                screen.line("  approving: there is no terminal to ask on, and neither --approve nor --deny was given");
                (Answer::Approve, "nobody could be asked")
            }
            Self::Person => (ask(screen, prompt).await?, "answered on the terminal"),
        })
    }
}

/// Asks until the answer is yes or no; the end of input means no.
async fn ask(screen: &Screen, prompt: &str) -> Result<Answer, Failure> {
    loop {
        screen.ask(&format!("{prompt} [y/n]"));
        let (told, answered) = oneshot::channel();
        // A separate thread, so that stopping the demo does not wait for a line of input.
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = told.send(std::io::stdin().read_line(&mut line).map(|read| (read, line)));
        });
        let (read, line) = answered.await.map_err(Failure::operation)?.map_err(Failure::operation)?;
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(Answer::Approve),
            "n" | "no" => return Ok(Answer::Deny),
            _ if read == 0 => return Ok(Answer::Deny),
            _ => {}
        }
    }
}

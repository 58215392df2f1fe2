use std::collections::BTreeMap;

use super::{Broken, Invariant};
use crate::{
    kernel::{Json, ids::ApprovalId},
    runs::{
        approval_event::{ApprovalDecided, ApprovalRequested},
        event::RunEvent,
        values::{Choice, Place},
    },
};

/// The answer to a question.
#[derive(Debug)]
enum Answer {
    Open,
    Approved,
    Refused,
}

#[derive(Debug)]
struct Question {
    place: Place,
    /// The approved arguments, if the question is about a call.
    arguments: Option<Json>,
    answer: Answer,
}

/// The questions one run asked people.
#[derive(Debug, Default)]
pub(super) struct Questions(BTreeMap<ApprovalId, Question>);

impl Questions {
    pub(super) fn hear(&mut self, event: &RunEvent, broken: &mut Broken) {
        match event {
            RunEvent::ApprovalRequested(asked) => self.ask(asked, broken),
            RunEvent::ApprovalDecided(decided) => self.answer(decided.approval, decided.into(), broken),
            RunEvent::ApprovalExpired(expired) => self.answer(expired.approval, Reply::refusal(), broken),
            _ => {}
        }
    }

    fn ask(&mut self, asked: &ApprovalRequested, broken: &mut Broken) {
        let arguments = asked.call.as_ref().map(|_| asked.data.clone());
        let question = Question { place: asked.place.clone(), arguments, answer: Answer::Open };
        let twice = self.0.values().any(|question| question.place == asked.place);
        if self.0.insert(asked.approval, question).is_some() || twice {
            broken.push((Invariant::QuestionFirst, format!("question {} is asked twice", asked.approval)));
        }
    }

    fn answer(&mut self, approval: ApprovalId, reply: Reply, broken: &mut Broken) {
        match self.0.get_mut(&approval) {
            Some(question) if matches!(question.answer, Answer::Open) => {
                question.answer = reply.answer;
                if reply.arguments.is_some() {
                    question.arguments = reply.arguments;
                }
            }
            Some(_) => broken.push((Invariant::QuestionFirst, format!("question {approval} was answered before"))),
            None => broken.push((Invariant::QuestionFirst, format!("question {approval} was never asked"))),
        }
    }

    /// Checks that the answers to earlier questions permit a call at a place with these arguments.
    pub(super) fn allow(&self, place: &Place, arguments: Option<&Json>, broken: &mut Broken) {
        let Some(question) = self.0.values().find(|question| question.place == *place) else { return };
        // The arguments of builtin tools follow from the run and are not recorded.
        let recorded = arguments.filter(|arguments| !arguments.is_null());
        let others = recorded.is_some_and(|arguments| question.arguments.as_ref() != Some(arguments));
        if !matches!(question.answer, Answer::Approved) {
            broken.push((Invariant::AsApproved, format!("nobody approved of the call at {}", place.step)));
        } else if others {
            broken.push((Invariant::AsApproved, format!("other arguments were approved at {}", place.step)));
        }
    }

    /// The place that stays without a call because of this answer, if any.
    pub(super) fn refused(&self, event: &RunEvent) -> Option<Place> {
        let approval = match event {
            RunEvent::ApprovalDecided(decided) => decided.approval,
            RunEvent::ApprovalExpired(expired) => expired.approval,
            _ => return None,
        };
        let question = self.0.get(&approval)?;
        matches!(question.answer, Answer::Refused).then(|| question.place.clone())
    }

    pub(super) fn any_open(&self) -> bool {
        self.0.values().any(|question| matches!(question.answer, Answer::Open))
    }
}

struct Reply {
    answer: Answer,
    arguments: Option<Json>,
}

impl Reply {
    const fn refusal() -> Self {
        Self { answer: Answer::Refused, arguments: None }
    }
}

impl From<&ApprovalDecided> for Reply {
    fn from(decided: &ApprovalDecided) -> Self {
        match decided.decision {
            Choice::Approve => {
                let arguments = decided.edit.as_ref().map(|edit| edit.arguments.clone());
                Self { answer: Answer::Approved, arguments }
            }
            Choice::Deny => Self::refusal(),
        }
    }
}

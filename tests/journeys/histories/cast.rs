//! The users who act, and what they have created.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use devskyy_testkit::chance::Chance;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::acts::{Deed, To};
use crate::client::{Answer, Client, PASSWORD};

/// The number of users beside the administrator.
const PEOPLE: usize = 4;

/// A user who may be invited.
struct Person {
    client: Client,
    email: String,
}

/// The users, what exists by now, and how often each action succeeded.
pub(super) struct Cast<'c> {
    pub(super) chance: &'c mut Chance,
    pub(super) done: BTreeMap<&'static str, usize>,
    ada: Client,
    people: Vec<Person>,
    /// Addresses of everything ever created.
    known: BTreeMap<To, Vec<String>>,
    /// By the address of a received invitation: the token, and who can use it.
    tokens: BTreeMap<String, (String, usize)>,
    /// The user whom the present action concerns.
    invited: usize,
    /// The invitation that the present action answers.
    answered: String,
}

impl<'c> Cast<'c> {
    /// The administrator, users who registered and users who were invited to the platform; one of them is erased
    /// again.
    pub(super) async fn gathered(ada: Client, chance: &'c mut Chance) -> Self {
        let known = BTreeMap::from([(To::Platform, vec!["/api/v1".to_owned()])]);
        let (people, tokens, done) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut cast = Self { chance, done, ada, people, known, tokens, invited: 0, answered: String::new() };
        for n in 0..=PEOPLE {
            let email = format!("person-{n}@example.com");
            let mut body = json!({"email": email, "password": PASSWORD, "name": format!("Person {n}")});
            if n % 2 == 1 {
                let invited = cast.ada.post("/api/v1/users/invitations", &json!({})).await.expect(StatusCode::OK);
                body["invitation_token"] = invited["invitation_token"].clone();
            }
            let person = cast.ada.post("/api/v1/auth/register", &body).await.expect(StatusCode::CREATED);
            let address = format!("/api/v1/users/{}", person["id"].as_str().unwrap());
            if n == PEOPLE {
                let gone = cast.asks(None, Method::DELETE, &address, &json!({})).await;
                assert!(gone.status.is_success(), "{:#}", gone.body);
            } else {
                let client = cast.ada.signed_in(&email).await;
                cast.people.push(Person { client, email });
                cast.known.entry(To::User).or_default().push(address);
            }
        }
        cast
    }

    /// Attempts an action; whatever the response is, the server has not failed.
    pub(super) async fn does(&mut self, deed: &Deed) {
        let Some(thing) = self.pick(deed.to) else { return };
        let by = self.tokens.get(&thing).map(|(_, person)| *person).filter(|_| deed.to == To::Received);
        self.answered.clone_from(&thing);
        let (address, body) = (format!("{thing}{}", deed.at), (deed.body)(self));
        let answer = self.asks(by, (deed.method)(), &address, &body).await;
        assert!(!answer.status.is_server_error(), "{}, {}: {:#}", self.chance, deed.name, answer.body);
        if answer.status.is_success() {
            *self.done.entry(deed.name).or_default() += 1;
            self.learns(deed, &address, &body, &answer.body);
        }
    }

    fn learns(&mut self, deed: &Deed, address: &str, body: &Value, answer: &Value) {
        if deed.name == "member added" {
            let member = format!("{address}/{}", body["user_id"].as_str().unwrap_or_default());
            self.known.entry(To::Member).or_default().push(member);
        }
        let (Some((what, below)), Some(id)) = (deed.makes, answer["id"].as_str()) else { return };
        let below = if below.is_empty() { address } else { below };
        self.known.entry(what).or_default().push(format!("{below}/{id}"));
        if what == To::Sent {
            let received = format!("/api/v1/invitations/{id}");
            let token = answer["token"].as_str().unwrap_or_default().to_owned();
            self.tokens.insert(received.clone(), (token, self.invited));
            self.known.entry(To::Received).or_default().push(received);
        }
    }

    /// Decides every open approval, one way or the other.
    pub(super) async fn decides_what_is_asked(&mut self) {
        let open = self.ada.get("/api/v1/approvals?status=open&page_size=100").await.expect(StatusCode::OK);
        for approval in open["items"].as_array().unwrap() {
            let (run, id) = (approval["run_id"].as_str().unwrap(), approval["id"].as_str().unwrap());
            let decision = json!({"decision": self.one_of(&["approve", "deny"])});
            let answer = self.ada.post(&format!("/api/v1/runs/{run}/approvals/{id}"), &decision).await;
            assert!(!answer.status.is_server_error(), "{}: {:#}", self.chance, answer.body);
        }
    }

    async fn asks(&self, by: Option<usize>, method: Method, address: &str, body: &Value) -> Answer {
        let client = by.and_then(|person| self.people.get(person)).map_or(&self.ada, |person| &person.client);
        client.asks(method, address, body).await
    }

    /// One of the existing ones, with a preference for the newest.
    fn pick(&mut self, what: To) -> Option<String> {
        let all = self.known.get(&what)?;
        let fresh = self.chance.below(3) > 0;
        let one = if fresh { all.last() } else { self.chance.one_of(all) };
        one.cloned()
    }

    /// The id of one of them.
    pub(super) fn id_of(&mut self, what: To) -> String {
        let address = self.pick(what).unwrap_or_default();
        address.rsplit('/').next().unwrap_or_default().to_owned()
    }

    pub(super) fn one_of(&mut self, many: &[&'static str]) -> &'static str {
        self.chance.one_of(many).copied().unwrap_or_default()
    }

    /// One of few names, so that some are taken.
    pub(super) fn name(&mut self) -> String {
        format!("Lamp {}", self.chance.below(24))
    }

    pub(super) fn slug(&mut self) -> String {
        format!("lamp-{}", self.chance.below(24))
    }

    /// The e-mail of one of the users.
    pub(super) fn somebody_invited(&mut self) -> String {
        let who = self.chance.below(self.people.len() as u64);
        self.invited = usize::try_from(who).unwrap();
        self.people[self.invited].email.clone()
    }

    /// The token for the invitation that is answered.
    pub(super) fn token(&mut self) -> Value {
        let token = self.tokens.get(&self.answered).map(|(token, _)| token.as_str());
        json!({"token": token.unwrap_or_default()})
    }

    pub(super) fn next_month() -> String {
        DateTime::<Utc>::from(SystemTime::now() + Duration::from_secs(30 * 86_400)).to_rfc3339()
    }
}

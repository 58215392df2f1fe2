use std::{
    collections::BTreeMap,
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Query};
use devskyy_domain::kernel::ids::StreamKey;

use super::cursor::Cursors;
use crate::{
    ids::WireId,
    problem::{Fault, Problem, request},
};

/// A query string by name; parameters that are not taken are refused.
pub(crate) struct Parameters {
    given: BTreeMap<String, String>,
    faults: Vec<Fault>,
    /// Of the requested list, if the query is for one.
    pub(super) cursors: Cursors,
}

impl FromRequest for Parameters {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::parse(request.query_string(), Cursors::of(request)))
    }
}

impl Parameters {
    fn parse(query: &str, cursors: Cursors) -> Result<Self, Problem> {
        let pairs = Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|_| Problem::new(request::PARAMETER, "the query string is malformed"))?;
        let mut given = BTreeMap::new();
        for (name, value) in pairs.into_inner() {
            // No value has control characters, and PostgreSQL stores no NUL in a text.
            if value.contains(char::is_control) {
                return Err(Problem::parameter(
                    request::PARAMETER,
                    &shown(&name),
                    "must not contain control characters",
                ));
            }
            if given.insert(name.clone(), value).is_some() {
                return Err(Problem::parameter(request::PARAMETER, &shown(&name), "this parameter is given twice"));
            }
        }
        Ok(Self { given, faults: Vec::new(), cursors })
    }

    /// Takes one parameter; if it cannot be read, the error names its form.
    pub(crate) fn take<T: FromStr>(&mut self, name: &'static str, form: &'static str) -> Option<T> {
        self.take_by(name, form, |raw| raw.parse().ok())
    }

    /// Takes an id in the form of the request's version.
    pub(crate) fn take_id<I: StreamKey>(&mut self, name: &'static str) -> Option<I> {
        self.take_by(name, &WireId::<I>::form(), WireId::<I>::read)
    }

    /// Takes one parameter with a reader of its own.
    pub(crate) fn take_by<T>(
        &mut self,
        name: &'static str,
        form: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let raw = self.given.remove(name)?;
        let value = read(&raw);
        if value.is_none() {
            self.fault(request::PARAMETER.code, name, format!("must be {form}"));
        }
        value
    }

    /// Takes one parameter that lists names separated by commas.
    pub(crate) fn take_each<T>(
        &mut self,
        name: &'static str,
        form: &str,
        named: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.take_by(name, form, |raw| raw.split(',').map(named).collect())
    }

    /// Refuses one parameter.
    pub(crate) fn fault(&mut self, code: &'static str, name: &str, detail: String) {
        self.faults.push(Fault { pointer: None, parameter: Some(name.to_owned()), code, detail });
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// Every parameter that was refused or not taken.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for name in std::mem::take(&mut self.given).into_keys() {
            self.fault(request::UNKNOWN_PARAMETER.code, &shown(&name), "this parameter is unknown".to_owned());
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::of_faults(self.faults)) }
    }
}

/// A name from the client, cut to a length worth sending back.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

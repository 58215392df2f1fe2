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

/// A query string, taken apart name by name; what nobody takes is refused.
pub(crate) struct Parameters {
    given: BTreeMap<String, String>,
    faults: Vec<Fault>,
    /// Of the list that the query asks for, where it asks for one.
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
            // None means anything with one, and PostgreSQL keeps no NUL in a text.
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

    /// Takes one parameter; its form is told where it is not understood.
    pub(crate) fn take<T: FromStr>(&mut self, name: &'static str, form: &'static str) -> Option<T> {
        self.take_by(name, form, |raw| raw.parse().ok())
    }

    /// Takes an id in the form of the version that the request speaks.
    pub(crate) fn take_id<I: StreamKey>(&mut self, name: &'static str) -> Option<I> {
        self.take_by(name, &WireId::<I>::form(), WireId::<I>::read)
    }

    /// Takes one parameter that is read in its own way.
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

    /// Takes one parameter that lists names with commas between.
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
    /// Every parameter that was refused or that nobody took.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for name in std::mem::take(&mut self.given).into_keys() {
            self.fault(request::UNKNOWN_PARAMETER.code, &shown(&name), "this parameter is unknown".to_owned());
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::of_faults(self.faults)) }
    }
}

/// A name the client made up, cut to a length worth sending back.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

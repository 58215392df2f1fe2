use std::{
    collections::{BTreeMap, HashMap},
    str::Split,
};

use actix_web::http::Method;
use devskyy_domain::kernel::ids::{ProjectId, StreamKey};
use serde::Deserialize;
use uuid::Uuid;

use crate::{ids, version::ApiVersion};

/// The methods of a resource that can be read.
const READING: &str = "GET, HEAD";
/// The parameter that makes a request repeatable.
const KEY: &str = "Idempotency-Key";

/// The part of the OpenAPI document that gives addresses and their parameters.
#[derive(Deserialize)]
struct Document {
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(default)]
    schema: Schema,
}

#[derive(Default, Deserialize)]
struct Schema {
    #[serde(rename = "$ref")]
    reference: Option<String>,
}

/// What a parameter of a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// An id of the kind with this prefix.
    Id(&'static str),
    /// A number.
    Number,
}

/// A node of the path tree.
#[derive(Default)]
struct Place {
    named: HashMap<String, Place>,
    any: Option<(Stand, Box<Place>)>,
    methods: Option<String>,
    /// Those of them that take an `Idempotency-Key`.
    repeatable: Vec<String>,
}

/// Every documented address: its methods, and the meaning of its parts.
#[derive(Default)]
pub(crate) struct Routes(Place);

/// A segment of a path, and what it stands for if the address has a parameter there.
type Segment<'a> = (&'a str, Option<Stand>);

/// An address that exists.
pub(super) struct Address<'a> {
    methods: &'a str,
    repeatable: &'a [String],
    segments: Vec<Segment<'a>>,
}

impl Routes {
    /// Reads the routes from the OpenAPI document.
    ///
    /// # Errors
    /// If the text is no such document.
    pub(crate) fn of(document: &str) -> serde_json::Result<Self> {
        let Document { paths } = serde_json::from_str(document)?;
        let prefixes: HashMap<String, &'static str> =
            ids::kinds().into_iter().map(|(name, prefix, _)| (name.into_owned(), prefix)).collect();
        let mut root = Place::default();
        for (path, item) in &paths {
            let place = path.split('/').fold(&mut root, |place, segment| place.below(segment, item, &prefixes));
            place.methods = Some(methods(item));
            let keyed = item.iter().filter(|(_, operation)| operation.parameters.iter().any(|it| it.name == KEY));
            place.repeatable = keyed.map(|(method, _)| method.to_uppercase()).collect();
        }
        Ok(Self(root))
    }

    /// The same with an address that can be read but is not described.
    pub(crate) fn and_page(mut self, path: &str) -> Self {
        let (item, prefixes) = (BTreeMap::new(), HashMap::new());
        let place = path.split('/').fold(&mut self.0, |place, segment| place.below(segment, &item, &prefixes));
        place.methods = Some(READING.to_owned());
        self
    }

    /// The address of a path.
    pub(super) fn find<'a>(&'a self, path: &'a str) -> Option<Address<'a>> {
        let mut segments = Vec::new();
        let (methods, repeatable) = self.0.descend(path.split('/'), &mut segments)?;
        Some(Address { methods, repeatable, segments })
    }

    /// The methods of an address; `None` if it does not exist.
    pub(super) fn allowed<'a>(&'a self, path: &'a str) -> Option<&'a str> {
        self.find(path).map(|address| address.methods)
    }

    /// Whether the request takes an `Idempotency-Key`.
    pub(super) fn take_key(&self, method: &Method, path: &str) -> bool {
        self.find(path).is_some_and(|address| address.repeatable.iter().any(|taken| taken == method.as_str()))
    }
}

impl Place {
    fn below(
        &mut self,
        segment: &str,
        item: &BTreeMap<String, Operation>,
        prefixes: &HashMap<String, &'static str>,
    ) -> &mut Self {
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            None => self.named.entry(segment.to_owned()).or_default(),
            Some(name) => &mut self.any.get_or_insert_with(|| (stand(name, item, prefixes), Box::default())).1,
        }
    }

    /// The methods at the node that the segments lead to. A literal segment takes precedence over a parameter, unless
    /// it leads nowhere.
    fn descend<'a>(
        &'a self,
        mut rest: Split<'a, char>,
        taken: &mut Vec<Segment<'a>>,
    ) -> Option<(&'a str, &'a [String])> {
        let Some(segment) = rest.next() else { return Some((self.methods.as_deref()?, &self.repeatable)) };
        let (depth, parameter) = (taken.len(), self.any.as_ref().filter(|_| !segment.is_empty()));
        let named = self.named.get(segment).map(|place| (None, place));
        let ways = named.into_iter().chain(parameter.map(|(stand, place)| (Some(*stand), place.as_ref())));
        for (stand, place) in ways {
            taken.truncate(depth);
            taken.push((segment, stand));
            if let Some(found) = place.descend(rest.clone(), taken) {
                return Some(found);
            }
        }
        None
    }
}

impl Address<'_> {
    /// The same address in version 2, for one of version 1; `None` if an id in it is malformed.
    pub(super) fn successor(&self) -> Option<String> {
        let (first, mut path) = (ApiVersion::V1.base().split('/'), ApiVersion::V2.base().to_owned());
        let mut segments = self.segments.iter();
        for part in first {
            segments.next().filter(|(segment, _)| *segment == part)?;
        }
        for (segment, stand) in segments {
            path.push('/');
            match stand {
                Some(Stand::Id(prefix)) => {
                    path.extend([prefix, "_"]);
                    id(segment)?;
                }
                Some(Stand::Number) => drop(segment.parse::<u32>().ok()?),
                None => {}
            }
            path.push_str(segment);
        }
        Some(path)
    }

    /// The project named in the path, in the form of either version.
    pub(super) fn project(&self) -> Option<ProjectId> {
        let project = |(segment, stand): &Segment<'_>| {
            stand.filter(|stand| *stand == Stand::Id(ProjectId::PREFIX))?;
            let typed = segment.strip_prefix(ProjectId::PREFIX).and_then(|rest| rest.strip_prefix('_'));
            id(typed.unwrap_or(segment)).map(ProjectId::from)
        };
        self.segments.iter().find_map(project)
    }
}

/// A UUID in its canonical form.
fn id(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36)
}

fn stand(name: &str, item: &BTreeMap<String, Operation>, prefixes: &HashMap<String, &'static str>) -> Stand {
    let mut parameters = item.values().flat_map(|operation| &operation.parameters);
    let reference = parameters.find(|it| it.name == name).and_then(|it| it.schema.reference.as_deref());
    let kind = reference.and_then(|reference| reference.rsplit('/').next());
    let kind = kind.and_then(|kind| prefixes.get(kind.strip_prefix("V2").unwrap_or(kind)));
    kind.map_or(Stand::Number, |prefix| Stand::Id(prefix))
}

fn methods(item: &BTreeMap<String, Operation>) -> String {
    let all = [(READING, "get"), ("POST", "post"), ("PUT", "put"), ("PATCH", "patch"), ("DELETE", "delete")];
    let taken: Vec<&str> = all.into_iter().filter(|(_, key)| item.contains_key(*key)).map(|(name, _)| name).collect();
    taken.join(", ")
}

#[cfg(test)]
mod tests {
    use super::Routes;
    use crate::docs::DOCUMENT;

    const ID: &str = "01938f2e-0000-7000-8000-000000000000";

    fn successor(path: &str) -> Option<String> {
        Routes::of(DOCUMENT).unwrap_or_default().find(path)?.successor()
    }

    #[test]
    fn ids_of_a_successor_say_what_they_are_of() {
        let path = format!("/api/v1/projects/{ID}/members/{ID}");
        assert_eq!(successor(&path), Some(format!("/api/v2/projects/prj_{ID}/members/usr_{ID}")));
    }

    #[test]
    fn numbers_stay_as_they_are() {
        let path = format!("/api/v1/agents/{ID}/versions/7");
        assert_eq!(successor(&path), Some(format!("/api/v2/agents/agt_{ID}/versions/7")));
    }

    #[test]
    fn what_is_no_address_of_version_1_has_no_successor() {
        let one = format!("/api/v2/agents/agt_{ID}");
        for path in ["/health", "/api/v1", "/api/v1/agents/", "/api/v1/agents/x", "/api/v1/agents//versions", &one] {
            assert_eq!(successor(path), None, "{path}");
        }
    }

    #[test]
    fn a_segment_with_a_name_of_its_own_may_still_be_a_parameter() {
        let routes = Routes::of(DOCUMENT).unwrap_or_default();
        let allowed = |path: &str| routes.allowed(path).map(str::to_owned);
        assert_eq!(allowed("/api/v1/users/invitations"), Some("POST".to_owned()));
        assert_eq!(allowed("/api/v1/users/invitations/disable"), Some("POST".to_owned()));
    }

    #[test]
    fn a_project_is_known_in_either_version() {
        let routes = Routes::of(DOCUMENT).unwrap_or_default();
        let project = |path: String| routes.find(&path)?.project().map(|project| project.to_string());
        assert_eq!(project(format!("/api/v1/projects/{ID}/api-keys")).as_deref(), Some(ID));
        assert_eq!(project(format!("/api/v2/projects/prj_{ID}/api-keys")).as_deref(), Some(ID));
        assert_eq!(project(format!("/api/v1/agents/{ID}")), None);
    }
}

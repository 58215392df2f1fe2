//! The document of version 2: that of version 1, with everything that differs replaced.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::{
    IntoParams,
    openapi::{
        Array, Content, Header, Object, OpenApi, Ref, RefOr, Required, Response, Schema,
        path::{Operation, Parameter, ParameterIn},
        schema::{AdditionalProperties, ArrayItems, Type},
    },
};

use super::{answers::problem, operations, parts::Stretch};
use crate::{
    ids::{self, Kind},
    version::ApiVersion,
};

const SCHEMAS: &str = "#/components/schemas/";
/// The prefix of the schemas of numbered pages.
const PAGED: &str = "Paged_";
/// Lists that version 1 does not return by page: the first in parts of its own, the others whole.
const OTHERWISE: [&str; 3] = ["AuditEntries", "Sessions", "ProjectInvitations"];
/// The parameters of partial lists in version 1: an operation with all of a set is such a list.
const IN_PARTS: [&[&str]; 2] = [&["page", "page_size"], &["before", "limit"]];

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Distinguishes the two versions in a document that describes both in the same words.
pub(super) fn tell_apart(document: &mut OpenApi) {
    let schemas = &mut document.components.get_or_insert_default().schemas;
    let kinds = ids::kinds();
    schemas.extend(kinds.iter().map(|(name, _, schema)| (name.to_string(), schema.clone())));
    let different = different(schemas, kinds.iter().map(|(name, ..)| name.to_string()).collect());
    for name in &different {
        let Some(mut schema) = schemas.get(name).cloned() else { continue };
        visit(&mut schema, &mut |reference| rename(reference, &different));
        match kinds.iter().find(|(kind, ..)| kind == name) {
            Some((_, prefix, _)) => schema = typed_id(prefix),
            None if name.starts_with(PAGED) || OTHERWISE.contains(&name.as_str()) => continue_by_cursor(&mut schema),
            None => type_example(&mut schema, &kinds),
        }
        schemas.insert(renamed(name), schema);
    }
    let second = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with(ApiVersion::V2.base()));
    second.flat_map(|(_, item)| operations(item)).for_each(|operation| translate(operation, &different));
}

fn renamed(name: &str) -> String {
    format!("V2{}", name.replacen(PAGED, "Stretch_", 1))
}

fn rename(reference: &mut Ref, different: &BTreeSet<String>) {
    if let Some(name) = reference.ref_location.strip_prefix(SCHEMAS).filter(|name| different.contains(*name)) {
        reference.ref_location = format!("{SCHEMAS}{}", renamed(name));
    }
}

/// The names of schemas that differ, and of those that refer to one of them.
fn different(schemas: &Schemas, mut different: BTreeSet<String>) -> BTreeSet<String> {
    different.extend(schemas.keys().filter(|name| name.starts_with(PAGED)).cloned());
    loop {
        let known = different.len();
        for (name, schema) in schemas {
            let mut refers = false;
            visit(&mut schema.clone(), &mut |reference| {
                refers |= reference.ref_location.strip_prefix(SCHEMAS).is_some_and(|name| different.contains(name));
            });
            if refers {
                different.insert(name.clone());
            }
        }
        if different.len() == known {
            return different;
        }
    }
}

/// Visits every reference in a schema.
fn visit(schema: &mut RefOr<Schema>, see: &mut dyn FnMut(&mut Ref)) {
    match schema {
        RefOr::Ref(reference) => see(reference),
        RefOr::T(Schema::Array(Array { items: ArrayItems::RefOrSchema(items), .. })) => visit(items, see),
        RefOr::T(Schema::Object(Object { properties, additional_properties, .. })) => {
            properties.values_mut().for_each(|property| visit(property, see));
            if let Some(AdditionalProperties::RefOr(values)) = additional_properties.as_deref_mut() {
                visit(values, see);
            }
        }
        RefOr::T(Schema::OneOf(any)) => any.items.iter_mut().for_each(|item| visit(item, see)),
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(|item| visit(item, see)),
        RefOr::T(Schema::AnyOf(any)) => any.items.iter_mut().for_each(|item| visit(item, see)),
        RefOr::T(_) => {}
    }
}

fn typed_id(prefix: &str) -> RefOr<Schema> {
    const HEX: &str = "[0-9a-f]";
    let pattern = format!("^{prefix}_{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}$");
    let object = Object::builder().schema_type(Type::String).pattern(Some(pattern));
    object.examples([format!("{prefix}_01938f2e-0000-7000-8000-000000000000")]).into()
}

/// Gives ids in an example the form of the version.
fn type_example(schema: &mut RefOr<Schema>, kinds: &[Kind]) {
    let RefOr::T(Schema::Object(Object { example: Some(Value::Object(example)), properties, .. })) = schema else {
        return;
    };
    for (name, id) in example {
        let Some(RefOr::Ref(Ref { ref_location, .. })) = properties.get(name) else { continue };
        let kind = kinds.iter().find(|(kind, ..)| *ref_location == format!("{SCHEMAS}{}", renamed(kind)));
        if let (Some((_, prefix, _)), Value::String(id)) = (kind, id) {
            id.insert_str(0, &format!("{prefix}_"));
        }
    }
}

/// A part of a list has its items and where to continue.
fn continue_by_cursor(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(page)) = schema else { return };
    page.description = Some("One stretch of a list.".to_owned());
    page.properties.retain(|name, _| name == "items");
    let cursor = Object::builder()
        .schema_type([Type::String, Type::Null].into_iter().collect::<utoipa::openapi::schema::SchemaType>())
        .description(Some("Send it as `cursor` to go on; `null` when the list has ended."));
    page.properties.insert("next_cursor".to_owned(), cursor.into());
    page.required = ["items", "next_cursor"].map(str::to_owned).to_vec();
}

fn translate(operation: &mut Operation, different: &BTreeSet<String>) {
    if let Some(name) = operation.operation_id.as_mut() {
        name.insert_str(0, "v2_");
    }
    let guarded = translate_parameters(operation.parameters.get_or_insert_default(), different);
    if guarded {
        operation.responses.responses.insert("428".to_owned(), problem(428).into());
    }
    if let Some(RefOr::T(body)) = operation.request_body.as_mut() {
        body.content.values_mut().for_each(|content| translate_content(content, different));
    }
    let mut whole = false;
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(Response { content, headers, .. }) = response {
            let was_whole = content.values_mut().any(|content| is_told_whole(content));
            content.values_mut().for_each(|content| translate_content(content, different));
            if was_whole {
                let mut link = Header::new(Object::with_type(Type::String));
                link.description = Some("The next stretch (RFC 8288)".to_owned());
                headers.insert("Link".to_owned(), link.into());
                whole = true;
            }
        }
    }
    if whole {
        operation.parameters.get_or_insert_default().extend(stretch());
    }
}

fn stretch() -> impl Iterator<Item = RefOr<Parameter>> {
    Stretch::into_params(|| Some(ParameterIn::Query)).into_iter().map(RefOr::T)
}

/// Whether the response is a list that version 1 returns whole.
fn is_told_whole(content: &RefOr<Content>) -> bool {
    let RefOr::T(Content { schema: Some(RefOr::Ref(list)), .. }) = content else { return false };
    OTHERWISE.iter().skip(1).any(|name| list.ref_location.strip_prefix(SCHEMAS) == Some(name))
}

fn translate_content(content: &mut RefOr<Content>, different: &BTreeSet<String>) {
    if let RefOr::T(Content { schema: Some(schema), .. }) = content {
        visit(schema, &mut |reference| rename(reference, different));
    }
}

/// Replaces the parameters; returns whether the operation is guarded by `If-Match`.
fn translate_parameters(parameters: &mut Vec<RefOr<Parameter>>, different: &BTreeSet<String>) -> bool {
    let is = |parameter: &RefOr<Parameter>, wanted: &str| match parameter {
        RefOr::T(Parameter { name, .. }) => name == wanted,
        RefOr::Ref(_) => false,
    };
    let has = |name: &&str| parameters.iter().any(|parameter| is(parameter, name));
    if let Some(names) = IN_PARTS.into_iter().find(|names| names.iter().all(has)) {
        parameters.retain(|parameter| !names.iter().any(|name| is(parameter, name)));
        parameters.extend(stretch());
    }
    let mut guarded = false;
    for parameter in parameters {
        let RefOr::T(Parameter { name, schema, required, .. }) = parameter else { continue };
        schema.iter_mut().for_each(|schema| visit(schema, &mut |reference| rename(reference, different)));
        if name == "If-Match" {
            *required = Required::True;
            guarded = true;
        }
    }
    guarded
}

//! Writes: POST, PUT, PATCH.

use serde_json::{Value, json};

use super::answer::Answer;
use super::defaults::{decide, fill};
use super::kinds::{Generation, Kind};
use super::managers::{nothing, strip};
use super::normal::{as_stored, has_empty, normalise, unknown_field};
use super::patch::{json_patch, merge};
use super::request::{Asked, Target, Verb};
use super::state::Key;
use super::validate::valid;
use super::world::World;

/// What a request comes to.
pub type Outcome = Result<Answer, Answer>;

/// A field of the metadata, as text.
pub fn metadata<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

impl World {
    /// POST
    pub fn create(&mut self, asked: &Asked, target: &Target) -> Outcome {
        let mut object = body(asked, target)?;
        if metadata(&object, "name").is_empty() && !metadata(&object, "generateName").is_empty() {
            let name = format!("{}{}", metadata(&object, "generateName"), self.suffix());
            object["metadata"]["name"] = json!(name);
        }
        if !metadata(&object, "resourceVersion").is_empty() {
            let kind = &target.kind;
            let why = "resourceVersion should not be set on objects to be created";
            return Err(Answer::refusal(500, "", &format!("{}: {why}", kind.resource()), Value::Null));
        }
        strip(&mut object);
        decode(&mut object, &target.kind);
        self.note(asked, target, None, &mut object);
        self.create_object(asked, target, object)
    }

    /// PUT
    pub fn update(&mut self, asked: &Asked, target: &Target) -> Outcome {
        let mut object = body(asked, target)?;
        let is_odd = decode(&mut object, &target.kind);
        let Some(old) = self.state.get(&target.key()).cloned() else {
            if target.kind.put_creates && target.subresource.is_empty() {
                self.authorise(&asked.user, Verb::Create, target)?;
                strip(&mut object);
                self.note(asked, target, None, &mut object);
                return self.create_object(asked, target, object);
            }
            return Err(Answer::not_found(&target.kind, &target.name));
        };
        if target.kind.needs_version && metadata(&object, "resourceVersion").is_empty() {
            return Err(Answer::no_version(&target.kind, &target.name));
        }
        if target.subresource == "finalize" {
            let mut new = (*old).clone();
            new["spec"]["finalizers"] = object["spec"]["finalizers"].clone();
            decode(&mut new, &target.kind);
            return Ok(Answer::ok((*self.state.put(&target.key(), new)).clone()));
        }
        self.note(asked, target, Some(&old), &mut object);
        self.replace(asked, target, &old, object, is_odd)
    }

    /// PATCH
    pub fn patch(&mut self, asked: &Asked, target: &Target) -> Outcome {
        check_media_type(asked, target)?;
        let patch = asked.object()?;
        if asked.content_type.starts_with("application/apply-patch") {
            return self.apply_patch(asked, target, &patch);
        }
        let Some(old) = self.state.get(&target.key()).cloned() else {
            return Err(Answer::not_found(&target.kind, &target.name));
        };
        let mut new = (*old).clone();
        match asked.content_type.as_str() {
            "application/json-patch+json" => json_patch(&mut new, &patch)?,
            // A strategic one too: without lists it is the same, and lists are not modelled.
            _ => merge(&mut new, &patch),
        }
        check_names(&new, target)?;
        if is_strict(asked) && unknown_field(&new, &target.kind.schema).is_some() {
            return Err(Answer::bad_patch("strict decoding error: unknown field"));
        }
        let is_odd = decode(&mut new, &target.kind);
        self.note(asked, target, Some(&old), &mut new);
        self.replace(asked, target, &old, new, is_odd)
    }

    /// Stores an object that is new.
    pub fn create_object(&mut self, asked: &Asked, target: &Target, mut object: Value) -> Outcome {
        let kind = &target.kind;
        let uid = self.uid();
        let Some(fields) = object["metadata"].as_object_mut() else {
            return Err(Answer::bad_request("metadata: expected an object"));
        };
        for field in ["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
            fields.remove(field);
        }
        fields.insert("uid".to_owned(), json!(uid));
        fields.insert("creationTimestamp".to_owned(), json!(self.now()));
        if kind.namespaced {
            fields.insert("namespace".to_owned(), json!(target.namespace));
        }
        if kind.generation != Generation::None {
            fields.insert("generation".to_owned(), json!(1));
        }
        if kind.status {
            object.as_object_mut().and_then(|object| object.remove("status"));
        }
        let number = self.state.revision();
        decide(&mut object, kind, number);
        as_stored(&mut object, &kind.schema);
        let name = metadata(&object, "name").to_owned();
        let key = Key::new(&kind.resource(), &target.namespace, &name);
        self.namespace_lives(target, &name)?;
        self.escalates(&asked.user, target, &object)?;
        valid(&object, kind)?;
        self.ask_webhooks(target, "CREATE", &object)?;
        self.within_quota(target, &name)?;
        if self.state.get(&key).is_some() {
            return Err(Answer::exists(kind, &name));
        }
        if asked.is_dry() {
            return Ok(Answer::created(object));
        }
        Ok(Answer::created((*self.state.put(&key, object)).clone()))
    }

    /// Nothing is created in a namespace that is not there, or goes.
    fn namespace_lives(&self, target: &Target, name: &str) -> Result<(), Answer> {
        if !target.kind.namespaced {
            return Ok(());
        }
        let namespace = &target.namespace;
        let kind = self.kind("namespaces").expect("a kind of Kubernetes");
        let Some(found) = self.state.get(&Key::new("namespaces", "", namespace)) else {
            return Err(Answer::not_found(&kind, namespace));
        };
        if found["metadata"]["deletionTimestamp"].is_null() {
            return Ok(());
        }
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let causes = json!([{
            "reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        }]);
        Err(Answer::forbidden(&target.kind, name, &why, causes))
    }
}

impl Target {
    /// Where the object is stored.
    pub fn key(&self) -> Key {
        Key::new(&self.kind.resource(), &self.namespace, &self.name)
    }
}

/// The object that a request brings, checked against its path.
fn body(asked: &Asked, target: &Target) -> Result<Value, Answer> {
    let mut object = asked.object()?;
    let kind = &target.kind;
    let Some(fields) = object.as_object_mut() else {
        return Err(Answer::bad_request("the object provided is unrecognized (must be of type JSON)"));
    };
    let api_version = kind.api_version();
    for (field, wanted) in [("apiVersion", &api_version), ("kind", &kind.kind)] {
        let said = fields.entry(field).or_insert_with(|| json!(wanted));
        if said.as_str() != Some(wanted) {
            let message =
                format!("the API version in the data ({said}) does not match the expected API version ({wanted})");
            return Err(Answer::bad_request(&message));
        }
    }
    if !fields.get("metadata").is_some_and(Value::is_object) {
        fields.insert("metadata".to_owned(), json!({}));
    }
    check_names(&object, target)?;
    check_fields(asked, &object, kind)?;
    Ok(object)
}

fn check_media_type(asked: &Asked, target: &Target) -> Result<(), Answer> {
    let known = match asked.content_type.as_str() {
        "application/strategic-merge-patch+json" => !target.kind.custom,
        "application/merge-patch+json" | "application/json-patch+json" | "application/apply-patch+yaml" => true,
        _ => false,
    };
    if known {
        return Ok(());
    }
    let message = "the body of the request was in an unknown format - accepted media types include: \
         application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    Err(Answer::refusal(415, "UnsupportedMediaType", message, json!({})))
}

fn is_strict(asked: &Asked) -> bool {
    asked.parameter("fieldValidation") == "Strict"
}

/// Where it is asked for, no field is taken that the type does not have.
fn check_fields(asked: &Asked, object: &Value, kind: &Kind) -> Result<(), Answer> {
    let unknown = || unknown_field(object, &kind.schema);
    let Some(field) = is_strict(asked).then(unknown).flatten() else { return Ok(()) };
    let (name, version) = (&kind.kind, &kind.version);
    let field = field.trim_start_matches('.');
    let message = format!(
        "{name} in version {version:?} cannot be handled as a {name}: strict decoding error: unknown field {field:?}"
    );
    Err(Answer::bad_request(&message))
}

/// The names in an object are those of the path.
pub fn check_names(object: &Value, target: &Target) -> Result<(), Answer> {
    let (name, namespace) = (metadata(object, "name"), metadata(object, "namespace"));
    if !target.name.is_empty() && name != target.name {
        let on_url = &target.name;
        if name.is_empty() {
            return Err(Answer::bad_request("name is required"));
        }
        let message = format!("the name of the object ({name}) does not match the name on the URL ({on_url})");
        return Err(Answer::bad_request(&message));
    }
    if !namespace.is_empty() && namespace != target.namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Answer::bad_request(message));
    }
    Ok(())
}

/// An object as the server decodes it: in the form of its type, with what is not said filled in.
///
/// Says whether there was an empty list or map that is taken for a change, since it is none once it is stored.
pub fn decode(object: &mut Value, kind: &Kind) -> bool {
    let is_odd = match kind.generation {
        Generation::Exactly(field) => has_empty(&object[field], kind.schema.below(&format!("f:{field}"))),
        _ => false,
    };
    normalise(object, &kind.schema);
    fill(object, kind);
    normalise(object, &kind.schema);
    is_odd
}

/// An object of a kind that nobody wrote anything into.
pub fn empty(kind: &Kind) -> Value {
    let mut object = nothing(&kind.api_version(), &kind.kind);
    normalise(&mut object, &kind.schema);
    object
}

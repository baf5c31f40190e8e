//! The answers to `/validate-pod` and `/mutate-pod`: AdmissionReviews of `admission.k8s.io/v1`, in and out.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::labels;
use super::slim;
use super::view::View;
use crate::contract::admission::Mode;
use crate::diagnostic::shortened;
use crate::policy::json::Json;
use crate::policy::standing::told;
use crate::policy::{POLICIES, review};

/// What the API server is told.
#[derive(Debug)]
pub struct Answer {
    /// The AdmissionReview with its `response`.
    pub body: Vec<u8>,
    /// In a word.
    pub verdict: Verdict,
    /// Policies whose breach was found, each once, by their place in [`POLICIES`], with what it led to.
    pub breaches: Vec<(usize, Mode)>,
    /// Which namespace it was about.
    pub namespace: String,
}

impl Answer {
    /// Ids of the policies that were broken.
    pub fn policies(&self) -> impl Iterator<Item = &'static str> {
        self.breaches.iter().map(|(index, _)| POLICIES[*index].id)
    }
}

/// How many values a body may hold: what is kept of them takes up to 250 bytes each, and a pod has a few hundred.
pub const MOST_VALUES: usize = 250_000;

/// Whether a body holds more values than are looked at; a look at its bytes alone.
pub fn has_too_many_values(body: &[u8]) -> bool {
    let (mut values, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values > MOST_VALUES
}

/// An answer in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be.
    Allowed,
    /// It may not be.
    Denied,
    /// It was given our labels.
    Patched,
}

impl Verdict {
    /// For metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Allowed => "allowed",
            Verdict::Denied => "denied",
            Verdict::Patched => "patched",
        }
    }
}

/// How long the id of a request may be: it is a UUID.
const LONGEST_UID: usize = 128;

/// How many breaches a refusal names: a pod may have thousands of containers, and a message is read by people.
const MOST_NAMED: usize = 16;

/// How long a warning may be; the API server cuts all of them together at 4,096 characters.
///
/// Source: `maxWarnings` and `maxWarningSize` of Kubernetes' admission webhook generic request.
const LONGEST_WARNING: usize = 250;

/// Judges a pod. The error says why the body is no AdmissionReview.
pub fn validate(body: &[u8], view: &View) -> Result<Answer, String> {
    let review = Review::read(body)?;
    let request = &review.request;
    let namespace = view.namespace(review.namespace());
    let breaches = match review::request(request) {
        Ok(breaches) => breaches,
        Err(why) => return Ok(review.answer(Verdict::Denied, Vec::new(), refusal(&why))),
    };
    if let Some(forged) = labels::forged(&request["object"], &request["oldObject"], review.namespace(), namespace) {
        return Ok(review.answer(Verdict::Denied, Vec::new(), refusal(&forged)));
    }
    let standing = view.standing(namespace);
    let (mut denied, mut warned, mut noted) = (Told::default(), Vec::new(), Told::default());
    warned.extend(labels::other_tier(&request["object"], &request["oldObject"], namespace));
    let mut policies: Vec<(usize, Mode)> = Vec::new();
    let mut more = 0_usize;
    for (breach, mode) in told(&breaches, &standing) {
        if !policies.iter().any(|(index, _)| *index == breach.index) {
            policies.push((breach.index, mode));
        }
        // The name of a container is whatever was sent.
        let text = || shortened(format!("{} ({})", breach.message(), breach.policy.id), LONGEST_WARNING);
        match mode {
            Mode::Deny => denied.push(text),
            Mode::Warn if warned.len() < MOST_NAMED => warned.push(text()),
            Mode::Warn => more += 1,
            // It is not told at all.
            Mode::Off => {}
            Mode::Audit => noted.push(|| match standing.exempt.get(breach.policy.id) {
                Some(why) => format!("{}: exempt, {why}", text()),
                None => text(),
            }),
        }
    }
    if more > 0 {
        warned.push(format!("and {more} more"));
    }
    let mut rest = Value::Null;
    if !warned.is_empty() {
        rest["warnings"] = warned.into();
    }
    if noted.count > 0 {
        // The API server puts the webhook's name before the key.
        rest["auditAnnotations"] = json!({"breaches": noted.text()});
    }
    let verdict = if denied.count > 0 { Verdict::Denied } else { Verdict::Allowed };
    if verdict == Verdict::Denied {
        rest["status"] = status(&denied.text());
    }
    Ok(review.answer(verdict, policies, rest))
}

/// Gives a pod our labels. The error says why the body is no AdmissionReview.
pub fn mutate(body: &[u8], view: &View) -> Result<Answer, String> {
    let review = Review::read(body)?;
    let request = &review.request;
    let is_new_pod = request["resource"]["resource"] == "pods"
        && request["operation"] == "CREATE"
        && request["subResource"].as_str().unwrap_or_default().is_empty()
        && request["object"]["metadata"].is_map();
    let patch = match view.namespace(review.namespace()) {
        Some(namespace) if is_new_pod => labels::patch(&request["object"], namespace),
        _ => Vec::new(),
    };
    if patch.is_empty() {
        return Ok(review.answer(Verdict::Allowed, Vec::new(), Value::Null));
    }
    let patch = BASE64_STANDARD.encode(Value::from(patch).to_string());
    let rest = json!({"patchType": "JSONPatch", "patch": patch});
    Ok(review.answer(Verdict::Patched, Vec::new(), rest))
}

/// Breaches as a person reads them.
#[derive(Default)]
struct Told {
    named: Vec<String>,
    count: usize,
}

impl Told {
    fn push(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(text());
        }
    }

    fn text(&self) -> String {
        let more = self.count - self.named.len();
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        format!("{}{more}", self.named.join("; "))
    }
}

fn refusal(why: &str) -> Value {
    json!({"status": status(&shortened(why.to_owned(), LONGEST_WARNING))})
}

/// A `Status` of `meta/v1`: the API server passes its code and reason on to whoever asked.
fn status(message: &str) -> Value {
    json!({"code": 403, "reason": "Forbidden", "message": message})
}

/// What was asked.
struct Review<'a> {
    uid: String,
    request: Json<'a>,
}

impl<'a> Review<'a> {
    fn read(body: &'a [u8]) -> Result<Review<'a>, String> {
        let review = slim::review(body).map_err(|error| format!("no JSON: {error}"))?;
        if review["kind"] != "AdmissionReview" || review["apiVersion"] != "admission.k8s.io/v1" {
            return Err("expected an AdmissionReview of admission.k8s.io/v1".to_owned());
        }
        let request = review.into_field("request");
        match request["uid"].as_str() {
            // It is sent back.
            Some(uid) if !uid.is_empty() && uid.len() <= LONGEST_UID => Ok(Review { uid: uid.to_owned(), request }),
            _ => Err("the AdmissionReview has no request with a uid".to_owned()),
        }
    }

    fn namespace(&self) -> &str {
        self.request["namespace"].as_str().unwrap_or_default()
    }

    /// The answer with what it says besides: a map, or nothing.
    fn answer(&self, verdict: Verdict, breaches: Vec<(usize, Mode)>, rest: Value) -> Answer {
        if let (Verdict::Allowed, Value::Null) = (verdict, &rest) {
            // Nearly every answer is this one.
            let uid = Value::from(self.uid.as_str());
            let body = format!(
                "{{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"response\":{{\"allowed\":true,\"uid\":{uid}}}}}"
            );
            return Answer { body: body.into_bytes(), verdict, breaches, namespace: self.namespace().to_owned() };
        }
        let mut response = rest;
        response["uid"] = self.uid.as_str().into();
        response["allowed"] = (verdict != Verdict::Denied).into();
        let body =
            format!("{{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"response\":{response}}}");
        Answer { body: body.into_bytes(), verdict, breaches, namespace: self.namespace().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Review, validate};
    use crate::policy::json::Json;
    use crate::policy::{POLICIES, review};
    use crate::webhook::View;

    fn asked(spec: &Value) -> Value {
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "1", "operation": "CREATE", "resource": {"group": "", "resource": "pods"},
            "object": {"metadata": {}, "spec": spec},
        }})
    }

    /// What is not kept of a body is what no policy looks at.
    #[test]
    fn every_example_is_judged_alike() {
        for policy in POLICIES {
            for example in policy.examples {
                let spec: Value = serde_yaml::from_str(example.spec).expect("YAML");
                let whole = asked(&spec);
                let messages = |request: &Json<'_>| {
                    let breaches = review::request(request)?;
                    Ok::<_, String>(breaches.iter().map(review::Breach::message).collect::<Vec<_>>())
                };
                let text = whole.to_string();
                let slim = Review::read(text.as_bytes()).expect("a review");
                let (slim, full) = (messages(&slim.request), messages(&Json::from(&whole["request"])));
                assert_eq!(slim, full, "{}: {}", policy.id, example.about);
            }
        }
    }

    /// Of a key that stands there twice, the API server takes the last; so must be what is judged.
    #[test]
    fn the_last_of_two_keys_counts() {
        let text = asked(&json!({"containers": [{"name": "c", "securityContext": {"privileged": false}}]})).to_string();
        let twice = text.replace("\"privileged\":false", "\"privileged\":false,\"privileged\":true");
        assert_ne!(text, twice);
        let said = |text: &str| {
            let answer = validate(text.as_bytes(), &View::default()).expect("a review");
            String::from_utf8(answer.body).expect("JSON").contains("(privileged)")
        };
        assert_eq!((said(&text), said(&twice)), (false, true));
        let lists = text.replace("\"containers\":", "\"containers\":[],\"containers\":");
        assert!(said(&lists.replace("\"privileged\":false", "\"privileged\":true")));
    }
}

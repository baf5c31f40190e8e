//! The pod that is judged, as the API server sees it when it asks Pod Security: with its defaults filled in.

use std::collections::{BTreeMap, BTreeSet};

use super::super::json::Json;
use super::super::pod::{Container, Pod};

/// A whole pod.
pub struct Subject<'a> {
    /// Its `spec`.
    pub spec: &'a Json<'a>,
    /// Its annotations. Of one without a text the API server makes an empty one.
    pub annotations: BTreeMap<&'a str, &'a str>,
    pod: Pod<'a>,
}

impl<'a> Subject<'a> {
    /// The pod of that `metadata` and `spec`; whatever is missing or of another type is not there.
    pub fn new(pod: &'a Json<'a>) -> Subject<'a> {
        let fields = if let Json::Map(fields) = &pod["metadata"]["annotations"] { fields.as_slice() } else { &[] };
        // Of a key that stands there twice, the last one counts.
        let annotations = fields.iter().map(|(key, value)| (key.as_ref(), text(value))).collect();
        Subject { spec: &pod["spec"], annotations, pod: Pod::new(&pod["spec"]) }
    }

    /// All containers, in the API server's order: init, main, ephemeral.
    pub fn containers(&self) -> impl Iterator<Item = Container<'a>> {
        self.pod.containers()
    }

    /// Names of those containers.
    pub fn names(&self, which: impl FnMut(&Container<'a>) -> bool) -> Vec<&'a str> {
        self.containers().filter(which).map(|container| container.name()).collect()
    }

    /// Names of the containers that have something bad, and all of that, sorted.
    pub fn found<T: Ord>(&self, bad: impl Fn(&Container<'a>) -> Vec<T>) -> (Vec<&'a str>, BTreeSet<T>) {
        let mut all = BTreeSet::new();
        let names = self.names(|container| {
            let bad = bad(container);
            let is_bad = !bad.is_empty();
            all.extend(bad);
            is_bad
        });
        (names, all)
    }

    /// A value of the pod's own security context.
    pub fn security(&self, field: &str) -> &'a Json<'a> {
        &self.spec["securityContext"][field]
    }

    /// Whether it says that it runs on Windows, where most of a security context may not be stated.
    pub fn is_windows(&self) -> bool {
        self.pod.is_windows()
    }

    /// Whether its root is nobody on the node.
    pub fn has_user_namespace(&self) -> bool {
        self.pod.has_user_namespace()
    }
}

/// The text of a value; of null or nothing, the empty one that it is for the API server.
pub fn text<'a>(value: &'a Json<'a>) -> &'a str {
    value.as_str().unwrap_or_default()
}

/// Whether a number is stated, and zero. `-0` is: Go reads it as a whole number.
pub fn is_zero(value: &Json<'_>) -> bool {
    value.as_f64() == Some(0.0)
}

/// The capabilities that a container adds or drops.
pub fn capabilities<'a>(container: &Container<'a>, list: &str) -> impl Iterator<Item = &'a str> {
    container.security("capabilities")[list].items().iter().map(text)
}

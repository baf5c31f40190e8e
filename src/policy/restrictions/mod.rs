//! What a platform lets tenants name: registries, classes, host names and the like, by lists; one file a list.
//!
//! A list has three states: absent, and nothing is asked; empty, and nothing may be named; or these alone. A row says what an
//! object names, and whether an entry of the list lets it; both once in Rust, for whoever asks before he pushes, and once in
//! CEL, for the API server. Of a change, what was named before is let be.

mod external_ips;
mod host_names;
mod host_users;
mod load_balancer_classes;
mod load_balancer_source_ranges;
pub mod networks;
mod node_names;
mod node_selectors;
mod priority_classes;
mod registries;
mod runtime_classes;
mod service_types;
mod storage_classes;
mod token_audiences;
mod tolerations;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::contract::admission::Mode;

/// Something that tenants name, and that a list bounds. Its id stands in messages, modes and exemptions.
pub struct Restriction {
    /// Words with `-` between them: `storage-classes`.
    pub id: &'static str,
    /// The field of `admission.restrict`.
    pub field: &'static str,
    /// What is refused, in a few words.
    pub title: &'static str,
    /// What would happen otherwise.
    pub why: &'static str,
    /// How to put it right.
    pub fix: &'static str,
    /// What is named: `storage class`.
    pub what: &'static str,
    /// Which objects name it.
    pub about: About,
    /// What an entry of the list has to be, or why this one is none.
    pub entry: fn(&str) -> Result<(), String>,
    /// What an object names: of [`About::Pods`], of their `spec`. Each once, in the order in which it stands there.
    pub items: fn(&Value) -> Vec<String>,
    /// The same in CEL: a list of texts, of what stands for [`OF`], an object of the kind that stands for [`KIND`]. Of `{}` it
    /// is empty; an object has no optional fields that are empty. In what API servers and evaluators elsewhere both know.
    pub items_cel: &'static str,
    /// Whether an entry lets an item.
    pub allows: fn(&str, &str) -> bool,
    /// The same in CEL, of an entry `e` and an item `i`.
    pub allows_cel: &'static str,
    /// In CEL, what `i` in [`Restriction::allows_cel`] is instead of the item `i`, worked out once for all entries; empty: the item.
    pub whole_cel: &'static str,
    /// Whether an entry lets all that another one lets.
    pub covers: Option<fn(&str, &str) -> bool>,
    /// Whether the cluster fills in something of an object before it asks: without a cluster, nobody knows what.
    pub is_filled_in: fn(&Value) -> bool,
    /// Objects, or specs of pods, that keep to a list and that do not.
    pub examples: &'static [Example],
}

/// What most rows have.
pub const PLAIN: Restriction = Restriction {
    id: "",
    field: "",
    title: "",
    why: "",
    fix: "",
    what: "",
    about: About::Pods,
    entry: any_name,
    items: |_| Vec::new(),
    items_cel: "",
    allows: same,
    allows_cel: SAME,
    whole_cel: "",
    covers: None,
    is_filled_in: |_| false,
    examples: &[],
};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Pods, and early whatever makes them.
    Pods,
    /// The same, and DaemonSets as such: their controller puts an affinity of its own in place of what their pods ask for, so that
    /// no pod of theirs says it.
    Placement,
    /// Pods, and Secrets that are tokens: see [`spec_of_secret`].
    Tokens,
    /// Volume claims, and early whatever makes them: see [`is_class_stated`].
    Claims,
    /// Objects.
    Objects(&'static [Asked]),
}

/// What requests are about: an API group, a resource, and the kind of it.
pub type Asked = (&'static str, &'static str, &'static str);

impl About {
    /// What is refused.
    pub fn asked(self) -> &'static [Asked] {
        const PODS: [Asked; 2] = [("", "pods", "Pod"), ("", "pods/ephemeralcontainers", "Pod")];
        match self {
            About::Pods => &PODS,
            About::Placement => &[PODS[0], PODS[1], ("apps", "daemonsets", "DaemonSet")],
            About::Tokens => &[PODS[0], PODS[1], ("", "secrets", "Secret")],
            About::Claims => &[("", "persistentvolumeclaims", "PersistentVolumeClaim")],
            About::Objects(all) => all,
        }
    }
}

/// A Secret that is a token as the spec of a pod that asks for one: whoever mounts it has it, and it never ends.
pub fn spec_of_secret(secret: &Value) -> Value {
    if secret["type"] == TOKEN { serde_json::json!({"automountServiceAccountToken": true}) } else { Value::Null }
}

/// The type of such a Secret.
pub const TOKEN: &str = "kubernetes.io/service-account-token";

/// Whether a claim says of which class it is, if only of none. Where it does not, the API server says it for claims, but not for what
/// makes them.
pub fn is_class_stated(claim: &Value) -> bool {
    claim["spec"]["storageClassName"].is_string() || claim["metadata"]["annotations"][CLASS].is_string()
}

/// The annotation that says the same, from before there was a field; it still counts more than that.
pub const CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// An object that shows what a restriction means.
pub struct Example {
    /// What is to be seen.
    pub about: &'static str,
    /// The list.
    pub list: &'static [&'static str],
    /// What is refused of it.
    pub refused: &'static [&'static str],
    /// YAML of a pod's `spec`, or of a whole object.
    pub object: &'static str,
}

/// In [`Restriction::items_cel`]: the object, or the spec of the pod.
pub const OF: &str = "$of";

/// In [`Restriction::items_cel`]: the kind of the object, as a text.
pub const KIND: &str = "$kind";

/// In [`Restriction::items_cel`]: whether the controller of DaemonSets makes the pod, which binds each to its node by name.
pub const PINNED: &str = "$pinned";

/// As whom the controller of DaemonSets may be: with credentials of its own, and as one with all other controllers.
pub const PINNERS: [&str; 2] =
    ["system:kube-controller-manager", "system:serviceaccount:kube-system:daemon-set-controller"];

/// All of them, in the order in which breaches are told.
pub const RESTRICTIONS: [&Restriction; 14] = [
    &registries::RESTRICTION,
    &host_users::RESTRICTION,
    &token_audiences::RESTRICTION,
    &runtime_classes::RESTRICTION,
    &priority_classes::RESTRICTION,
    &tolerations::RESTRICTION,
    &node_selectors::RESTRICTION,
    &node_names::RESTRICTION,
    &service_types::RESTRICTION,
    &external_ips::RESTRICTION,
    &load_balancer_classes::RESTRICTION,
    &load_balancer_source_ranges::RESTRICTION,
    &host_names::RESTRICTION,
    &storage_classes::RESTRICTION,
];

/// The one of that id.
pub fn find(id: &str) -> Option<&'static Restriction> {
    RESTRICTIONS.into_iter().find(|restriction| restriction.id.eq_ignore_ascii_case(id))
}

/// A list, and what naming something else leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Its entries, sorted.
    pub list: Vec<String>,
    /// What a breach leads to.
    pub mode: Mode,
}

/// The lists that hold somewhere, by id.
pub type Lists = BTreeMap<&'static str, Allowed>;

/// A tenant's own lists, by id: within what its tier lets.
pub type OwnLists = BTreeMap<&'static str, Vec<String>>;

/// What an annotation of a Namespace that holds a tenant's own list begins with; then comes the id.
pub const OWN: &str = "list.tenant.k8s-mtp.io/";

/// A list as such an annotation holds it: see [`OWN_ENTRIES`]. No entry has a comma, or is one of the two words.
pub fn annotation(list: &[String]) -> String {
    if list.is_empty() {
        return "[]".to_owned();
    }
    written(list, ",")
}

/// Entries as people write them in a row: the empty one, of no class, is seen as `""`.
pub fn written<E: AsRef<str>>(list: &[E], between: &str) -> String {
    let entries = list.iter().map(|entry| if entry.as_ref().is_empty() { "\"\"" } else { entry.as_ref() });
    entries.collect::<Vec<_>>().join(between)
}

/// The entries of an annotation, in CEL; it stands for `$list`.
pub const OWN_ENTRIES: &str = "$list.split(',').map(e, e == '\"\"' ? '' : e)";

/// Nothing is restricted.
pub static NONE: Lists = BTreeMap::new();

impl Restriction {
    /// What an object names that no entry lets; `of` is the object, or the spec of the pod.
    pub fn refused(&self, of: &Value, list: &[String]) -> Vec<String> {
        let mut items = (self.items)(of);
        items.retain(|item| !self.lets(list, item));
        items
    }

    /// Whether some entry lets an item.
    pub fn lets(&self, list: &[String], item: &str) -> bool {
        list.iter().any(|entry| (self.allows)(entry, item))
    }

    /// Whether it is asked about what pods name.
    pub fn is_of_pods(&self) -> bool {
        matches!(self.about, About::Pods | About::Placement | About::Tokens)
    }

    /// Whether some entry of a list lets all that `entry` lets.
    pub fn is_covered(&self, list: &[String], entry: &str) -> bool {
        let covers = self.covers.unwrap_or(self.allows);
        list.iter().any(|old| covers(old, entry))
    }

    /// What is said of it.
    pub fn message(&self, item: &str) -> String {
        format!("{} '{item}' is not allowed", self.what)
    }

    /// Whether it asks about a kind of an API group.
    pub fn is_about(&self, group: &str, kind: &str) -> bool {
        self.about.asked().iter().any(|(of, _, known)| (*of, *known) == (group, kind))
    }
}

/// Of [`Restriction::entry`]: any text that Kubernetes takes for a name, or none at all.
fn any_name(entry: &str) -> Result<(), String> {
    let is_name = entry.is_empty() || crate::names::is_dns_subdomain(entry);
    if is_name { Ok(()) } else { Err("expected a name".to_owned()) }
}

/// Of [`Restriction::allows`]: the same text.
fn same(entry: &str, item: &str) -> bool {
    entry == item
}

/// The same in CEL.
const SAME: &str = "i == e";

/// A field's text as a list of one, or of none where it is empty or missing.
fn stated(value: &Value) -> Vec<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned).into_iter().collect()
}

/// The entries of a list.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Adds a text that is not there yet.
fn add(all: &mut Vec<String>, text: impl Into<String>) {
    let text = text.into();
    if !all.contains(&text) {
        all.push(text);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::RESTRICTIONS;

    #[test]
    fn examples_are_what_they_say() {
        for restriction in RESTRICTIONS {
            let mut verdicts = [false; 2];
            for example in restriction.examples {
                let object: Value = serde_yaml::from_str(example.object).expect("YAML");
                let list: Vec<String> = example.list.iter().map(|entry| (*entry).to_owned()).collect();
                list.iter().for_each(|entry| (restriction.entry)(entry).expect("an entry"));
                assert_eq!(
                    restriction.refused(&object, &list),
                    example.refused,
                    "{}: {}",
                    restriction.id,
                    example.about
                );
                verdicts[usize::from(example.refused.is_empty())] = true;
            }
            assert_eq!(verdicts, [true; 2], "{} has examples of both", restriction.id);
        }
    }

    #[test]
    fn ids_are_known_once_and_say_their_field() {
        for restriction in RESTRICTIONS {
            let words: String = restriction.field.chars().fold(String::new(), |mut id, letter| {
                if letter.is_uppercase() && !id.ends_with(['-', 'I']) {
                    id.push('-');
                }
                id.extend(letter.to_lowercase());
                id
            });
            assert_eq!(words.replace("external-i-ps", "external-ips"), restriction.id);
            assert!(crate::policy::find(restriction.id).is_none());
        }
    }

    #[test]
    fn what_is_no_object_names_nothing_and_panics_nobody() {
        for restriction in RESTRICTIONS {
            for text in
                ["{}", "[]", "null", "{spec: []}", "{spec: {rules: [1, null]}}", "{containers: {}}", "{volumes: [1]}"]
            {
                let value: Value = serde_yaml::from_str(text).expect("YAML");
                assert!((restriction.items)(&value).len() < 3, "{}: {text}", restriction.id);
            }
        }
    }
}

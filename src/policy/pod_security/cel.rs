//! What CEL texts are made of: the subset that an API server and the crate `kube-cel` both take.
//!
//! `object` is a Pod. A field is asked for with `has()` at each step of its path, since of what is missing nothing can be read.

/// All three lists of containers; `of` speaks of a container `c`.
pub fn every_container(holds: &str) -> String {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    lists.map(|list| format!("(!has(object.spec.{list}) || object.spec.{list}.all(c, {holds}))")).join(" && ")
}

/// The field is not stated, or this holds: `root` exists, `path` begins below it.
pub fn absent_or(root: &str, path: &str, holds: &str) -> String {
    let absent: String = steps(root, path).map(|step| format!("!has({step}) || ")).collect();
    absent + holds
}

/// The field is stated, and this holds.
pub fn present_and(root: &str, path: &str, holds: &str) -> String {
    let present: String = steps(root, path).map(|step| format!("has({step}) && ")).collect();
    present + holds
}

/// The pod says that it runs on Windows, or this holds.
pub fn windows_or(holds: &str) -> String {
    format!("({}) || ({holds})", present_and("object.spec", "os.name", "object.spec.os.name == 'windows'"))
}

/// The pod has a user namespace, or this holds.
pub fn user_namespace_or(holds: &str) -> String {
    format!("({}) || ({holds})", present_and("object.spec", "hostUsers", "!object.spec.hostUsers"))
}

/// The pod's own security context and those of all its containers: where `path` is stated below one, this holds of it. In
/// `holds`, `$` is what stands at the path.
pub fn every_context(path: &str, holds: &str) -> String {
    let path = format!("securityContext.{path}");
    let of = |root: &str| absent_or(root, &path, &holds.replace('$', &format!("{root}.{path}")));
    format!("({}) && {}", of("object.spec"), every_container(&of("c")))
}

/// A list of texts.
pub fn list(texts: &[&str]) -> String {
    format!("[{}]", texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", "))
}

/// `root.a`, `root.a.b`, ... of a path `a.b. ...`.
fn steps(root: &str, path: &str) -> impl Iterator<Item = String> {
    let mut step = root.to_owned();
    path.split('.').map(move |field| {
        step = format!("{step}.{field}");
        step.clone()
    })
}

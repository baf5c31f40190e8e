//! SELinux confines a pod as it confines every pod.

use std::collections::BTreeSet;

use super::super::json::Json;
use super::wording::{counted, quoted, setters};
use super::{Control, Example, Minor, Refusal, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// Types of a process that may be asked for; the empty one is the runtime's. The last one came later.
const TYPES: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/// The version from which on containers may run containers.
const ENGINES: u32 = 31;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_seLinuxOptions.go>
pub const CONTROL: Control = Control {
    id: "se-linux-options",
    upstream: "seLinuxOptions",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0, ENGINES],
    title: "another confinement by SELinux",
    why: "A type such as `spc_t`, or another user or role, takes a container out of what keeps it from the node's \
          files and from other containers.",
    fix: "Take `user` and `role` out of `seLinuxOptions`, and a `type` that is none of a container; `level` may stay.",
    check: |subject, version| {
        let of_pod = faults(subject.security("seLinuxOptions"), version);
        let (names, of_containers) = subject.found(|container| faults(container.security("seLinuxOptions"), version));
        let setters = setters(!of_pod.is_empty(), &names)?;
        let all = || of_containers.iter().chain(&of_pod);
        // Sorted, each once.
        let types: BTreeSet<&str> =
            all().filter_map(|fault| if let Fault::Type(of_type) = fault { Some(*of_type) } else { None }).collect();
        let mut said = Vec::new();
        if !types.is_empty() {
            said.push(format!("{} {}", counted("type", "types", types.len()), quoted(&types)));
        }
        for (fault, words) in [(Fault::User, "user may not be set"), (Fault::Role, "role may not be set")] {
            if all().any(|found| *found == fault) {
                said.push(words.to_owned());
            }
        }
        let detail = format!("{setters} set forbidden securityContext.seLinuxOptions: {}", said.join("; "));
        Some(Refusal::new("seLinuxOptions", detail))
    },
    cel: |version| {
        let of_type = format!("(!has($.type) || $.type in {})", cel::list(types(version)));
        let holds = format!("{of_type} && (!has($.user) || $.user == '') && (!has($.role) || $.role == '')");
        cel::every_context("seLinuxOptions", &format!("({holds})"))
    },
    examples: &[
        Example::holds("not said", "spec: {containers: [{name: a}]}"),
        Example::holds(
            "a container's type, and a level",
            "spec: {securityContext: {seLinuxOptions: {type: container_init_t, level: 's0:c1,c2'}}, containers: \
             [{name: a}]}",
        ),
        Example::refused(
            "a type that is not confined",
            "spec: {containers: [{name: a, securityContext: {seLinuxOptions: {type: spc_t}}}]}",
            "seLinuxOptions (container \"a\" set forbidden securityContext.seLinuxOptions: type \"spc_t\")",
        ),
        Example::refused(
            "all of it, by the pod and a container",
            "spec:
  securityContext: {seLinuxOptions: {type: spc_t, user: system_u}}
  containers: [{name: a, securityContext: {seLinuxOptions: {type: b_t, role: system_r}}}]",
            "seLinuxOptions (pod and container \"a\" set forbidden securityContext.seLinuxOptions: types \"b_t\", \
             \"spc_t\"; user may not be set; role may not be set)",
        ),
        Example::holds(
            "what runs containers",
            "spec: {containers: [{name: a, securityContext: {seLinuxOptions: {type: container_engine_t}}}]}",
        ),
        Example::refused(
            "the same, before it was known",
            "spec: {containers: [{name: a, securityContext: {seLinuxOptions: {type: container_engine_t}}}]}",
            "seLinuxOptions (container \"a\" set forbidden securityContext.seLinuxOptions: type \
             \"container_engine_t\")",
        )
        .of(30),
    ],
};

/// What is wrong with options.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Fault<'a> {
    /// A type that may not be asked for.
    Type(&'a str),
    /// A user.
    User,
    /// A role.
    Role,
}

fn types(version: Minor) -> &'static [&'static str] {
    if version >= Minor::new(ENGINES) { &TYPES } else { &TYPES[..4] }
}

fn faults<'a>(options: &'a Json<'a>, version: Minor) -> Vec<Fault<'a>> {
    let [of_type, user, role] = ["type", "user", "role"].map(|field| subject::text(&options[field]));
    let of_type = Some(Fault::Type(of_type)).filter(|_| !types(version).contains(&of_type));
    let user = (!user.is_empty()).then_some(Fault::User);
    let role = (!role.is_empty()).then_some(Fault::Role);
    [of_type, user, role].into_iter().flatten().collect()
}

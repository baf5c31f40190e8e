//! The shelf of the Pod Security Standards: what `baseline` and `restricted` refuse, by version, one file a control.
//!
//! The verdict and its words are those of the API server's own admission plugin, which `tests/cluster/pod_security/`
//! holds them against; the CEL text of a control is its check once more, for a ValidatingAdmissionPolicy.
//!
//! Facts are those of the library k8s.io/pod-security-admission 0.37; its releases since 0.34 differ in nothing but what is newer
//! than they are. So an older server means by `latest`, and by what it does not know yet, its own version: ask for the older
//! of the two, `version.min(Minor::new(of the server))`.
//!
//! Source: <https://kubernetes.io/docs/concepts/security/pod-security-standards/>

mod cel;
mod subject;
mod version;
mod wording;

mod allow_privilege_escalation;
mod app_armor_profile;
mod capabilities_baseline;
mod capabilities_restricted;
mod host_namespaces;
mod host_path_volumes;
mod host_ports;
mod host_probes;
mod privileged;
mod proc_mount;
mod proc_mount_restricted;
mod restricted_volumes;
mod run_as_non_root;
mod run_as_user;
mod se_linux_options;
mod seccomp_profile;
mod seccomp_profile_restricted;
mod sysctls;
mod windows_host_process;

use super::json::Json;
use crate::contract::platform::PodSecurityLevel;
pub use subject::Subject;
pub use version::Minor;

/// One control of the standards.
pub struct Control {
    /// Words with `-` between them: `host-namespaces`. No [`super::Policy`] has the same.
    pub id: &'static str,
    /// What the API server's library calls it; by this name its controls are sorted.
    pub upstream: &'static str,
    /// The level that it belongs to. `restricted` has the controls of `baseline` too.
    pub level: PodSecurityLevel,
    /// The control of `baseline`, by its id, that `restricted` leaves out once it has this one.
    pub replaces: Option<&'static str>,
    /// Minor versions in each of which it came to mean something else. It holds from the first one on; none has ended yet.
    pub versions: &'static [u32],
    /// What is refused, in a few words.
    pub title: &'static str,
    /// What would happen otherwise.
    pub why: &'static str,
    /// How to put it right.
    pub fix: &'static str,
    /// What is said of a pod that breaks it, in a version that has it.
    pub check: fn(&Subject<'_>, Minor) -> Option<Refusal>,
    /// The same as CEL over `object`, a Pod as the API server has it after its defaults: true if the pod keeps to it.
    pub cel: fn(Minor) -> String,
    /// Pods that keep to it and pods that do not.
    pub examples: &'static [Example],
}

/// What is said of a pod that breaks a control.
pub struct Refusal {
    /// What is forbidden: `host namespaces`.
    pub reason: String,
    /// Who did it, and what was found: `hostNetwork=true`.
    pub detail: String,
}

/// A pod that shows what a control means.
pub struct Example {
    /// What is to be seen.
    pub about: &'static str,
    /// The version of the standard.
    pub version: Minor,
    /// The pod, as YAML.
    pub pod: &'static str,
    /// What is said of it, if it is refused.
    pub refused: Option<&'static str>,
}

/// A control that a pod breaks, in the API server's own words.
pub struct Violation {
    /// The control.
    pub control: &'static Control,
    /// What is forbidden; the library's `ForbiddenReason`.
    pub reason: String,
    /// Who did it, and what was found; the library's `ForbiddenDetail`.
    pub detail: String,
}

/// All controls, as the API server tells of them: those of `baseline` first, each level by upstream's names.
pub const CONTROLS: [&Control; 19] = [
    &app_armor_profile::CONTROL,
    &capabilities_baseline::CONTROL,
    &host_namespaces::CONTROL,
    &host_path_volumes::CONTROL,
    &host_ports::CONTROL,
    &host_probes::CONTROL,
    &privileged::CONTROL,
    &proc_mount::CONTROL,
    &se_linux_options::CONTROL,
    &seccomp_profile::CONTROL,
    &sysctls::CONTROL,
    &windows_host_process::CONTROL,
    &allow_privilege_escalation::CONTROL,
    &capabilities_restricted::CONTROL,
    &proc_mount_restricted::CONTROL,
    &restricted_volumes::CONTROL,
    &run_as_non_root::CONTROL,
    &run_as_user::CONTROL,
    &seccomp_profile_restricted::CONTROL,
];

/// The controls that a level has in a version, in the order of [`CONTROLS`].
pub fn in_force(level: PodSecurityLevel, version: Minor) -> impl Iterator<Item = &'static Control> {
    let is_asked =
        move |control: &Control| control.level <= level && control.versions.iter().any(|v| Minor::new(*v) <= version);
    CONTROLS.into_iter().filter(move |control| {
        is_asked(control) && !CONTROLS.iter().any(|other| other.replaces == Some(control.id) && is_asked(other))
    })
}

/// What a whole pod, its `metadata` and `spec`, breaks. It may lack what the API server fills in; of a workload, hand in the
/// pod that its template makes.
///
/// What is no pod at all, or has lists that are no lists, breaks no control of `baseline`: no API server reads it.
pub fn review(pod: &Json<'_>, level: PodSecurityLevel, version: Minor) -> Vec<Violation> {
    let subject = Subject::new(pod);
    in_force(level, version)
        .filter_map(|control| {
            let Refusal { reason, detail } = (control.check)(&subject, version)?;
            Some(Violation { control, reason, detail })
        })
        .collect()
}

/// What the API server says of all of it: `host namespaces (hostNetwork=true), hostPort (container "a" uses hostPort 80)`.
///
/// It says that after `violates PodSecurity "restricted:v1.36": `, the level and the version as the Namespace's labels have
/// them; and that after `pods "NAME" is forbidden: `. As a warning, it begins with `would violate PodSecurity ` instead.
pub fn message(violations: &[Violation]) -> String {
    let each = violations.iter().map(
        |Violation { reason, detail, .. }| {
            if detail.is_empty() { reason.clone() } else { format!("{reason} ({detail})") }
        },
    );
    each.collect::<Vec<_>>().join(", ")
}

impl Refusal {
    /// What is forbidden, and by whom.
    fn new(reason: &str, detail: String) -> Refusal {
        Refusal { reason: reason.to_owned(), detail }
    }
}

impl Example {
    /// A pod that keeps to it in the newest version.
    const fn holds(about: &'static str, pod: &'static str) -> Example {
        Example { about, version: Minor::LATEST, pod, refused: None }
    }

    /// A pod that breaks it in the newest version, and what is said then.
    const fn refused(about: &'static str, pod: &'static str, said: &'static str) -> Example {
        Example { about, version: Minor::LATEST, pod, refused: Some(said) }
    }

    /// The same in that version.
    const fn of(self, minor: u32) -> Example {
        Example { version: Minor::new(minor), ..self }
    }
}

#[cfg(test)]
mod tests;

//! A pod changes only what the kernel keeps apart for it.

use super::{Control, Example, Minor, Refusal, cel, subject};
use crate::contract::platform::PodSecurityLevel;

/// Names that may be set, and the versions from which on.
const ALLOWED: [(&str, u32); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

/// The row of [`super::CONTROLS`].
///
/// A name is compared as it is written: `net/ipv4/tcp_syncookies`, which means the same, is refused.
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_sysctls.go>
pub const CONTROL: Control = Control {
    id: "sysctls",
    upstream: "sysctls",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0, 27, 29, 32, 37],
    title: "a setting of the kernel that is not known to be safe",
    why: "A setting that the kernel does not keep apart changes all pods of the node, or takes its memory.",
    fix: "Take it out of `securityContext.sysctls`; what a whole node needs is set by whoever runs it.",
    check: |subject, version| {
        let allowed = allowed(version);
        let names = subject.security("sysctls").items().iter().map(|sysctl| subject::text(&sysctl["name"]));
        // In the order of the pod, and a name as often as it stands there.
        let bad: Vec<&str> = names.filter(|name| !allowed.contains(name)).collect();
        (!bad.is_empty()).then(|| Refusal::new("forbidden sysctls", bad.join(", ")))
    },
    cel: |version| {
        let path = "securityContext.sysctls";
        let holds = format!("object.spec.{path}.all(sysctl, sysctl.name in {})", cel::list(&allowed(version)));
        cel::absent_or("object.spec", path, &holds)
    },
    examples: &[
        Example::holds("none", "spec: {securityContext: {sysctls: []}, containers: [{name: a}]}"),
        Example::holds(
            "safe ones",
            "spec: {securityContext: {sysctls: [{name: net.ipv4.tcp_syncookies, value: '1'}]}, containers: [{name: \
             a}]}",
        ),
        Example::refused(
            "others, and a safe one by another spelling",
            "spec:
  securityContext:
    sysctls: [{name: kernel.msgmax}, {name: net/ipv4/tcp_syncookies}, {name: net.ipv4.tcp_rmem}, {name: a.b}]",
            "forbidden sysctls (kernel.msgmax, net/ipv4/tcp_syncookies, a.b)",
        ),
        Example::refused(
            "one that was not yet known to be safe",
            "spec: {securityContext: {sysctls: [{name: net.ipv4.tcp_notsent_lowat}, {name: net.ipv4.tcp_wmem}]}}",
            "forbidden sysctls (net.ipv4.tcp_notsent_lowat)",
        )
        .of(36),
    ],
};

fn allowed(version: Minor) -> Vec<&'static str> {
    ALLOWED.into_iter().filter(|(_, from)| version >= Minor::new(*from)).map(|(name, _)| name).collect()
}

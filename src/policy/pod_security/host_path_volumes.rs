//! No part of the node's file system is in a pod.

use super::wording::{counted, quoted};
use super::{Control, Example, Refusal, subject};
use crate::contract::platform::PodSecurityLevel;

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_hostPathVolumes.go>
pub const CONTROL: Control = Control {
    id: "host-path-volumes",
    upstream: "hostPathVolumes",
    level: PodSecurityLevel::Baseline,
    replaces: None,
    versions: &[0],
    title: "a folder of the node as a volume",
    why: "Who reads the node's files has the credentials of its kubelet and the data of all its pods; who writes \
          them has the node.",
    fix: "Take a volume that is the pod's own: `emptyDir`, `configMap`, `secret`, `persistentVolumeClaim`.",
    check: |subject, _| {
        let volumes = subject.spec["volumes"].items().iter().filter(|volume| !volume["hostPath"].is_null());
        let names: Vec<&str> = volumes.map(|volume| subject::text(&volume["name"])).collect();
        let detail = format!("{} {}", counted("volume", "volumes", names.len()), quoted(&names));
        (!names.is_empty()).then(|| Refusal::new("hostPath volumes", detail))
    },
    cel: |_| "!has(object.spec.volumes) || object.spec.volumes.all(volume, !has(volume.hostPath))".to_owned(),
    examples: &[
        Example::holds("none", "spec: {containers: [{name: a}]}"),
        Example::holds("another one", "spec: {volumes: [{name: scratch, emptyDir: {}}], containers: [{name: a}]}"),
        Example::refused(
            "one",
            "spec: {volumes: [{name: root, hostPath: {path: /}}], containers: [{name: a}]}",
            "hostPath volumes (volume \"root\")",
        ),
        Example::refused(
            "two, beside another one",
            "spec: {volumes: [{name: x, hostPath: {path: /}}, {name: y, emptyDir: {}}, {name: z, hostPath: {path: \
             /}}]}",
            "hostPath volumes (volumes \"x\", \"z\")",
        ),
    ],
};

//! A volume is the pod's own, or a claim that Kubernetes knows of.

use std::collections::BTreeSet;

use super::super::json::Json;
use super::wording::{counted, quoted};
use super::{Control, Example, Refusal, subject};
use crate::contract::platform::PodSecurityLevel;

/// Types of volumes that may be used.
const ALLOWED: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// All others that Kubernetes has had, in the order in which the API server looks for them.
const RESTRICTED: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

/// The row of [`super::CONTROLS`].
///
/// Source: <https://github.com/kubernetes/pod-security-admission/blob/v0.37.2/policy/check_restrictedVolumes.go>
pub const CONTROL: Control = Control {
    id: "restricted-volumes",
    upstream: "restrictedVolumes",
    level: PodSecurityLevel::Restricted,
    replaces: Some("host-path-volumes"),
    versions: &[0],
    title: "a volume of another type than the pod's own or a claim",
    why: "An inline volume of the network takes any server and any export that its author names; no quota and no \
          storage class has a say.",
    fix: "Take a `persistentVolumeClaim`, or one of `configMap`, `csi`, `downwardAPI`, `emptyDir`, `ephemeral`, \
          `image`, `projected`, `secret`.",
    check: |subject, _| {
        let volumes = subject.spec["volumes"].items().iter();
        let bad: Vec<(&str, &str)> = volumes
            .filter_map(|volume| restricted(volume).map(|of_type| (subject::text(&volume["name"]), of_type)))
            .collect();
        let types: BTreeSet<&str> = bad.iter().map(|(_, of_type)| *of_type).collect();
        let detail = || {
            let volumes = counted("volume", "volumes", bad.len());
            let uses = counted("uses", "use", bad.len());
            let of_types = counted("restricted volume type", "restricted volume types", types.len());
            format!("{volumes} {} {uses} {of_types} {}", quoted(bad.iter().map(|(name, _)| name)), quoted(&types))
        };
        (!bad.is_empty()).then(|| Refusal::new("restricted volume types", detail()))
    },
    cel: |_| {
        let allowed = ALLOWED.map(|of_type| format!("has(volume.{of_type})")).join(" || ");
        format!("!has(object.spec.volumes) || object.spec.volumes.all(volume, {allowed})")
    },
    examples: &[
        Example::holds("none", "spec: {containers: [{name: a}]}"),
        Example::holds(
            "some that are allowed",
            "spec: {volumes: [{name: x, emptyDir: {}}, {name: y, image: {reference: r}}, {name: z, csi: {driver: d}}]}",
        ),
        Example::holds("one that says no more than its name: an emptyDir", "spec: {volumes: [{name: x, nfs: null}]}"),
        Example::refused(
            "a folder of the node",
            "spec: {volumes: [{name: x, hostPath: {path: /}}]}",
            "restricted volume types (volume \"x\" uses restricted volume type \"hostPath\")",
        ),
        Example::refused(
            "several",
            "spec: {volumes: [{name: x, nfs: {}}, {name: y, emptyDir: {}}, {name: z, gitRepo: {}}, {name: n, nfs: \
             {}}]}",
            "restricted volume types (volumes \"x\", \"z\", \"n\" use restricted volume types \"gitRepo\", \"nfs\")",
        ),
        Example::refused(
            "one that this version does not know",
            "spec: {volumes: [{name: x, teleport: {}}]}",
            "restricted volume types (volume \"x\" uses restricted volume type \"unknown\")",
        ),
    ],
};

/// The type of a volume that may not be used. Of one that says nothing of a type the API server makes an `emptyDir`.
///
/// Source: <https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/v1/defaults.go> (`SetDefaults_Volume`)
fn restricted(volume: &Json<'_>) -> Option<&'static str> {
    let is_stated = |of_type: &str| !volume[of_type].is_null();
    if ALLOWED.iter().any(|of_type| is_stated(of_type)) {
        return None;
    }
    let known = RESTRICTED.into_iter().find(|of_type| is_stated(of_type));
    // A server that is newer than this knows types that this does not.
    let has_more =
        || matches!(volume, Json::Map(fields) if fields.iter().any(|(key, _)| key != "name" && is_stated(key)));
    known.or_else(|| has_more().then_some("unknown"))
}

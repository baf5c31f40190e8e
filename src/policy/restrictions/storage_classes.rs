//! Of what storage claims are.

use super::{About, Example, Restriction, SAME, any_name, same};

/// The row of [`super::RESTRICTIONS`]. A claim of no class, `""`, takes volumes that an admin made, and is to be in the list as such;
/// where a claim names none, the API server has named the cluster's default before it asks.
///
/// Source: <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#class-1>
pub const RESTRICTION: Restriction = Restriction {
    id: "storage-classes",
    field: "storageClasses",
    title: "storage of another class",
    why: "Classes differ in price, in speed, and in what becomes of the data: one of them may keep it for the next tenant.",
    fix: "State a `storageClassName` of the list.",
    what: "storage class",
    about: About::Objects(&[("", "persistentvolumeclaims", "PersistentVolumeClaim")]),
    entry: any_name,
    items: |object| object["spec"]["storageClassName"].as_str().map(str::to_owned).into_iter().collect(),
    items_cel: "has($of.spec) && has($of.spec.storageClassName) ? [$of.spec.storageClassName] : []",
    allows: same,
    allows_cel: SAME,
    examples: &[
        Example {
            about: "of the list",
            list: &["fast"],
            refused: &[],
            object: "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
        },
        Example {
            about: "of no class: a volume that somebody left",
            list: &["fast"],
            refused: &[""],
            object: "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {storageClassName: \"\", accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
        },
    ],
};

//! Of what storage claims are.

use serde_json::Value;

use super::{About, CLASS, Example, PLAIN, Restriction, SAME, add, any_name, is_class_stated, same};

/// The row of [`super::RESTRICTIONS`]. A claim of no class, `""`, takes volumes that an admin made, and is to be in the list as such.
/// Where a claim names none, the API server has named the cluster's default before it asks; where there is no default, it is of no
/// class.
///
/// Source: <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#class-1>, `GetPersistentVolumeClaimClass` of Kubernetes'
/// `pkg/apis/core/v1/helper/helpers.go`
pub const RESTRICTION: Restriction = Restriction {
    id: "storage-classes",
    field: "storageClasses",
    title: "storage of another class",
    why: "Classes differ in price, in speed, and in what becomes of the data: one of them may keep it for the next tenant.",
    fix: "State a `storageClassName` of the list.",
    what: "storage class",
    about: About::Claims,
    entry: any_name,
    items: |object| {
        let mut all = Vec::new();
        let annotated = &object["metadata"]["annotations"][CLASS];
        [annotated, &object["spec"]["storageClassName"]].into_iter().filter_map(Value::as_str).for_each(|class| add(&mut all, class));
        if all.is_empty() && object["metadata"].is_object() {
            add(&mut all, "");
        }
        all
    },
    items_cel: "(has($of.metadata) && has($of.metadata.annotations) && 'volume.beta.kubernetes.io/storage-class' in $of.metadata.annotations\n\
                ? [$of.metadata.annotations['volume.beta.kubernetes.io/storage-class']] : [])\n\
                + (has($of.spec) && has($of.spec.storageClassName) ? [$of.spec.storageClassName] : [])\n\
                + (has($of.metadata) && !(has($of.metadata.annotations) && 'volume.beta.kubernetes.io/storage-class' in $of.metadata.annotations)\n\
                && !(has($of.spec) && has($of.spec.storageClassName)) ? [''] : [])",
    is_filled_in: |object| !is_class_stated(object),
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
            about: "by the annotation of old",
            list: &["fast"],
            refused: &["slow"],
            object: "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, annotations: {volume.beta.kubernetes.io/storage-class: slow}},
                spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
        },
        Example {
            about: "of no class: a volume that somebody left",
            list: &["fast"],
            refused: &[""],
            object: "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {storageClassName: \"\", accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}",
        },
    ],
    ..PLAIN
};

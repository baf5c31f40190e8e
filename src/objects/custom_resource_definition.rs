//! `CustomResourceDefinition`: the Tenant kind, so that `kubectl get tenants` and `kubectl explain tenant` work.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition as Column, CustomResourceDefinition, CustomResourceDefinitionNames as Names,
    CustomResourceDefinitionSpec, CustomResourceDefinitionVersion, CustomResourceSubresourceStatus,
    CustomResourceSubresources, CustomResourceValidation, JSONSchemaProps,
};
use serde_json::{Value, json};

use super::{Build, Kind, Object, Plain, meta};
use crate::contract::{GROUP, VERSION};
use crate::plan::Plan;
use crate::schema;

/// The row of [`super::KINDS`].
pub const KIND: Kind = Kind {
    group: "apiextensions.k8s.io",
    version: "v1",
    kind: "CustomResourceDefinition",
    build: Build::Platform(build),
};

/// The resource of Tenants.
const PLURAL: &str = "tenants";

/// The name of the definition.
pub fn name() -> String {
    format!("{PLURAL}.{GROUP}")
}

fn build(plan: &Plan) -> Vec<Object> {
    let column = |name: &str, json_path: &str| Column {
        name: name.to_owned(),
        json_path: json_path.to_owned(),
        type_: "string".to_owned(),
        ..Column::default()
    };
    let version = CustomResourceDefinitionVersion {
        name: VERSION.to_owned(),
        served: true,
        storage: true,
        schema: Some(CustomResourceValidation { open_api_v3_schema: Some(open_api()) }),
        subresources: Some(CustomResourceSubresources {
            status: Some(CustomResourceSubresourceStatus(json!({}))),
            scale: None,
        }),
        additional_printer_columns: Some(vec![
            column("Tier", ".spec.tier"),
            column("State", ".spec.state"),
            column("Namespaces", r".metadata.annotations.tenant\.k8s-mtp\.io/namespaces"),
            Column { type_: "date".to_owned(), ..column("Age", ".metadata.creationTimestamp") },
        ]),
        ..CustomResourceDefinitionVersion::default()
    };
    let names = Names {
        kind: "Tenant".to_owned(),
        list_kind: Some("TenantList".to_owned()),
        plural: PLURAL.to_owned(),
        singular: Some("tenant".to_owned()),
        ..Names::default()
    };
    let definition = CustomResourceDefinition {
        metadata: meta::ObjectMeta {
            name: Some(name()),
            labels: Some(meta::platform_labels()),
            ..meta::ObjectMeta::default()
        },
        spec: CustomResourceDefinitionSpec {
            group: GROUP.to_owned(),
            names,
            scope: "Cluster".to_owned(),
            versions: vec![version],
            ..CustomResourceDefinitionSpec::default()
        },
        status: None,
    };
    let doc = &plan.platform.doc;
    let mut object = Object::new(definition, doc.at(doc.content.metadata.name.span));
    object.manifest = Box::new(Plain(whole_numbers(object.manifest.value())));
    vec![object]
}

/// The typed schema holds every bound as a float; an API server stores and shows `1`, not `1.0`.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, whole_numbers(value))).collect(),
        Value::Number(number) => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "bounds of a schema are far below 2^53")]
            Some(float) if number.is_f64() && float.fract() == 0.0 => Value::from(float as i64),
            _ => Value::Number(number),
        },
        other => other,
    }
}

/// The schema of the contract, and a status for whoever applies the manifests.
fn open_api() -> JSONSchemaProps {
    let condition = json!({
        "type": "object",
        "description": "One thing that is true of the tenant or not.",
        "required": ["type", "status", "lastTransitionTime", "reason", "message"],
        "properties": {
            "type": { "type": "string", "description": "Rendered, Applied or Ready.", "maxLength": 316 },
            "status": { "type": "string", "description": "True, False or Unknown.", "enum": ["True", "False", "Unknown"] },
            "observedGeneration": { "type": "integer", "format": "int64", "minimum": 0,
                "description": "The generation of the Tenant that it is about." },
            "lastTransitionTime": { "type": "string", "format": "date-time", "description": "Since when." },
            "reason": { "type": "string", "description": "Why, in one word.", "maxLength": 1024 },
            "message": { "type": "string", "description": "Why, for people.", "maxLength": 32768 },
        },
    });
    let schema = json!({
        "type": "object",
        "description": "A customer of the platform. Rendered from tenants/ in git; edit it there.",
        "required": ["spec"],
        "properties": {
            "spec": schema::structural("Tenant"),
            "status": {
                "type": "object",
                "description": "What was seen in the cluster when the tenant was last applied.",
                "properties": {
                    "installation": { "type": "string", "description": "The Platform whose `mtp sync` applied it." },
                    "observedCommit": { "type": "string", "description": "The commit that was applied last." },
                    "conditions": { "type": "array", "description": "What is true of the tenant.", "items": condition,
                        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] },
                },
            },
        },
    });
    serde_json::from_value(schema).unwrap_or_default()
}

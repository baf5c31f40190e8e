//! Pods for an evaluator of CEL, as an API server hands them to policies.

use std::sync::Arc;

use kube_cel::KubeCelExt as _;
use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Context, ExecutionError, Value as Cel};
use serde_json::{Value, json};

/// How many pods are made: 300, unless `MTP_PODS` says otherwise.
pub fn count() -> u64 {
    std::env::var("MTP_PODS").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// A value as CEL has it: keys are not escaped, whole numbers are `int`. So an API server hands objects to policies.
fn cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(bool) => Cel::Bool(*bool),
        Value::Number(number) => Cel::Int(number.as_i64().expect("a whole number")),
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(cel).collect())),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (Key::String(Arc::new(key.clone())), cel(value)));
            Cel::Map(Map { map: Arc::new(fields.collect()) })
        }
    }
}

/// A pod as the API server has it when it asks policies: nothing is null, and its defaults are filled in.
pub fn completed(mut pod: Value) -> Value {
    drop_nulls(&mut pod);
    let items = |value: &mut Value| value.as_array_mut().map(std::mem::take).unwrap_or_default();
    if !pod["spec"]["volumes"].is_null() {
        let mut volumes = items(&mut pod["spec"]["volumes"]);
        for volume in &mut volumes {
            if volume.as_object().is_some_and(|fields| fields.len() == 1) {
                volume["emptyDir"] = json!({});
            }
        }
        pod["spec"]["volumes"] = Value::Array(volumes);
    }
    if pod["spec"]["hostNetwork"] == true {
        for list in ["initContainers", "containers"] {
            for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
                for port in container["ports"].as_array_mut().into_iter().flatten() {
                    if port["hostPort"].as_u64().unwrap_or_default() == 0 {
                        port["hostPort"] = port["containerPort"].clone();
                    }
                }
            }
        }
    }
    quantities(&mut pod["spec"]);
    for list in ["initContainers", "containers"] {
        pod["spec"][list].as_array_mut().into_iter().flatten().for_each(quantities);
    }
    // Asking a JSON value for a field to change makes it null.
    drop_nulls(&mut pod);
    pod
}

/// Amounts are texts.
fn quantities(of: &mut Value) {
    for amounts in ["limits", "requests"] {
        let stated = of.pointer_mut(&format!("/resources/{amounts}")).and_then(Value::as_object_mut);
        for amount in stated.into_iter().flat_map(|amounts| amounts.values_mut()) {
            if amount.is_number() {
                *amount = Value::String(amount.to_string());
            }
        }
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// What an expression sees of a pod.
pub fn context(pod: Value) -> Context<'static> {
    variable("object", &completed(pod))
}

/// What an expression sees that has one variable.
pub fn variable(name: &str, value: &Value) -> Context<'static> {
    let mut context = Context::default().with_all();
    // For the type checker of an API server alone; the evaluator lacks it.
    context.add_function("dyn", |value: Cel| -> Result<Cel, ExecutionError> { Ok(value) });
    context.add_variable_from_value(name, cel(value));
    context
}

//! The controls of the Pod Security Standards: what their CEL texts say of a pod is what their checks say.
//!
//! `MTP_PODS` is how many pods are made: 300 unless it says otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_mtp::standards::{CONTROLS, Control, Json, Minor, Subject, in_force, review};
use kube_cel::KubeCelExt as _;
use kube_cel::cel::objects::{Key, Map};
use kube_cel::cel::{Context, Program, Value as Cel};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::generated_pods;

/// A control as it was from a version on.
struct Revision {
    control: &'static Control,
    from: Minor,
    program: Program,
}

/// Every control in every version in which it changed.
fn revisions() -> Vec<Revision> {
    let all =
        CONTROLS.iter().flat_map(|control| control.versions.iter().map(move |minor| (*control, Minor::new(*minor))));
    let compiled = all.map(|(control, from)| {
        let text = (control.cel)(from);
        let program = Program::compile(&text).unwrap_or_else(|error| panic!("{} {from}: {error}: {text}", control.id));
        Revision { control, from, program }
    });
    compiled.collect()
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
fn completed(mut pod: Value) -> Value {
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
    // Asking a JSON value for a field to change makes it null.
    drop_nulls(&mut pod);
    pod
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

/// Whether a pod keeps to a control, by its check and by its CEL text.
fn both(revision: &Revision, pod: &Value, context: &Context<'_>) -> [Result<bool, String>; 2] {
    let by_check = (revision.control.check)(&Subject::new(&Json::from(pod)), revision.from).is_none();
    let by_cel = match revision.program.execute(context) {
        Ok(Cel::Bool(holds)) => Ok(holds),
        other => Err(format!("{other:?}")),
    };
    [Ok(by_check), by_cel]
}

fn context(pod: Value) -> Context<'static> {
    let mut context = Context::default().with_all();
    context.add_variable_from_value("object", cel(&completed(pod)));
    context
}

#[test]
fn cel_texts_say_what_checks_say() {
    let count: u64 = std::env::var("MTP_PODS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let revisions = revisions();
    let verdicts = |seed: u64| -> Vec<bool> {
        let pod = generated_pods::pod(seed);
        let context = context(pod.clone());
        let judge = |revision: &Revision| {
            let [by_check, by_cel] = both(revision, &pod, &context);
            assert_eq!(by_check, by_cel, "{} {}: {pod}", revision.control.id, revision.from);
            by_check.expect("a verdict")
        };
        revisions.iter().map(judge).collect()
    };
    let all: Vec<Vec<bool>> = (0..count).into_par_iter().map(verdicts).collect();
    // A generator that never, or always, breaks a control would prove nothing of it.
    let mut kept: BTreeMap<(&str, Minor), usize> = BTreeMap::new();
    for verdicts in &all {
        for (revision, holds) in revisions.iter().zip(verdicts) {
            *kept.entry((revision.control.id, revision.from)).or_default() += usize::from(*holds);
        }
    }
    for ((id, from), kept) in &kept {
        assert!((3..=all.len() - 3).contains(kept), "{id} {from}: {kept} of {} pods keep to it", all.len());
    }
    println!("{} pods, {} verdicts; pods that keep to each: {kept:?}", all.len(), all.len() * revisions.len());
}

#[test]
fn cel_texts_hold_for_the_examples() {
    for control in CONTROLS {
        for example in control.examples {
            let pod: Value = serde_yaml::from_str(example.pod).expect("YAML");
            let text = (control.cel)(example.version);
            let program = Program::compile(&text).expect("CEL");
            let revision = Revision { control, from: example.version, program };
            let [by_check, by_cel] = both(&revision, &pod, &context(pod.clone()));
            assert_eq!(by_check, by_cel, "{}: {}: {text}", control.id, example.about);
        }
    }
}

/// Some pods keep to all of `restricted`, some to `baseline` alone, most to neither.
#[test]
fn generated_pods_are_of_all_kinds() {
    use k8s_mtp::standards::PodSecurityLevel::{Baseline, Restricted};
    let mut counts = [0; 3];
    for seed in 0..300 {
        let pod = generated_pods::pod(seed);
        let breaks = |level| !review(&Json::from(&pod), level, Minor::LATEST).is_empty();
        counts[usize::from(breaks(Baseline)) + usize::from(breaks(Restricted))] += 1;
    }
    assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
    assert!(in_force(Restricted, Minor::LATEST).count() > in_force(Baseline, Minor::LATEST).count());
}

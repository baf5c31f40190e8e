//! The controls of the Pod Security Standards: what their CEL texts say of a pod is what their checks say.

use std::collections::BTreeMap;

use k8s_mtp::standards::{CONTROLS, Control, Json, Minor, Subject, in_force, review};
use kube_cel::cel::{Context, Program, Value as Cel};
use rayon::prelude::*;
use serde_json::Value;

use crate::cel::{context, count};
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

/// Whether a pod keeps to a control, by its check and by its CEL text.
fn both(revision: &Revision, pod: &Value, context: &Context<'_>) -> [Result<bool, String>; 2] {
    let by_check = (revision.control.check)(&Subject::new(&Json::from(pod)), revision.from).is_none();
    let by_cel = match revision.program.execute(context) {
        Ok(Cel::Bool(holds)) => Ok(holds),
        other => Err(format!("{other:?}")),
    };
    [Ok(by_check), by_cel]
}

#[test]
fn cel_texts_say_what_checks_say() {
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
    let all: Vec<Vec<bool>> = (0..count()).into_par_iter().map(verdicts).collect();
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

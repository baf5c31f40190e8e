//! Policies in the API server: as many as tiers, whatever the number of tenants; their CEL texts say what their checks say.

use std::collections::BTreeMap;

use k8s_mtp::engine::{POLICIES, Pod, Policy, SPEC};
use k8s_mtp::standards::Json;
use kube_cel::cel::{Context, Program, Value as Cel};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::cel::{completed, context, count};
use crate::generated_pods::pod_with_resources;
use crate::mtp::Folder;

/// What a cluster keeps of all policies together, in bytes; etcd takes 1.5 MiB of one object.
const MOST: usize = 200_000;

fn of(tenants: usize) -> Vec<(String, String)> {
    let folder = Folder::published();
    for index in 0..tenants {
        let tenant = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata: {{name: t{index}}}\n\
             spec: {{name: x, tier: free, ownerEmail: owner@example.org, admins: [a{index}@example.org]}}\n"
        );
        folder.write(&format!("tenants/more/t{index}.yaml"), tenant);
    }
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, k8s_mtp::cli::Exit::Clean, "{ran}");
    let files = folder.files("rendered/platform").into_iter().filter(|path| path.contains("admissionpolicy"));
    files.map(|path| (path.clone(), folder.read(&path))).collect()
}

#[test]
fn are_the_same_for_few_tenants_and_for_many() {
    let (few, many) = (of(2), of(400));
    assert_eq!(few, many);
    let size: usize = many.iter().map(|(_, text)| text.len()).sum();
    assert!(many.len() > 10 && size < MOST, "{} files, {size} bytes", many.len());
}

/// Containers that break a policy, by its check and by its CEL text: `list/name`.
fn both(policy: &Policy, program: &Program, pod: &Value, context: &Context<'_>) -> [Vec<String>; 2] {
    let spec = Json::from(&pod["spec"]);
    let spec = Pod::new(&spec);
    let about = || spec.containers().filter(|container| policy.about.contains(&container.list));
    let named = |list: &str, name: &str| format!("{list}/{name}");
    let by_check = about().filter(|c| !(policy.holds)(&spec, c)).map(|c| named(c.list.field(), c.name()));
    let verdicts = program.execute(context).unwrap_or_else(|error| panic!("{}: {error}: {pod}", policy.id));
    let Cel::List(verdicts) = verdicts else { panic!("{}: {verdicts:?}", policy.id) };
    assert_eq!(verdicts.len(), about().count(), "{pod}");
    let breaks = about().zip(verdicts.iter()).filter(|(_, holds)| match holds {
        Cel::Bool(holds) => !holds,
        other => panic!("{}: {other:?}", policy.id),
    });
    [by_check.collect(), breaks.map(|(c, _)| named(c.list.field(), c.name())).collect()]
}

/// What a policy says of each container that it is about.
fn program(policy: &Policy) -> Program {
    let expression = policy.cel.replace(SPEC, "object.spec");
    let lists = policy.about.iter().map(|list| {
        let field = list.field();
        format!("(has(object.spec.{field}) ? object.spec.{field} : []).map(c, {expression})")
    });
    let text = lists.collect::<Vec<_>>().join(" + ");
    Program::compile(&text).unwrap_or_else(|error| panic!("{}: {error}: {text}", policy.id))
}

#[test]
fn cel_texts_say_what_checks_say() {
    let programs: Vec<(&Policy, Program)> = POLICIES.into_iter().map(|policy| (policy, program(policy))).collect();
    let judge = |pod: &Value| -> Vec<usize> {
        let context = context(pod.clone());
        let each = programs.iter().map(|(policy, program)| {
            let [by_check, by_cel] = both(policy, program, pod, &context);
            assert_eq!(by_check, by_cel, "{}: {pod}", policy.id);
            by_check.len()
        });
        each.collect()
    };
    for policy in POLICIES {
        for example in policy.examples {
            let spec: Value = serde_yaml::from_str(example.spec).expect("YAML");
            judge(&completed(json!({"spec": spec})));
        }
    }
    let all: Vec<Vec<usize>> =
        (0..count()).into_par_iter().map(|seed| judge(&completed(pod_with_resources(seed)))).collect();
    // A generator that never, or always, breaks a policy would prove nothing of it.
    let mut broken: BTreeMap<&str, usize> = BTreeMap::new();
    for found in &all {
        for ((policy, _), count) in programs.iter().zip(found) {
            *broken.entry(policy.id).or_default() += usize::from(*count > 0);
        }
    }
    for (id, broken) in &broken {
        assert!((all.len() / 100..=all.len() - all.len() / 100).contains(broken), "{id}: {broken} of {}", all.len());
    }
    println!("{} pods; how many break each: {broken:?}", all.len());
}

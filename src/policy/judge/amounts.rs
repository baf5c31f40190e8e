//! Amounts by resource, and what a pod needs of each as a whole.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::quantity::{NoQuantity, Quantity};

/// Amounts by resource.
pub type Amounts = BTreeMap<String, Quantity>;

/// The quantity that a value is; numbers are, too.
pub fn quantity(value: &Value) -> Result<Quantity, NoQuantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => Err(NoQuantity::Form),
    }
}

/// The amounts of a map. What is no quantity is left out: validation has said so. What is too large is the largest that the
/// API server keeps.
pub fn amounts(map: &Value) -> Amounts {
    let most = |value| match value {
        Err(NoQuantity::TooLarge) => Quantity::parse("9223372036854775807").ok(),
        other => other.ok(),
    };
    let each = map.as_object().into_iter().flatten();
    each.filter_map(|(key, value)| Some((key.clone(), most(quantity(value))?))).collect()
}

/// Adds amounts to a sum.
pub fn add(sum: &mut Amounts, more: &Amounts) {
    for (key, amount) in more {
        let before = sum.get(key).copied();
        let total = before.map_or(*amount, |sum| sum.with_nanos(sum.nanos().saturating_add(amount.nanos())));
        sum.insert(key.clone(), total);
    }
}

fn raise(to: &mut Amounts, at_least: &Amounts) {
    for (key, amount) in at_least {
        if to.get(key).is_none_or(|have| amount > have) {
            to.insert(key.clone(), *amount);
        }
    }
}

/// The resources that a pod may state as a whole.
fn is_pod_level(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory") || resource.starts_with("hugepages-")
}

/// What a pod's containers need together, of `requests` or `limits`: the sum of those that run at a time, or the largest of
/// those that run before.
///
/// Source: `podRequests` and `podLimits` of Kubernetes' `plugin/pkg/admission/limitranger/admission.go`
pub fn of_containers(spec: &Value, field: &str) -> Amounts {
    let list = |name: &str| spec[name].as_array().into_iter().flatten();
    let of = |container: &Value| amounts(&container["resources"][field]);
    let mut sum = Amounts::new();
    list("containers").for_each(|container| add(&mut sum, &of(container)));
    let (mut sidecars, mut highest) = (Amounts::new(), Amounts::new());
    for container in list("initContainers") {
        let own = of(container);
        if container["restartPolicy"] == "Always" {
            add(&mut sum, &own);
            add(&mut sidecars, &own);
            raise(&mut highest, &sidecars);
        } else {
            let mut beside = own;
            add(&mut beside, &sidecars);
            raise(&mut highest, &beside);
        }
    }
    raise(&mut sum, &highest);
    sum
}

/// The same of the pod as a whole: what it states itself comes first.
pub fn of_pod(spec: &Value, field: &str) -> Amounts {
    let mut all = of_containers(spec, field);
    let whole = amounts(&spec["resources"][field]);
    all.extend(whole.into_iter().filter(|(resource, _)| is_pod_level(resource)));
    if field == "requests" {
        // A pod that states a limit as a whole requests as much, unless its containers say what they need.
        for (resource, limit) in amounts(&spec["resources"]["limits"]) {
            if is_pod_level(&resource) {
                all.entry(resource).or_insert(limit);
            }
        }
    }
    all
}

/// `cpu=2,memory=1Gi`
pub fn listed<'a>(amounts: impl Iterator<Item = (&'a String, &'a Quantity)>) -> String {
    amounts.map(|(key, amount)| format!("{key}={amount}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn what_runs_at_a_time_adds_up_and_what_runs_before_does_not() {
        let of = |cpu: &str| json!({"limits": {"cpu": cpu}});
        let spec = json!({
            "containers": [{"resources": of("300m")}, {"resources": of("200m")}],
            "initContainers": [
                {"resources": of("1")},
                {"restartPolicy": "Always", "resources": of("100m")},
                {"resources": of("800m")},
            ],
        });
        // The largest before is 1; beside the sidecar it is 900m; all that stay are 600m.
        assert_eq!(super::of_containers(&spec, "limits")["cpu"].to_string(), "1");
        let spec = json!({"resources": of("2"), "containers": [{"resources": of("1")}]});
        assert_eq!(super::of_pod(&spec, "limits")["cpu"].to_string(), "2");
        assert_eq!(super::of_pod(&spec, "requests")["cpu"].to_string(), "2");
    }
}

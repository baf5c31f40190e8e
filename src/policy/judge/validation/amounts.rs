//! What containers and pods may ask for: amounts that are some, and fit to each other.

use std::collections::BTreeMap;

use super::{EVERY, Faults, PodSpec};
use crate::names::is_qualified;
use crate::policy::json::Json;
use crate::policy::judge::amounts::of_containers;
use crate::policy::judge::{Check::Pod, Rule};
use crate::policy::pod::List;
use crate::quantity::{NoQuantity, Quantity};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A121",
        title: "an amount below zero",
        why: "Nothing can be less than nothing.",
        fix: "State zero or more.",
        check: Pod(negative),
        refused: &["containers: [{name: web, image: nginx, resources: {limits: {cpu: -1}}}]"],
    },
    Rule {
        id: "A122",
        title: "a request above its limit",
        why: "A container would be promised more than it may have. A LimitRange gives a limit to whoever states a request \
              alone: the two are compared after that.",
        fix: "Lower the request, or state a limit that is at least as high.",
        check: Pod(above),
        refused: &[
            "containers: [{name: web, image: nginx, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]",
            "containers: [{name: web, image: nginx, resources: {requests: {memory: 1Gi}, limits: {memory: 1G}}}]",
        ],
    },
    Rule {
        id: "A123",
        title: "a resource that a container cannot have",
        why: "Resources are cpu, memory, ephemeral-storage, huge pages, and what has a domain: example.org/card.",
        fix: "Write the resource's whole name.",
        check: Pod(names),
        refused: &[
            "containers: [{name: web, image: nginx, resources: {limits: {gpu: 1}}}]",
            "containers: [{name: web, image: nginx, resources: {limits: {storage: 1Gi}}}]",
        ],
    },
    Rule {
        id: "A124",
        title: "a device in parts, or without a limit",
        why: "Devices and huge pages are not shared: a container has a whole number of them, as many as it requests.",
        fix: "State a whole number as the limit; leave the request out, or make it the same.",
        check: Pod(whole),
        refused: &[
            "containers: [{name: web, image: nginx, resources: {limits: {example.org/card: 500m}}}]",
            "containers: [{name: web, image: nginx, resources: {requests: {example.org/card: 1}}}]",
            "containers: [{name: web, image: nginx, resources: {requests: {example.org/card: 1}, limits: {example.org/card: 2}}}]",
        ],
    },
    Rule {
        id: "A125",
        title: "resources of an ephemeral container",
        why: "Ephemeral containers take what their pod has.",
        fix: "Take `resources` out.",
        check: Pod(ephemeral),
        refused: &[
            "{containers: [{name: web, image: nginx}], ephemeralContainers: [{name: debug, image: busybox, resources: {limits: {cpu: 1}}}]}",
        ],
    },
    Rule {
        id: "A126",
        title: "a pod's own resources that do not hold its containers'",
        why: "What a pod states as a whole bounds its containers.",
        fix: "Raise what the pod states, or lower what its containers do.",
        check: Pod(whole_pod),
        refused: &[
            "{resources: {limits: {cpu: 1}}, containers: [{name: web, image: nginx, resources: {limits: {cpu: 2}}}]}",
            "{resources: {requests: {cpu: 1}, limits: {cpu: 4}}, containers: [{name: web, image: nginx, resources: {requests: {cpu: 2}}}]}",
            "{resources: {limits: {example.org/card: 1}}, containers: [{name: web, image: nginx}]}",
            "{resources: {limits: {cpu: 1}}, containers: [{name: web, image: nginx, resources: {requests: {cpu: 2}}}]}",
        ],
    },
];

/// Amounts as they were written, with what is wrong with each.
type Written<'a> = BTreeMap<&'a str, Result<Quantity, NoQuantity>>;

fn written<'a>(map: &'a Json<'a>) -> Written<'a> {
    let Json::Map(fields) = map else { return Written::new() };
    let parse = |value: &Json<'_>| match value {
        Json::Text(text) => Quantity::parse(text),
        Json::Number(number) => Quantity::parse(&number.to_string()),
        _ => Err(NoQuantity::Form),
    };
    fields.iter().map(|(key, value)| (&**key, parse(value))).collect()
}

/// Each `resources` of a pod with where it stands; the pod's own last.
fn each<'a>(pod: &PodSpec<'a>) -> Vec<(&'a Json<'a>, String)> {
    let containers = pod.containers(EVERY).map(|c| (&c.value["resources"], format!("{}.resources", c.path)));
    containers.chain([(&pod.spec["resources"], format!("{}.resources", pod.path))]).collect()
}

/// What is shared in parts, and may be promised more than once.
fn is_shared(resource: &str) -> bool {
    (!resource.contains('/') || resource.contains("kubernetes.io/")) && !resource.starts_with("hugepages-")
}

fn negative(pod: &PodSpec<'_>, faults: &mut Faults) {
    for (resources, path) in each(pod) {
        for field in ["limits", "requests"] {
            for (resource, amount) in written(&resources[field]) {
                if amount == Err(NoQuantity::Negative) {
                    let value = &resources[field][resource];
                    let text =
                        value.as_str().map_or_else(|| value.as_f64().unwrap_or_default().to_string(), str::to_owned);
                    faults.invalid_text(
                        format!("{path}.{field}[{resource}]"),
                        &text,
                        "must be greater than or equal to 0",
                    );
                }
            }
        }
    }
}

fn above(pod: &PodSpec<'_>, faults: &mut Faults) {
    for (resources, path) in each(pod) {
        let limits = written(&resources["limits"]);
        for (resource, request) in written(&resources["requests"]) {
            if let (Ok(request), Some(Ok(limit))) = (request, limits.get(resource))
                && request > *limit
                && is_shared(resource)
            {
                let why = format!("must be less than or equal to {resource} limit of {limit}");
                faults.invalid_text(format!("{path}.requests"), &request.to_string(), &why);
            }
        }
    }
}

/// Resources of containers that have no domain.
const STANDARD: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];

fn names(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        for field in ["limits", "requests"] {
            for resource in written(&container.value["resources"][field]).into_keys() {
                let path = format!("{}.resources.{field}[{resource}]", container.path);
                if !is_qualified(resource) {
                    faults.invalid_text(path, resource, "must be a standard resource type or fully qualified");
                } else if !resource.contains('/')
                    && !STANDARD.contains(&resource)
                    && !resource.starts_with("hugepages-")
                {
                    faults.invalid_text(path, resource, "must be a standard resource for containers");
                } else if resource.contains('/') && resource.starts_with("requests.") {
                    faults.invalid_text(path, resource, "doesn't follow extended resource name standard");
                }
            }
        }
    }
}

fn whole(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        let path = format!("{}.resources", container.path);
        let resources = &container.value["resources"];
        let limits = written(&resources["limits"]);
        for field in ["limits", "requests"] {
            for (resource, amount) in written(&resources[field]) {
                let in_parts = amount.is_ok_and(|amount| !amount.is_whole());
                if resource.contains('/') && !is_shared(resource) && in_parts {
                    let text = amount.map(|amount| amount.to_string()).unwrap_or_default();
                    faults.invalid_text(format!("{path}.{field}[{resource}]"), &text, "must be an integer");
                }
            }
        }
        for (resource, request) in written(&resources["requests"]) {
            let Ok(request) = request else { continue };
            match limits.get(resource) {
                _ if is_shared(resource) => {}
                None => faults.required(format!("{path}.limits"), "Limit must be set for non overcommitable resources"),
                Some(Ok(limit)) if *limit != request => {
                    let why = format!("must be equal to {resource} limit of {limit}");
                    faults.invalid_text(format!("{path}.requests"), &request.to_string(), &why);
                }
                Some(_) => {}
            }
        }
    }
}

fn ephemeral(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(&[List::Ephemeral]).filter(|c| c.value["resources"].has_fields()) {
        faults.forbidden(format!("{}.resources", container.path), "cannot be set for an Ephemeral Container");
    }
}

fn whole_pod(pod: &PodSpec<'_>, faults: &mut Faults) {
    let (resources, path) = (&pod.spec["resources"], format!("{}.resources", pod.path));
    if !resources.is_map() {
        return;
    }
    let limits = written(&resources["limits"]);
    for field in ["limits", "requests"] {
        for resource in written(&resources[field]).into_keys() {
            if !matches!(resource, "cpu" | "memory") && !resource.starts_with("hugepages-") {
                faults.unsupported(format!("{path}.{field}[{resource}]"), resource, &["cpu", "hugepages-", "memory"]);
            }
        }
    }
    let together = of_containers(pod.raw, "requests");
    for (resource, request) in written(&resources["requests"]) {
        if let (Ok(request), Some(sum)) = (request, together.get(resource))
            && *sum > request
        {
            let why = format!("must be greater than or equal to aggregate container requests of {sum}");
            faults.invalid_text(format!("{path}.requests[{resource}]"), &request.to_string(), &why);
        }
    }
    let requests = written(&resources["requests"]);
    for (resource, limit) in &limits {
        // What the pod does not request as a whole, it requests as its containers do.
        if let (Ok(limit), Some(sum), None) = (limit, together.get(*resource), requests.get(resource))
            && sum > limit
            && matches!(*resource, "cpu" | "memory")
        {
            let why = format!("must be less than or equal to {resource} limit of {limit}");
            faults.invalid_text(format!("{path}.requests"), &sum.to_string(), &why);
        }
    }
    for container in pod.containers(&[List::Main]) {
        for (resource, limit) in written(&container.value["resources"]["limits"]) {
            if let (Ok(limit), Some(Ok(most))) = (limit, limits.get(resource))
                && limit > *most
            {
                let why = format!("must be less than or equal to pod limits of {most}");
                faults.invalid_text(
                    format!("{}.resources.limits[{resource}]", container.path),
                    &limit.to_string(),
                    &why,
                );
            }
        }
    }
}

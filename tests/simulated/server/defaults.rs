//! What the server fills in where an object does not say it.

use serde_json::{Value, json};

use super::kinds::Kind;

/// Fills in what decoding an object of a built-in kind fills in.
pub fn fill(object: &mut Value, kind: &Kind) {
    if kind.custom {
        return;
    }
    match kind.kind.as_str() {
        "Namespace" => {
            if let Some(name) = object["metadata"]["name"].as_str().map(str::to_owned) {
                set(&mut object["metadata"], "labels", json!({}));
                set(&mut object["metadata"]["labels"], "kubernetes.io/metadata.name", json!(name));
            }
        }
        "NetworkPolicy" => network_policy(&mut object["spec"]),
        "LimitRange" => each(&mut object["spec"]["limits"], limit),
        "Secret" => set(object, "type", json!("Opaque")),
        "RoleBinding" | "ClusterRoleBinding" => {
            set(&mut object["roleRef"], "apiGroup", json!("rbac.authorization.k8s.io"));
            each(&mut object["subjects"], |subject| {
                if subject["kind"] != "ServiceAccount" {
                    set(subject, "apiGroup", json!("rbac.authorization.k8s.io"));
                }
            });
        }
        "Service" => service(&mut object["spec"]),
        "Deployment" => deployment(&mut object["spec"]),
        "Job" => job(&mut object["spec"]),
        "Pod" => pod(&mut object["spec"]),
        "CustomResourceDefinition" => definition(&mut object["spec"]),
        "ValidatingAdmissionPolicy" => {
            set(&mut object["spec"], "failurePolicy", json!("Fail"));
            resources(&mut object["spec"]["matchConstraints"]);
        }
        "MutatingAdmissionPolicy" => {
            set(&mut object["spec"], "failurePolicy", json!("Fail"));
            resources(&mut object["spec"]["matchConstraints"]);
        }
        "MutatingAdmissionPolicyBinding" | "ValidatingAdmissionPolicyBinding" => {
            resources(&mut object["spec"]["matchResources"])
        }
        "ValidatingWebhookConfiguration" => each(&mut object["webhooks"], webhook),
        "MutatingWebhookConfiguration" => each(&mut object["webhooks"], |hook| {
            webhook(hook);
            set(hook, "reinvocationPolicy", json!("Never"));
        }),
        _ => {}
    }
}

/// Fills in what is decided when an object is created, or where an update leaves it out. Nobody owns that.
pub fn decide(object: &mut Value, kind: &Kind, number: u64) {
    if kind.custom {
        return;
    }
    match kind.kind.as_str() {
        "Namespace" => {
            object["status"] = json!({"phase": "Active"});
            if object["spec"]["finalizers"].is_null() {
                object["spec"]["finalizers"] = json!(["kubernetes"]);
            }
        }
        "Service" if object["spec"]["type"] != "ExternalName" => {
            let spec = &mut object["spec"];
            let address = json!(format!("10.96.{}.{}", number / 250 % 250, number % 250 + 1));
            set(spec, "clusterIP", address);
            let addresses = json!([spec["clusterIP"]]);
            set(spec, "clusterIPs", addresses);
            set(spec, "ipFamilies", json!(["IPv4"]));
            set(spec, "ipFamilyPolicy", json!("SingleStack"));
        }
        "Job" => {
            let uid = object["metadata"]["uid"].clone();
            let name = object["metadata"]["name"].clone();
            let labels = json!({
                "batch.kubernetes.io/controller-uid": uid,
                "batch.kubernetes.io/job-name": name,
                "controller-uid": uid,
                "job-name": name,
            });
            let template = &mut object["spec"]["template"]["metadata"];
            set(template, "labels", json!({}));
            for (key, value) in labels.as_object().into_iter().flatten() {
                set(&mut template["labels"], key, value.clone());
            }
            let labels = object["spec"]["template"]["metadata"]["labels"].clone();
            set(&mut object["metadata"], "labels", labels);
            set(&mut object["spec"], "selector", json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
        }
        "CustomResourceDefinition" => {
            let stored = object["spec"]["versions"].as_array().into_iter().flatten();
            let stored: Vec<&Value> = stored.filter(|v| v["storage"] == true).map(|v| &v["name"]).collect();
            object["status"] = json!({
                "acceptedNames": {"kind": "", "plural": ""},
                "conditions": null,
                "storedVersions": stored,
            });
        }
        _ => {}
    }
}

/// Sets a field that has no value.
fn set(object: &mut Value, field: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        let is_there = map.get(field).is_some_and(|value| !value.is_null() && *value != json!(""));
        if !is_there {
            map.insert(field.to_owned(), value);
        }
    }
}

fn each(list: &mut Value, fill: impl Fn(&mut Value)) {
    list.as_array_mut().into_iter().flatten().for_each(fill);
}

/// An object's field, if it has it.
fn part<'a>(object: &'a mut Value, field: &str) -> Option<&'a mut Value> {
    object.as_object_mut()?.get_mut(field).filter(|value| !value.is_null())
}

fn network_policy(spec: &mut Value) {
    let egress = spec["egress"].as_array().is_some_and(|rules| !rules.is_empty());
    set(spec, "policyTypes", if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
    for direction in ["ingress", "egress"] {
        if let Some(rules) = part(spec, direction) {
            each(rules, |rule| {
                if let Some(ports) = part(rule, "ports") {
                    each(ports, |port| set(port, "protocol", json!("TCP")));
                }
            });
        }
    }
}

fn limit(item: &mut Value) {
    if item["type"] != "Container" {
        return;
    }
    let copy = |item: &mut Value, from: &str, to: &str| {
        let values = item[from].as_object().cloned().unwrap_or_default();
        if values.is_empty() {
            return;
        }
        set(item, to, json!({}));
        for (key, value) in values {
            set(&mut item[to], &key, value);
        }
    };
    copy(item, "max", "default");
    copy(item, "default", "defaultRequest");
    copy(item, "min", "defaultRequest");
}

fn service(spec: &mut Value) {
    set(spec, "sessionAffinity", json!("None"));
    set(spec, "type", json!("ClusterIP"));
    set(spec, "internalTrafficPolicy", json!("Cluster"));
    if let Some(ports) = part(spec, "ports") {
        each(ports, |port| {
            set(port, "protocol", json!("TCP"));
            let number = port["port"].clone();
            set(port, "targetPort", number);
        });
    }
}

fn deployment(spec: &mut Value) {
    set(spec, "replicas", json!(1));
    set(spec, "revisionHistoryLimit", json!(10));
    set(spec, "progressDeadlineSeconds", json!(600));
    set(spec, "strategy", json!({}));
    let strategy = &mut spec["strategy"];
    set(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        set(strategy, "rollingUpdate", json!({}));
        set(&mut strategy["rollingUpdate"], "maxSurge", json!("25%"));
        set(&mut strategy["rollingUpdate"], "maxUnavailable", json!("25%"));
    }
    pod(&mut spec["template"]["spec"]);
}

fn job(spec: &mut Value) {
    if spec["completions"].is_null() && spec["parallelism"].is_null() {
        set(spec, "completions", json!(1));
    }
    set(spec, "parallelism", json!(1));
    set(spec, "backoffLimit", json!(6));
    set(spec, "completionMode", json!("NonIndexed"));
    set(spec, "suspend", json!(false));
    set(spec, "manualSelector", json!(false));
    set(spec, "podReplacementPolicy", json!("TerminatingOrFailed"));
    pod(&mut spec["template"]["spec"]);
}

fn pod(spec: &mut Value) {
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    set(spec, "schedulerName", json!("default-scheduler"));
    set(spec, "terminationGracePeriodSeconds", json!(30));
    set(spec, "securityContext", json!({}));
    let account = spec["serviceAccountName"].clone();
    if !account.is_null() {
        set(spec, "serviceAccount", account);
    }
    for containers in ["containers", "initContainers"] {
        if let Some(containers) = part(spec, containers) {
            each(containers, container);
        }
    }
    if let Some(volumes) = part(spec, "volumes") {
        each(volumes, |volume| {
            for source in ["secret", "configMap", "downwardAPI", "projected"] {
                if let Some(source) = part(volume, source) {
                    set(source, "defaultMode", json!(420));
                }
            }
            if let Some(path) = part(volume, "hostPath") {
                set(path, "type", json!(""));
            }
        });
    }
}

fn container(container: &mut Value) {
    set(container, "terminationMessagePath", json!("/dev/termination-log"));
    set(container, "terminationMessagePolicy", json!("File"));
    let image = container["image"].as_str().unwrap_or_default();
    let tag = image.rsplit('/').next().unwrap_or_default();
    let newest = !image.contains('@') && (tag.ends_with(":latest") || !tag.contains(':'));
    set(container, "imagePullPolicy", json!(if newest { "Always" } else { "IfNotPresent" }));
    if let Some(ports) = part(container, "ports") {
        each(ports, |port| set(port, "protocol", json!("TCP")));
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = part(container, probe) {
            for (field, value) in
                [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
            {
                set(probe, field, json!(value));
            }
            if let Some(get) = part(probe, "httpGet") {
                set(get, "path", json!("/"));
                set(get, "scheme", json!("HTTP"));
            }
        }
    }
    if let Some(env) = part(container, "env") {
        each(env, |variable| {
            if let Some(field) = part(variable, "valueFrom").and_then(|from| part(from, "fieldRef")) {
                set(field, "apiVersion", json!("v1"));
            }
        });
    }
}

fn definition(spec: &mut Value) {
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    set(&mut spec["names"], "singular", json!(kind.to_lowercase()));
    set(&mut spec["names"], "listKind", json!(format!("{kind}List")));
    set(spec, "conversion", json!({"strategy": "None"}));
}

fn webhook(hook: &mut Value) {
    set(hook, "failurePolicy", json!("Fail"));
    set(hook, "timeoutSeconds", json!(10));
    resources(hook);
    if let Some(service) = part(hook, "clientConfig").and_then(|config| part(config, "service")) {
        set(service, "port", json!(443));
    }
}

fn resources(matching: &mut Value) {
    set(matching, "matchPolicy", json!("Equivalent"));
    set(matching, "namespaceSelector", json!({}));
    set(matching, "objectSelector", json!({}));
    for rules in ["rules", "resourceRules", "excludeResourceRules"] {
        if let Some(rules) = part(matching, rules) {
            each(rules, |rule| set(rule, "scope", json!("*")));
        }
    }
}

//! A generated pod made into one that an API server takes, as far as Pod Security lets it.
//!
//! What contradicts something else is taken out or made to fit; what merely breaks a control stays.

use serde_json::{Value, json};

use crate::generated_pods::{APP_ARMOR, SECCOMP, SECCOMP_POD};

/// Lists of containers that a pod is created with.
const LISTS: [&str; 2] = ["initContainers", "containers"];

/// The pod that may be created, and the ephemeral containers that may be added to it.
pub fn mended(mut pod: Value) -> (Value, Value) {
    let spec = &mut pod["spec"];
    let mut ephemeral = spec.as_object_mut().and_then(|spec| spec.remove("ephemeralContainers")).unwrap_or(json!([]));
    for container in ephemeral.as_array_mut().into_iter().flatten() {
        drop_fields(container, &["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"]);
    }
    let system = spec["os"]["name"].as_str().map(str::to_owned);
    if system.as_deref() == Some("windows") {
        for_windows(spec, &mut ephemeral);
    }
    if system.as_deref() == Some("linux") {
        for_each_context(spec, &mut ephemeral, &mut |context| drop_fields(context, &["windowsOptions"]));
    }
    host_process(spec, &mut ephemeral);
    for_each_context(spec, &mut ephemeral, &mut context);
    user_namespace(spec, &mut ephemeral);
    for container in spec["initContainers"].as_array_mut().into_iter().flatten() {
        // Only a sidecar is asked how it is.
        if container["restartPolicy"].is_null() {
            drop_fields(container, &["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"]);
        }
    }
    ports(spec);
    sysctls(spec);
    annotations(&mut pod);
    drop_made(&mut pod);
    drop_made(&mut ephemeral);
    (pod, ephemeral)
}

fn drop_fields(value: &mut Value, fields: &[&str]) {
    if let Some(map) = value.as_object_mut() {
        map.retain(|key, _| !fields.contains(&key.as_str()));
    }
}

/// Asking a JSON value for a field to change makes it null. Nulls of security contexts were there before, and stay.
fn drop_made(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let made =
                ["securityContext", "os", "sysctls", "initContainers", "ports", "restartPolicy", "windowsOptions"];
            fields.retain(|key, value| !(value.is_null() && made.contains(&key.as_str())));
            fields.values_mut().for_each(drop_made);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_made),
        _ => {}
    }
}

/// Every security context there is.
fn for_each_context(spec: &mut Value, ephemeral: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    if spec["securityContext"].is_object() {
        change(&mut spec["securityContext"]);
    }
    for_each_container(spec, ephemeral, &mut |container| {
        if container["securityContext"].is_object() {
            change(&mut container["securityContext"]);
        }
    });
}

fn for_each_container(spec: &mut Value, ephemeral: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    for list in LISTS {
        spec[list].as_array_mut().into_iter().flatten().for_each(&mut *change);
    }
    ephemeral.as_array_mut().into_iter().flatten().for_each(change);
}

/// Windows has none of this.
///
/// Source: <https://kubernetes.io/docs/concepts/windows/intro/#compatibility-v1-pod-spec-containers-securitycontext>
fn for_windows(spec: &mut Value, ephemeral: &mut Value) {
    drop_fields(spec, &["hostPID", "hostIPC", "hostUsers"]);
    let of_linux = [
        "allowPrivilegeEscalation",
        "appArmorProfile",
        "capabilities",
        "privileged",
        "procMount",
        "readOnlyRootFilesystem",
        "runAsUser",
        "seLinuxOptions",
        "seccompProfile",
        "sysctls",
    ];
    for_each_context(spec, ephemeral, &mut |context| drop_fields(context, &of_linux));
}

/// All containers are processes of the host, or none; and such a pod is on its network.
fn host_process(spec: &mut Value, ephemeral: &mut Value) {
    let mut is_any = false;
    for_each_context(spec, ephemeral, &mut |context| {
        is_any |= context["windowsOptions"]["hostProcess"] == true;
    });
    if !is_any {
        return;
    }
    for_each_context(spec, ephemeral, &mut |context| {
        if context["windowsOptions"]["hostProcess"] == false {
            context["windowsOptions"]["hostProcess"] = json!(true);
        }
    });
    if spec["securityContext"]["windowsOptions"]["hostProcess"] != true {
        for_each_container(spec, ephemeral, &mut |container| {
            container["securityContext"]["windowsOptions"]["hostProcess"] = json!(true);
        });
    }
    spec["hostNetwork"] = json!(true);
    drop_fields(spec, &["hostUsers"]);
}

/// What one security context may say.
fn context(context: &mut Value) {
    for field in ["seccompProfile", "appArmorProfile"] {
        let known = ["RuntimeDefault", "Localhost", "Unconfined"].iter().any(|known| context[field]["type"] == *known);
        if context[field].is_object() && !known {
            context[field]["type"] = json!("Unconfined");
        }
    }
    let is_odd = context["procMount"].as_str().is_some_and(|mount| !["Default", "Unmasked"].contains(&mount));
    if is_odd {
        context["procMount"] = json!("Unmasked");
    }
    let adds = context["capabilities"]["add"].as_array().is_some_and(|added| added.contains(&json!("CAP_SYS_ADMIN")));
    if (context["privileged"] == true || adds) && context["allowPrivilegeEscalation"] == false {
        context["allowPrivilegeEscalation"] = json!(true);
    }
    // What is null because it was asked for.
    if let Some(map) = context.as_object_mut() {
        map.retain(|key, value| {
            !value.is_null()
                || !["seccompProfile", "appArmorProfile", "procMount", "capabilities"].contains(&key.as_str())
        });
    }
}

/// All of `/proc` is seen in a user namespace alone, and such a pod shares nothing with its host.
fn user_namespace(spec: &mut Value, ephemeral: &mut Value) {
    let mut sees_all = false;
    for_each_context(spec, ephemeral, &mut |context| sees_all |= context["procMount"] == "Unmasked");
    if sees_all && spec["hostNetwork"] != true {
        spec["hostUsers"] = json!(false);
    }
    if spec["hostUsers"] == false {
        drop_fields(spec, &["hostNetwork", "hostPID", "hostIPC"]);
    } else if sees_all {
        for_each_context(spec, ephemeral, &mut |context| drop_fields(context, &["procMount"]));
    }
}

/// A port of the host is taken once; on the host's network it is the container's.
fn ports(spec: &mut Value) {
    let is_host = spec["hostNetwork"] == true;
    let mut taken = Vec::new();
    for list in LISTS {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            let mut is_named = false;
            for port in container["ports"].as_array_mut().into_iter().flatten() {
                if is_host {
                    drop_fields(port, &["hostPort"]);
                }
                let number = if is_host { port["containerPort"].clone() } else { port["hostPort"].clone() };
                if taken.contains(&number) && number.as_u64().unwrap_or_default() != 0 {
                    *port = Value::Null;
                    continue;
                }
                taken.push(number);
                if !port["name"].is_null() && std::mem::replace(&mut is_named, true) {
                    drop_fields(port, &["name"]);
                }
            }
            if let Some(ports) = container["ports"].as_array_mut() {
                ports.retain(|port| !port.is_null());
                ports.iter_mut().for_each(|port| {
                    port.as_object_mut().expect("a port").retain(|key, value| !value.is_null() || key == "hostPort")
                });
            }
        }
    }
}

/// What is the host's is not set by a pod.
fn sysctls(spec: &mut Value) {
    let (network, ipc) = (spec["hostNetwork"] == true, spec["hostIPC"] == true);
    if let Some(sysctls) = spec["securityContext"]["sysctls"].as_array_mut() {
        sysctls.retain(|sysctl| {
            let name = sysctl["name"].as_str().unwrap_or_default();
            !(network && name.starts_with("net") || ipc && name.starts_with("kernel"))
        });
    }
}

/// An annotation speaks of a container that is there, in words that there are, and does not contradict a field.
fn annotations(pod: &mut Value) {
    let spec = pod["spec"].clone();
    let is_windows = spec["os"]["name"] == "windows";
    let containers: Vec<&Value> = LISTS.iter().flat_map(|list| spec[*list].as_array().into_iter().flatten()).collect();
    let named = |name: &str| containers.iter().find(|container| container["name"] == name);
    let Some(annotations) = pod["metadata"]["annotations"].as_object_mut() else { return };
    annotations.retain(|key, value| {
        let text = value.as_str().unwrap_or_default();
        if let Some(name) = key.strip_prefix(APP_ARMOR) {
            let Some(container) = named(name) else { return false };
            let stated = [container, &spec].map(|of| &of["securityContext"]["appArmorProfile"]);
            let stated = stated.into_iter().find(|profile| profile.is_object()).filter(|_| !is_windows);
            match stated.map(|profile| profile["type"].as_str().unwrap_or_default()) {
                Some("RuntimeDefault") => *value = json!("runtime/default"),
                Some("Unconfined") => *value = json!("unconfined"),
                Some(_) => *value = json!("localhost/a/b.json"),
                None if ["", "runtime/default", "localhost/x"].contains(&text) => {}
                None => *value = json!("unconfined"),
            }
            return true;
        }
        let of =
            if key == SECCOMP_POD { Some(&spec) } else { key.strip_prefix(SECCOMP).and_then(|n| named(n).copied()) };
        if key.contains("seccomp") && !["runtime/default", "docker/default", "localhost/x"].contains(&text) {
            *value = json!("unconfined");
        }
        !of.is_some_and(|of| of["securityContext"]["seccompProfile"].is_object())
    });
}

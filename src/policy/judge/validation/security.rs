//! What a security context may say: contradictions, and what the operating system does not have.

use super::{EVERY, Faults, PodSpec};
use crate::policy::json::Json;
use crate::policy::judge::{Check::Pod, Rule};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A131",
        title: "privileged, and not to escalate",
        why: "A privileged container has every privilege; it cannot be kept from gaining one.",
        fix: "Take `privileged: true` out, or `allowPrivilegeEscalation: false`.",
        check: Pod(escalation),
        refused: &[
            "containers: [{name: web, image: nginx, securityContext: {privileged: true, allowPrivilegeEscalation: false}}]",
            "containers: [{name: web, image: nginx, securityContext: {capabilities: {add: [CAP_SYS_ADMIN]}, allowPrivilegeEscalation: false}}]",
        ],
    },
    Rule {
        id: "A132",
        title: "a setting of another operating system",
        why: "Windows has no capabilities, users by number or seccomp, Linux no `windowsOptions`: a setting that is not \
              carried out would be trusted.",
        fix: "Take the field out, or correct `os.name`.",
        check: Pod(system),
        refused: &[
            "{os: {name: windows}, containers: [{name: web, image: nginx, securityContext: {readOnlyRootFilesystem: true}}]}",
            "{os: {name: windows}, securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: web, image: nginx}]}",
            "{os: {name: windows}, hostUsers: false, containers: [{name: web, image: nginx}]}",
            "{os: {name: linux}, containers: [{name: web, image: nginx, securityContext: {windowsOptions: {hostProcess: false}}}]}",
            "{os: {name: plan9}, containers: [{name: web, image: nginx}]}",
        ],
    },
    Rule {
        id: "A133",
        title: "a user or group that is none",
        why: "Users and groups are numbers from 0 to 2147483647.",
        fix: "State a number in that range.",
        check: Pod(users),
        refused: &[
            "containers: [{name: web, image: nginx, securityContext: {runAsUser: -1}}]",
            "{securityContext: {fsGroup: 4294967296}, containers: [{name: web, image: nginx}]}",
        ],
    },
    Rule {
        id: "A134",
        title: "a seccomp or AppArmor profile that is none",
        why: "`Localhost` names a file of the node; the other types name none.",
        fix: "State `type`, and `localhostProfile` with the type `Localhost` alone.",
        check: Pod(profiles),
        refused: &[
            "{securityContext: {seccompProfile: {type: Default}}, containers: [{name: web, image: nginx}]}",
            "containers: [{name: web, image: nginx, securityContext: {seccompProfile: {type: Localhost}}}]",
            "containers: [{name: web, image: nginx, securityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: a.json}}}]",
        ],
    },
    Rule {
        id: "A135",
        title: "a user namespace with the host's others",
        why: "In a user namespace, the processes and the memory of the host cannot be shared.",
        fix: "Take `hostUsers: false` out, or the other one.",
        check: Pod(user_namespace),
        refused: &[
            "{hostUsers: false, hostPID: true, containers: [{name: web, image: nginx}]}",
            "{hostUsers: false, hostIPC: true, containers: [{name: web, image: nginx}]}",
            "containers: [{name: web, image: nginx, securityContext: {procMount: Unmasked}}]",
        ],
    },
    Rule {
        id: "A136",
        title: "a host process beside others",
        why: "Of a Windows pod, all containers are processes of the host, or none is; and they use the host's network.",
        fix: "State `hostProcess: true` and `hostNetwork: true` for the pod, or neither.",
        check: Pod(host_process),
        refused: &[
            "{os: {name: windows}, hostNetwork: true, containers: [{name: a, image: a, securityContext: {windowsOptions: {hostProcess: true}}}, {name: b, image: b}]}",
            "{os: {name: windows}, securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: a, image: a}]}",
        ],
    },
    Rule {
        id: "A137",
        title: "one process namespace with the host's",
        why: "A pod shares its processes among its containers, or with the host.",
        fix: "Take `shareProcessNamespace: true` out, or `hostPID: true`.",
        check: Pod(processes),
        refused: &["{hostPID: true, shareProcessNamespace: true, containers: [{name: web, image: nginx}]}"],
    },
];

fn escalation(pod: &PodSpec<'_>, faults: &mut Faults) {
    for container in pod.containers(EVERY) {
        let context = &container.value["securityContext"];
        if context["allowPrivilegeEscalation"] != false {
            continue;
        }
        let path = format!("{}.securityContext", container.path);
        if context["privileged"] == true {
            faults.invalid(
                path.as_str(),
                context,
                "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
            );
        }
        if context["capabilities"]["add"].items().iter().any(|capability| *capability == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            faults.invalid(path, context, why);
        }
    }
}

/// What Windows does not have: in a pod's security context, in a container's, in a pod.
const NOT_WINDOWS: [&[&str]; 3] = [
    &[
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "sysctls",
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
        "supplementalGroupsPolicy",
        "seLinuxChangePolicy",
    ],
    &[
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ],
    &["hostUsers", "shareProcessNamespace"],
];

fn system(pod: &PodSpec<'_>, faults: &mut Faults) {
    let (spec, path) = (pod.spec, pod.path);
    let contexts = pod.containers(EVERY).map(|c| (&c.value["securityContext"], format!("{}.securityContext", c.path)));
    match spec["os"]["name"].as_str().unwrap_or_default() {
        "" if spec["os"].is_map() => faults.required(format!("{path}.os.name"), ""),
        "" => {}
        "linux" => {
            let whole = (&spec["securityContext"], format!("{path}.securityContext"));
            for (context, path) in std::iter::once(whole).chain(contexts) {
                if !context["windowsOptions"].is_null() {
                    let why = "windows options cannot be set for a linux pod";
                    faults.forbidden(format!("{path}.windowsOptions"), why);
                }
            }
        }
        "windows" => {
            let [of_pod, of_container, plain] = NOT_WINDOWS;
            let mut absent = |from: &Json<'_>, path: &str, fields: &[&str]| {
                for field in fields.iter().filter(|field| !is_absent(&from[**field])) {
                    faults.forbidden(format!("{path}.{field}"), "cannot be set for a windows pod");
                }
            };
            absent(&spec["securityContext"], &format!("{path}.securityContext"), of_pod);
            absent(spec, path, plain);
            contexts.for_each(|(context, path)| absent(context, &path, of_container));
            for field in ["hostPID", "hostIPC"].into_iter().filter(|field| spec[*field] == true) {
                faults.forbidden(format!("{path}.{field}"), "cannot be set for a windows pod");
            }
            if spec["resources"].is_map() {
                faults.forbidden(format!("{path}.resources"), "may not be set for a windows pod");
            }
        }
        other => faults.unsupported(format!("{path}.os"), other, &["linux", "windows"]),
    }
}

/// Whether nothing is stated: an empty list of settings is none.
fn is_absent(value: &Json<'_>) -> bool {
    value.is_null() || matches!(value, Json::List(items) if items.is_empty())
}

/// Numbers of users and groups are 31 bits.
const MOST: i64 = i32::MAX as i64;

fn users(pod: &PodSpec<'_>, faults: &mut Faults) {
    let path = format!("{}.securityContext", pod.path);
    let context = &pod.spec["securityContext"];
    for field in ["runAsUser", "runAsGroup", "fsGroup"] {
        faults.range(format!("{path}.{field}"), &context[field], 0, MOST);
    }
    for (index, group) in context["supplementalGroups"].items().iter().enumerate() {
        faults.range(format!("{path}.supplementalGroups[{index}]"), group, 0, MOST);
    }
    for container in pod.containers(EVERY) {
        for field in ["runAsUser", "runAsGroup"] {
            let value = &container.value["securityContext"][field];
            faults.range(format!("{}.securityContext.{field}", container.path), value, 0, MOST);
        }
    }
}

fn profiles(pod: &PodSpec<'_>, faults: &mut Faults) {
    let whole = (&pod.spec["securityContext"], format!("{}.securityContext", pod.path));
    let contexts = pod.containers(EVERY).map(|c| (&c.value["securityContext"], format!("{}.securityContext", c.path)));
    for (context, path) in std::iter::once(whole).chain(contexts) {
        for (field, name) in [("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")] {
            let (profile, path) = (&context[field], format!("{path}.{field}"));
            if !profile.is_map() {
                continue;
            }
            match profile["type"].as_str().unwrap_or_default() {
                "" => faults.required(format!("{path}.type"), "type is required when seccompProfile is set"),
                "Localhost" if profile["localhostProfile"].is_null() => {
                    faults.required(
                        format!("{path}.localhostProfile"),
                        &format!("must be set when {name} type is Localhost"),
                    );
                }
                "Localhost" => {}
                word => {
                    faults.word(
                        format!("{path}.type"),
                        &profile["type"],
                        &["Localhost", "RuntimeDefault", "Unconfined"],
                    );
                    if !profile["localhostProfile"].is_null() && matches!(word, "RuntimeDefault" | "Unconfined") {
                        let why = format!("can only be set when {name} type is Localhost");
                        faults.invalid(format!("{path}.localhostProfile"), profile, &why);
                    }
                }
            }
        }
    }
}

fn user_namespace(pod: &PodSpec<'_>, faults: &mut Faults) {
    let own = pod.spec["hostUsers"] == false;
    for (field, said) in [("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if own && pod.spec[field] == true {
            faults.forbidden(format!("{}.{said}", pod.path), "when `hostUsers` is false");
        }
    }
    for container in pod.containers(EVERY) {
        let mount = &container.value["securityContext"]["procMount"];
        let path = format!("{}.securityContext.procMount", container.path);
        if *mount == "Unmasked" && !own {
            faults.invalid(path, mount, "`hostUsers` must be false to use `Unmasked`");
        } else {
            faults.word(path, mount, &["Default", "Unmasked"]);
        }
    }
}

fn host_process(pod: &PodSpec<'_>, faults: &mut Faults) {
    let stated = |of: &Json<'_>| of["securityContext"]["windowsOptions"]["hostProcess"].as_bool();
    let whole = stated(pod.spec);
    let (mut all, mut of_host) = (0, 0);
    for container in pod.containers(EVERY) {
        let own = stated(container.value);
        all += 1;
        of_host += usize::from(own.or(whole) == Some(true));
        if let (Some(own), Some(whole)) = (own, whole)
            && own != whole
        {
            let why = format!("pod hostProcess value must be identical if both are specified, was {whole}");
            let path = format!("{}.securityContext.windowsOptions.hostProcess", container.path);
            faults.invalid(path, &Json::Bool(own), &why);
        }
    }
    if of_host > 0 && of_host != all {
        let why = "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        faults.invalid_text(pod.path, "", why);
    }
    if of_host > 0 && pod.spec["hostNetwork"] != true {
        let why = "hostNetwork must be true if pod contains any hostProcess containers";
        faults.invalid(format!("{}.hostNetwork", pod.path), &Json::Bool(false), why);
    }
}

fn processes(pod: &PodSpec<'_>, faults: &mut Faults) {
    let shared = &pod.spec["shareProcessNamespace"];
    if *shared == true && pod.spec["hostPID"] == true {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        faults.invalid(format!("{}.shareProcessNamespace", pod.path), shared, why);
    }
}

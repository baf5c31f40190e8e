//! Pods that a seed makes: every field that Pod Security looks at, in every list of containers, with plausible and strange
//! values. Some break hardly anything, some nearly all.
//!
//! What no API server takes is among them; `tests/cluster/pod_security/mended.rs` makes it what one takes.

use serde_json::{Map, Value, json};

/// Names of containers; each at most once in a pod. The order of names and that of lists differ.
const NAMES: [&str; 8] = ["main", "a", "z-last", "b0", "sidecar", "debugger", "x", "very-long-name-of-a-container"];

/// What annotations about profiles begin with.
pub const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
/// The same for system calls.
pub const SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";
/// The same, of a whole pod.
pub const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";

/// Sources of volumes, as small as an API server takes them.
pub const VOLUMES: &str = include_str!("../volumes.json");

/// Choices from a seed.
pub struct Dice(u64);

impl Dice {
    /// The same seed, the same choices.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Less than `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default() % limit
    }

    /// True so many times of a hundred.
    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of them.
    fn one(&mut self, all: &Value) -> Value {
        let all = all.as_array().expect("a list");
        all[self.below(all.len())].clone()
    }

    /// Some of them, at most `most`, in their order.
    fn some(&mut self, all: &Value, most: usize) -> Value {
        let all = all.as_array().expect("a list");
        let wanted = self.below(most + 1);
        let chosen: Vec<usize> = (0..wanted).map(|_| self.below(all.len())).collect();
        all.iter().enumerate().filter(|(index, _)| chosen.contains(index)).map(|(_, value)| value.clone()).collect()
    }
}

/// A whole pod, with its kind.
pub fn pod(seed: u64) -> Value {
    let mut dice = Dice::new(seed);
    let mut maker = Maker { wild: [1, 4, 10, 25, 60][dice.below(5)], dice };
    maker.pod(seed)
}

/// The same with what policies look at besides: resources of the pod and of its containers, images, and when they are pulled.
pub fn pod_with_resources(seed: u64) -> Value {
    let mut pod = pod(seed);
    let mut dice = Dice::new(!seed);
    let wild = [10, 30, 60][dice.below(3)];
    let mut maker = Maker { dice, wild };
    let spec = &mut pod["spec"];
    if maker.dice.percent(20) {
        spec["resources"] = maker.resources();
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            // Whoever debugs a pod has no resources.
            if list != "ephemeralContainers" && maker.dice.percent(80) {
                container["resources"] = maker.resources();
            }
            maker.set(container, "imagePullPolicy", &json!(["Always", "IfNotPresent", "Never", null]));
            maker.set(container, "image", &json!(IMAGES));
        }
    }
    pod
}

/// Names of images, with a tag or a digest, both, or none.
const IMAGES: [&str; 9] = [
    "app",
    "app:latest",
    "app:1.0",
    "registry.example.org:5000/team/app",
    "registry.example.org:5000/team/app:latest",
    "registry.example.org:5000/team/app:latest-1",
    "app@sha256:1111111111111111111111111111111111111111111111111111111111111111",
    "app:latest@sha256:1111111111111111111111111111111111111111111111111111111111111111",
    "latest/app:1.0",
];

/// What makes a pod.
struct Maker {
    dice: Dice,
    /// Of a hundred fields that could be stated, so many are.
    wild: usize,
}

impl Maker {
    fn pod(&mut self, seed: u64) -> Value {
        let is_restricted = self.dice.percent(70);
        let mut names: Vec<&str> = NAMES.to_vec();
        let mut take = |dice: &mut Dice| names.remove(dice.below(names.len()));
        let counts = [[0, 0, 1, 2], [1, 1, 2, 3], [0, 0, 0, 1]].map(|counts| counts[self.dice.below(4)]);
        let named: Vec<Vec<&str>> =
            counts.iter().map(|count| (0..*count).map(|_| take(&mut self.dice)).collect()).collect();
        let mut spec = json!({});
        for (list, names) in ["initContainers", "containers", "ephemeralContainers"].iter().zip(&named) {
            if list == &"containers" || !names.is_empty() || self.dice.percent(5) {
                spec[*list] = names.iter().map(|name| self.container(list, name, is_restricted)).collect();
            }
        }
        self.whole(&mut spec, is_restricted);
        let metadata = json!({"name": format!("pod-{seed}")});
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
        let all: Vec<&str> = named.concat();
        self.annotations(&mut pod, &all);
        pod
    }

    /// What a pod says of itself.
    fn whole(&mut self, spec: &mut Value, is_restricted: bool) {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            self.set(spec, field, &json!([true, true, false, null]));
        }
        // Both change what other fields mean, and so are frequent.
        if self.dice.percent(20) {
            spec["hostUsers"] = self.dice.one(&json!([false, false, false, true, null]));
        }
        if self.dice.percent(20) {
            spec["os"] = json!({"name": self.dice.one(&json!(["windows", "windows", "linux"]))});
        }
        let mut context = if is_restricted {
            json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
        } else {
            json!({})
        };
        self.context(&mut context);
        if self.dice.percent(self.wild) {
            let sysctls = self.dice.some(&sysctls(), 4);
            context["sysctls"] =
                sysctls.as_array().into_iter().flatten().map(|name| json!({"name": name, "value": "1"})).collect();
        }
        if is_restricted || context != json!({}) || self.dice.percent(30) {
            spec["securityContext"] = context;
        }
        if self.dice.percent(self.wild * 2) {
            let sources: Value = serde_json::from_str(VOLUMES).expect("JSON");
            let sources = self.dice.some(&sources, 3);
            let volumes = sources.as_array().into_iter().flatten().enumerate().map(|(index, source)| {
                let mut volume = source.clone();
                volume["name"] = json!(format!("v{index}"));
                volume
            });
            spec["volumes"] = volumes.collect();
        }
    }

    fn container(&mut self, list: &str, name: &str, is_restricted: bool) -> Value {
        let mut container = json!({"name": name, "image": "registry.example.org/app:1.0"});
        let mut context = if is_restricted {
            json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}})
        } else {
            json!({})
        };
        self.context(&mut context);
        self.set(&mut context, "privileged", &json!([true, true, false, null]));
        self.set(&mut context, "allowPrivilegeEscalation", &json!([true, false, null]));
        self.set(&mut context, "procMount", &json!(["Default", "Unmasked", "Unmasked", "", "default", null]));
        self.set(&mut context, "readOnlyRootFilesystem", &json!([true, false]));
        if self.dice.percent(self.wild) {
            context["capabilities"] = self.capabilities();
        }
        if is_restricted || context != json!({}) || self.dice.percent(30) {
            container["securityContext"] = context;
        }
        if list == "initContainers" && self.dice.percent(40) {
            container["restartPolicy"] = json!("Always");
        }
        if self.dice.percent(self.wild) {
            container["ports"] = self.ports();
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            if self.dice.percent(self.wild) {
                container[probe] = self.call();
            }
        }
        for hook in ["postStart", "preStop"] {
            if self.dice.percent(self.wild) {
                container["lifecycle"][hook] = self.call();
            }
        }
        container
    }

    /// Requests and limits that do not contradict each other.
    fn resources(&mut self) -> Value {
        let mut resources = json!({});
        if self.dice.percent(80) {
            let mut limits = json!({});
            for (name, amounts) in [
                ("cpu", json!(["1", "500m", "2", "0.5", "1e3", "100u", "1", "0", "0m", 1, 0])),
                ("memory", json!(["64Mi", "1Gi", "1G", "100", "1e6", "0", "0Ki", 1_048_576, 0])),
                ("ephemeral-storage", json!(["1Gi", "0"])),
            ] {
                if self.dice.percent(70) {
                    limits[name] = self.dice.one(&amounts);
                }
            }
            if self.dice.percent(30) {
                resources["requests"] = limits.clone();
            }
            resources["limits"] = limits;
        }
        if self.dice.percent(5) { json!({"limits": {}}) } else { resources }
    }

    /// What pods and containers both may state.
    fn context(&mut self, context: &mut Value) {
        self.set(context, "runAsNonRoot", &json!([true, false, false, null]));
        self.set(context, "runAsUser", &json!([0, 0, 1, 1000, 65534, null]));
        let profiles = json!([
            {"type": "RuntimeDefault"}, {"type": "Localhost", "localhostProfile": "a/b.json"}, {"type": "Unconfined"},
            {"type": "Unconfined"}, {"type": "runtime/default"}, {"type": ""}, {}, null,
        ]);
        self.set(context, "seccompProfile", &profiles);
        self.set(context, "appArmorProfile", &profiles);
        if self.dice.percent(self.wild) {
            let mut options = json!({});
            let types = json!([
                "",
                "container_t",
                "container_init_t",
                "container_kvm_t",
                "container_engine_t",
                "spc_t",
                "b\"t"
            ]);
            for (field, values) in [("type", types), ("user", json!(["", "u"])), ("role", json!(["", "r", null]))] {
                if self.dice.percent(50) {
                    options[field] = self.dice.one(&values);
                }
            }
            self.set_always(&mut options, "level", &json!(["s0:c1,c2", ""]));
            context["seLinuxOptions"] = options;
        }
        self.set(
            context,
            "windowsOptions",
            &json!([{"hostProcess": true}, {"hostProcess": false}, {"runAsUserName": "ContainerUser"}, {}, null]),
        );
    }

    fn capabilities(&mut self) -> Value {
        let all = json!([
            "ALL",
            "AUDIT_WRITE",
            "CHOWN",
            "NET_BIND_SERVICE",
            "NET_BIND_SERVICE",
            "MKNOD",
            "SETPCAP",
            "SYS_CHROOT",
            "NET_RAW",
            "SYS_ADMIN",
            "CAP_SYS_ADMIN",
            "CAP_CHOWN",
            "chown",
            "net_bind_service",
            "B\"PF",
            "é",
        ]);
        let mut capabilities = json!({});
        if self.dice.percent(70) {
            capabilities["add"] = self.dice.some(&all, 4);
        }
        if self.dice.percent(70) {
            capabilities["drop"] = self.dice.some(&json!(["ALL", "ALL", "all", "NET_RAW", "CHOWN"]), 2);
        }
        if self.dice.percent(5) { Value::Null } else { capabilities }
    }

    fn ports(&mut self) -> Value {
        let one = |dice: &mut Dice| {
            let number = 1 + dice.below(9) * 1111;
            match dice.below(5) {
                0 => json!({"containerPort": number}),
                1 => json!({"containerPort": number, "hostPort": 0, "protocol": "UDP"}),
                2 => json!({"containerPort": number, "hostPort": null, "name": "web"}),
                3 => json!({"containerPort": number, "hostPort": number}),
                _ => json!({"containerPort": number, "hostPort": dice.one(&json!([80, 443, 8080, 65535]))}),
            }
        };
        let count = self.dice.below(4);
        (0..count).map(|_| one(&mut self.dice)).collect()
    }

    /// A probe or a hook.
    fn call(&mut self) -> Value {
        let mut call = json!({"port": 80});
        if self.dice.percent(60) {
            call["host"] = self.dice.one(&json!([
                "",
                "localhost",
                "127.0.0.1",
                "169.254.169.254",
                "b.example.org",
                "a\"b",
                " ",
                null
            ]));
        }
        match self.dice.below(5) {
            0 => json!({"exec": {"command": ["true"]}}),
            1 | 2 => json!({"tcpSocket": call}),
            _ => json!({"httpGet": call}),
        }
    }

    fn annotations(&mut self, pod: &mut Value, names: &[&str]) {
        let mut all = Map::new();
        let app_armor = json!([
            "runtime/default",
            "localhost/x",
            "unconfined",
            "unconfined",
            "",
            "Unconfined",
            "a\"\\\n\u{1}é\u{200b}"
        ]);
        let seccomp = json!(["runtime/default", "docker/default", "localhost/x", "unconfined", "", "a\"\\\t\u{7f}é"]);
        for name in names.iter().chain(&["nobody"]) {
            for (prefix, values) in [(APP_ARMOR, &app_armor), (SECCOMP, &seccomp)] {
                if self.dice.percent(self.wild / 2) {
                    all.insert(format!("{prefix}{name}"), self.dice.one(values));
                }
            }
        }
        if self.dice.percent(self.wild / 2) {
            all.insert(SECCOMP_POD.to_owned(), self.dice.one(&seccomp));
        }
        if self.dice.percent(10) {
            all.insert("example.org/owner".to_owned(), json!("unconfined"));
        }
        if !all.is_empty() || self.dice.percent(10) {
            pod["metadata"]["annotations"] = Value::Object(all);
        }
    }

    /// Sets a field, or takes it out, as often as this pod is wild.
    fn set(&mut self, map: &mut Value, field: &str, values: &Value) {
        if self.dice.percent(self.wild) {
            self.set_always(map, field, values);
        } else if self.dice.percent(self.wild / 4) {
            map.as_object_mut().expect("a map").remove(field);
        }
    }

    fn set_always(&mut self, map: &mut Value, field: &str, values: &Value) {
        map[field] = self.dice.one(values);
    }
}

/// Names of sysctls: all that were ever allowed, others, and other spellings.
fn sysctls() -> Value {
    json!([
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
        "net.ipv4.tcp_slow_start_after_idle",
        "net.ipv4.tcp_notsent_lowat",
        "kernel.msgmax",
        "net.core.somaxconn",
        "net/ipv4/tcp_syncookies",
        "net.ipv4.conf.all.forwarding",
    ])
}

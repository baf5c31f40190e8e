//! From any bytes to a platform, tiers, tenants and templates: mostly what people write, and anything at all in every
//! text.

use k8s_mtp::Inputs;
use serde_json::{Map, Value, json};

/// Text that has made some tool stumble.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "no",
    "null",
    "~",
    "y",
    "=",
    "<<",
    "0644",
    "1_000",
    "0x10",
    "1e3",
    ".inf",
    "-0",
    "12:30:45",
    "2026-01-01",
    "a\nb",
    "a\n",
    "\n",
    "\t",
    "\r\n",
    "\u{0}",
    "\u{1b}[31m",
    "\u{7f}",
    "\u{85}",
    "\u{a0}x",
    "\u{2028}",
    "\u{202e}x",
    "\u{feff}",
    "\u{f8f0}7\u{f8f1}",
    "\u{fffd}",
    "\u{10ffff}",
    "🦀",
    "İ",
    "ﬀ",
    "Ä",
    "${x}",
    "$",
    "{x}",
    "${",
    "}",
    "+argocd:skip-file-rendering",
    "+argocd:skip-file",
    "-rendering",
    "argocd:skip-file-rendering",
    "system:masters",
    "SYSTEM:x",
    "system",
    ":masters",
    "K8S-MTP",
    "k8s-mtp",
    "kube-system",
    "default",
    "---",
    "...",
    "- a",
    "a: b",
    " #c",
    "a #c",
    "'",
    "\"",
    "\\",
    "%YAML 1.1",
    "!!str x",
    "&a x",
    "*a",
    "| x",
    "> x",
    "[a",
    "{a",
    "? a",
    "@a",
    "`a`",
    "a:",
    "<!--",
    "::error::x",
    "%0A",
    "](x)",
    "</b>",
    "{{ x }}",
    "{% x %}",
    "{#",
    "../x",
    "x/y",
    "/x",
    "a.b",
    "a..b",
    "A",
    "-a",
    "a-",
    "k8s.io/x",
    "app.kubernetes.io/managed-by",
    "tenant.k8s-mtp.io/name",
    "pod-security.kubernetes.io/enforce",
    "argocd.argoproj.io/sync-options",
    "*",
    "secrets",
    "::ffff:1.2.3.4/128",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.1/8",
    "169.254.169.254/32",
    "fe80::/10",
    "1.2.3.4/33",
    "9223372036854775807",
    "9223372036854775808",
    "8Ei",
    "0.0000000001",
    "1e400",
    "-1",
    "1.5",
    "99999999999999999999",
    "0",
    "1",
    "true",
    "False",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

const NAMES: &[&str] = &["a", "b", "a-b", "b-c", "c", "acme", "test-acme", "x1", "0"];
const TIERS: &[&str] = &["free", "pro", "a", "gold"];
const EMAILS: &[&str] = &["admin@acme.org", "a@b.cd", "x+y@example.com", "$x@example.com"];
const USERS: &[&str] = &["alice@acme.com", "bob@acme.com", "CN=x,O=y", "123", "a b", "#x", "oidc:z", "yes", "Ωmega"];
const CIDRS: &[&str] = &[
    "198.51.100.0/24",
    "10.200.1.0/24",
    "10.0.0.0/8",
    "2001:db8::/32",
    "2a00::/16",
    "203.0.113.7/32",
    "0.0.0.0/0",
    "2000::/3",
    "192.168.1.0/24",
    "fd00::/8",
    "64:ff9b::/96",
    "169.254.20.10/32",
];
const QUANTITIES: &[&str] =
    &["1", "2", "100m", "500m", "1Gi", "128Mi", "0", "20", "1.5", "1e3", "10Gi", "0.5Gi", "1G", "1024", "1.50", "+2"];
const KEYS: &[&str] = &["team", "example.com/cost-centre", "a", "k8s-app", "example.com/about", "A.b_c"];
const LABELS: &[&str] = &["x", "", "kube-dns", "a.b_c", "123", "true", "A", "1e3"];
const CLASSES: &[&str] = &["standard", "fast", "high", "a.b"];
const COUNTED: &[&str] =
    &["secrets", "configmaps", "services", "count/deployments.apps", "count/jobs.batch", "count/x.y"];
const WORDS: &[&str] = &["active", "suspended", "retired"];

/// Bytes that decide. Where there are no more of them, everything is the first choice, or left out.
struct Choices {
    rest: std::vec::IntoIter<u8>,
}

impl Choices {
    fn byte(&mut self) -> u8 {
        self.rest.next().unwrap_or_default()
    }

    fn upto(&mut self, most: u8) -> usize {
        usize::from(self.byte() % (most + 1))
    }

    /// One of 256 says no where `chance` is 255.
    fn has(&mut self, chance: u8) -> bool {
        let byte = self.byte();
        byte != 0 && byte <= chance
    }

    fn of<'t>(&mut self, pool: &[&'t str]) -> &'t str {
        pool[usize::from(self.byte()) % pool.len()]
    }

    /// A text: mostly from `pool`.
    fn text(&mut self, pool: &[&str]) -> String {
        match self.byte() {
            0..=235 => self.of(pool).to_owned(),
            236..=247 => self.of(HOSTILE).to_owned(),
            248..=250 => format!("{}{}", self.of(HOSTILE), self.of(pool)),
            251..=252 => self.of(HOSTILE).repeat(1 + self.upto(254)),
            _ => {
                let length = self.upto(40);
                let own: Vec<u8> = self.rest.by_ref().take(length).collect();
                String::from_utf8_lossy(&own).into_owned()
            }
        }
    }

    /// A value that may be anything.
    fn or_odd(&mut self, value: Value) -> Value {
        match self.byte() {
            255 => match self.byte() % 8 {
                0 => Value::Null,
                1 => json!([]),
                2 => json!({}),
                3 => json!(true),
                4 => json!(-1),
                5 => json!([value]),
                6 => json!({"a": value}),
                _ => json!(self.text(HOSTILE)),
            },
            _ => value,
        }
    }

    fn value(&mut self, pool: &[&str]) -> Value {
        let text = self.text(pool);
        self.or_odd(Value::String(text))
    }

    fn list(&mut self, most: u8, mut each: impl FnMut(&mut Self) -> Value) -> Value {
        let count = self.upto(most);
        let items = (0..count).map(|_| each(self)).collect();
        self.or_odd(Value::Array(items))
    }

    fn texts(&mut self, pool: &[&str]) -> Value {
        self.list(4, |c| c.value(pool))
    }

    fn map(&mut self, keys: &[&str], mut each: impl FnMut(&mut Self) -> Value) -> Value {
        let count = self.upto(4);
        let entries: Map<String, Value> = (0..count).map(|_| (self.text(keys), each(self))).collect();
        self.or_odd(Value::Object(entries))
    }

    fn labels(&mut self) -> Value {
        self.map(KEYS, |c| c.value(LABELS))
    }

    /// A quantity, as text or as a number.
    fn amount(&mut self) -> Value {
        let text = self.text(QUANTITIES);
        let number = text.parse::<u32>().ok().filter(|_| self.has(127));
        self.or_odd(number.map_or(Value::String(text), Value::from))
    }

    fn port(&mut self) -> Value {
        let port = if self.has(240) { u16::from(self.byte()) } else { u16::from_be_bytes([self.byte(), self.byte()]) };
        self.or_odd(json!(port))
    }

    fn ports(&mut self) -> Value {
        self.list(3, |c| {
            let mut port = Object::default();
            port.put("port", c.port());
            port.maybe(c, 60, "endPort", Self::port);
            port.maybe(c, 100, "protocol", |c| c.value(&["TCP", "UDP", "SCTP"]));
            port.done(c)
        })
    }

    fn state(&mut self) -> Value {
        self.value(WORDS)
    }

    fn quota(&mut self) -> Value {
        let mut quota = Object::default();
        for field in ["cpu", "memory", "ephemeralStorage", "storage", "pods", "loadBalancers"] {
            quota.maybe(self, 60, field, Self::amount);
        }
        quota.maybe(self, 40, "objects", |c| c.map(COUNTED, Self::amount));
        quota.done(self)
    }

    fn pod_security(&mut self) -> Value {
        let mut security = Object::default();
        security.maybe(self, 127, "level", |c| c.value(&["restricted", "baseline", "privileged"]));
        security.maybe(self, 60, "version", |c| c.value(&["latest", "v1.30", "v1.34", "v1.0"]));
        security.done(self)
    }

    fn resources(&mut self) -> Value {
        let mut resources = Object::default();
        for field in ["cpu", "memory", "ephemeralStorage"] {
            resources.maybe(self, 100, field, Self::amount);
        }
        resources.done(self)
    }

    fn peer(&mut self) -> Value {
        let mut peer = Object::default();
        match self.byte() % 8 {
            0..=2 => peer.put("cidr", self.value(CIDRS)),
            3 | 4 => peer.put("namespace", self.value(&["shared", "monitoring", "a", "kube-system", "tenant-a-a"])),
            5 | 6 => peer.put("tenant", self.value(NAMES)),
            _ => {}
        }
        peer.maybe(self, 80, "podLabels", Self::labels);
        peer.maybe(self, 120, "ports", Self::ports);
        peer.done(self)
    }

    fn egress(&mut self) -> Value {
        self.value(&["internet", "none"])
    }

    fn flag(&mut self) -> Value {
        let flag = self.has(127);
        self.or_odd(json!(flag))
    }
}

/// A map with known keys that is being made.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    fn maybe(&mut self, c: &mut Choices, chance: u8, key: &str, value: impl FnOnce(&mut Choices) -> Value) {
        if c.has(chance) {
            let value = value(c);
            self.put(key, value);
        }
    }

    fn done(mut self, c: &mut Choices) -> Value {
        if c.byte() == 255 {
            let key = c.text(&["quotas", "Cpu", "spec", "name"]);
            let value = c.value(NAMES);
            self.put(&key, value);
        }
        c.or_odd(Value::Object(self.0))
    }
}

fn document(kind: &str, names: &[&str], spec: Value, c: &mut Choices) -> Value {
    let mut metadata = Object::default();
    metadata.put("name", c.value(names));
    metadata.maybe(c, 10, "namespace", |c| c.value(&["k8s-mtp"]));
    let mut document = Object::default();
    document.put("apiVersion", c.value(&["multitenant.k8s-mtp.io/v1"]));
    document.put("kind", c.value(&[kind]));
    document.put("metadata", metadata.done(c));
    document.put("spec", spec);
    document.done(c)
}

fn platform(c: &mut Choices) -> Value {
    let mut network = Object::default();
    network.maybe(c, 100, "egress", Choices::egress);
    network.maybe(c, 60, "dns", |c| {
        let mut dns = Object::default();
        dns.maybe(c, 60, "namespace", |c| c.value(&["kube-system", "openshift-dns"]));
        dns.maybe(c, 60, "podLabels", Choices::labels);
        dns.maybe(c, 120, "ports", |c| c.list(3, Choices::port));
        dns.maybe(c, 120, "cidrs", |c| c.texts(CIDRS));
        dns.done(c)
    });
    network.maybe(c, 60, "platformAccessLabels", Choices::labels);
    network.maybe(c, 80, "ingressFrom", |c| {
        c.list(3, |c| {
            let mut from = Object::default();
            from.put("namespace", c.value(&["ingress-nginx", "monitoring", "a"]));
            from.maybe(c, 100, "podLabels", Choices::labels);
            from.maybe(c, 100, "ports", Choices::ports);
            from.done(c)
        })
    });
    network.maybe(c, 100, "apiServer", |c| {
        let mut server = Object::default();
        server.put("cidrs", c.texts(CIDRS));
        server.maybe(c, 100, "ports", |c| c.list(3, Choices::port));
        server.done(c)
    });
    for field in ["clusterCidrs", "serviceCidrs", "nodeCidrs", "blockedCidrs", "allowedCidrs"] {
        network.maybe(c, 80, field, |c| c.texts(CIDRS));
    }
    network.maybe(c, 40, "nat64Prefixes", |c| c.texts(&["64:ff9b::/96", "2001:db8:64::/96"]));

    let mut spec = Object::default();
    spec.put("kubernetesVersion", c.value(&["1.36", "1.34", "1.37"]));
    spec.maybe(c, 20, "namespace", |c| c.value(&["k8s-mtp", "platform"]));
    spec.maybe(c, 20, "mtpVersion", |c| c.value(&["*", ">=0.1, <0.2", "0.1"]));
    spec.maybe(c, 60, "identity", |c| {
        let mut identity = Object::default();
        identity.maybe(c, 127, "userPrefix", |c| c.value(&["oidc:", "-", "$", "sys"]));
        identity.maybe(c, 127, "groupPrefix", |c| c.value(&["oidc:", "-", "+argocd:skip-file"]));
        identity.done(c)
    });
    let network = network.done(c);
    spec.put("network", network);
    spec.maybe(c, 60, "podSecurity", Choices::pod_security);
    spec.maybe(c, 20, "reservedNames", |c| c.texts(NAMES));
    spec.maybe(c, 127, "storageClasses", |c| c.texts(CLASSES));
    spec.maybe(c, 60, "roles", |c| {
        let mut roles = Object::default();
        for role in ["admin", "operator", "viewer"] {
            roles.maybe(c, 100, role, |c| {
                let rules = c.list(3, |c| {
                    let mut rule = Object::default();
                    rule.put("apiGroups", c.texts(&["cert-manager.io", "example.com", ""]));
                    rule.put("resources", c.texts(&["certificates", "certificates/status", "things"]));
                    rule.put("verbs", c.texts(&["get", "list", "create"]));
                    rule.done(c)
                });
                json!({"extraRules": rules})
            });
        }
        roles.done(c)
    });
    spec.maybe(c, 60, "imagePullSecrets", |c| c.texts(&["registry", "a.b", "c"]));
    spec.maybe(c, 127, "tenantMetadata", |c| {
        let mut metadata = Object::default();
        metadata.maybe(c, 200, "labels", |c| c.texts(KEYS));
        metadata.maybe(c, 200, "annotations", |c| c.texts(KEYS));
        metadata.done(c)
    });
    spec.maybe(c, 100, "templates", |c| {
        let kinds = c.list(3, |c| {
            let mut kind = Object::default();
            kind.put("group", c.value(&["cert-manager.io", "example.com", "example.com.x-y"]));
            kind.put("kind", c.value(&["Certificate", "Thing", "Null", "THING"]));
            kind.put("resource", c.value(&["certificates", "things"]));
            kind.done(c)
        });
        json!({"kinds": kinds})
    });
    spec.maybe(c, 100, "output", |c| json!({"layout": c.value(&["object", "namespace"])}));
    let spec = spec.done(c);
    document("Platform", &["platform"], spec, c)
}

fn tier(index: usize, c: &mut Choices) -> Value {
    let quota = {
        let Value::Object(mut quota) = c.quota() else { return Value::Null };
        let mut more = Object::default();
        more.maybe(c, 60, "nodePorts", Choices::amount);
        more.maybe(c, 60, "storageClasses", |c| {
            c.map(CLASSES, |c| {
                let mut class = Object::default();
                class.maybe(c, 150, "storage", Choices::amount);
                class.maybe(c, 150, "claims", Choices::amount);
                class.done(c)
            })
        });
        more.maybe(c, 60, "priorityClasses", |c| {
            c.map(CLASSES, |c| {
                let mut class = Object::default();
                class.maybe(c, 150, "pods", Choices::amount);
                class.maybe(c, 60, "cpu", Choices::amount);
                class.done(c)
            })
        });
        more.maybe(c, 40, "volumeAttributesClasses", |c| {
            c.map(CLASSES, |c| {
                let mut class = Object::default();
                class.maybe(c, 150, "claims", Choices::amount);
                class.done(c)
            })
        });
        more.maybe(c, 30, "extendedResources", |c| c.map(&["nvidia.com/gpu", "example.com/x"], Choices::amount));
        more.maybe(c, 30, "deviceClasses", |c| c.map(CLASSES, Choices::amount));
        quota.append(&mut more.0);
        Value::Object(quota)
    };
    let mut spec = Object::default();
    spec.put("quota", quota);
    spec.maybe(c, 40, "quotaMax", Choices::quota);
    spec.maybe(c, 80, "limitRange", |c| {
        let mut range = Object::default();
        range.maybe(c, 150, "container", |c| {
            let mut container = Object::default();
            for field in ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"] {
                container.maybe(c, 80, field, Choices::resources);
            }
            container.done(c)
        });
        range.maybe(c, 40, "pod", |c| json!({"max": c.resources()}));
        range.maybe(c, 40, "persistentVolumeClaim", |c| json!({"max": {"storage": c.amount()}}));
        range.done(c)
    });
    spec.maybe(c, 60, "egress", Choices::egress);
    spec.maybe(c, 60, "podSecurity", Choices::pod_security);
    spec.maybe(c, 200, "namespaces", |c| json!(c.upto(9)));
    let spec = spec.done(c);
    document("Tier", &[TIERS[index % TIERS.len()]], spec, c)
}

fn tenant(index: usize, c: &mut Choices) -> Value {
    let mut spec = Object::default();
    spec.put("name", c.value(NAMES));
    spec.put("tier", c.value(&TIERS[..2]));
    spec.put("ownerEmail", c.value(EMAILS));
    spec.maybe(c, 40, "state", Choices::state);
    for field in ["admins", "operators", "viewers"] {
        spec.maybe(c, 127, field, |c| c.texts(USERS));
    }
    spec.maybe(c, 80, "groups", |c| {
        let mut groups = Object::default();
        for field in ["admins", "operators", "viewers"] {
            groups.maybe(c, 127, field, |c| c.texts(USERS));
        }
        groups.done(c)
    });
    spec.maybe(c, 100, "namespaces", |c| {
        c.list(4, |c| {
            let mut entry = Object::default();
            entry.put("name", c.value(NAMES));
            entry.maybe(c, 60, "tier", |c| c.value(&TIERS[..2]));
            entry.maybe(c, 60, "state", Choices::state);
            entry.maybe(c, 40, "quota", Choices::quota);
            entry.done(c)
        })
    });
    spec.maybe(c, 100, "egress", |c| {
        let mut egress = Object::default();
        egress.maybe(c, 100, "internet", Choices::flag);
        egress.maybe(c, 60, "apiServer", Choices::flag);
        egress.maybe(c, 150, "allow", |c| c.list(4, Choices::peer));
        egress.done(c)
    });
    spec.maybe(c, 80, "ingress", |c| json!({"allow": c.list(4, Choices::peer)}));
    spec.maybe(c, 60, "quota", Choices::quota);
    spec.maybe(c, 80, "labels", Choices::labels);
    spec.maybe(c, 80, "annotations", |c| c.map(KEYS, |c| c.value(USERS)));
    spec.maybe(c, 60, "pullSecrets", |c| c.texts(&["registry", "a.b", "c"]));
    let spec = spec.done(c);
    document("Tenant", &[NAMES[index % NAMES.len()]], spec, c)
}

/// One document of a template.
fn template(c: &mut Choices) -> String {
    const KINDS: &[(&str, &str)] = &[
        ("v1", "ConfigMap"),
        ("batch/v1", "CronJob"),
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
        ("cert-manager.io/v1", "Certificate"),
        ("example.com/v1", "Thing"),
        ("example.com/v1", "THING"),
        ("example.com/v1", "Null"),
        ("example.com.x-y/v1", "Thing"),
        ("v1", "Secret"),
        ("v1", "configmap"),
        ("v1", "ServiceAccount"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("\"v1\"", "'ConfigMap'"),
    ];
    const NAMES: &[&str] = &[
        "extra",
        "{{ namespace.name }}",
        "{{ tenant.name }}-x",
        "\"{{ namespace.part }}\"",
        "123",
        "null",
        "\"1\"",
        "true",
        "a.b",
        "1e3",
        "y-extra",
        "default",
        "{{ tenant.ownerEmail }}",
        "{{ tenant.admins[0] | quote }}",
        "X",
        "[a]",
        "",
    ];
    const METADATA: &[&str] = &[
        "",
        "labels: {}",
        "labels:",
        "labels: []",
        "labels: x",
        "labels: {a: 1}",
        "labels: {a: b}",
        "labels: {a: null}",
        "labels: {app.kubernetes.io/managed-by: x}",
        "labels: {app.kubernetes.io/name: {{ tenant.name | quote }}}",
        "labels: {a b: c}",
        "annotations: {}",
        "annotations:",
        "annotations: \"${x}\"",
        "annotations: {a: \"${x}\"}",
        "annotations: {a: true}",
        "annotations: {kustomize.toolkit.fluxcd.io/substitute: enabled}",
        "annotations: [{a: b}]",
        "namespace: {{ namespace.name }}",
        "namespace: kube-system",
        "finalizers: [x]",
        "uid: x",
    ];
    const BODIES: &[&str] = &[
        "",
        "data:\n  k: {{ tenant.ownerEmail | quote }}",
        "data: {a: \"+argocd:skip\\x2dfile-rendering\"}",
        "data: {\"+argocd:skip-file-rendering\": x}",
        "data: {\"${a}\": b}",
        "data:\n{% for u in tenant.admins %}\n  {{ u | quote }}: \"1\"\n{% endfor %}",
        "data:\n{% for u in tenant.admins %}\n  {{ u }}: 1\n{% endfor %}",
        "data:\n  text: |\n    a\n      b\n\n    {{ tenant.name }}\n",
        "spec:\n  template:\n    metadata:\n      labels: {app.kubernetes.io/managed-by: k8s-mtp}",
        "spec:\n  jobTemplate:\n    spec:\n      template:\n        metadata:\n          labels: {app.kubernetes.io/managed-by: k8s-mtp}",
        "spec:\n  a: [1, -2, 1.5, 1.0, 0.1, true, null, ~, \"1\", [], {}, [[]], [{}], {a: {}}]",
        "spec: {a: 1e3, b: 0x10, c: 1_000, d: 2026-01-01}",
        "spec: {a: 9223372036854775807, b: 99999999999999999999, c: -0, d: 1.10}",
        "status: {}",
        "spec:\n  - &a {x: y}\n  - *a",
        "spec: {? [a] : b}",
        "spec: {1: a}",
        "spec: {a: b, a: c}",
        "spec: {{ namespace.quota }}",
        "spec: {{ namespace.internet }}",
        "spec: {{ tenant.labels | items | list | length }}",
        "spec: {{ tenant.nothing }}",
        "spec: {% raw %}{{ x }}{% endraw %}",
        "spec: [{% for i in range(300) %}{{ i }},{% endfor %}]",
        "spec:\n{% for i in range(3000) %}\n  - {a: no}\n{% endfor %}",
        "{% for i in range(100000000) %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include \"tenants/templates/t0.yaml\" %}",
        "{% set x = namespace.name %}\nspec: {{ x }}",
        "metadata: {}",
        "kind: Pod",
    ];
    let (version, kind) = KINDS[usize::from(c.byte()) % KINDS.len()];
    let mut text = format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {}\n", c.text(NAMES));
    for _ in 0..c.upto(2) {
        text.push_str(&format!("  {}\n", c.text(METADATA)));
    }
    for _ in 0..c.upto(2) {
        text.push_str(&format!("{}\n", c.text(BODIES)));
    }
    text
}

/// The files of one input, as documents; written in any order.
pub struct Model {
    documents: Vec<(String, Value)>,
    templates: Vec<(String, Vec<String>)>,
    style: u8,
}

impl Model {
    /// What the bytes decide.
    pub fn of(data: &[u8]) -> Model {
        let c = &mut Choices { rest: Vec::from(data).into_iter() };
        let style = c.byte();
        let (tenants, tiers, templates) = (1 + c.upto(3), 2 + c.upto(2), c.upto(2));
        let file =
            |c: &mut Choices, path: &str| if c.has(40) { "tenants/all.yaml".to_owned() } else { path.to_owned() };
        let mut documents = Vec::new();
        for index in 0..tenants {
            let path = file(c, &format!("tenants/t{index}.yml"));
            documents.push((path, tenant(index, c)));
        }
        let templates = (0..templates)
            .map(|index| {
                let count = 1 + c.upto(2);
                (format!("tenants/templates/t{index}.yaml"), (0..count).map(|_| template(c)).collect())
            })
            .collect();
        documents.push((file(c, "tenants/platform.yaml"), platform(c)));
        for index in 0..tiers {
            let path = file(c, &format!("tenants/tiers/{index}.yaml"));
            documents.push((path, tier(index, c)));
        }
        Model { documents, templates, style }
    }

    /// The files as text. Lists, keys and documents of a file are turned by `turn` places.
    pub fn inputs(&self, turn: usize) -> Inputs {
        let mut files: std::collections::BTreeMap<&str, Vec<String>> = Default::default();
        for (path, document) in &self.documents {
            let mut text = String::new();
            Writer { out: &mut text, turn, style: self.style }.value(document, 0);
            files.entry(path).or_default().push(text);
        }
        for (path, documents) in &self.templates {
            files.entry(path).or_default().extend(documents.iter().cloned());
        }
        let whole = |mut parts: Vec<String>| {
            let length = parts.len();
            parts.rotate_left(turn % length);
            parts.join("---\n")
        };
        files.into_iter().map(|(path, parts)| (path, whole(parts))).collect()
    }
}

/// Writes a document in block style.
struct Writer<'o> {
    out: &'o mut String,
    turn: usize,
    style: u8,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                let mut items: Vec<&Value> = items.iter().collect();
                let length = items.len();
                items.rotate_left(self.turn % length);
                for item in items {
                    self.line(indent);
                    self.out.push('-');
                    self.below(item, indent + 2);
                }
            }
            Value::Object(map) if !map.is_empty() => {
                let mut entries: Vec<(&String, &Value)> = map.iter().collect();
                let length = entries.len();
                entries.rotate_left(self.turn % length);
                for (key, value) in entries {
                    self.line(indent);
                    self.text(key);
                    self.out.push(':');
                    self.below(value, indent + 2);
                }
            }
            Value::String(text) => self.text(text),
            // Empty lists and maps, numbers and words.
            other => self.out.push_str(&other.to_string()),
        }
        if indent == 0 && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn line(&mut self, indent: usize) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn below(&mut self, value: &Value, indent: usize) {
        let nested = match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(map) => !map.is_empty(),
            _ => false,
        };
        self.out.push(if nested { '\n' } else { ' ' });
        self.value(value, indent);
    }

    /// Plain where that means the text itself, else in quotes; now and then plain in spite of it.
    fn text(&mut self, text: &str) {
        let mix = text.bytes().fold(self.style, |sum, b| sum.wrapping_mul(31).wrapping_add(b));
        let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '@' | '_'))
            && !matches!(
                text.to_ascii_lowercase().as_str(),
                "no" | "yes" | "y" | "n" | "true" | "false" | "null" | "on" | "off"
            );
        // What reaches beyond its line would make the order of lines matter.
        let one_line =
            !text.is_empty() && text.chars().all(|c| !c.is_control() && !"&*\"'[]{}|>!%?\u{2028}".contains(c));
        if (word && mix % 4 != 0) || (one_line && mix % 61 == 1) {
            self.out.push_str(text);
        } else if one_line && mix % 5 == 0 {
            self.out.push_str(&format!("'{text}'"));
        } else {
            self.out.push('"');
            for c in text.chars() {
                match c {
                    '"' | '\\' => self.out.extend(['\\', c]),
                    c if c.is_control() || (!c.is_ascii() && mix % 2 == 0) => {
                        self.out.push_str(&format!("\\U{:08x}", u32::from(c)));
                    }
                    c => self.out.push(c),
                }
            }
            self.out.push('"');
        }
    }
}

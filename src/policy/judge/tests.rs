//! The rows and the layers, each by what it refuses and in which words.

use std::sync::Arc;

use serde_json::{Value, json};

use super::case::Case;
use super::guardrails::Guardrails;
use super::{Layer, Objection, Whom};
use crate::policy::standing::Standing;

/// The object of an example: a pod's `spec`, or a whole one.
fn object(example: &str) -> Value {
    let value: Value = serde_yaml::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
    if value.get("kind").is_some() {
        return value;
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, "spec": value})
}

fn objections(value: &Value, around: Option<&Guardrails>) -> Vec<Objection> {
    super::objections(&Case::new(value, around, Standing::UNLESS_SAID))
}

/// What the layers but our policies say.
fn said(value: &Value, around: Option<&Guardrails>) -> Vec<String> {
    let all = objections(value, around).into_iter().filter(|objection| objection.layer != Layer::Policies);
    all.map(|objection| format!("{} {}", objection.rule, objection.message)).collect()
}

/// A Deployment of that pod.
fn deployment(spec: &Value) -> Value {
    let template = json!({"metadata": {"labels": {"app": "it"}}, "spec": spec});
    let spec = json!({"selector": {"matchLabels": {"app": "it"}}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "it"}, "spec": spec})
}

fn good() -> Value {
    json!({"containers": [{"name": "web", "image": "nginx"}]})
}

#[test]
fn examples_are_refused_by_their_rules_and_what_is_good_by_none() {
    for rule in super::all() {
        for example in rule.refused {
            let found = objections(&object(example), None);
            assert!(found.iter().any(|o| o.rule == rule.id), "{}: {example}: {found:#?}", rule.id);
        }
    }
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, "spec": good()});
    for value in [pod, deployment(&good())] {
        assert_eq!(said(&value, None), [""; 0]);
    }
}

/// In a workload, the same is refused before there is any pod.
#[test]
fn what_no_pod_may_be_no_template_may_be() {
    for rule in super::all().filter(|rule| matches!(rule.check, super::Check::Pod(_))) {
        for example in rule.refused {
            let pod = object(example);
            let value = deployment(&pod["spec"]);
            let found = objections(&value, None);
            assert!(found.iter().any(|o| o.rule == rule.id), "{}: {example}", rule.id);
            // Blanks around images and ephemeral containers are of pods alone.
            let of_pods = ["A114", "A152", "A125"];
            let whom = |o: &Objection| o.rule != rule.id || o.whom == Whom::Object || of_pods.contains(&o.rule);
            assert!(found.iter().all(whom), "{}: {example}: {found:#?}", rule.id);
        }
    }
}

#[test]
fn ids_are_in_order_and_texts_are_sentences() {
    let ids: Vec<&str> = super::all().map(|rule| rule.id).collect();
    assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]), "{ids:?}");
    for rule in super::all() {
        for text in [rule.why, rule.fix] {
            assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", rule.id);
        }
    }
}

#[test]
fn layers_are_heard_in_the_order_in_which_they_are_asked() {
    assert!(Layer::ALL.is_sorted());
    let around = free();
    let spec = json!({"containers": [{"name": "Web", "image": "nginx", "resources": {"limits": {"cpu": "2"}}}]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, "spec": spec});
    let found = objections(&pod, Some(&around));
    assert!(found.is_sorted_by_key(|o| (o.whom, o.layer)), "{found:#?}");
    assert_eq!(found[0].layer, Layer::Validation);
    assert_eq!(found.last().map(|o| o.layer), Some(Layer::Quota));
}

/// A namespace as a tier of the sample makes it.
fn free() -> Guardrails {
    let objects = [
        json!({"kind": "LimitRange", "metadata": {"name": "tenant-defaults"}, "spec": {"limits": [
            {
                "type": "Container",
                "default": {"cpu": "100m", "memory": "128Mi"},
                "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
                "max": {"cpu": "500m"},
                "min": {"memory": "16Mi"},
                "maxLimitRequestRatio": {"cpu": "4"},
            },
            {"type": "Pod", "max": {"memory": "1Gi"}},
            {"type": "PersistentVolumeClaim", "max": {"storage": "5Gi"}, "min": {"storage": "1Gi"}},
        ]}}),
        json!({"kind": "ResourceQuota", "metadata": {"name": "tenant-quota"}, "spec": {"hard": {
            "limits.cpu": "500m", "requests.cpu": "500m", "limits.memory": "1Gi", "requests.memory": "1Gi",
            "pods": "2", "requests.storage": "10Gi", "services.nodeports": "0", "services.loadbalancers": "0",
            "count/jobs.batch": "0", "secrets": "0",
            "fast.storageclass.storage.k8s.io/persistentvolumeclaims": "0",
        }}}),
        json!({"kind": "ResourceQuota", "metadata": {"name": "tenant-quota-other-priorities"}, "spec": {
            "hard": {"pods": "0"},
            "scopeSelector": {"matchExpressions": [
                {"scopeName": "PriorityClass", "operator": "Exists"},
                {"scopeName": "PriorityClass", "operator": "NotIn", "values": ["business"]},
            ]},
        }}),
        json!({"kind": "ResourceQuota", "metadata": {"name": "tenant-quota-cross-namespace-affinity"}, "spec": {
            "hard": {"pods": "0"},
            "scopeSelector": {"matchExpressions": [{"scopeName": "CrossNamespacePodAffinity", "operator": "Exists"}]},
        }}),
    ];
    Guardrails::of(objects.iter(), true)
}

fn pod(resources: &Value) -> Value {
    let spec = json!({"containers": [{"name": "web", "image": "nginx", "resources": resources}]});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, "spec": spec})
}

#[test]
fn the_limit_range_speaks_as_the_api_server_does() {
    let around = free();
    let limits = |value: &Value| -> Vec<String> {
        let all = objections(value, Some(&around)).into_iter().filter(|o| o.layer == Layer::LimitRange);
        all.map(|objection| objection.message).collect()
    };
    assert_eq!(limits(&pod(&json!({}))), [""; 0], "defaults fit");
    assert_eq!(
        limits(&pod(&json!({"limits": {"cpu": "0.6"}, "requests": {"cpu": "600m"}}))),
        ["maximum cpu usage per Container is 500m, but limit is 600m"]
    );
    assert_eq!(
        limits(&pod(&json!({"requests": {"memory": "8Mi"}}))),
        ["minimum memory usage per Container is 16Mi, but request is 8Mi"]
    );
    assert_eq!(
        limits(&pod(&json!({"limits": {"cpu": "500m"}, "requests": {"cpu": "50m"}}))),
        ["cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000"]
    );
    assert_eq!(
        limits(&pod(&json!({"limits": {"memory": "2Gi"}}))),
        ["maximum memory usage per Pod is 1Gi, but limit is 2Gi"]
    );
    let claim = |storage: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "it"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}},
        }})
    };
    assert_eq!(limits(&claim("8Gi")), ["maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 8Gi"]);
    assert_eq!(
        limits(&claim("100Mi")),
        ["minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 100Mi"]
    );
}

/// A request above the default limit is refused by validation, which comes after defaults.
#[test]
fn defaults_come_before_validation() {
    let value = pod(&json!({"requests": {"cpu": "200m"}}));
    assert_eq!(said(&value, None), [""; 0]);
    assert_eq!(
        said(&value, Some(&free())),
        [
            "A122 spec.containers[0].resources.requests: Invalid value: \"200m\": must be less than or equal to cpu limit of 100m"
        ]
    );
    let value = deployment(&value["spec"]);
    let found = objections(&value, Some(&free()));
    assert_eq!(found.iter().find(|o| o.rule == "A122").map(|o| o.whom), Some(Whom::Pods));
}

#[test]
fn quotas_speak_as_the_api_server_does() {
    let around = free();
    let quota = |value: &Value| -> Vec<String> {
        let all = objections(value, Some(&around)).into_iter().filter(|o| o.layer == Layer::Quota);
        all.map(|objection| objection.message).collect()
    };
    assert_eq!(quota(&pod(&json!({}))), [""; 0]);
    assert_eq!(
        quota(&pod(&json!({"limits": {"cpu": "2"}}))),
        [
            "exceeded quota: tenant-quota, requested: limits.cpu=2,requests.cpu=2, limited: limits.cpu=500m,requests.cpu=500m"
        ]
    );
    let mut first = pod(&json!({}));
    first["spec"]["priorityClassName"] = json!("urgent");
    assert_eq!(quota(&first), ["exceeded quota: tenant-quota-other-priorities, requested: pods=1, limited: pods=0"]);
    first["spec"]["priorityClassName"] = json!("business");
    assert_eq!(quota(&first), [""; 0]);
    let mut apart = pod(&json!({}));
    let [required, preferred] =
        ["required", "preferred"].map(|how| format!("{how}DuringSchedulingIgnoredDuringExecution"));
    let whole = json!({"topologyKey": "topology.kubernetes.io/zone", "namespaceSelector": {}});
    let named = json!({"topologyKey": "kubernetes.io/hostname", "namespaces": ["other"]});
    let own = json!({"topologyKey": "kubernetes.io/hostname", "namespaces": []});
    for (affinity, is_elsewhere) in [
        (json!({"podAntiAffinity": {&required: [own, whole]}}), true),
        (json!({"podAffinity": {&required: [named]}}), true),
        (json!({"podAffinity": {&preferred: [{"weight": 1, "podAffinityTerm": named}]}}), true),
        (json!({"podAntiAffinity": {&required: [own], &preferred: [{"weight": 1, "podAffinityTerm": own}]}}), false),
    ] {
        apart["spec"]["affinity"] = affinity;
        let said = ["exceeded quota: tenant-quota-cross-namespace-affinity, requested: pods=1, limited: pods=0"];
        assert_eq!(quota(&apart), said[..usize::from(is_elsewhere)], "{apart}");
    }
    let service = |of: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "it"}, "spec": {
            "type": of, "ports": [{"port": 80}],
        }})
    };
    assert_eq!(quota(&service("ClusterIP")), [""; 0]);
    assert_eq!(
        quota(&service("NodePort")),
        ["exceeded quota: tenant-quota, requested: services.nodeports=1, limited: services.nodeports=0"]
    );
    assert_eq!(
        quota(&service("LoadBalancer")),
        [
            "exceeded quota: tenant-quota, requested: services.loadbalancers=1,services.nodeports=1, limited: services.loadbalancers=0,services.nodeports=0"
        ]
    );
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "it"}});
    assert_eq!(quota(&secret), ["exceeded quota: tenant-quota, requested: secrets=1, limited: secrets=0"]);
    let none = Guardrails { limits: super::guardrails::Limits::default(), ..free() };
    let found = objections(&pod(&json!({"limits": {"cpu": "100m"}})), Some(&none));
    let failed: Vec<&str> = found.iter().filter(|o| o.rule == "A502").map(|o| o.message.as_str()).collect();
    assert_eq!(failed, ["failed quota: tenant-quota: must specify limits.memory for: web; requests.memory for: web"]);
}

#[test]
fn what_fits_alone_may_not_fit_together() {
    let around = free();
    let mut value = deployment(&good());
    value["spec"]["replicas"] = json!(3);
    assert_eq!(said(&value, Some(&around)), [""; 0]);
    let case = Case::new(&value, Some(&around), Standing::UNLESS_SAID);
    assert_eq!(
        super::quota::together(&[case], &around),
        ["together, these objects exceed quota tenant-quota: requested: pods=3, limited: pods=2"]
    );
}

/// All places of a value, as JSON pointers.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), all));
        }
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            pointers(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
        }),
        _ => {}
    }
}

/// Whoever writes manifests may write anything: each value of each example once as each other type.
#[test]
fn nothing_that_is_written_stops_the_judge() {
    let around = free();
    let others =
        [json!(null), json!(true), json!(-1), json!(1.5), json!("é"), json!([[]]), json!([null]), json!({"": {}})];
    let mut judged = 0;
    let examples = super::all().flat_map(|rule| rule.refused).map(|example| object(example));
    for whole in examples.chain([pod(&json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}))]) {
        let mut places = Vec::new();
        pointers(&whole, "", &mut places);
        for place in &places {
            for other in &others {
                let mut changed = whole.clone();
                *changed.pointer_mut(place).expect("it is there") = other.clone();
                let case = Case::new(&changed, Some(&around), Standing::UNLESS_SAID);
                super::objections(&case);
                super::quota::together(&[case], &around);
                judged += 1;
            }
        }
    }
    assert!(judged > 5000, "{judged}");
}

/// The mark of what is rendered helps nobody else: an object that has it, and is none of those, is judged as a tenant's.
#[test]
fn what_only_says_that_it_is_rendered_is_a_tenants() {
    let lists = |text: &str| {
        json!({"tenant.k8s-mtp.io/egress-peers": text, "tenant.k8s-mtp.io/ingress-peers": text,
            "tenant.k8s-mtp.io/subjects": "User/alice"})
    };
    let namespace = |annotations: Value| json!({"kind": "Namespace", "metadata": {"name": "tenant-a-x", "annotations": annotations}});
    let rendered =
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "rendered"}});
    let mut around = Guardrails::of([namespace(lists("namespace/tenant-a-x")), rendered].iter(), true);
    around.guarded = Arc::new([("rbac.authorization.k8s.io".to_owned(), "RoleBinding".to_owned())].into());
    let binding = |name: &str, who: &str, marked: bool| {
        let label = if marked { "k8s-mtp" } else { "somebody" };
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": label}},
            "subjects": [{"kind": "User", "name": who}]})
    };
    let rules = |around: &Guardrails, object: &Value| -> Vec<&'static str> {
        let case = Case::new(object, Some(around), Standing::UNLESS_SAID);
        super::objections_by(&case, &[super::Layer::Policies]).into_iter().map(|objection| objection.rule).collect()
    };
    for (name, who, marked, refused) in [
        ("rendered", "mallory", true, &[][..]),
        ("rendered", "mallory", false, &["A404", "A403"]),
        ("rendered", "alice", false, &["A404"]),
        ("other", "mallory", true, &["A404", "A403"]),
        ("other", "alice", true, &["A404"]),
        ("other", "alice", false, &[]),
    ] {
        assert_eq!(rules(&around, &binding(name, who, marked)), refused, "{name} {who} {marked}");
    }
    // The same kind of another group is another kind.
    let mut other = binding("rendered", "alice", false);
    other["apiVersion"] = json!("example.org/v1");
    assert_eq!(rules(&around, &other), [""; 0]);
    // What is in the place of what is rendered has lost its mark, and is nobody's to delete.
    let mut running = super::running::Running::default();
    let here =
        || Some(crate::policy::manifests::Surroundings { standing: Standing::UNLESS_SAID, guardrails: Some(&around) });
    for (name, marked) in [("rendered", false), ("rendered", true), ("other", true), ("own", false)] {
        running.take_own(&binding(name, "mallory", marked), "rbac.authorization.k8s.io/v1", "RoleBinding", here());
    }
    let names = |all: Vec<&super::running::Origin>| all.iter().map(|o| o.owner.clone()).collect::<Vec<_>>();
    assert_eq!(names(running.own.keys().collect()), ["RoleBinding own"]);
    assert_eq!(names(running.left.iter().collect()), ["RoleBinding other"]);
    let policy = |peer: Value| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "a"},
            "spec": {"podSelector": {}, "egress": [{"to": [peer]}]}})
    };
    let near = policy(json!({"podSelector": {}}));
    assert_eq!(rules(&around, &near), [""; 0]);
    // Of a namespace that is not active, the lists are empty; without the policies there are none.
    let closed = Guardrails::of([namespace(lists(""))].iter(), true);
    assert_eq!(rules(&closed, &near), ["A402"]);
    let nobody = Guardrails::of([namespace(json!({}))].iter(), true);
    assert_eq!(rules(&nobody, &policy(json!({"namespaceSelector": {}}))), [""; 0]);
}

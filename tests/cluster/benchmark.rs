//! The nineteen checks of kubectl-mtb, the multi-tenancy working group's benchmark, as a tenant's admin meets them.
//!
//! Each check that is about a pod has a positive control (the same pod without the fault is admitted) and names the reason
//! that it expects: of the originals, most pass on any error whatever.
//!
//! Source: <https://github.com/kubernetes-retired/multi-tenancy/tree/master/benchmarks/kubectl-mtb>

use serde_json::{Value, json};

use crate::client::Client;
use crate::fixture::{Platform, platform};
use crate::pods::pod;

const OWN: &str = "tenant-aurora-prod";
const OTHER: &str = "tenant-test-acme-acme";

/// Who asks.
struct Tenant<'a> {
    platform: &'a Platform,
    admin: Client,
}

/// Holds, or why not.
type Outcome = Result<(), String>;

/// Number, title, and whether it holds.
type Check = (u8, &'static str, fn(&Tenant<'_>) -> Outcome);

const CHECKS: [Check; 19] = [
    (1, "Block access to cluster resources", cluster_resources),
    (2, "Block access to multitenant resources", multitenant_resources),
    (3, "Block add capabilities", |t| {
        t.pod("/spec/containers/0/securityContext/capabilities/add", json!(["SETPCAP"]), "unrestricted capabilities")
    }),
    (4, "Require run as non-root user", |t| {
        t.pod("/spec/securityContext", json!({"seccompProfile": {"type": "RuntimeDefault"}}), "runAsNonRoot != true")
    }),
    (5, "Block privileged containers", |t| {
        t.pod("/spec/containers/0/securityContext", json!({"privileged": true}), "privileged")
    }),
    (6, "Block privilege escalation", |t| {
        t.pod(
            "/spec/containers/0/securityContext/allowPrivilegeEscalation",
            json!(true),
            "allowPrivilegeEscalation != false",
        )
    }),
    (7, "Block modification of resource quotas", |t| t.none(OWN, &WRITES, "", "resourcequotas")),
    (8, "Configure namespace resource quotas", |t| t.bounded(&["cpu", "memory", "ephemeral-storage"])),
    (9, "Configure namespace object limits", |t| t.bounded(&OBJECTS)),
    (10, "Block use of host path volumes", |t| {
        t.pod("/spec/volumes", json!([{"name": "host", "hostPath": {"path": "/etc"}}]), "restricted volume types")
    }),
    (11, "Block use of NodePort services", node_ports),
    (12, "Block use of host networking and ports", |t| {
        t.pod("/spec/hostNetwork", json!(true), "host namespaces")?;
        t.pod("/spec/containers/0/ports", json!([{"containerPort": 80, "hostPort": 80}]), "hostPort")
    }),
    (13, "Block use of host PID", |t| t.pod("/spec/hostPID", json!(true), "host namespaces")),
    (14, "Block use of host IPC", |t| t.pod("/spec/hostIPC", json!(true), "host namespaces")),
    (15, "Require always imagePullPolicy", |t| {
        for fault in ["Never", "IfNotPresent"] {
            t.refused(
                "/spec/containers/0/imagePullPolicy",
                json!(fault),
                BY_POLICY,
                "must have imagePullPolicy Always",
            )?;
        }
        Ok(())
    }),
    (16, "Block access to other tenant resources", |t| {
        for verb in ["get", "list", "create", "update", "delete"] {
            for resource in ["pods", "secrets", "configmaps", "services", "resourcequotas"] {
                t.none(OTHER, &[verb], "", resource)?;
            }
        }
        Ok(())
    }),
    (17, "Block role privilege escalation", |t| {
        t.none(OWN, &["escalate", "bind"], "rbac.authorization.k8s.io", "roles")?;
        t.none("", &["escalate", "bind"], "rbac.authorization.k8s.io", "clusterroles")
    }),
    (18, "Create Role Bindings", |t| {
        t.all(OWN, &VERBS, "rbac.authorization.k8s.io", "roles")?;
        t.all(OWN, &VERBS, "rbac.authorization.k8s.io", "rolebindings")
    }),
    (19, "Create Network Policies", |t| t.all(OWN, &VERBS, "networking.k8s.io", "networkpolicies")),
];

const BY_POD_SECURITY: &str = "violates PodSecurity";
const BY_POLICY: &str = "ValidatingAdmissionPolicy 'k8s-mtp-pods-deny.pro'";

const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];
const OBJECTS: [&str; 9] = [
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

#[test]
fn nineteen_checks() {
    let platform = platform();
    let tenant = Tenant { platform, admin: platform.person("ines@aurora.example", &[]) };
    assert_eq!(CHECKS.map(|(number, ..)| number), std::array::from_fn(|i| i as u8 + 1), "each once");
    let mut wrong = Vec::new();
    for (number, title, check) in CHECKS {
        if let Err(why) = check(&tenant) {
            wrong.push(format!("{number} {title}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Tenant<'_> {
    fn may(&self, namespace: &str, verb: &str, group: &str, resource: &str) -> bool {
        self.admin.may(&json!({"namespace": namespace, "verb": verb, "group": group, "resource": resource}))
    }

    /// None of the verbs.
    fn none(&self, namespace: &str, verbs: &[&str], group: &str, resource: &str) -> Outcome {
        let may = verbs.iter().find(|verb| self.may(namespace, verb, group, resource));
        may.map_or(Ok(()), |verb| Err(format!("may {verb} {resource} in `{namespace}`")))
    }

    /// All of the verbs.
    fn all(&self, namespace: &str, verbs: &[&str], group: &str, resource: &str) -> Outcome {
        let may_not = verbs.iter().find(|verb| !self.may(namespace, verb, group, resource));
        may_not.map_or(Ok(()), |verb| Err(format!("may not {verb} {resource} in `{namespace}`")))
    }

    fn pod(&self, pointer: &str, fault: Value, why: &str) -> Outcome {
        self.refused(pointer, fault, BY_POD_SECURITY, why)
    }

    /// A pod with one fault is refused for that reason, by whom it is said; without the fault it is admitted.
    fn refused(&self, pointer: &str, fault: Value, by: &str, why: &str) -> Outcome {
        let path = format!("/api/v1/namespaces/{OWN}/pods?dryRun=All");
        let control = self.admin.post(&path, &pod("control", &[]));
        if control.status != 201 {
            return Err(format!("the control is refused: {}", control.message()));
        }
        let answer = self.admin.post(&path, &pod("faulty", &[(pointer, fault)]));
        let message = answer.message();
        if answer.status == 403 && message.contains(by) && message.contains(why) {
            Ok(())
        } else {
            Err(format!("expected a refusal for `{why}`, found {} {message}", answer.status))
        }
    }

    /// The tenant sees a quota in which each of the names occurs.
    fn bounded(&self, names: &[&str]) -> Outcome {
        let quotas = self.admin.get(&format!("/api/v1/namespaces/{OWN}/resourcequotas")).ok();
        let items = quotas["items"].as_array().cloned().unwrap_or_default();
        let hard = items.iter().filter_map(|quota| quota["spec"]["hard"].as_object());
        let keys: Vec<&String> = hard.flat_map(serde_json::Map::keys).collect();
        let unbounded = names.iter().find(|name| !keys.iter().any(|key| key.contains(*name)));
        unbounded.map_or(Ok(()), |name| Err(format!("no quota bounds {name}")))
    }
}

/// What every authenticated user may create, about himself.
const ABOUT_ONESELF: [&str; 3] = ["selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"];

fn cluster_resources(tenant: &Tenant<'_>) -> Outcome {
    let all = tenant.platform.resources.all.iter();
    for resource in all.filter(|r| !r.namespaced && !r.name.contains('/')) {
        let name = resource.name.as_str();
        let verbs: &[&str] = if ABOUT_ONESELF.contains(&name) { &VERBS[..3] } else { &VERBS };
        tenant.none("", verbs, resource.group(), name)?;
    }
    Ok(())
}

/// Whatever is ours in the namespace can be neither changed nor removed.
fn multitenant_resources(tenant: &Tenant<'_>) -> Outcome {
    let ours = tenant.platform.documents.iter().filter(|d| d.namespace() == OWN);
    let mut count = 0;
    for document in ours {
        let path = document.path(&tenant.platform.resources);
        let change =
            tenant.admin.merge(&format!("{path}?dryRun=All"), &json!({"metadata": {"labels": {"mine": "yes"}}}));
        let removal = tenant.admin.delete(&format!("{path}?dryRun=All"));
        for answer in [change, removal] {
            if answer.status != 403 {
                return Err(format!("{} {}: {}", document.kind(), document.name(), answer.status));
            }
        }
        count += 1;
    }
    if count > 10 { Ok(()) } else { Err(format!("only {count} objects were looked at")) }
}

/// The quota allows no node port; the same Service without one is admitted.
fn node_ports(tenant: &Tenant<'_>) -> Outcome {
    let service = |kind: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web"},
            "spec": {"type": kind, "selector": {"app": "web"}, "ports": [{"port": 80}]},
        })
    };
    let path = format!("/api/v1/namespaces/{OWN}/services?dryRun=All");
    let control = tenant.admin.post(&path, &service("ClusterIP"));
    let answer = tenant.admin.post(&path, &service("NodePort"));
    let message = answer.message();
    if control.status == 201
        && answer.status == 403
        && message.contains("exceeded quota")
        && message.contains("nodeports")
    {
        Ok(())
    } else {
        Err(format!("{}; {} {message}", control.status, answer.status))
    }
}

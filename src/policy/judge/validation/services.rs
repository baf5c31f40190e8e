//! Services and claims of volumes.

use std::collections::BTreeSet;

use super::faults::no_label;
use super::{Faults, Whole};
use crate::names::is_dns_label;
use crate::policy::json::Json;
use crate::policy::judge::{Check::Object, Rule};
use crate::quantity::{NoQuantity, Quantity};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A171",
        title: "a Service without proper ports",
        why: "A Service is an address and its ports; several of them have names.",
        fix: "State `port` from 1 to 65535, and a `name` for each of several.",
        check: Object(&["Service"], ports),
        refused: &[
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {selector: {app: a}}}",
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 0}]}}",
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}, {port: 81}]}}",
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{name: a, port: 80}, {name: a, port: 81}]}}",
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80, protocol: http}]}}",
        ],
    },
    Rule {
        id: "A172",
        title: "a Service of a type that is none, or that does not fit",
        why: "What a Service has follows from its type: node ports of `NodePort` and `LoadBalancer`, a name of `ExternalName`.",
        fix: "Correct `type`, or take out what it does not have.",
        check: Object(&["Service"], kind),
        refused: &[
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: Loadbalancer, ports: [{port: 80}]}}",
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80, nodePort: 30080}]}}",
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: ExternalName}}",
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {sessionAffinity: Client, ports: [{port: 80}]}}",
        ],
    },
    Rule {
        id: "A173",
        title: "a claim that does not say what it wants",
        why: "A volume is found or made by its size and by how it is to be mounted.",
        fix: "State `accessModes` and `resources.requests.storage`, above zero.",
        check: Object(&["PersistentVolumeClaim"], claim),
        refused: &[
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {resources: {requests: {storage: 1Gi}}}}",
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [ReadWriteOnce]}}",
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [RWO], resources: {requests: {storage: 1Gi}}}}",
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 0}}}}",
        ],
    },
];

fn ports(object: &Whole<'_>, faults: &mut Faults) {
    let spec = &object.value["spec"];
    let ports = spec["ports"].items();
    if ports.is_empty() && spec["clusterIP"] != "None" && spec["type"] != "ExternalName" {
        faults.required("spec.ports", "");
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        match port["name"].as_str().unwrap_or_default() {
            "" if ports.len() > 1 => faults.required(format!("{path}.name"), ""),
            "" => {}
            name if !is_dns_label(name) => faults.invalid_text(format!("{path}.name"), name, no_label(name)),
            name if !seen.insert(name) => faults.duplicate(format!("{path}.name"), name),
            _ => {}
        }
        let zero = Json::Number(0.into());
        let number = if port["port"].is_null() { &zero } else { &port["port"] };
        faults.range(format!("{path}.port"), number, 1, 65535);
        faults.range(format!("{path}.targetPort"), &port["targetPort"], 1, 65535);
        faults.word(format!("{path}.protocol"), &port["protocol"], &["SCTP", "TCP", "UDP"]);
    }
}

fn kind(object: &Whole<'_>, faults: &mut Faults) {
    let spec = &object.value["spec"];
    let of = spec["type"].as_str().filter(|of| !of.is_empty()).unwrap_or("ClusterIP");
    faults.word("spec.type", &spec["type"], &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
    faults.word("spec.sessionAffinity", &spec["sessionAffinity"], &["ClientIP", "None"]);
    match of {
        "ClusterIP" => {
            for (index, port) in spec["ports"].items().iter().enumerate() {
                if port["nodePort"].as_i64().is_some_and(|port| port != 0) {
                    let why = "may not be used when `type` is 'ClusterIP'";
                    faults.forbidden(format!("spec.ports[{index}].nodePort"), why);
                }
            }
        }
        "ExternalName" if spec["externalName"].as_str().unwrap_or_default().trim_end_matches('.').is_empty() => {
            faults.required("spec.externalName", "");
        }
        "LoadBalancer" | "NodePort" if spec["clusterIP"] == "None" => {
            let why = format!("may not be set to 'None' for {of} services");
            faults.invalid_text("spec.clusterIPs[0]", "None", &why);
        }
        _ => {}
    }
}

/// How a volume may be mounted.
const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

fn claim(object: &Whole<'_>, faults: &mut Faults) {
    let spec = &object.value["spec"];
    let modes = spec["accessModes"].items();
    if modes.is_empty() {
        faults.required("spec.accessModes", "at least 1 access mode is required");
    }
    modes.iter().for_each(|mode| faults.word("spec.accessModes", mode, &MODES));
    if modes.len() > 1 && modes.iter().any(|mode| *mode == "ReadWriteOncePod") {
        faults.forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes");
    }
    faults.word("spec.volumeMode", &spec["volumeMode"], &["Block", "Filesystem"]);
    let (storage, path) = (&spec["resources"]["requests"]["storage"], "spec.resources[storage]");
    let amount = match storage {
        Json::Null => return faults.required(path, ""),
        Json::Text(text) => Quantity::parse(text),
        Json::Number(number) => Quantity::parse(&number.to_string()),
        _ => return,
    };
    if matches!(amount, Err(NoQuantity::Negative)) || amount.is_ok_and(|amount| amount.is_zero()) {
        let text = storage.as_str().map_or_else(|| storage.as_f64().unwrap_or_default().to_string(), str::to_owned);
        faults.invalid_text(path, &text, "must be greater than zero");
    }
}

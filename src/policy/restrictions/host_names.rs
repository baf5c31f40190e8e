//! Under which names tenants are reached from outside.

use serde_json::Value;

use super::{About, Example, PLAIN, Restriction, add, each};

/// The row of [`super::RESTRICTIONS`]. `*.apps.example.org` lets itself, and every name below `apps.example.org`. What states no
/// name stands for `*`: an Ingress takes all of them, and so does a listener of a Gateway; a route takes those of its Gateway.
/// Listeners of TCP and UDP have no host names.
///
/// Source: <https://gateway-api.sigs.k8s.io/concepts/security-model/>
pub const RESTRICTION: Restriction = Restriction {
    id: "host-names",
    field: "hostNames",
    title: "a host name of others",
    why: "Whoever claims another tenant's name gets his traffic, and his users' passwords.",
    fix: "State host names of the list, in rules, in `tls`, of routes and of listeners; what states none takes all.",
    what: "host name",
    about: About::Objects(&[
        ("networking.k8s.io", "ingresses", "Ingress"),
        ("gateway.networking.k8s.io", "httproutes", "HTTPRoute"),
        ("gateway.networking.k8s.io", "grpcroutes", "GRPCRoute"),
        ("gateway.networking.k8s.io", "tlsroutes", "TLSRoute"),
        ("gateway.networking.k8s.io", "gateways", "Gateway"),
        ("gateway.networking.k8s.io", "listenersets", "ListenerSet"),
        ("gateway.networking.x-k8s.io", "xlistenersets", "XListenerSet"),
    ]),
    entry: |entry| {
        let name = entry.strip_prefix("*.").unwrap_or(entry);
        if entry == "*" || crate::names::is_dns_subdomain(name) {
            Ok(())
        } else {
            Err("expected `app.example.org`, or `*.example.org` for all below".to_owned())
        }
    },
    items: |object| {
        let spec = &object["spec"];
        if !spec.is_object() {
            return Vec::new();
        }
        let mut all = Vec::new();
        if object["kind"].as_str().is_some_and(|kind| ["Gateway", "ListenerSet", "XListenerSet"].contains(&kind)) {
            let is_named = |listener: &&Value| listener["protocol"] != "TCP" && listener["protocol"] != "UDP";
            for listener in each(&spec["listeners"]).filter(is_named) {
                add(&mut all, listener["hostname"].as_str().filter(|host| !host.is_empty()).unwrap_or("*"));
            }
            return all;
        }
        if object["kind"] != "Ingress" {
            each(&spec["hostnames"]).filter_map(Value::as_str).for_each(|host| add(&mut all, host));
            if all.is_empty() {
                add(&mut all, "*");
            }
            return all;
        }
        for rule in each(&spec["rules"]) {
            add(&mut all, rule["host"].as_str().filter(|host| !host.is_empty()).unwrap_or("*"));
        }
        for host in each(&spec["tls"]).flat_map(|tls| each(&tls["hosts"])).filter_map(Value::as_str) {
            add(&mut all, host);
        }
        if spec["defaultBackend"].is_object() {
            add(&mut all, "*");
        }
        all
    },
    // Hosts have no commas: so lists of lists become one.
    items_cel: "!has($of.spec) ? [] : $kind in ['Gateway', 'ListenerSet', 'XListenerSet']\n\
                ? (has($of.spec.listeners) ? $of.spec.listeners.filter(l, !(has(l.protocol) && l.protocol in ['TCP', 'UDP'])).map(l, has(l.hostname) && l.hostname != '' ? l.hostname : '*') : [])\n\
                : $kind != 'Ingress'\n\
                ? (has($of.spec.hostnames) && size($of.spec.hostnames) > 0 ? $of.spec.hostnames : ['*'])\n\
                : (has($of.spec.rules) ? $of.spec.rules.map(r, has(r.host) && r.host != '' ? r.host : '*') : [])\n\
                + (has($of.spec.tls) ? $of.spec.tls.filter(t, has(t.hosts)).map(t, t.hosts.join(',')).join(',').split(',').filter(h, h != '') : [])\n\
                + (has($of.spec.defaultBackend) ? ['*'] : [])",
    allows: |entry, host| {
        entry == host || entry.strip_prefix('*').is_some_and(|below| below.starts_with('.') && host.ends_with(below))
    },
    allows_cel: "i == e || e.startsWith('*.') && i.endsWith(e.substring(1))",
    examples: &[
        Example {
            about: "below the name of the list",
            list: &["*.apps.example.org"],
            refused: &[],
            object: "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: {rules: [{host: web.apps.example.org}], tls: [{hosts: [web.apps.example.org]}]}}",
        },
        Example {
            about: "beside it, in a rule and in tls",
            list: &["*.apps.example.org"],
            refused: &["apps.example.org", "evilapps.example.org", "bank.example.org"],
            object: "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: {rules: [{host: apps.example.org}, {host: evilapps.example.org}], tls: [{hosts: [bank.example.org]}]}}",
        },
        Example {
            about: "all that nobody else has",
            list: &["*.apps.example.org"],
            refused: &["*"],
            object: "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}, spec: {defaultBackend: {service: {name: a, port: {number: 80}}}}}",
        },
        Example {
            about: "a route",
            list: &["a.example.org"],
            refused: &["b.example.org"],
            object: "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {hostnames: [a.example.org, b.example.org]}}",
        },
        Example {
            about: "a route without one",
            list: &["a.example.org"],
            refused: &["*"],
            object: "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {rules: []}}",
        },
        Example {
            about: "listeners of a Gateway of its own",
            list: &["*.apps.example.org"],
            refused: &["bank.example.org", "*"],
            object: "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: a}, spec: {listeners: [{hostname: web.apps.example.org}, {hostname: bank.example.org}, {port: 80}, {protocol: TCP, port: 5432}]}}",
        },
        Example {
            about: "listeners beside those of a Gateway",
            list: &["a.example.org"],
            refused: &["b.example.org"],
            object: "{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, metadata: {name: a}, spec: {listeners: [{hostname: a.example.org}, {hostname: b.example.org}]}}",
        },
    ],
    ..PLAIN
};

//! Admission webhooks: which are called for a request, and what comes of it when their servers do not answer as they should.

use serde_json::Value;

use super::answer::Answer;
use super::request::Target;
use super::selector::selects;
use super::state::Key;
use super::world::World;

/// How the server of a webhook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// It allows everything.
    Up,
    /// Nobody answers.
    Down,
    /// It refuses everything, with this message.
    Denies(String),
    /// It has a certificate that the configuration does not trust.
    BadCa,
}

impl World {
    /// Asks the webhooks; `operation` is `CREATE`, `UPDATE` or `DELETE`.
    pub fn ask_webhooks(&self, target: &Target, operation: &str, object: &Value) -> Result<(), Answer> {
        // Nobody can lock the door to the keys.
        if target.kind.group == "admissionregistration.k8s.io" {
            return Ok(());
        }
        for plural in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
            let resource = format!("{plural}.admissionregistration.k8s.io");
            for (_, configuration) in self.state.list(&resource, None) {
                for webhook in configuration["webhooks"].as_array().into_iter().flatten() {
                    if self.is_asked(webhook, target, operation, object) {
                        self.ask(webhook)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn is_asked(&self, webhook: &Value, target: &Target, operation: &str, object: &Value) -> bool {
        let has = |rule: &Value, field: &str, wanted: &dyn Fn(&str) -> bool| {
            let mut all = rule[field].as_array().into_iter().flatten().filter_map(Value::as_str);
            all.any(|value| value == "*" || wanted(value))
        };
        let kind = &target.kind;
        let own = if target.subresource.is_empty() {
            kind.plural.clone()
        } else {
            format!("{}/{}", kind.plural, target.subresource)
        };
        let is_resource = |value: &str| {
            value == own
                || value == "*/*"
                || value.strip_suffix("/*").is_some_and(|plural| plural == kind.plural)
                || value.strip_prefix("*/").is_some_and(|sub| sub == target.subresource && !sub.is_empty())
        };
        let in_scope = |rule: &Value| match rule["scope"].as_str() {
            Some("Cluster") => !kind.namespaced,
            Some("Namespaced") => kind.namespaced,
            _ => true,
        };
        let mut rules = webhook["rules"].as_array().into_iter().flatten();
        let is_ruled = rules.any(|rule| {
            // `*` means all resources, without subresources.
            let resources = rule["resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let mut resources = resources.map(|r| is_resource(r) || r == "*" && target.subresource.is_empty());
            has(rule, "operations", &|value| value == operation)
                && has(rule, "apiGroups", &|value| value == kind.group)
                && has(rule, "apiVersions", &|value| value == kind.version)
                && resources.any(|is| is)
                && in_scope(rule)
        });
        is_ruled
            && self.is_in_namespace(&webhook["namespaceSelector"], target, object)
            && selects(&webhook["objectSelector"], object)
    }

    fn is_in_namespace(&self, selector: &Value, target: &Target, object: &Value) -> bool {
        if target.kind.plural == "namespaces" && target.kind.group.is_empty() {
            return selects(selector, object);
        }
        if !target.kind.namespaced {
            return true;
        }
        let namespace = self.state.get(&Key::new("namespaces", "", &target.namespace));
        namespace.is_some_and(|namespace| selects(selector, namespace))
    }

    fn ask(&self, webhook: &Value) -> Result<(), Answer> {
        let name = webhook["name"].as_str().unwrap_or_default();
        let backend = self.settings.backends.get(name).unwrap_or(&self.settings.other_backends);
        let why = match backend {
            Backend::Up => return Ok(()),
            Backend::Denies(why) => {
                let message = format!("admission webhook {name:?} denied the request: {why}");
                return Err(Answer::refusal(403, "Forbidden", &message, Value::Null));
            }
            Backend::Down => "dial tcp 10.96.0.7:443: connect: connection refused",
            Backend::BadCa => "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        };
        if webhook["failurePolicy"] == "Ignore" {
            return Ok(());
        }
        let service = &webhook["clientConfig"]["service"];
        let text = |field: &str| service[field].as_str().unwrap_or_default();
        let (service, namespace, path) = (text("name"), text("namespace"), text("path"));
        let timeout = webhook["timeoutSeconds"].as_u64().unwrap_or(10);
        let url = format!("https://{service}.{namespace}.svc:443{path}?timeout={timeout}s");
        Err(Answer::internal(&format!("failed calling webhook {name:?}: failed to call webhook: Post {url:?}: {why}")))
    }
}

//! Names without the tenant in them, so that the same change of many tenants is seen to be the same.

use serde_json::Value;

use super::Pair;
use crate::objects::meta;

/// What stands for the names of the tenant and of the namespace.
pub struct Names<'n> {
    tenant: Option<&'n str>,
    namespace: Option<&'n str>,
}

const TENANT: &str = "<tenant>";
const NAMESPACE: &str = "<namespace>";

impl<'n> Names<'n> {
    /// Those of an object.
    pub fn of(pair: &'n Pair) -> Names<'n> {
        let own = (pair.id.is_namespace()).then_some(&*pair.id.name);
        Names { tenant: pair.tenant(), namespace: pair.id.namespace.as_deref().or(own) }
    }

    /// A text in which neither is named.
    pub fn general(&self, text: &str) -> String {
        let text = match self.namespace {
            Some(namespace) if text.contains(namespace) => text.replace(namespace, NAMESPACE),
            _ => text.to_owned(),
        };
        let Some(tenant) = self.tenant else { return text };
        if text == tenant {
            return TENANT.to_owned();
        }
        let (long, label) = (format!("tenant-{tenant}-"), format!("{}={tenant}", meta::TENANT));
        let mut text = text;
        if text.contains(&long) {
            text = text.replace(&long, &format!("tenant-{TENANT}-"));
        }
        if text.ends_with(&label) {
            text.truncate(text.len() - tenant.len());
            text.push_str(TENANT);
        }
        text
    }

    /// The same for all texts of a value.
    pub fn general_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.general(text)),
            Value::Array(items) => items.iter().map(|item| self.general_value(item)).collect(),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, value)| (self.general(key), self.general_value(value))).collect())
            }
            scalar => scalar.clone(),
        }
    }
}

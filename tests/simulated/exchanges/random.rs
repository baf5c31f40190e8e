//! Exchanges that a seed makes: writers who do not know of each other, in any order.

use serde_json::{Value, json};

use super::{Exchange, Step, apply, exchange, force, get, json_patch, merge, put};

/// Choices from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn some(&mut self, all: &[Value]) -> Vec<Value> {
        all.iter().filter(|_| self.below(2) == 0).cloned().collect()
    }

    /// An object with some of these keys, each with one of two values.
    fn map(&mut self, keys: &[&str]) -> Value {
        let mut map = json!({});
        for key in keys {
            if self.below(2) == 0 {
                map[*key] = json!(self.one(&["1", "2"]));
            }
        }
        map
    }
}

/// Some thirty writes to one object, of a kind that the seed chooses.
pub fn random(seed: u64) -> Exchange {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for _ in 0..10 {
        dice.below(2);
    }
    let kind = usize::try_from(seed).unwrap_or_default() % 4;
    let what = ["configmaps/a", "services/a", "serviceaccounts/a", "roles/a"][kind];
    let mut steps = vec![force("m", what, object(kind, &mut dice))];
    for _ in 0..30 {
        let body = object(kind, &mut dice);
        let writer = dice.one(&["m", "n", "o"]);
        steps.push(match dice.below(8) {
            0..3 => apply(writer, what, body),
            3 | 4 => force(writer, what, body),
            5 => merge(writer, what, change(kind, &mut dice)),
            6 => put(writer, what, body),
            _ => strip(writer, what, &mut dice),
        });
    }
    steps.push(get(what));
    exchange("random", steps)
}

/// Takes something out that may not be there.
fn strip(writer: &'static str, what: &str, dice: &mut Dice) -> Step {
    let paths = ["/metadata/labels/x", "/metadata/annotations", "/data/a", "/spec/ports/1", "/rules/0", "/secrets/0"];
    json_patch(writer, what, json!([{"op": "remove", "path": dice.one(&paths)}]))
}

fn object(kind: usize, dice: &mut Dice) -> Value {
    let (api_version, name) =
        [("v1", "ConfigMap"), ("v1", "Service"), ("v1", "ServiceAccount"), ("rbac.authorization.k8s.io/v1", "Role")]
            [kind];
    let mut object = json!({"apiVersion": api_version, "kind": name, "metadata": {"name": "a"}});
    if dice.below(2) == 0 {
        object["metadata"]["labels"] = dice.map(&["x", "y"]);
    }
    if dice.below(3) == 0 {
        object["metadata"]["annotations"] = dice.map(&["x", "y"]);
    }
    if dice.below(4) == 0 {
        object["metadata"]["finalizers"] = json!(dice.some(&[json!("t.org/a"), json!("t.org/b")]));
    }
    for (field, value) in change(kind, dice).as_object().into_iter().flatten() {
        object[field] = value.clone();
    }
    object
}

/// Some of the fields of a kind.
fn change(kind: usize, dice: &mut Dice) -> Value {
    match kind {
        0 => json!({"data": dice.map(&["a", "b", "c"])}),
        1 => {
            // One is always there: a Service without ports is refused.
            let mut ports = dice
                .some(&[json!({"name": "dns", "port": 53, "protocol": "UDP"}), json!({"name": "https", "port": 443})]);
            let first = json!({"name": "http", "port": 80, "targetPort": dice.one(&["web", "http"])});
            ports.insert(dice.below(ports.len() + 1), first);
            let mut spec = json!({"ports": ports});
            if dice.below(2) == 0 {
                spec["selector"] = dice.map(&["app", "tier"]);
            }
            json!({"spec": spec})
        }
        2 => {
            let mut account = json!({});
            if dice.below(2) == 0 {
                account["automountServiceAccountToken"] = json!(dice.below(2) == 0);
            }
            for (field, names) in [("secrets", ["s", "t"]), ("imagePullSecrets", ["p", "q"])] {
                if dice.below(2) == 0 {
                    account[field] = json!(dice.some(&names.map(|name| json!({"name": name}))));
                }
            }
            account
        }
        _ => {
            let verbs = dice.one(&["get", "list"]);
            let rule = |resource: &str| json!({"apiGroups": [""], "resources": [resource], "verbs": [verbs]});
            json!({"rules": dice.some(&[rule("pods"), rule("secrets")])})
        }
    }
}

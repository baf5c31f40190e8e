//! A cluster that passes run over, one commit after the other; what each of them did is looked at as it happens.

use std::collections::BTreeSet;

use k8s_mtp::engine::{Fresh, Gateway, Outcome, Settings, Source, State, Unit};
use serde_json::{Value, json};

use crate::installation::{Git, Passed, clean, inventory, ours, run, settings, told};
use crate::order::Order;
use crate::server::{Effect, Exchange, Server};

/// A cluster, and the process that runs passes over it.
pub struct Site {
    pub server: Server,
    pub settings: Settings,
    /// Who the process is to the API server; empty: somebody who may do everything.
    pub user: String,
}

impl Site {
    /// An empty cluster.
    pub fn new() -> Site {
        let server = Server::new();
        server.follow_tokio();
        Site { server, settings: settings("one"), user: String::new() }
    }

    /// A cluster to which these commits were applied.
    pub async fn of(commits: &[&Git]) -> Site {
        let site = Site::new();
        for git in commits {
            site.clean(&git.fresh()).await;
        }
        site.server.forget_trace();
        site
    }

    /// Runs a pass, whatever comes of it; the trace holds that pass alone.
    pub async fn pass(&self, source: &dyn Source) -> Passed {
        self.server.forget_trace();
        let order = Order::of(&self.server);
        let gateway = Gateway::new(self.server.client_of(&self.user), 7);
        let passed = run(&gateway, source, &self.settings).await;
        order.check(&self.server, "a pass");
        passed
    }

    /// Runs a pass that comes to its end.
    pub async fn outcome(&self, source: &dyn Source) -> Outcome {
        self.pass(source).await.outcome.expect("a pass")
    }

    /// Runs a pass that ends well, and finds the inventory to be what is there.
    pub async fn clean(&self, source: &dyn Source) -> Outcome {
        let outcome = clean(self.pass(source).await);
        assert_eq!(inventory(&self.server), ours(&self.server), "the inventory is the cluster's");
        outcome
    }

    /// Runs a pass that has nothing to do.
    pub async fn idle(&self, source: &dyn Source) {
        let passed = self.pass(source).await;
        let writes: Vec<String> =
            self.server.trace().iter().filter(|e| e.is_write()).map(ToString::to_string).collect();
        assert_eq!(passed.counts.writes, 0, "an idle pass writes: {writes:#?}");
        clean(passed);
    }

    /// Runs a pass that cannot be carried out, and says why.
    pub async fn error(&self, source: &dyn Source) -> String {
        let revision = self.server.revision();
        let error = match self.pass(source).await.outcome {
            Ok(outcome) => panic!("it is carried out: {}", told(&outcome)),
            Err(error) => format!("{error:#}"),
        };
        assert_eq!(self.server.revision(), revision, "{error}, and something was written");
        error
    }

    /// What the last pass changed, in its order; without the Lease, the inventory and what Tenants are told.
    pub fn effects(&self) -> Vec<(Exchange, Effect)> {
        let own = |exchange: &Exchange| {
            ["/leases", "/configmaps/k8s-mtp-inventory", "/status"].iter().any(|part| exchange.path.contains(part))
                || exchange.method == "POST" && exchange.path.ends_with("/namespaces/k8s-mtp/configmaps")
        };
        let written = self.server.trace().into_iter().filter(|exchange| exchange.is_write() && !own(exchange));
        written.flat_map(|exchange| exchange.effects.clone().into_iter().map(move |e| (exchange.clone(), e))).collect()
    }

    /// Which objects the last pass changed: `created networkpolicies.networking.k8s.io/a`.
    pub fn did(&self) -> Vec<String> {
        let word = |effect: &Effect| match effect {
            Effect::Created(_) => "created",
            Effect::Changed(_) => "changed",
            Effect::Removed(_) => "removed",
        };
        let text = |e: &Effect| format!("{} {}/{}", word(e), e.key().resource, e.key().name);
        self.effects().iter().map(|(_, effect)| text(effect)).collect()
    }

    /// The place of something in what the last pass did.
    #[track_caller]
    pub fn place(&self, what: &str) -> usize {
        let did = self.did();
        did.iter().position(|one| one == what).unwrap_or_else(|| panic!("no `{what}` in {did:#?}"))
    }

    /// Whether an object is there.
    pub fn has(&self, resource: &str, namespace: &str, name: &str) -> bool {
        self.server.get(resource, namespace, name).is_some()
    }

    /// The UID of an object that is there.
    #[track_caller]
    pub fn uid(&self, resource: &str, namespace: &str, name: &str) -> Value {
        self.server.get(resource, namespace, name).expect("it is there")["metadata"]["uid"].clone()
    }

    /// Writes an annotation onto an object, as a person does.
    pub fn annotate(&self, resource: &str, namespace: &str, name: &str, key: &str, value: Value) {
        self.server.edit("kubectl-annotate", resource, namespace, name, |object| match value {
            Value::Null => drop(object["metadata"]["annotations"].as_object_mut().and_then(|all| all.remove(key))),
            value => object["metadata"]["annotations"][key] = value,
        });
    }

    /// The names of the inventory's ConfigMaps.
    pub fn shards(&self) -> BTreeSet<String> {
        let maps = self.server.list("configmaps", Some("k8s-mtp"));
        let names = maps.iter().filter_map(|map| map["metadata"]["name"].as_str().map(str::to_owned));
        names.filter(|name| name.starts_with("k8s-mtp-inventory")).collect()
    }
}

/// How a tenant is.
#[track_caller]
pub fn state_of(outcome: &Outcome, name: &str) -> State {
    let unit = Unit::Tenant(name.into());
    outcome.units.iter().find(|outcome| outcome.unit == unit).unwrap_or_else(|| panic!("no tenant {name}")).state
}

/// What a test does to the objects of a unit.
type Edit<'e> = Box<dyn Fn(&Unit, &mut Vec<Value>) + 'e>;

/// What git holds, with objects that a test changes as no file of git could.
pub struct Edited<'e> {
    fresh: Fresh,
    edit: Edit<'e>,
}

impl<'e> Edited<'e> {
    /// A commit whose objects are changed.
    pub fn of(git: &Git, edit: impl Fn(&Unit, &mut Vec<Value>) + 'e) -> Edited<'e> {
        Edited { fresh: git.fresh(), edit: Box::new(edit) }
    }

    /// A commit with more objects of tenant `a`.
    pub fn with(git: &Git, more: Vec<Value>) -> Edited<'e> {
        Edited::of(git, move |unit, objects| {
            if *unit == Unit::Tenant("a".into()) {
                objects.extend(more.iter().cloned());
            }
        })
    }
}

impl Source for Edited<'_> {
    fn units(&self) -> Vec<Unit> {
        self.fresh.units()
    }

    fn objects(&self, unit: &Unit) -> anyhow::Result<Vec<Value>> {
        let mut objects = self.fresh.objects(unit)?;
        (self.edit)(unit, &mut objects);
        Ok(objects)
    }

    fn opened(&self, object: Value) -> anyhow::Result<Value> {
        self.fresh.opened(object)
    }

    fn commit(&self) -> &str {
        self.fresh.commit()
    }
}

/// A labelled object of tenant `a`, as templates make them.
pub fn of_a(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {
        "name": name, "namespace": "tenant-a-main", "labels": {
            "app.kubernetes.io/managed-by": "k8s-mtp", "app.kubernetes.io/part-of": "k8s-mtp", "tenant.k8s-mtp.io/name": "a",
        },
    }})
}

/// So many ConfigMaps of tenant `a`.
pub fn maps(count: usize) -> Vec<Value> {
    (0..count).map(|index| of_a("v1", "ConfigMap", &format!("map-{index:02}"))).collect()
}

//! T8: half of what git holds, or nothing of it: a mistake of whoever reads it, and no reason to delete a Namespace.

use k8s_mtp::engine::{Fresh, Source, State, Unit};
use serde_json::Value;

use crate::installation::{Git, inventory, told, two};
use crate::site::{Edited, Site, maps, state_of};

const POLICIES: &str = "networkpolicies.networking.k8s.io";

/// What a reader that went wrong makes of a commit.
struct Part {
    fresh: Fresh,
    keeps: fn(&Unit) -> bool,
}

impl Source for Part {
    fn units(&self) -> Vec<Unit> {
        self.fresh.units().into_iter().filter(self.keeps).collect()
    }

    fn objects(&self, unit: &Unit) -> anyhow::Result<Vec<Value>> {
        self.fresh.objects(unit)
    }

    fn opened(&self, object: Value) -> anyhow::Result<Value> {
        self.fresh.opened(object)
    }

    fn commit(&self) -> &str {
        "part"
    }
}

fn many() -> Git {
    (0..6).fold(Git::new(), |git, index| git.tenant(&format!("t{index}"), "  tier: free\n"))
}

fn namespaces(site: &Site) -> usize {
    site.server.list("namespaces", None).len()
}

/// Each way in which nearly all may be missing ends the pass before anything is written.
/// What is left out of what git holds: its name, which units, and what the pass says.
type Row = (&'static str, fn(&Unit) -> bool, &'static str);

#[tokio::test(start_paused = true)]
async fn a_source_without_its_half_is_refused() {
    let rows: [Row; 3] = [
        ("nothing", |_| false, "there is nothing of the platform"),
        ("no platform", |unit| *unit != Unit::Platform, "there is nothing of the platform"),
        ("no tenant", |unit| *unit == Unit::Platform, "there is no tenant"),
    ];
    for (what, keeps, why) in rows {
        let site = Site::of(&[&many()]).await;
        let before = (inventory(&site.server), namespaces(&site));
        let error = site.error(&Part { fresh: many().fresh(), keeps }).await;
        assert!(error.contains(why) && error.contains("deletes nothing"), "{what}: {error}");
        assert_eq!((inventory(&site.server), namespaces(&site)), before, "{what}");
        site.idle(&many().fresh()).await;
    }
    // A platform that is there and empty is none.
    let site = Site::of(&[&many()]).await;
    let empty = Edited::of(&many(), |unit, objects| {
        if *unit == Unit::Platform {
            objects.clear();
        }
    });
    let error = site.error(&empty).await;
    assert!(error.contains("there is nothing of the platform"), "{error}");
}

/// Half of the tenants are missing: what they have is kept, and all that goes wrong is said.
#[tokio::test(start_paused = true)]
async fn tenants_that_are_missing_keep_their_namespaces() {
    let site = Site::of(&[&many()]).await;
    let before = namespaces(&site);
    let half: fn(&Unit) -> bool = |unit| match unit {
        Unit::Platform => true,
        Unit::Tenant(name) => ["t0", "t1", "t2"].contains(&&**name),
    };
    let outcome = site.outcome(&Part { fresh: many().fresh(), keeps: half }).await;
    assert_eq!(namespaces(&site), before);
    assert!(!outcome.is_clean());
    for name in ["t0", "t1", "t2"] {
        assert_eq!(state_of(&outcome, name), State::Applied);
    }
    for name in ["t3", "t4", "t5"] {
        assert_eq!(state_of(&outcome, name), State::Held);
        for (resource, what) in [("resourcequotas", "tenant-quota"), (POLICIES, "tenant-isolation")] {
            assert!(site.has(resource, &format!("tenant-{name}-main"), what), "{name}: {what}");
        }
        assert!(told(&outcome).contains("retire it first"), "{}", told(&outcome));
    }
    // Once all is there again, so is what was taken away.
    site.clean(&many().fresh()).await;
    site.idle(&many().fresh()).await;
}

/// More deletions than are plausible: none of them happens, everything else does, and rights go all the same.
#[tokio::test(start_paused = true)]
async fn deletions_have_a_budget() {
    let after = two().tenant("a", "  tier: free\n  admins: [carol@example.org]\n").tenant("c", "  tier: free\n");
    for (count, allowed, goes) in [(10, None, true), (11, None, false), (11, Some(11), true), (11, Some(10), false)] {
        let mut site = Site::of(&[&two()]).await;
        site.clean(&Edited::with(&two(), maps(count))).await;
        site.settings.budget.allowed = allowed;
        let outcome = site.outcome(&after.fresh()).await;
        let what = format!("{count} deletions, {allowed:?} allowed");
        assert_eq!(outcome.refused.is_none(), goes, "{what}: {:?}", outcome.refused);
        assert_eq!(site.has("configmaps", "tenant-a-main", "map-00"), !goes, "{what}");
        assert_eq!(state_of(&outcome, "c"), State::Applied, "{what}");
        let binding =
            site.server.get("rolebindings.rbac.authorization.k8s.io", "tenant-a-main", "tenant-a-admin-binding");
        assert!(!binding.expect("a binding").to_string().contains("alice"), "{what}");
        if !goes {
            let text = told(&outcome);
            assert!(text.contains("this pass would delete 11 of") && text.contains("--allow-deletions=11"), "{text}");
            site.settings.budget.allowed = Some(11);
            site.clean(&after.fresh()).await;
        }
        assert!(!site.has("configmaps", "tenant-a-main", "map-00"), "{what}");
    }
}

/// Many Namespaces at once are not plausible, retired or not.
#[tokio::test(start_paused = true)]
async fn many_namespaces_at_once_are_too_many() {
    let all = |state: &str| {
        (0..12).fold(two(), |git, index| git.tenant(&format!("t{index}"), &format!("  tier: free\n{state}")))
    };
    let mut site = Site::of(&[&all(""), &all("  state: retired\n")]).await;
    let before = namespaces(&site);
    (site.settings.budget.few, site.settings.budget.many) = (5, 11);
    let outcome = site.outcome(&two().fresh()).await;
    assert!(outcome.refused.is_some_and(|why| why.contains("would delete 12 of")));
    assert_eq!(namespaces(&site), before);
    site.settings.budget.allowed = Some(24);
    site.clean(&two().fresh()).await;
    assert_eq!(namespaces(&site), before - 12);
}

/// A folder for which no commit vouches: nothing is deleted, and everything else is done.
#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_where_nothing_may_be() {
    let peers = "  tier: free\n  admins: [alice@example.org]\n  egress: {allow: [{cidr: 203.0.113.0/24}]}\n";
    let first = two().tenant("a", peers);
    let retired = first.tenant("b", "  tier: pro\n  state: retired\n");
    let mut site = Site::of(&[&first, &retired]).await;
    site.clean(&Edited::with(&retired, maps(1))).await;
    site.settings.deletes = false;
    // Guardrails change too, which is when policies are closed.
    let after = retired.without("b").tenant("a", "  tier: pro\n  viewers: [alice@example.org]\n");
    let after = after.tenant("c", "  tier: free\n").fresh();
    let outcome = site.outcome(&after).await;
    assert!(!site.did().iter().any(|did| did.starts_with("removed")), "{:#?}", site.did());
    assert!(told(&outcome).contains("nothing is deleted by --rendered-only"), "{}", told(&outcome));
    assert_eq!(state_of(&outcome, "c"), State::Applied);
    site.settings.deletes = true;
    site.clean(&after).await;
    assert!(!site.has("configmaps", "tenant-a-main", "map-00") && !site.has("namespaces", "", "tenant-b-main"));
}

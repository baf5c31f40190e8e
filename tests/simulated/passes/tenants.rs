//! Random tenants in git, and what each commit gives to whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::installation::Git;

/// Numbers that a seed decides.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn next(&mut self) -> u64 {
        // SplitMix64: <https://prng.di.unimi.it/splitmix64.c>
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below that one.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).expect("a small number")
    }
}

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "dave"];
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const ROLES: [&str; 3] = ["admin", "operator", "viewer"];

#[derive(Clone, Default)]
struct Tenant {
    pro: bool,
    state: &'static str,
    /// By role.
    people: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// Further namespaces, and whether they are retired.
    more: BTreeMap<&'static str, bool>,
    peers: bool,
}

/// The tenants of git.
#[derive(Default)]
pub struct Tenants {
    all: BTreeMap<&'static str, Tenant>,
    /// Those of the last commit.
    committed: BTreeSet<&'static str>,
    retired: BTreeSet<String>,
}

impl Tenants {
    /// One tenant, which stays in git in some state.
    pub fn new(random: &mut Random) -> Tenants {
        let mut tenants = Tenants::default();
        tenants.add("a", random);
        tenants
    }

    fn add(&mut self, name: &'static str, random: &mut Random) {
        let mut tenant = Tenant { pro: random.below(2) == 0, state: "active", ..Tenant::default() };
        for role in ROLES {
            tenant.people.insert(role, some_people(random));
        }
        self.all.insert(name, tenant);
    }

    /// Changes one thing, and says what.
    pub fn change(&mut self, random: &mut Random) -> String {
        let name = NAMES[random.below(NAMES.len())];
        let kind = random.below(8);
        let Some(tenant) = self.all.get_mut(name) else {
            self.add(name, random);
            return format!("{name} is added");
        };
        match kind {
            0 if tenant.more.is_empty() => {
                tenant.pro = !tenant.pro;
                format!("{name} changes its tier")
            }
            1 => {
                let role = ROLES[random.below(3)];
                tenant.people.insert(role, some_people(random));
                format!("{name} has other {role}s")
            }
            2 => {
                tenant.state = ["active", "suspended", "retired"][random.below(3)];
                format!("{name} is {}", tenant.state)
            }
            3 | 4 if name != "a" && (tenant.state == "retired" || kind == 3) => {
                let state = tenant.state;
                self.all.remove(name);
                format!("{name} is removed, which was {state}")
            }
            5 if tenant.pro => {
                let more = ["prod", "test"][random.below(2)];
                match tenant.more.get_mut(more) {
                    Some(retired) if !*retired => *retired = true,
                    Some(_) => drop(tenant.more.remove(more)),
                    None => drop(tenant.more.insert(more, false)),
                }
                format!("{name} changes its namespace {more}")
            }
            6 => {
                tenant.peers = !tenant.peers;
                format!("{name} changes its peers")
            }
            // A person keeps all rights and has them by another role.
            _ => {
                let people: Vec<_> = tenant.people.values().cloned().collect();
                for (index, role) in ROLES.into_iter().enumerate() {
                    tenant.people.insert(role, people[(index + 1) % 3].clone());
                }
                format!("{name} rotates its roles")
            }
        }
    }

    /// The next commit.
    pub fn commit(&mut self, git: &Git) -> Git {
        let mut next = git.clone();
        for name in std::mem::take(&mut self.committed) {
            if !self.all.contains_key(name) {
                next = next.without(name);
            }
        }
        for (name, tenant) in &self.all {
            next = next.tenant(name, &tenant.text());
            self.committed.insert(name);
            for namespace in tenant.namespaces(name) {
                if tenant.is_retired(name, &namespace) {
                    self.retired.insert(namespace);
                }
            }
        }
        next
    }

    /// Whether some commit retired a Namespace.
    pub fn was_retired(&self, namespace: &str) -> bool {
        self.retired.contains(namespace)
    }

    /// Whether git has a Namespace.
    pub fn has(&self, namespace: &str) -> bool {
        self.all.iter().any(|(name, tenant)| tenant.namespaces(name).iter().any(|one| one == namespace))
    }

    /// Whether git gives a role to somebody, in a Namespace; where it is suspended, less than that.
    pub fn gives(&self, namespace: &str, binding: &str, person: &str) -> bool {
        self.all.iter().any(|(name, tenant)| {
            let of = |role: &str| binding == format!("tenant-{name}-{role}-binding");
            let people = |role: &str| tenant.people[role].iter().any(|one| format!("{one}@example.org") == person);
            let any = ROLES.iter().any(|role| people(role));
            tenant.namespaces(name).iter().any(|one| one == namespace)
                && !tenant.is_retired(name, namespace)
                && if tenant.state == "suspended" { any } else { ROLES.iter().any(|role| of(role) && people(role)) }
        })
    }
}

fn some_people(random: &mut Random) -> BTreeSet<&'static str> {
    (0..random.below(3)).map(|_| PEOPLE[random.below(PEOPLE.len())]).collect()
}

impl Tenant {
    fn namespaces(&self, name: &str) -> Vec<String> {
        let more = self.more.keys().map(|more| format!("tenant-{name}-{more}"));
        std::iter::once(format!("tenant-{name}-main")).chain(more).collect()
    }

    fn is_retired(&self, name: &str, namespace: &str) -> bool {
        let entry = namespace.strip_prefix(&format!("tenant-{name}-")).unwrap_or_default();
        self.state == "retired" || self.more.get(entry) == Some(&true)
    }

    /// The end of its file.
    fn text(&self) -> String {
        let mut text = format!("  tier: {}\n  state: {}\n", if self.pro { "pro" } else { "free" }, self.state);
        for (role, people) in &self.people {
            let all: Vec<String> = people.iter().map(|person| format!("{person}@example.org")).collect();
            if !all.is_empty() {
                text.push_str(&format!("  {role}s: [{}]\n", all.join(", ")));
            }
        }
        if !self.more.is_empty() {
            let entry = |(name, retired): (&&str, &bool)| {
                format!("{{name: {name}, state: {}}}", if *retired { "retired" } else { "active" })
            };
            let entries: Vec<String> = self.more.iter().map(entry).collect();
            text.push_str(&format!("  namespaces: [{}]\n", entries.join(", ")));
        }
        if self.peers {
            text.push_str("  egress: {allow: [{cidr: 203.0.113.0/24, ports: [{port: 443}]}]}\n");
        }
        text
    }
}

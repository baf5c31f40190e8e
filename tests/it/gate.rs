//! The gate of `mtp diff`: what weakens the platform is refused, unless somebody answers for it in the same change.

use serde_json::Value;

use crate::mtp::{Folder, Ran};
use crate::reviews::{commit, common, git};
use k8s_mtp::cli::Exit;

/// The common tenants, rendered and committed.
fn committed() -> Folder {
    let folder = common();
    assert_eq!(folder.mtp(&["render", "--quiet"]).exit, Exit::Clean);
    commit(folder.path(), "base");
    folder
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran}"))
}

/// The entries that the report offers, indented as they stand in the Platform, with a day.
fn offered(report: &Value) -> String {
    let findings = report["findings"].as_array().expect("findings");
    let texts =
        findings.iter().filter_map(|f| f["approve"].as_str()).map(|text| text.replace("YYYY-MM-DD", "2026-12-31"));
    let lines: String =
        texts.flat_map(|text| text.lines().map(|l| format!("      {l}\n")).collect::<Vec<_>>()).collect();
    format!("  review:\n    approvals:\n{lines}")
}

fn append(folder: &Folder, path: &str, text: &str) {
    let whole = folder.read(path) + text;
    folder.write(path, whole);
}

const ROLE: &str = "  roles:\n    viewer:\n      extraRules:\n        - apiGroups: [external-secrets.io]\n          resources: [externalsecrets]\n          verbs: [get]\n";

type Edit = fn(&Folder);

#[test]
fn what_weakens_is_refused_and_passes_with_an_approval_that_the_report_names() {
    let edits: [(&str, &str, Edit); 5] = [
        ("a tenant is renamed", "R601", |f| f.edit("tenants/acme.yaml", "name: acme\n", "name: acme-corp\n")),
        ("a namespace is deleted", "R601", |f| f.remove("tenants/acme.yaml")),
        ("the internet is opened", "R101", |f| append(f, "tenants/acme.yaml", "  egress:\n    internet: true\n")),
        ("a role reads what holds secrets", "R201", |f| append(f, "tenants/platform.yaml", ROLE)),
        ("pod security is lowered", "R301", |f| {
            f.edit("tenants/tiers/free.yaml", "spec:\n", "spec:\n  podSecurity:\n    level: privileged\n");
        }),
    ];
    for (what, rule, edit) in edits {
        let folder = committed();
        edit(&folder);
        let refused = folder.mtp(&["diff", "--output", "json"]);
        assert_eq!(refused.exit, Exit::Findings, "{what}: {refused}");
        let report = json(&refused);
        assert_eq!(report["decision"], "denied", "{what}");
        let denied: Vec<&str> = report["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .filter(|f| f["decision"] == "denied")
            .map(|f| f["rule"].as_str().expect("an id"))
            .collect();
        assert_eq!(denied, [rule], "{what}");

        // Rendered and committed on a branch, it is refused all the same: `render --check` alone would be content.
        let rendered = folder.mtp(&["render", "--quiet"]);
        if rendered.exit == Exit::Clean {
            assert_eq!(folder.mtp(&["diff"]).exit, Exit::Findings, "{what}");
        }

        append(&folder, "tenants/platform.yaml", &offered(&report));
        let passed = folder.mtp(&["diff"]);
        assert_eq!(passed.exit, Exit::Clean, "{what}: {passed}");
        assert!(
            passed.out.contains("approved by you@example.com until 2026-12-31: why this is right"),
            "{what}: {passed}"
        );
        // And says so in every form that people read.
        for format in ["markdown", "summary", "side-by-side", "html"] {
            assert!(folder.mtp(&["diff", "--output", format]).out.contains("approved"), "{what}: {format}");
        }
    }
}

#[test]
fn secrets_themselves_are_given_to_no_role() {
    let folder = committed();
    append(
        &folder,
        "tenants/platform.yaml",
        &ROLE.replace("external-secrets.io", "\"\"").replace("externalsecrets", "secrets"),
    );
    let refused = folder.mtp(&["diff"]);
    assert_eq!(refused.exit, Exit::Failed, "{refused}");
    assert!(refused.err.contains("T605"), "{refused}");
}

#[test]
fn an_approval_is_for_what_was_looked_at() {
    let folder = committed();
    append(&folder, "tenants/acme.yaml", "  egress:\n    internet: true\n");
    let approval = offered(&json(&folder.mtp(&["diff", "--output", "json"])));
    append(&folder, "tenants/platform.yaml", &approval);
    assert_eq!(folder.mtp(&["diff"]).exit, Exit::Clean);

    // After its last day it lets nothing pass, and `--at` alone knows the day.
    let late = folder.mtp(&["diff", "--at", "2027-01-03T00:00:00Z"]);
    assert_eq!(late.exit, Exit::Findings, "{late}");
    assert!(late.out.contains("R803"), "{late}");

    // Somebody goes on editing: the finding is another one.
    let platform = folder.read("tenants/platform.yaml");
    append(
        &folder,
        "tenants/acme.yaml",
        "    allow:\n      - cidr: 8.8.8.8/32\n        ports: [{port: 53, protocol: UDP}]\n",
    );
    folder.write(
        "tenants/platform.yaml",
        platform.replace("clusterCidrs: [10.244.0.0/16]", "clusterCidrs: [10.244.0.0/24]"),
    );
    let altered = folder.mtp(&["diff"]);
    assert_eq!(altered.exit, Exit::Findings, "{altered}");
    assert!(altered.out.contains("R802"), "{altered}");
}

#[test]
fn an_approval_lets_pass_what_comes_with_it_and_nothing_later() {
    let folder = committed();
    append(&folder, "tenants/acme.yaml", "  egress:\n    internet: true\n");
    let approval = offered(&json(&folder.mtp(&["diff", "--output", "json"])));
    append(&folder, "tenants/platform.yaml", &approval);
    assert_eq!(folder.mtp(&["render", "--quiet"]).exit, Exit::Clean);
    commit(folder.path(), "opened");
    let same = folder.mtp(&["diff", "--exit-code"]);
    assert_eq!((same.exit, same.out.lines().next()), (Exit::Clean, Some("no changes")), "{same}");
    folder.edit("tenants/acme.yaml", "internet: true", "internet: false");
    assert_eq!(folder.mtp(&["render", "--quiet"]).exit, Exit::Clean);
    commit(folder.path(), "closed");
    folder.edit("tenants/acme.yaml", "internet: false", "internet: true");
    let again = folder.mtp(&["diff"]);
    assert_eq!(again.exit, Exit::Findings, "{again}");
    assert!(again.out.contains("R804"), "{again}");
}

#[test]
fn the_review_itself_cannot_be_loosened_by_what_it_reviews() {
    let folder = committed();
    append(&folder, "tenants/platform.yaml", "  review:\n    deny: []\n");
    append(&folder, "tenants/acme.yaml", "  egress:\n    internet: true\n");
    let ran = folder.mtp(&["diff", "--output", "json"]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    let report = json(&ran);
    let denied = |rule: &str| {
        report["findings"].as_array().expect("findings").iter().any(|f| f["rule"] == rule && f["decision"] == "denied")
    };
    assert!(denied("R801") && denied("R101"), "{ran}");
    let loosened = report["findings"].as_array().expect("findings").iter().find(|f| f["rule"] == "R801").expect("R801");
    assert!(loosened["approve"].is_null());
    // Not even by an approval that somebody writes by hand.
    let id = loosened["id"].as_str().expect("an id");
    let entry = format!(
        "    approvals:\n      - finding: {id}\n        reason: x\n        who: a@example.com\n        until: \"2026-12-31\"\n"
    );
    append(&folder, "tenants/platform.yaml", &entry);
    let ran = folder.mtp(&["diff"]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.contains("denied  R801"), "{ran}");
}

#[test]
fn two_renders_in_one_change_do_not_get_past_the_two_steps() {
    let folder = committed();
    git(folder.path(), &["switch", "--quiet", "--create", "leave"]);
    append(&folder, "tenants/acme.yaml", "  state: retired\n");
    assert_eq!(folder.mtp(&["render", "--quiet"]).exit, Exit::Clean);
    commit(folder.path(), "retire");
    folder.remove("tenants/acme.yaml");
    assert_eq!(folder.mtp(&["render", "--quiet"]).exit, Exit::Clean, "the disk has it retired");
    commit(folder.path(), "delete");
    let ran = folder.mtp(&["diff", "--base", "main", "--head", "leave"]);
    assert_eq!(ran.exit, Exit::Findings, "{ran}");
    assert!(ran.out.contains("denied  R601"), "{ran}");
}

#[test]
fn denied_classes_may_be_named_on_the_command_line() {
    let folder = committed();
    append(&folder, "tenants/acme.yaml", "  quota:\n    pods: 10\n");
    folder.edit("tenants/tiers/free.yaml", "cpu: 500m\n", "cpu: \"1\"\n");
    assert_eq!(folder.mtp(&["diff"]).exit, Exit::Clean);
    assert_eq!(folder.mtp(&["diff", "--deny", "quota,network"]).exit, Exit::Findings);
    assert_eq!(folder.mtp(&["diff", "--deny", "none"]).exit, Exit::Clean);
    assert_eq!(folder.mtp(&["diff", "--exit-code"]).exit, Exit::Findings);
    assert_eq!(folder.mtp(&["diff", "--deny", "quotas"]).exit, Exit::Failed);
    assert_eq!(folder.mtp(&["diff", "--deny", "none", "--exit-code", "--head", "HEAD"]).exit, Exit::Clean);
}

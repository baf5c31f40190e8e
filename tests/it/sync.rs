//! `mtp sync` in the cluster, as it is rendered: who sees which secret, and what our own rules say of it.

use std::collections::BTreeSet;

use k8s_mtp::cli::Exit;
use serde_json::Value;

use crate::mtp::{Folder, copy, repository};

const DEPLOYMENT: &str = "rendered/platform/deployment-k8s-mtp-sync.yaml";

/// A case of `tests/cases/`, rendered.
fn rendered(case: &str) -> Folder {
    let folder = Folder::empty();
    copy(&repository().join("tests/cases").join(case).join("tenants"), &folder.join("tenants"));
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    folder
}

/// The containers of the pod: git-sync, and `mtp sync`.
fn containers(pod: &Value) -> [&Value; 2] {
    let one = |list: &str| {
        let all = pod[list].as_array().expect("containers");
        assert_eq!(all.len(), 1, "{list}");
        &all[0]
    };
    [one("initContainers"), one("containers")]
}

/// Git's credentials and the cluster's token never meet, and no secret stands in a variable.
#[test]
fn each_container_has_its_own_secret() {
    for (case, credentials, age) in [("sync-https", "git-credentials", true), ("sync-ssh", "git-key", false)] {
        let folder = rendered(case);
        let deployment: Value = serde_yaml::from_str(&folder.read(DEPLOYMENT)).expect("YAML");
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        let volume = |is: &dyn Fn(&Value) -> bool| -> String {
            let all = pod["volumes"].as_array().expect("volumes");
            let found: Vec<&Value> = all.iter().filter(|volume| is(volume)).collect();
            assert_eq!(found.len(), 1, "{case}: {all:?}");
            found[0]["name"].as_str().expect("a name").to_owned()
        };
        let token = volume(&|v| v["projected"]["sources"].to_string().contains("serviceAccountToken"));
        let secret = volume(&|v| v["secret"]["secretName"] == credentials);
        let [git, sync] = containers(pod).map(|container| {
            let mounts = container["volumeMounts"].as_array().expect("mounts");
            let names = mounts.iter().map(|mount| mount["name"].as_str().expect("a name").to_owned());
            names.collect::<BTreeSet<String>>()
        });
        assert!(git.contains(&secret) && !git.contains(&token), "{case}: {git:?}");
        assert!(sync.contains(&token) && !sync.contains(&secret), "{case}: {sync:?}");
        assert_eq!(sync.contains("age"), age);
        assert!(!git.contains("age"));
        for container in containers(pod) {
            assert!(!container["env"].to_string().contains("secretKeyRef"), "{case}: {}", container["env"]);
            assert!(container["envFrom"].is_null());
        }
    }
}

/// What we render is what we preach.
#[test]
fn our_own_rules_have_nothing_to_say() {
    for case in ["sync-https", "sync-ssh"] {
        let folder = rendered(case);
        let ran = folder.mtp(&["lint"]);
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::Clean, ""), "{case}: {ran}");
        let path = folder.join(DEPLOYMENT);
        let ran = folder.mtp(&["policy", "review", path.to_str().expect("UTF-8")]);
        assert_eq!(ran.exit, Exit::Clean, "{case}: {ran}");
    }
}

/// No engine gets a right to what `mtp sync` alone has.
#[test]
fn an_engine_hands_out_no_cluster_role() {
    let folder = Folder::empty();
    copy(&repository().join("tenants"), &folder.join("tenants"));
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
    for path in folder.files("rendered/gitops").iter().filter(|path| path.contains("/clusterrole-")) {
        let role: Value = serde_yaml::from_str(&folder.read(path)).expect("YAML");
        let rules = role["rules"].as_array().expect("rules");
        let speaks = |rule: &&Value| rule["resources"].to_string().contains("clusterroles");
        let of_cluster_roles: Vec<&Value> = rules.iter().filter(speaks).collect();
        assert_eq!(of_cluster_roles.len(), 1, "{path}");
        assert!(of_cluster_roles[0]["resourceNames"].is_array(), "{path}");
    }
}

//! Policies in the API server: as many as tiers, whatever the number of tenants.

use crate::mtp::Folder;

/// What a cluster keeps of all policies together, in bytes; etcd takes 1.5 MiB of one object.
const MOST: usize = 200_000;

fn of(tenants: usize) -> Vec<(String, String)> {
    let folder = Folder::published();
    for index in 0..tenants {
        let tenant = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata: {{name: t{index}}}\n\
             spec: {{name: x, tier: free, ownerEmail: owner@example.org, admins: [a{index}@example.org]}}\n"
        );
        folder.write(&format!("tenants/more/t{index}.yaml"), tenant);
    }
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, k8s_mtp::cli::Exit::Clean, "{ran}");
    let files = folder.files("rendered/platform").into_iter().filter(|path| path.contains("admissionpolicy"));
    files.map(|path| (path.clone(), folder.read(&path))).collect()
}

#[test]
fn are_the_same_for_few_tenants_and_for_many() {
    let (few, many) = (of(2), of(400));
    assert_eq!(few, many);
    let size: usize = many.iter().map(|(_, text)| text.len()).sum();
    assert!(many.len() > 10 && size < MOST, "{} files, {size} bytes", many.len());
}

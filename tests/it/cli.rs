//! The command line: what it prints, where, and how it exits.

use k8s_mtp::cli::Exit;

use crate::mtp::{Folder, PUBLISHED, mtp};

#[test]
fn usage_errors_exit_2_and_say_so_on_stderr() {
    for args in
        [&["rendr"][..], &["render", "--no-such-flag"], &["render", "--list"], &["validate", "--output", "pdf"], &[]]
    {
        let ran = mtp(args);
        assert_eq!((ran.exit, ran.out.as_str()), (Exit::Failed, ""), "{args:?}: {ran}");
        assert!(!ran.err.is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_are_answers() {
    for args in [&["--help"][..], &["--version"], &["help", "render"], &["completions", "bash"], &["man"]] {
        let ran = mtp(args);
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Clean, ""), "{args:?}: {ran}");
        assert!(!ran.out.is_empty(), "{args:?}");
    }
    assert!(mtp(&["--help"]).out.contains("Exit codes"), "the exit codes are documented");
}

#[test]
fn the_published_tenant_works_with_what_init_writes() {
    let folder = Folder::published();
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert!(ran.err.contains("warning[T107]"), "the ignored namespace is said: {ran}");
    let namespace = "rendered/tenants/test-acme/tenant-test-acme-acme";
    for file in [
        "namespace-tenant-test-acme-acme",
        "resourcequota-tenant-quota",
        "limitrange-tenant-defaults",
        "networkpolicy-tenant-isolation",
        "role-tenant-test-acme-admin",
        "rolebinding-tenant-test-acme-operator-binding",
        "serviceaccount-default",
    ] {
        assert!(folder.join(&format!("{namespace}/{file}.yaml")).exists(), "{file}");
    }
    assert_eq!(folder.mtp(&["render", "--check"]).exit, Exit::Clean);
}

#[test]
fn init_keeps_what_is_there() {
    let folder = Folder::empty();
    folder.write(".gitattributes", "*.png binary");
    assert_eq!(folder.mtp(&["init"]).exit, Exit::Clean);
    folder.edit("tenants/platform.yaml", "egress: none", "egress: internet");
    let again = folder.mtp(&["init"]);
    assert_eq!(again.exit, Exit::Clean);
    assert!(again.out.lines().all(|line| line.starts_with("kept ")), "{again}");
    assert!(folder.read("tenants/platform.yaml").contains("egress: internet"));
    let attributes = folder.read(".gitattributes");
    assert!(attributes.starts_with("*.png binary\n"), "{attributes}");
    assert_eq!(attributes.matches("rendered/**").count(), 1, "{attributes}");
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
    assert_eq!(folder.mtp(&["schema", "--check"]).exit, Exit::Clean);
}

#[test]
fn init_says_who_owns_what_binds_everybody() {
    // Without a name it is a comment: forges pass over owners whom they do not find.
    let folder = Folder::empty();
    assert_eq!(folder.mtp(&["init"]).exit, Exit::Clean);
    let written = folder.read("CODEOWNERS");
    assert!(written.lines().all(|line| line.starts_with("# ")), "{written}");
    assert!(written.contains("# /rendered/platform/ @example/platform\n"), "{written}");

    // Where the forge looks first, behind what is there, once.
    let folder = Folder::empty();
    folder.write(".github/CODEOWNERS", "/docs/ @acme/writers");
    folder.write("CODEOWNERS", "");
    let owners = ["init", "--code-owner", "@acme/platform", "--code-owner", "ops@acme.example"];
    for _ in 0..2 {
        assert_eq!(folder.mtp(&owners).exit, Exit::Clean);
    }
    let written = folder.read(".github/CODEOWNERS");
    assert!(written.starts_with("/docs/ @acme/writers\n# "), "{written}");
    assert_eq!(written.matches("/tenants/tiers/ @acme/platform ops@acme.example\n").count(), 1, "{written}");
    assert_eq!(folder.read("CODEOWNERS"), "");

    for wrong in ["", "acme", "@", "@acme/", "@acme platform", "@acme\n/x @eve", "#x"] {
        let said = Folder::empty().mtp(&["init", "--code-owner", wrong]);
        assert_eq!(said.exit, Exit::Failed, "{wrong:?}: {said}");
    }
}

#[test]
fn schemas_are_named_by_what_init_writes() {
    let folder = Folder::empty();
    assert_eq!(folder.mtp(&["init"]).exit, Exit::Clean);
    for file in folder.files("tenants") {
        let text = folder.read(&file);
        let schema = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
        let schema = folder.join(&file).parent().expect("a folder").join(schema.expect("a schema"));
        assert!(schema.exists(), "{file} names {}", schema.display());
    }
}

#[test]
fn new_tenant_is_valid_or_not_written() {
    let folder = Folder::published();
    let ran =
        folder.mtp(&["new", "tenant", "globex", "--tier", "pro", "--admin", "yes", "--owner-email", "a@b.example"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    assert!(folder.read("tenants/globex.yaml").contains("- \"yes\""), "a name that YAML could misread is quoted");
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
    // There already, an unknown tier, no name, a colliding one.
    for args in [
        &["new", "tenant", "globex"][..],
        &["new", "tenant", "initech", "--tier", "gold"],
        &["new", "tenant", "Initech"],
        &["new", "tenant", "default"],
    ] {
        let ran = folder.mtp(args);
        assert_eq!(ran.exit, Exit::Failed, "{args:?}: {ran}");
    }
    assert_eq!(folder.files("tenants").iter().filter(|f| f.contains("initech") || f.contains("default")).count(), 0);
}

#[test]
fn explain_knows_every_rule_and_every_field() {
    let rules = mtp(&["explain"]).out;
    for rule in rules.lines().filter_map(|line| line.split_whitespace().next()) {
        let ran = mtp(&["explain", rule]);
        assert_eq!(ran.exit, Exit::Clean, "{ran}");
        let help = if rule.starts_with('R') { "Example: " } else { "Fix: " };
        assert!(ran.out.contains("Why: ") && ran.out.contains(help), "{ran}");
    }
    let fields = mtp(&["explain", "Tenant.spec.egress.allow"]).out;
    assert!(fields.contains("list of map") && fields.contains("cidr <text>"), "{fields}");
    let missing = mtp(&["explain", "Tenant.spec.teir"]);
    assert_eq!(missing.exit, Exit::Failed);
    assert!(missing.err.contains("did you mean `tier`?"), "{missing}");
}

#[test]
fn schema_check_sees_an_old_schema() {
    let folder = Folder::published();
    folder.edit("schemas/tier.json", "quota", "quotum");
    let ran = folder.mtp(&["schema", "--check"]);
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Findings, "stale schemas/tier.json\n"), "{ran}");
    assert_eq!(folder.mtp(&["schema"]).exit, Exit::Clean);
    assert_eq!(folder.mtp(&["schema", "--check"]).exit, Exit::Clean);
}

#[test]
fn thousands_of_broken_files_do_not_print_thousands_of_pages() {
    let folder = Folder::published();
    for n in 0..5000 {
        folder.write(&format!("tenants/broken/{n}.yaml"), "kind: [\n");
    }
    let ran = folder.mtp(&["validate"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.out.lines().count() < 600, "{} lines", ran.out.lines().count());
    assert!(ran.out.contains("… and 4951 more problems"), "the total is said: {}", &ran.out[ran.out.len() - 200..]);
    assert!(ran.out.contains("5000 errors and 1 warning in 5001 files"));
    let all = folder.mtp(&["validate", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&all.out).expect("JSON");
    assert_eq!((json["formatVersion"].as_u64(), json["errors"].as_u64()), (Some(1), Some(5000)));
}

#[test]
fn every_form_of_the_report_is_well_formed() {
    let folder = Folder::published();
    // Text of an author that would break out of a careless report.
    folder.write(
        "tenants/evil.yaml",
        PUBLISHED.replace("tier: free", "tier: \"</td>`<img src=x> %0A::error::pwned\\e[31m\\u202e @all\""),
    );
    let (json, sarif, markdown) = (folder.join("r/r.json"), folder.join("r.sarif"), folder.join("r.md"));
    let output = |form: &str, path: &std::path::Path| format!("{form}={}", path.display());
    let ran = folder.mtp(&[
        "validate",
        "--output",
        &output("json", &json),
        "--output",
        &output("sarif", &sarif),
        "--output",
        &output("markdown", &markdown),
        "--output",
        "github",
    ]);
    assert_eq!(ran.exit, Exit::Failed);
    for line in ran.out.lines() {
        assert!(
            line.starts_with("::error file=tenants/")
                || line.starts_with("::warning file=")
                || line.starts_with("::error title="),
            "{line}"
        );
    }
    for text in [&ran.out, &folder.read("r.md"), &folder.mtp(&["validate"]).out] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    assert!(
        !folder.read("r.md").replace("&lt;", "").contains("<img src=x> ") || folder.read("r.md").contains("`"),
        "markup stays code"
    );
    for path in ["r/r.json", "r.sarif"] {
        let value: serde_json::Value = serde_json::from_str(&folder.read(path)).expect("JSON");
        assert!(value.is_object());
    }
    let sarif: serde_json::Value = serde_json::from_str(&folder.read("r.sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let uri = &results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert!(uri.as_str().is_some_and(|uri| uri.starts_with("tenants/")), "{uri}");
}

#[test]
fn a_missing_folder_is_named() {
    let ran = mtp(&["validate", "--root", "/no/such/folder"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.starts_with("error: cannot access /no/such/folder/tenants"), "{ran}");
    assert_eq!(ran.err.matches("/no/such/folder").count(), 1, "the cause once: {ran}");
}

#[test]
fn another_version_of_mtp_refuses_in_one_line() {
    let folder = Folder::published();
    folder.edit("tenants/platform.yaml", "mtpVersion: \"0.1.0\"", "mtpVersion: \">=9\"\n  fieldOfTheFuture: true");
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("this platform wants mtp >=9, and this is mtp"), "{ran}");
    assert!(!ran.err.contains("fieldOfTheFuture"), "nothing else is said: {ran}");
}

#[test]
fn quiet_prints_problems_only() {
    let folder = Folder::published();
    folder.edit("tenants/acme.yaml", "  namespace: k8s-mtp\n", "");
    let ran = folder.mtp(&["render", "--quiet"]);
    assert_eq!((ran.exit, ran.out.as_str(), ran.err.as_str()), (Exit::Clean, "", ""), "{ran}");
}

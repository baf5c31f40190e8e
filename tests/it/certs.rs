//! `mtp certs`: what is in git, what a rotation does to it, and the program `sops` on the other side.

use std::collections::BTreeSet;

use k8s_mtp::cli::Exit;

use crate::world::{self, CONFIGURATION, LOCK, NEXT, RENDERED, SERVED, World};

/// The bundle that is rendered.
fn bundle(world: &World) -> String {
    let text = world.folder.read(CONFIGURATION);
    let line = text.lines().find_map(|line| line.trim().strip_prefix("caBundle: ")).expect("a caBundle");
    line.to_owned()
}

#[test]
fn a_certificate_is_issued_once_and_copied_as_it_is() {
    let world = World::issued();
    assert_eq!(world.folder.read(RENDERED), world.folder.read(SERVED));
    let ran = world.verify();
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Clean, "certificate, key, and what is rendered fit together\n"));
    // Rendering again, and a second issue, change nothing.
    let before = (world.folder.read(LOCK), world.folder.read(SERVED));
    world.clean(&["render", "--check"]);
    let again = world.folder.mtp(&["certs", "issue", "--age", &world.recipient]);
    assert_eq!(again.exit, Exit::Failed);
    assert!(again.err.contains("is there already"), "{again}");
    assert_eq!(before, (world.folder.read(LOCK), world.folder.read(SERVED)));
}

#[test]
fn real_sops_reads_what_we_wrote() {
    let world = World::issued();
    let plain = world.sops(&["decrypt", SERVED]);
    let secret: serde_yaml::Value = serde_yaml::from_str(&plain).expect("YAML");
    assert_eq!(secret["type"], "kubernetes.io/tls");
    assert_eq!(secret["metadata"]["name"], "webhook-tls");
    use base64::Engine;
    let key =
        base64::prelude::BASE64_STANDARD.decode(secret["data"]["tls.key"].as_str().expect("text")).expect("base64");
    assert!(key.starts_with(b"-----BEGIN PRIVATE KEY-----"));
}

#[test]
fn we_read_what_real_sops_wrote() {
    let world = World::issued();
    // Decrypted and encrypted again by sops, with another layout and another key of the file.
    let plain = world.sops(&["decrypt", SERVED]);
    world.keys.write("plain.yaml", plain);
    let plain = world.keys.join("plain.yaml").display().to_string();
    let text = world.sops(&["encrypt", "--age", &world.recipient, "--encrypted-regex", "^(data|stringData)$", &plain]);
    world.folder.write(SERVED, text);
    world.clean(&["render"]);
    let ran = world.verify();
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    // For a second recipient as well, with the key of the file kept.
    let second = age::x25519::Identity::generate().to_public().to_string();
    world.folder.write(".sops.yaml", format!("creation_rules:\n  - age: {},{second}\n", world.recipient));
    world.sops(&["updatekeys", "--yes", SERVED]);
    world.clean(&["render"]);
    assert!(world.folder.read(RENDERED).contains(&second));
    let ran = world.verify();
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
}

#[test]
fn recipients_come_from_the_configuration_of_sops() {
    let world = World::new();
    let other = age::x25519::Identity::generate().to_public().to_string();
    let config = format!(
        "creation_rules:\n  - path_regex: ^other/\n    age: {other}\n  - path_regex: tenants/certs/.*\\.sops\\.yaml$\n    age: >-\n      {}\n",
        world.recipient
    );
    world.folder.write(".sops.yaml", config);
    world.clean(&["certs", "issue"]);
    let text = world.folder.read(SERVED);
    assert!(text.contains(&world.recipient) && !text.contains(&other), "{text}");
    world.sops(&["decrypt", SERVED]);
}

#[test]
fn a_rotation_takes_three_steps_that_overlap() {
    let world = World::issued();
    let first = (bundle(&world), world.folder.read(SERVED));

    let noted = world.clean(&["certs", "rotate", "--age", &world.recipient]);
    assert!(noted.contains("staged"), "{noted}");
    // The next step is not taken before this one is rendered.
    let early = world.folder.mtp(&["certs", "rotate"]);
    assert_eq!(early.exit, Exit::Failed);
    assert!(early.err.contains("the step before is not rendered"), "{early}");
    world.clean(&["render"]);
    let staged = (bundle(&world), world.folder.read(SERVED));
    assert_ne!(staged.0, first.0);
    assert_eq!(staged.1, first.1, "what is served stays");
    assert_eq!(world.folder.read(RENDERED), first.1);
    assert_eq!(world.verify().exit, Exit::Clean);
    assert_eq!(world.folder.mtp(&["certs", "status"]).exit, Exit::Findings);

    world.clean(&["certs", "rotate"]);
    assert!(!world.folder.join(NEXT).exists());
    world.clean(&["render"]);
    let switched = (bundle(&world), world.folder.read(SERVED));
    assert_eq!(switched.0, staged.0, "who is trusted stays");
    assert_ne!(switched.1, staged.1);
    assert_eq!(world.verify().exit, Exit::Clean);

    world.clean(&["certs", "retire"]);
    world.clean(&["render"]);
    let retired = (bundle(&world), world.folder.read(SERVED));
    assert_eq!(retired.1, switched.1, "what is served stays");
    assert!(retired.0 != switched.0 && retired.0 != first.0);
    assert_eq!(world.verify().exit, Exit::Clean);
    assert_eq!(world.folder.mtp(&["certs", "status"]).exit, Exit::Clean);
    let ran = world.folder.mtp(&["certs", "retire"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("begins a rotation"), "{ran}");
}

#[test]
fn a_switch_that_was_cut_off_is_taken_again() {
    let world = World::issued();
    world.clean(&["certs", "rotate", "--age", &world.recipient]);
    world.clean(&["render"]);
    // The Secret has moved, the lock was not written.
    std::fs::rename(world.folder.join(NEXT), world.folder.join(SERVED)).expect("a rename");
    let ran = world.folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("T905") && ran.err.contains("mtp certs rotate"), "{ran}");
    world.clean(&["certs", "rotate"]);
    world.clean(&["render"]);
    assert_eq!(world.verify().exit, Exit::Clean);
}

#[test]
fn what_was_changed_by_hand_is_refused() {
    let world = World::issued();
    let (lock, secret) = (world.folder.read(LOCK), world.folder.read(SERVED));
    let value = secret.lines().find(|line| line.contains("tls.key: ")).expect("a key").to_owned();
    let sha256 = lock.lines().find(|line| line.starts_with("  sha256: ")).expect("served").to_owned();
    let other = World::issued();
    let cases = [
        (LOCK, lock.replace("phase: serving", "phase: staged"), "does not belong to it"),
        (LOCK, lock.replacen("notAfter: \"20", "notAfter: \"21", 1), "differs from what `mtp certs` wrote"),
        (LOCK, lock.replace(&sha256, "  sha256: \"00\""), "differs from what `mtp certs` wrote"),
        (LOCK, String::new(), "expected one document"),
        (LOCK, other.folder.read(LOCK), "is not the one that"),
        (SERVED, secret.replace(&value, "  tls.key: c2VjcmV0"), "found one that anyone can read"),
        (SERVED, secret.replace("  name: webhook-tls", "  name: other"), "expected `webhook-tls`"),
        (SERVED, secret.replace("namespace: k8s-mtp", "namespace: kube-system"), "expected `k8s-mtp`"),
        (SERVED, secret.replace("    app.kubernetes.io/part-of: k8s-mtp\n", ""), "expected `metadata:labels"),
        (
            SERVED,
            secret.replace("type: kubernetes.io/tls", "type: kubernetes.io/tls\nimmutable: \"x\""),
            "expected nothing at",
        ),
        (SERVED, secret.split_once('\n').expect("lines").1.to_owned(), "expected the first line"),
        (SERVED, secret.replace("sops:", "spos:"), "expected a file that SOPS encrypted"),
        (SERVED, format!("{secret}---\n{secret}"), "expected one document"),
        (SERVED, other.folder.read(SERVED), "is not the one that"),
    ];
    for (path, text, expected) in cases {
        world.folder.write(LOCK, &lock);
        world.folder.write(SERVED, &secret);
        assert_ne!(text, world.folder.read(path), "{expected}: nothing was changed");
        world.folder.write(path, text);
        let ran = world.folder.mtp(&["render", "--check"]);
        assert_eq!(ran.exit, Exit::Failed, "{expected}: {ran}");
        assert!(ran.err.contains("error[T905]") && ran.err.contains(expected), "{expected}: {ran}");
    }
}

#[test]
fn verify_sees_what_only_the_key_shows() {
    let world = World::issued();
    let secret = world.folder.read(SERVED);
    // Another person's value of the same place; a value from another place; a public part that the MAC covers.
    let line = |name: &str| secret.lines().find(|line| line.trim_start().starts_with(name)).expect(name).to_owned();
    let (certificate, key) = (line("tls.crt: "), line("tls.key: "));
    let swapped = key.replace("tls.key", "tls.crt");
    let mac = line("mac: ");
    for (old, new) in
        [(&certificate, &swapped), (&mac, &format!("  mac: {}", key.trim_start().trim_start_matches("tls.key: ")))]
    {
        world.folder.write(SERVED, secret.replace(old.as_str(), new));
        world.clean(&["render"]);
        let ran = world.verify();
        assert_eq!(ran.exit, Exit::Findings, "{ran}");
        assert!(ran.out.contains("does not decrypt"), "{ran}");
    }
    world.folder.write(SERVED, &secret);
    world.clean(&["render"]);
    let stranger = World::new();
    let ran = world.folder.mtp(&["certs", "verify", "--age-key", &stranger.key_file()]);
    assert_eq!(ran.exit, Exit::Findings);
    assert!(ran.out.contains("encrypted for others"), "{ran}");
    world.folder.write("tenants/certs/old.pem", "-----BEGIN EC PRIVATE KEY-----\n");
    let ran = world.verify();
    assert_eq!(ran.exit, Exit::Findings);
    assert!(ran.out.contains("tenants/certs/old.pem: a private key stands here"), "{ran}");
}

#[test]
fn only_at_knows_the_time() {
    let world = World::issued();
    let lock = world.folder.read(LOCK);
    let end = lock.lines().filter_map(|l| l.trim().strip_prefix("notAfter: ")).next().expect("a date");
    let end = end.trim_matches('"').to_owned();
    let parse =
        |text: &str| time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).expect("a time");
    let at = |days: i64| {
        let at = parse(&end) - time::Duration::days(days);
        at.format(&time::format_description::well_known::Rfc3339).expect("a time")
    };
    let check = |days: i64| world.folder.mtp(&["render", "--check", "--at", &at(days)]);
    let status = |days: i64| world.folder.mtp(&["certs", "status", "--at", &at(days)]);
    let ran = check(91);
    assert!(ran.exit == Exit::Clean && !ran.out.contains("T906"), "{ran}");
    assert_eq!(status(91).exit, Exit::Clean);
    let ran = check(89);
    assert!(ran.exit == Exit::Clean && ran.out.contains("warning[T906]"), "{ran}");
    assert_eq!(status(89).exit, Exit::Findings);
    for days in [29, -1, 500] {
        let ran = check(days);
        assert!(ran.exit == Exit::Findings && ran.out.contains("error[T906]"), "{days}: {ran}");
    }
    assert_eq!(status(-1).exit, Exit::Findings);
    world.clean(&["render", "--check"]);
    assert_eq!(world.folder.mtp(&["render", "--check", "--at", "tomorrow"]).exit, Exit::Failed);
    assert_eq!(world.folder.mtp(&["render", "--at", "now"]).exit, Exit::Failed);
}

#[test]
fn exemptions_end() {
    let world = World::issued();
    world.exempt();
    world.clean(&["render"]);
    let ran = world.folder.mtp(&["render", "--check", "--at", "2027-01-31T23:59:00-11:00"]);
    assert!(ran.exit == Exit::Clean && ran.out.contains("warning[T907]"), "{ran}");
    let ran = world.folder.mtp(&["render", "--check", "--at", "2027-02-02T00:00:00Z"]);
    assert!(ran.exit == Exit::Findings && ran.out.contains("error[T907]"), "{ran}");
    let text = world.folder.files("rendered/platform").iter().map(|path| world.folder.read(path)).collect::<String>();
    assert!(text.contains("\"exempt\":{\"privileged\":\"ops@example.org: a node agent\"}"), "{text}");
}

/// What opens a certificate's key, and the key itself, are in nothing that anyone reads.
#[test]
fn no_key_is_ever_written_in_plain_text() {
    let world = World::new();
    let mut said = String::new();
    let run = |args: &[&str]| world.folder.mtp(args).to_string();
    let key_file = world.key_file();
    let (mut secrets, mut seen) = (BTreeSet::from([world.identity.clone()]), 0);
    let recipient = world.recipient.as_str();
    for step in ["issue", "rotate", "rotate", "retire"] {
        let args: &[&str] = if step == "issue" { &["certs", "issue", "--age", recipient] } else { &["certs", step] };
        said += &run(args);
        said += &run(&["render", "--verbose"]);
        said += &run(&["certs", "verify", "--age-key", &key_file, "--verbose"]);
        said += &run(&["certs", "status", "--verbose"]);
        for path in [SERVED, NEXT].into_iter().filter(|path| world.folder.join(path).exists()) {
            let plain = world.sops(&["decrypt", path]);
            let secret: serde_yaml::Value = serde_yaml::from_str(&plain).expect("YAML");
            let key = secret["data"]["tls.key"].as_str().expect("a key").to_owned();
            use base64::Engine;
            let pem = base64::prelude::BASE64_STANDARD.decode(&key).expect("base64");
            let pem = String::from_utf8(pem).expect("PEM");
            secrets.insert(key);
            secrets.extend(pem.lines().filter(|line| !line.starts_with("---")).map(str::to_owned));
        }
        for path in world.folder.files("") {
            said += &world.folder.read(&path);
            assert!(!path.contains("k8s-mtp-new"), "{path} is left over");
            seen += 1;
        }
    }
    // What the core holds of it, printed by whoever debugs it.
    let inputs: k8s_mtp::Inputs =
        world.folder.files("tenants").into_iter().map(|path| (path.clone(), world.folder.read(&path))).collect();
    let state = format!("{:?}", k8s_mtp::render(&inputs));
    assert!(state.contains("WebhookPlan"), "the state is there to be looked at");
    said += &state;
    // Identities that are none, keys that are none: errors repeat nothing of them.
    world.keys.write("keys.txt", format!("{}\nAGE-SECRET-KEY-1BROKEN\n", world.identity));
    said += &world.folder.mtp(&["certs", "verify", "--age-key", &key_file]).to_string();
    said += &format!("{:?}", world.folder.mtp(&["certs", "verify", "--age-key", &key_file, "--output", "json"]).out);
    secrets.insert("AGE-SECRET-KEY".to_owned());
    secrets.insert("PRIVATE KEY".to_owned());
    assert!(secrets.len() > 8 && seen > 100);
    for secret in secrets {
        assert!(!said.contains(&secret), "a secret was written: its length is {}", secret.len());
    }
}

/// A file that holds a decrypted Secret, or a key in any form, is neither copied, nor shown, nor taken for fine.
#[test]
fn a_key_in_plain_text_is_shown_by_nobody() {
    let world = World::issued();
    let plain = world.sops(&["decrypt", SERVED]);
    let secret: serde_yaml::Value = serde_yaml::from_str(&plain).expect("YAML");
    let key = secret["data"]["tls.key"].as_str().expect("a key").to_owned();
    let sealed = world.folder.read(SERVED);
    let sealed_key = sealed.lines().find(|line| line.contains("tls.key: ")).expect("a key").to_owned();
    let lock = world.folder.read(LOCK);
    let mut said = String::new();
    let mut run = |world: &World, args: &[&str], exit: Exit| {
        let ran = world.folder.mtp(args);
        assert_eq!(ran.exit, exit, "{args:?}");
        said += &ran.to_string();
    };
    // The whole Secret decrypted, one value of it, the key in the lock; in git, and in what is rendered.
    for (path, text) in [
        (SERVED, plain.clone()),
        (SERVED, sealed.replace(&sealed_key, &format!("  tls.key: {key}"))),
        (SERVED, sealed.replace("name: webhook-tls", &format!("name: {key}"))),
        (LOCK, lock.replace("phase: serving", &format!("phase: {key}"))),
    ] {
        world.folder.write(path, text);
        for args in [&["render"][..], &["render", "--check"], &["validate"]] {
            run(&world, args, Exit::Failed);
        }
        run(&world, &["certs", "verify"], Exit::Findings);
        world.folder.write(SERVED, &sealed);
        world.folder.write(LOCK, &lock);
    }
    world.folder.write(RENDERED, plain);
    for output in ["text", "json", "markdown", "github", "sarif"] {
        run(&world, &["render", "--check", "--output", output], Exit::Findings);
    }
    run(&world, &["certs", "verify"], Exit::Findings);
    world.clean(&["render"]);
    // Given as a recipient by mistake.
    run(&world, &["certs", "rotate", "--age", &world.identity], Exit::Failed);
    world.folder.write(".sops.yaml", format!("creation_rules:\n  - age: {}\n", world.identity));
    run(&world, &["certs", "rotate"], Exit::Failed);
    for secret in [&key[..40], &key[key.len() - 40..], &world.identity] {
        assert!(!said.contains(secret), "a secret was shown");
    }
}

/// What is changed of a file by a byte is refused, by the form of it or by its MAC, and never by a panic.
#[test]
fn any_changed_byte_is_seen() {
    let world = World::issued();
    let sealed = world.folder.read(SERVED);
    let values = sealed.find("sops:").expect("a part of its own");
    for index in (0..sealed.len()).step_by(sealed.len() / 150) {
        let mut bytes = sealed.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        world.folder.write(SERVED, bytes);
        let rendered = world.folder.mtp(&["render", "--quiet"]);
        let verified = world.verify();
        // In what wraps the key for a recipient, the armour has spare bits.
        let refused = rendered.exit != Exit::Clean || verified.exit != Exit::Clean;
        assert!(refused || index > values, "byte {index}: {verified}");
    }
}

#[test]
fn whoever_does_not_use_the_certificate_is_told() {
    let world = World::issued();
    for (mode, said) in [("cert-manager", "takes its certificate from cert-manager"), ("none", "others keep")] {
        let platform = world.folder.read("tenants/platform.yaml");
        world.folder.edit(
            "tenants/platform.yaml",
            "    webhook:\n",
            &format!("    webhook:\n      certificates: {mode}\n"),
        );
        world.clean(&["render"]);
        assert_eq!(world.verify().exit, Exit::Clean);
        let ran = world.folder.mtp(&["certs", "rotate"]);
        assert!(ran.exit == Exit::Failed && ran.err.contains(said), "{ran}");
        world.folder.write("tenants/platform.yaml", platform);
    }
    world.clean(&["render"]);
    // What was staged is lost: another one is.
    world.clean(&["certs", "rotate"]);
    world.clean(&["render"]);
    world.folder.remove(NEXT);
    assert_eq!(world.verify().exit, Exit::Findings);
    let ran = world.folder.mtp(&["certs", "rotate"]);
    assert!(ran.exit == Exit::Failed && ran.err.contains("--restage"), "{ran}");
    world.clean(&["certs", "rotate", "--restage"]);
    world.clean(&["render"]);
    assert_eq!(bundle_count(&world), 2);
    for step in [&["certs", "rotate"][..], &["render"], &["certs", "retire"], &["render"]] {
        world.clean(step);
    }
    assert_eq!((world.verify().exit, bundle_count(&world)), (Exit::Clean, 1));
}

fn bundle_count(world: &World) -> usize {
    world::bundle(&world.folder).matches("BEGIN CERTIFICATE").count()
}

//! `mtp webhook serve`: verdicts, certificates that change under it, and guests who mean no good.

use k8s_mtp::cli::Exit;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::mtp::Folder;
use crate::serving::{Mount, NAME, Server, command, trusting};
use crate::world::{SERVED, World, bad, base64, bundle, create, good, pair, remount, view};

/// A platform, its certificate, and a server of it.
pub struct Platform {
    pub world: World,
    pub bundle: String,
    pub certs: Mount,
    pub tenants: Mount,
    pub server: Server,
}

impl Platform {
    pub fn new() -> Platform {
        Platform::with(&[])
    }

    fn with(args: &[&str]) -> Platform {
        let world = World::issued();
        let bundle = bundle(&world.folder);
        let [certificate, key] = pair(&world, SERVED);
        let certs = Mount::with_pair(&world.folder.join("mounted/certs"), &certificate, &key);
        let tenants = view(&world.folder, &world.folder.join("mounted/tenants"));
        let server = Server::start(certs.folder(), tenants.folder(), args);
        Platform { world, bundle, certs, tenants, server }
    }

    fn validate(&self, request: &Value) -> Value {
        let answer = self.server.post(&self.bundle, "/validate-pod", &request.to_string());
        assert_eq!(answer.code, 200, "{answer:?}");
        answer.response()
    }

    fn mutate(&self, request: &Value) -> Value {
        let answer = self.server.post(&self.bundle, "/mutate-pod", &request.to_string());
        assert_eq!(answer.code, 200, "{answer:?}");
        answer.response()
    }
}

#[test]
fn pods_are_judged_and_labelled() {
    let platform = Platform::new();
    let response = platform.validate(&create(bad()));
    assert_eq!(response["uid"], "b1e6ed05-6b3f-4a0c-9a3b-4d8ad1f0ad3a");
    assert_eq!(response["allowed"], false);
    assert_eq!(response["status"]["code"], 403);
    assert_eq!(response["status"]["reason"], "Forbidden");
    assert_eq!(response["status"]["message"], "Container nginx failed privilege check (privileged)");
    assert_eq!(platform.validate(&create(good()))["allowed"], true);

    let response = platform.mutate(&create(good()));
    assert_eq!((&response["allowed"], &response["patchType"]), (&json!(true), &json!("JSONPatch")));
    let patch: Value = serde_json::from_str(&base64(response["patch"].as_str().expect("a patch"))).expect("JSON");
    let labels = "/metadata/labels/tenant.k8s-mtp.io~1";
    assert_eq!(
        patch,
        json!([
            {"op": "add", "path": format!("{labels}name"), "value": "test-acme"},
            {"op": "add", "path": format!("{labels}tier"), "value": "free"},
        ])
    );
    // Without labels, all of them are made; with ours, there is nothing to do.
    let mut bare = good();
    bare["metadata"]["labels"].take();
    let response = platform.mutate(&create(bare.clone()));
    let patch: Value = serde_json::from_str(&base64(response["patch"].as_str().expect("a patch"))).expect("JSON");
    let ours = json!({"tenant.k8s-mtp.io/name": "test-acme", "tenant.k8s-mtp.io/tier": "free"});
    assert_eq!(patch, json!([{"op": "add", "path": "/metadata/labels", "value": ours}]));
    bare["metadata"]["labels"] = ours;
    assert_eq!(platform.mutate(&create(bare.clone()))["patch"], Value::Null);
    assert_eq!(platform.validate(&create(bare.clone()))["allowed"], true);
    // What was stated is left alone: another tier is warned of, another tenant refused.
    bare["metadata"]["labels"]["tenant.k8s-mtp.io/tier"] = json!("pro");
    assert_eq!(platform.mutate(&create(bare.clone()))["patch"], Value::Null);
    let response = platform.validate(&create(bare.clone()));
    assert_eq!(response["allowed"], true);
    assert!(response["warnings"][0].as_str().expect("a warning").contains("is not that of the namespace, free"));
    bare["metadata"]["labels"]["tenant.k8s-mtp.io/name"] = json!("other");
    assert_eq!(platform.mutate(&create(bare.clone()))["patch"], Value::Null);
    let response = platform.validate(&create(bare));
    assert_eq!(response["allowed"], false);
    assert_eq!(
        response["status"]["message"],
        "label tenant.k8s-mtp.io/name of a pod is that of its namespace, test-acme"
    );
    // Of a namespace that is not known, everything is asked.
    let mut elsewhere = create(bad());
    elsewhere["request"]["namespace"] = json!("tenant-new-one");
    assert_eq!(platform.validate(&elsewhere)["allowed"], false);
    assert_eq!(platform.mutate(&elsewhere)["patch"], Value::Null);

    let metrics = platform.server.scrape();
    for line in [
        "mtp_webhook_reviews_total{webhook=\"validate\",verdict=\"denied\"} 3",
        "mtp_webhook_reviews_total{webhook=\"mutate\",verdict=\"patched\"} 2",
        "mtp_webhook_breaches_total{policy=\"privileged\",mode=\"deny\"} 2",
        "mtp_webhook_review_duration_seconds_count 12",
        "mtp_webhook_reload_failures_total{what=\"certificate\"} 0",
        "mtp_webhook_certificate_is_renewed 1",
        "mtp_webhook_namespaces 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(platform.server.metric("mtp_webhook_certificate_not_after_timestamp_seconds") > 1.8e9);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(platform.server.get(&platform.bundle, path).code, 200);
    }
}

#[test]
fn tiers_choose_modes_and_exemptions_are_noted() {
    let platform = Platform::new();
    let folder = &platform.world.folder;
    let modes = "
  admission:
    policies:
      read-only-root: warn
      privilege-escalation: audit
      cpu-limits: \"off\"
      memory-limits: deny
";
    let tier = folder.read("tenants/tiers/free.yaml");
    folder.write("tenants/tiers/free.yaml", tier + modes);
    platform.world.exempt();
    assert_eq!(folder.mtp(&["render"]).exit, Exit::Clean);
    let mut platform = platform;
    remount(&platform.world.folder, &mut platform.tenants);
    platform.server.wait_for("took over new tenants");
    let mut pod = bad();
    pod["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    pod["spec"]["containers"][0]["resources"]["limits"]["cpu"].take();
    let response = platform.validate(&create(pod.clone()));
    assert_eq!(response["allowed"], true, "{response}");
    assert_eq!(response["warnings"], json!(["Container nginx must have read only root filesystem (read-only-root)"]));
    assert_eq!(
        response["auditAnnotations"]["breaches"],
        "Container nginx failed privilege check (privileged): exempt, ops@example.org: a node agent; \
         Container nginx must not be allowed to escalate privileges (privilege-escalation)"
    );
    pod["spec"]["containers"][0]["resources"]["limits"]["memory"].take();
    let response = platform.validate(&create(pod));
    assert_eq!(response["allowed"], false);
}

/// A certificate for names, from and until days from now, and its authority.
fn certificate(names: &[&str], from: i64, until: i64) -> ([String; 2], String) {
    let now = time::OffsetDateTime::now_utc();
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let signed = authority.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(authority, key);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("parameters");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (now + time::Duration::days(from), now + time::Duration::days(until));
    let key = KeyPair::generate().expect("a key");
    let leaf = params.signed_by(&key, &issuer).expect("a certificate");
    ([leaf.pem(), key.serialize_pem()], signed.pem())
}

#[test]
fn a_new_pair_is_taken_whole_or_not_at_all() {
    let mut platform = Platform::new();
    let [old_certificate, old_key] = pair(&platform.world, SERVED);
    let (fine, authority) = certificate(&[NAME], -1, 30);
    let (expired, _) = certificate(&[NAME], -30, -1);
    let (future, _) = certificate(&[NAME], 1, 30);
    let (misnamed, _) = certificate(&["webhook-svc.other.svc"], -1, 30);
    let sealed = platform.world.folder.read(SERVED);
    let sealed = |key: &str| sealed.lines().find_map(|l| l.trim().strip_prefix(key)).expect("sealed").to_owned();
    let bad: Vec<(&str, String, String)> = vec![
        ("is not the key of tls.crt", fine[0].clone(), old_key.clone()),
        ("is not the key of tls.crt", old_certificate.clone(), fine[1].clone()),
        ("does not hold now", expired[0].clone(), expired[1].clone()),
        ("does not hold now", future[0].clone(), future[1].clone()),
        ("is not for webhook-svc.k8s-mtp.svc", misnamed[0].clone(), misnamed[1].clone()),
        ("is still encrypted by SOPS", sealed("tls.crt: "), sealed("tls.key: ")),
        ("is still encrypted by SOPS", fine[0].clone(), sealed("tls.key: ")),
        ("there is no certificate", String::new(), fine[1].clone()),
        ("holds no private key", fine[0].clone(), String::new()),
        ("expected certificates alone", fine[1].clone(), fine[1].clone()),
        ("the chain is broken", format!("{}{}", fine[0], old_certificate), fine[1].clone()),
        ("no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n".to_owned(), fine[1].clone()),
        (
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            fine[1].clone(),
        ),
    ];
    for (index, (why, certificate, key)) in bad.iter().enumerate() {
        platform.certs.write(&[("tls.crt", certificate), ("tls.key", key)]);
        // The count goes up before the line is written: it is the line that says that the server is done.
        let last = platform.server.wait(why, || {
            let log = platform.server.log().into_iter().filter(|line| line["what"] == "certificate");
            log.filter(|line| line["level"] == "error").nth(index)
        });
        assert!(platform.server.metric("mtp_webhook_reload_failures_total{what=\"certificate\"") as usize > index);
        let said = last["error"].as_str().expect("an error");
        assert!(said.contains(why), "{why}: {last}");
        assert_eq!(last["level"], "error");
        // The old one is still served.
        assert_eq!(platform.server.get(&platform.bundle, "/readyz").code, 200, "{why}");
        let log = format!("{:?}", platform.server.log());
        assert!(!log.contains(key.lines().nth(1).unwrap_or("\u{0}")), "{why}: the log repeats a key");
    }
    // A file that is gone.
    platform.certs.write(&[("tls.crt", &fine[0])]);
    platform.server.wait("a missing file", || {
        platform
            .server
            .log()
            .iter()
            .any(|line| line["error"].as_str().is_some_and(|e| e.contains("cannot read")))
            .then_some(())
    });
    assert_eq!(platform.server.get(&platform.bundle, "/readyz").code, 200);
    // With its authority behind it, as cert-manager writes it.
    let chain = format!("{}{authority}", fine[0]);
    platform.certs.write(&[("tls.crt", &chain), ("tls.key", &fine[1])]);
    platform.server.wait_for("took over new certificate");
    assert_eq!(platform.server.get(&authority, "/readyz").code, 200);
    let refused = platform.server.try_connect(&trusting(&platform.bundle)).err().expect("a stranger's certificate");
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    // Tenants that cannot be read are kept too.
    platform.tenants.write(&[("tiers.json", "{")]);
    platform.server.wait("tenants", || {
        (platform.server.metric("mtp_webhook_reload_failures_total{what=\"tenants\"") > 0.0).then_some(())
    });
    assert_eq!(platform.server.metric("mtp_webhook_namespaces"), 1.0);
}

#[test]
fn it_does_not_start_without_what_it_needs() {
    let world = World::issued();
    let [certificate, key] = pair(&world, SERVED);
    let sealed = world.folder.read(SERVED);
    let sealed = sealed.lines().find_map(|l| l.trim().strip_prefix("tls.key: ")).expect("sealed").to_owned();
    let tenants = view(&world.folder, &world.folder.join("mounted/tenants"));
    let (misnamed, _) = self::certificate(&["webhook-svc.other.svc"], -1, 30);
    let cases = [
        ("is still encrypted by SOPS", certificate.clone(), sealed),
        ("is not for webhook-svc.k8s-mtp.svc", misnamed[0].clone(), misnamed[1].clone()),
        ("holds no private key", certificate.clone(), "x".to_owned()),
    ];
    for (index, (why, certificate, key)) in cases.iter().enumerate() {
        let certs = Mount::with_pair(&world.folder.join(&format!("mounted/{index}")), certificate, key);
        let done = command(certs.folder(), tenants.folder(), &[]).output().expect("mtp starts");
        let err = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{err}");
        assert!(err.starts_with("error: ") && err.contains(why), "{why}: {err}");
        let lines = key.lines().filter(|line| line.len() > 20 && !line.starts_with("---"));
        assert!(!lines.clone().any(|line| err.contains(line)), "{why}: a line of the key is shown");
    }
    let certs = Mount::with_pair(&world.folder.join("mounted/certs"), &certificate, &key);
    let empty = Folder::empty();
    let done = command(certs.folder(), empty.path(), &[]).output().expect("mtp starts");
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.code() == Some(2) && err.contains("tiers.json"), "{err}");
}

#[test]
fn files_that_are_mounted_one_by_one_are_said_to_be_so() {
    let world = World::issued();
    let [certificate, key] = pair(&world, SERVED);
    let tenants = view(&world.folder, &world.folder.join("mounted/tenants"));
    world.folder.write("mounted/plain/tls.crt", certificate);
    world.folder.write("mounted/plain/tls.key", key);
    let server = Server::start(&world.folder.join("mounted/plain"), tenants.folder(), &[]);
    let line = server.wait_for("subPath");
    assert_eq!(line["level"], "warn");
    assert_eq!(server.metric("mtp_webhook_certificate_is_renewed"), 0.0);
    assert_eq!(server.get(&bundle(&world.folder), "/readyz").code, 200);
}

#[test]
fn it_ends_when_told_and_not_before_it_is_forgotten() {
    let mut platform = Platform::with(&["--drain=2"]);
    let mut open = platform.server.connect(&platform.bundle);
    open.post("/validate-pod", &create(good()).to_string());
    assert!(!open.answer().head.contains("connection: close"));
    platform.server.signal("TERM");
    platform.server.wait_for("draining");
    // It is not ready, and answers all the same, on old connections and new ones.
    assert_eq!(platform.server.get(&platform.bundle, "/readyz").code, 503);
    assert_eq!(platform.server.get(&platform.bundle, "/healthz").code, 200);
    open.post("/validate-pod", &create(good()).to_string());
    let answer = open.answer();
    assert!(answer.code == 200 && answer.head.contains("connection: close"), "{answer:?}");
    assert_eq!(platform.server.ended(), Some(0));
    assert!(platform.server.line("ended").is_some());
}

#[test]
fn only_api_servers_are_answered_where_that_is_asked() {
    let world = World::issued();
    let [certificate, key] = pair(&world, SERVED);
    let certs = Mount::with_pair(&world.folder.join("mounted/certs"), &certificate, &key);
    let tenants = view(&world.folder, &world.folder.join("mounted/tenants"));
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    world.folder.write("clients.pem", authority.self_signed(&authority_key).expect("a certificate").pem());
    let issuer = Issuer::new(authority, authority_key);
    let ca = world.folder.join("clients.pem").display().to_string();
    let args = ["--client-ca", &ca, "--client-name", "kube-apiserver"];
    let server = Server::start(certs.folder(), tenants.folder(), &args);
    let bundle = bundle(&world.folder);
    // Without a certificate: probes are answered, reviews are not.
    assert_eq!(server.get(&bundle, "/readyz").code, 200);
    assert_eq!(server.post(&bundle, "/validate-pod", &create(good()).to_string()).code, 403);
    for (name, code) in [("kube-apiserver", 200), ("somebody", 403)] {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let own = params.signed_by(&key, &issuer).expect("a certificate");
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config =
            crate::serving::builder(&bundle).with_client_auth_cert(vec![own.der().clone()], key).expect("auth");
        let mut wire = server.try_connect(&std::sync::Arc::new(config)).expect("a connection");
        wire.post("/validate-pod", &create(good()).to_string());
        assert_eq!(wire.answer().code, code, "{name}");
    }
}

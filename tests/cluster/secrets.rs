//! What lets programs of a control plane trust each other: keys, certificates, tokens, kubeconfigs; all new each time.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;

/// Who may log in, and with which groups. Controllers are who they are in a cluster that kubeadm made.
const USERS: [(&str, &str); 4] =
    [(ADMIN, "system:masters"), (CONTROLLERS, ""), (SCHEDULER, ""), (NODES, "system:masters")];

/// May do everything.
pub const ADMIN: &str = "admin";
/// The controllers, which go on as ServiceAccounts of their own.
pub const CONTROLLERS: &str = "system:kube-controller-manager";
/// The scheduler.
pub const SCHEDULER: &str = "system:kube-scheduler";
/// Who plays the nodes.
pub const NODES: &str = "kwok";

/// Where the kubeconfig of a user stands.
pub fn kubeconfig(folder: &Path, user: &str) -> PathBuf {
    folder.join(format!("{}.kubeconfig", user.replace(':', "-")))
}

/// Writes keys, certificates, tokens and kubeconfigs; returns the authority's certificate and the admin's token.
pub fn write_secrets(folder: &Path, url: &str) -> (Vec<u8>, String) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file can be written");
    let mut authority = CertificateParams::new(Vec::new()).expect("no name is no wrong name");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = new_key();
    let certificate = authority.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(authority, key);
    let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
    let server_key = new_key();
    let server = CertificateParams::new(names).expect("legal names").signed_by(&server_key, &issuer);
    let accounts = new_key();
    write("ca.crt", &certificate.pem());
    write("server.crt", &server.expect("a certificate").pem());
    write("server.key", &server_key.serialize_pem());
    write("accounts.key", &accounts.serialize_pem());
    write("accounts.pub", &accounts.public_key_pem());
    let tokens = USERS.map(|_| new_token());
    let lines =
        USERS.iter().zip(&tokens).map(|((user, groups), token)| format!("{token},{user},{user},\"{groups}\"\n"));
    write("tokens", &lines.collect::<String>());
    for ((user, _), token) in USERS.iter().zip(&tokens) {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "it", "cluster": {"server": url, "certificate-authority": folder.join("ca.crt")}}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": user}}],
            "current-context": "it",
        });
        fs::write(kubeconfig(folder, user), config.to_string()).expect("a file can be written");
    }
    let [admin, ..] = tokens;
    (certificate.der().to_vec(), admin)
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// Text that nobody guesses.
fn new_token() -> String {
    new_key().public_key_raw().iter().take(32).map(|byte| format!("{byte:02x}")).collect()
}

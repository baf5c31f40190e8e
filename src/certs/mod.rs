//! Certificates of the webhook: state in git, made and changed by `mtp certs` alone, copied by `mtp render`.
//!
//! An authority signs one certificate and is forgotten: its key is never stored. What makes that safe is that each
//! rotation first tells API servers to trust the next authority too ([`lock::Phase`]).

pub mod due;
pub mod issue;
pub mod lock;
pub mod manifest;
pub mod recipients;
pub mod rotation;
pub mod secret;
pub mod sops;
pub mod x509;

/// The Service that the API server calls; part of the interface.
pub const SERVICE: &str = "webhook-svc";

/// The Secret that holds certificate and key; part of the interface.
pub const SECRET: &str = "webhook-tls";

/// The public half: what is trusted, what is served.
pub const LOCK: &str = "tenants/certs/webhook.lock.yaml";

/// The Secret, encrypted: what is served.
pub const SERVED: &str = "tenants/certs/webhook-tls.sops.yaml";

/// The Secret, encrypted: what will be served after the switch of a rotation.
pub const NEXT: &str = "tenants/certs/webhook-tls.next.sops.yaml";

/// The annotation of the Secret that says which certificate is in it, by its SHA-256: readable without the key.
pub const FINGERPRINT: &str = "k8s-mtp.io/certificate-sha256";

/// The names of the webhook. The API server asks for the third, exactly; no other is needed by it, the rest is for people.
///
/// Source: `webhookClientConfigForWebhook` and `serverName` of Kubernetes' `apiserver/pkg/util/webhook/client.go`
pub fn names(namespace: &str) -> [String; 4] {
    [
        SERVICE.to_owned(),
        format!("{SERVICE}.{namespace}"),
        server_name(namespace),
        format!("{SERVICE}.{namespace}.svc.cluster.local"),
    ]
}

/// The name that the API server asks for.
pub fn server_name(namespace: &str) -> String {
    format!("{SERVICE}.{namespace}.svc")
}

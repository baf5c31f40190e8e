//! Whether the webhook answers as its configuration wants it, before the API server is told to ask it.
//!
//! A configuration that fails closed and a webhook that nobody can talk to refuse every pod of every tenant.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::Running;
use crate::rendered::ObjectId;
use crate::sync::want::Stage;

/// How long one try may take; the API server waits no longer for a verdict.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom a configuration asks, and by which certificates he is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    host: String,
    port: u16,
    trusted: String,
}

/// Whom the webhooks of a configuration ask, of those that it knows by certificates of its own.
fn asked(object: &Value) -> impl Iterator<Item = Asked> {
    let webhooks = object["webhooks"].as_array().into_iter().flatten();
    webhooks.filter_map(|webhook| {
        let config = &webhook["clientConfig"];
        let service = &config["service"];
        let (name, namespace) = (service["name"].as_str()?, service["namespace"].as_str()?);
        Some(Asked {
            host: format!("{name}.{namespace}.svc"),
            port: service["port"].as_u64().and_then(|port| port.try_into().ok()).unwrap_or(443),
            trusted: config["caBundle"].as_str()?.to_owned(),
        })
    })
}

impl Running<'_> {
    /// Talks to the webhooks whose configurations are about to be applied. Only inside of the cluster are they reached.
    pub(super) async fn probe(&mut self) {
        if !self.around.settings.inside {
            return;
        }
        let steps = self.plan.steps.iter().filter(|step| step.stage == Stage::Admission);
        let configurations: Vec<(ObjectId, BTreeSet<Asked>)> =
            steps.filter_map(|step| Some((step.id.clone(), asked(self.objects.get(&step.id)?).collect()))).collect();
        let deadline = Instant::now() + self.around.settings.wait;
        for (id, all) in configurations {
            for one in all {
                let mut tries = 0;
                while let Err(why) =
                    timeout(PATIENCE, shake_hands(&one)).await.unwrap_or_else(|_| Err(anyhow!("no answer")))
                {
                    if Instant::now() >= deadline || self.around.gateway.stopped().is_some() {
                        let message = format!("{} does not answer as the configuration wants it: {why:#}", one.host);
                        self.problem(Some(&id), message, true, true);
                        break;
                    }
                    tries += 1;
                    self.around.gateway.moment(tries).await;
                }
            }
        }
    }
}

/// One handshake, trusting nobody but whom the configuration trusts.
async fn shake_hands(asked: &Asked) -> Result<()> {
    let pem = BASE64_STANDARD.decode(&asked.trusted).context("its caBundle is no base64")?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.context("its caBundle holds no certificate")?).context("its caBundle cannot be used")?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("no version of TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(asked.host.clone()).context("no name of a server")?;
    let stream = TcpStream::connect((asked.host.as_str(), asked.port)).await.context("it cannot be reached")?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.context("the handshake fails")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whom_a_configuration_asks_is_read_out_of_it() {
        let service = json!({"name": "webhook-svc", "namespace": "k8s-mtp", "port": 8443});
        let object = json!({"webhooks": [
            {"clientConfig": {"service": service, "caBundle": "QQ=="}},
            {"clientConfig": {"service": {"name": "a", "namespace": "b"}}},
            {"clientConfig": {"url": "https://example.org", "caBundle": "QQ=="}},
        ]});
        let expected = Asked { host: "webhook-svc.k8s-mtp.svc".to_owned(), port: 8443, trusted: "QQ==".to_owned() };
        assert_eq!(asked(&object).collect::<Vec<_>>(), [expected]);
    }

    #[tokio::test]
    async fn nobody_is_trusted_without_a_certificate() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a pair");
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = acceptor.accept(stream).await;
            }
        });
        let trusting = |pem: String| Asked { host: "localhost".to_owned(), port, trusted: BASE64_STANDARD.encode(pem) };
        shake_hands(&trusting(made.cert.pem())).await.expect("it is the one that is trusted");
        let error = shake_hands(&trusting(other.cert.pem())).await.expect_err("it is another one");
        assert!(format!("{error:#}").contains("the handshake fails"), "{error:#}");
    }
}

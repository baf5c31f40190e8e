//! `Lock`: `tenants/certs/webhook.lock.yaml`, the public half of the webhook's certificate, and how far a rotation is.

use serde::Deserialize;

use super::due::written;
use super::x509::Certificate;
use crate::contract::At;
use crate::place::Span;

/// How far a rotation is. Each step is a commit of its own, and waits until the one before has reached every API server
/// and every replica: whoever is called is always trusted.
///
/// Source: the API server keeps a client by its whole configuration, so that a new caBundle means new handshakes at once:
/// `clientFor` of Kubernetes' `apiserver/pkg/util/webhook/client.go`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// One authority is trusted, and its certificate served.
    Serving,
    /// The next authority is trusted too; its certificate waits.
    Staged,
    /// The next certificate is served; the old authority is still trusted.
    Switched,
    /// Others keep the Secret; only whom to trust is known here.
    External,
}

/// The public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// How far a rotation is.
    pub phase: Phase,
    /// Whom the API server trusts: rendered as `caBundle`.
    pub trusted: Vec<Certificate>,
    /// What the webhook shows; its key stands in [`super::SERVED`].
    pub served: Option<Certificate>,
    /// What the webhook will show; its key stands in [`super::NEXT`].
    pub next: Option<Certificate>,
}

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    phase: At<Phase>,
    trusted: Vec<Entry>,
    #[serde(default)]
    served: Option<Entry>,
    #[serde(default)]
    next: Option<Entry>,
}

/// Everything but the certificate itself is for people.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    #[expect(dead_code, reason = "compared as text")]
    sha256: At<String>,
    #[expect(dead_code, reason = "compared as text")]
    #[serde(default)]
    names: Vec<At<String>>,
    #[expect(dead_code, reason = "compared as text")]
    not_before: At<String>,
    #[expect(dead_code, reason = "compared as text")]
    not_after: At<String>,
    pem: At<String>,
}

impl Phase {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Serving => "serving",
            Phase::Staged => "staged",
            Phase::Switched => "switched",
            Phase::External => "external",
        }
    }
}

impl Lock {
    /// Reads the file. The error says what is wrong, and where.
    pub fn read(text: &str) -> Result<Lock, (Span, String)> {
        // What stands there is never repeated: it may be a key that somebody put there.
        const FORM: &str = "expected what `mtp certs` writes";
        let documents = crate::yaml::read(text).map_err(|error| (error.span, FORM.to_owned()))?;
        let [document] = documents.as_slice() else {
            return Err((Span::default(), format!("expected one document, found {}", documents.len())));
        };
        let file: File = crate::yaml::decode::decode(document).map_err(|error| (error.span, FORM.to_owned()))?;
        let certificate = |entry: &Entry| match Certificate::chain(entry.pem.as_bytes()) {
            Ok(chain) if chain.len() == 1 => Ok(chain.into_iter().next().expect("it has one")),
            Ok(chain) => Err((entry.pem.span, format!("expected one certificate, found {}", chain.len()))),
            Err(why) => Err((entry.pem.span, why)),
        };
        let one = |entry: &Option<Entry>| entry.as_ref().map(certificate).transpose();
        let trusted = file.trusted.iter().map(certificate).collect::<Result<_, _>>()?;
        let lock = Lock { phase: file.phase.value, trusted, served: one(&file.served)?, next: one(&file.next)? };
        lock.check().map_err(|why| (file.phase.span, why))?;
        if lock.write() != text {
            let why = "the file differs from what `mtp certs` wrote: its dates and names are those of its certificates";
            return Err((Span::default(), why.to_owned()));
        }
        Ok(lock)
    }

    /// Whether its parts fit together.
    pub fn check(&self) -> Result<(), String> {
        let has = (self.trusted.len(), self.served.is_some(), self.next.is_some());
        let fits = match self.phase {
            Phase::Serving => matches!(has, (1, true, false)),
            Phase::Staged => matches!(has, (2, true, true)),
            Phase::Switched => matches!(has, (2, true, false)),
            Phase::External => matches!(has, (1.., false, false)),
        };
        if !fits {
            return Err(format!("what stands in phase `{}` does not belong to it", self.phase.as_str()));
        }
        if let Some(server) = self.trusted.iter().find(|c| !c.is_authority) {
            return Err(format!("certificate {} is trusted, and is no authority", &server.sha256[..16]));
        }
        for certificate in self.served.iter().chain(&self.next) {
            if !self.trusted.iter().any(|authority| certificate.is_signed_by(authority)) {
                return Err(format!("certificate {} is signed by nobody who is trusted", &certificate.sha256[..16]));
            }
            if certificate.is_authority || !certificate.is_for_servers {
                return Err(format!("certificate {} is not one of a server", &certificate.sha256[..16]));
            }
        }
        Ok(())
    }

    /// Whom the API server is to trust, as PEM.
    pub fn bundle(&self) -> String {
        self.trusted.iter().map(Certificate::pem).collect()
    }

    /// The file.
    pub fn write(&self) -> String {
        let mut text = format!(
            "# Written by `mtp certs`: the public half of the webhook's certificate. What people edit here is refused.\n\
             phase: {}\ntrusted:\n",
            self.phase.as_str()
        );
        for certificate in &self.trusted {
            text.push_str(&entry(certificate, "  - ", "    "));
        }
        for (key, certificate) in [("served", &self.served), ("next", &self.next)] {
            if let Some(certificate) = certificate {
                text.push_str(&format!("{key}:\n{}", entry(certificate, "  ", "  ")));
            }
        }
        text
    }
}

fn entry(certificate: &Certificate, first: &str, indent: &str) -> String {
    let mut text = format!("{first}sha256: \"{}\"\n", certificate.sha256);
    if !certificate.names.is_empty() {
        text.push_str(&format!("{indent}names:\n"));
        for name in &certificate.names {
            text.push_str(&format!("{indent}  - {}\n", serde_json::Value::from(name.as_str())));
        }
    }
    text.push_str(&format!("{indent}notBefore: \"{}\"\n", written(certificate.not_before)));
    text.push_str(&format!("{indent}notAfter: \"{}\"\n{indent}pem: |\n", written(certificate.not_after)));
    for line in certificate.pem().lines() {
        text.push_str(&format!("{indent}  {line}\n"));
    }
    text
}

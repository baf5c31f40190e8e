//! Requests to an API server, as the admin or as somebody else, with the warnings that come back.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::config::AuthInfo;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// The field manager of what tests apply; that of `mtp sync` too.
pub const MANAGER: &str = "k8s-mtp";

/// A client; cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: kube::Client,
    /// How it connects.
    config: Arc<kube::Config>,
    /// Who is impersonated, and with which groups.
    who: Option<(String, Vec<String>)>,
    /// Every warning of every answer, with the request.
    warnings: Arc<Mutex<Vec<String>>>,
}

/// What the server answers.
#[derive(Debug)]
pub struct Answer {
    /// The request, for messages.
    pub request: String,
    /// HTTP status; 0 where there is no server.
    pub status: u16,
    /// The object, or a Status.
    pub body: Value,
}

/// Tests are written without `async`: each of their threads waits for its own answers.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().enable_all().build().expect("a runtime"));

/// Waits for what is done asynchronously.
pub fn finished<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

impl Client {
    /// A client of the server at `url`, whose certificate `authority` (DER) has signed.
    pub fn new(url: &str, authority: &[u8], token: &str) -> Client {
        let mut config = kube::Config::new(url.parse().expect("a URL"));
        config.root_cert = Some(vec![authority.to_vec()]);
        config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        config.default_retry = false;
        config.read_timeout = Some(Duration::from_secs(30));
        let _inside = RUNTIME.enter();
        let inner = kube::Client::try_from(config.clone()).expect("a client");
        Client { inner, config: Arc::new(config), who: None, warnings: Arc::default() }
    }

    /// The same server, as somebody else.
    pub fn as_user(&self, user: &str, groups: &[&str]) -> Client {
        let groups = groups.iter().map(|g| (*g).to_owned()).collect();
        Client { who: Some((user.to_owned(), groups)), ..self.clone() }
    }

    /// A client of the product's own kind, as whom this one is.
    pub fn as_whom(&self) -> kube::Client {
        let mut config = (*self.config).clone();
        if let Some((user, groups)) = self.who.clone() {
            config.auth_info.impersonate = Some(user);
            config.auth_info.impersonate_groups = Some(groups);
        }
        let _inside = RUNTIME.enter();
        kube::Client::try_from(config).expect("a client")
    }

    /// The same server, with warnings of its own.
    pub fn apart(&self) -> Client {
        Client { warnings: Arc::default(), ..self.clone() }
    }

    /// All warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().expect("no panic before").clone()
    }

    /// Sends a request and reads the answer.
    pub fn send(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let described = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path).header("content-type", content_type);
        if let Some((user, groups)) = &self.who {
            request = request.header("impersonate-user", user);
            for group in groups {
                request = request.header("impersonate-group", group);
            }
        }
        let request = request.body(Body::from(body)).expect("a request");
        RUNTIME.block_on(async {
            let response = match self.inner.send(request).await {
                Ok(response) => response,
                Err(error) => {
                    let body = Value::String(format!("{error:?}"));
                    return Answer { request: described, status: 0, body };
                }
            };
            let status = response.status().as_u16();
            let warnings = response.headers().get_all("warning").iter();
            let warnings = warnings.map(|w| format!("{described}: {}", String::from_utf8_lossy(w.as_bytes())));
            self.warnings.lock().expect("no panic before").extend(warnings);
            let bytes = response.into_body().collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
            let body = serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
            Answer { request: described, status, body }
        })
    }

    /// Runs something that sends many requests at a time.
    pub fn on_runtime<T>(&self, all: impl Future<Output = T>) -> T {
        RUNTIME.block_on(all)
    }

    /// Sends a request, and reads the answer over; its status.
    pub async fn send_raw(&self, method: &Method, path: &str, content_type: &str, body: &[u8]) -> u16 {
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        let request = request.body(Body::from(body.to_vec())).expect("a request");
        let response = self.inner.send(request).await.expect("an answer");
        let status = response.status().as_u16();
        response.into_body().collect().await.expect("a body");
        status
    }

    /// Reads an object, or a list.
    pub fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "application/json", Vec::new())
    }

    /// Creates an object.
    pub fn post(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::POST, path, "application/json", object.to_string().into_bytes())
    }

    /// Changes an object by a merge patch.
    pub fn merge(&self, path: &str, patch: &Value) -> Answer {
        self.send(Method::PATCH, path, "application/merge-patch+json", patch.to_string().into_bytes())
    }

    /// Deletes an object or a collection.
    pub fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "application/json", Vec::new())
    }

    /// Asks the server whether one may: `resourceAttributes` of a SelfSubjectAccessReview.
    pub fn may(&self, attributes: &Value) -> bool {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        });
        let answer = self.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review).created();
        answer["status"]["allowed"].as_bool().expect("an answer")
    }

    /// Server-side apply of a document as it is, with strict validation of its fields; `dry` changes nothing.
    pub fn apply(&self, path: &str, document: &str, dry: bool) -> Answer {
        let dry = if dry { "&dryRun=All" } else { "" };
        let path = format!("{path}?fieldManager={MANAGER}&force=true&fieldValidation=Strict{dry}");
        self.send(Method::PATCH, &path, "application/apply-patch+yaml", document.as_bytes().to_vec())
    }
}

impl Answer {
    /// The object, of a request that succeeded.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {} {}", self.request, self.status, self.message());
        self.body
    }

    /// The same, of one that created it.
    #[track_caller]
    pub fn created(self) -> Value {
        assert_eq!(self.status, 201, "{}: {}", self.request, self.message());
        self.body
    }

    /// What a refusal says.
    pub fn message(&self) -> String {
        self.body["message"].as_str().map_or_else(|| self.body.to_string(), str::to_owned)
    }

    /// Fails unless it was refused with that status and says all of `why`.
    #[track_caller]
    pub fn refused(&self, status: u16, why: &[&str]) {
        let message = self.message();
        assert!(
            self.status == status && why.iter().all(|why| message.contains(why)),
            "{}: expected {status} that says {why:?}, found {} {message}",
            self.request,
            self.status
        );
    }
}

//! `mtp webhook serve` as a process, its files as the kubelet mounts them, and a client that does what it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

/// The name that API servers ask for.
pub const NAME: &str = "webhook-svc.k8s-mtp.svc";

/// How long anything may take that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; killed when it is dropped.
pub struct Server {
    child: Child,
    pub address: String,
    pub metrics: String,
    lines: Arc<Mutex<Vec<Value>>>,
}

/// `mtp webhook serve ARGS` with both folders.
pub fn command(certs: &Path, tenants: &Path, args: &[&str]) -> Command {
    // ci/test also runs the binary that the image holds.
    let program = std::env::var_os("MTP_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_mtp").into());
    let mut command = Command::new(program);
    command.args(["webhook", "serve", "--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0"]);
    command.arg("--certs").arg(certs).arg("--tenants").arg(tenants).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Server {
    pub fn start(certs: &Path, tenants: &Path, args: &[&str]) -> Server {
        let mut child = command(certs, tenants, args).spawn().expect("mtp starts");
        let err = BufReader::new(child.stderr.take().expect("piped"));
        let lines: Arc<Mutex<Vec<Value>>> = Arc::default();
        let log = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in err.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| Value::from(line));
                log.lock().expect("a lock").push(line);
            }
        });
        let mut server = Server { child, address: String::new(), metrics: String::new(), lines };
        let listening = server.wait_for("listening");
        let text = |key: &str| listening[key].as_str().expect("an address").to_owned();
        (server.address, server.metrics) = (text("address"), text("metrics"));
        server
    }

    /// The first line of the log with that message; waits for it.
    pub fn wait_for(&self, message: &str) -> Value {
        self.wait(&format!("the log says {message:?}"), || self.line(message))
    }

    /// The first line of the log with that message.
    pub fn line(&self, message: &str) -> Option<Value> {
        self.log().into_iter().find(|line| line["message"].as_str().is_some_and(|m| m.contains(message)))
    }

    /// Everything that was logged.
    pub fn log(&self) -> Vec<Value> {
        self.lines.lock().expect("a lock").clone()
    }

    /// Waits until `look` gives something.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain: {what}\n{:#?}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> u64 {
        self.metric("mtp_webhook_resident_memory_bytes") as u64
    }

    /// The most that it ever had, in bytes.
    pub fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
    }

    /// The sum of a metric's values whose line begins with `name`.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.scrape();
        let mut values = text.lines().filter(|line| line.starts_with(name)).peekable();
        assert!(values.peek().is_some(), "no metric {name} in\n{text}");
        values.map(|line| line.rsplit(' ').next().expect("a value").parse::<f64>().expect("a number")).sum()
    }

    /// `/metrics`.
    pub fn scrape(&self) -> String {
        let stream = TcpStream::connect(&self.metrics).expect("metrics are there");
        let mut wire = Wire::over(stream);
        wire.send("GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        wire.answer().body
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().expect("kill");
        assert!(done.success());
    }

    /// Waits for the end and gives the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "it does not end\n{:#?}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A TLS connection by whoever trusts `bundle`, PEM.
    pub fn connect(&self, bundle: &str) -> Wire<StreamOwned<ClientConnection, TcpStream>> {
        self.try_connect(&trusting(bundle)).unwrap_or_else(|why| panic!("{why}\n{:#?}", self.log()))
    }

    /// The same with a configuration; the error says what failed.
    pub fn try_connect(
        &self,
        config: &Arc<ClientConfig>,
    ) -> Result<Wire<StreamOwned<ClientConnection, TcpStream>>, String> {
        connect(&self.address, config)
    }

    /// One request over a connection of its own.
    pub fn post(&self, bundle: &str, path: &str, body: &str) -> Answer {
        let mut wire = self.connect(bundle);
        wire.post(path, body);
        wire.answer()
    }

    pub fn get(&self, bundle: &str, path: &str) -> Answer {
        let mut wire = self.connect(bundle);
        wire.send(format!("GET {path} HTTP/1.1\r\nhost: {NAME}\r\n\r\n"));
        wire.answer()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A TLS connection with a finished handshake.
pub fn connect(
    address: &str,
    config: &Arc<ClientConfig>,
) -> Result<Wire<StreamOwned<ClientConnection, TcpStream>>, String> {
    let mut stream = TcpStream::connect(address).map_err(|e| format!("cannot connect: {e}"))?;
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("an option");
    let name = ServerName::try_from(NAME).expect("a name");
    let mut tls = ClientConnection::new(Arc::clone(config), name).expect("a client");
    while tls.is_handshaking() {
        tls.complete_io(&mut stream).map_err(|e| format!("no handshake: {e}"))?;
    }
    Ok(Wire::over(StreamOwned::new(tls, stream)))
}

/// A client that trusts the authorities of `bundle`, and nobody else.
pub fn trusting(bundle: &str) -> Arc<ClientConfig> {
    Arc::new(builder(bundle).with_no_client_auth())
}

/// The same, without a decision on a certificate of its own.
pub fn builder(bundle: &str) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        roots.add(authority.expect("PEM")).expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    builder.with_root_certificates(roots)
}

/// A connection on which bytes are written and answers are read.
pub struct Wire<S> {
    pub stream: S,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The response of an AdmissionReview.
    pub fn response(&self) -> Value {
        let review: Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"));
        review["response"].clone()
    }
}

impl<S: Read + Write> Wire<S> {
    pub fn over(stream: S) -> Wire<S> {
        Wire { stream, unread: Vec::new() }
    }

    pub fn send(&mut self, text: impl AsRef<[u8]>) {
        self.try_send(text).expect("the server reads");
    }

    pub fn try_send(&mut self, text: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(text.as_ref())?;
        self.stream.flush()
    }

    pub fn post(&mut self, path: &str, body: &str) {
        self.send(request(path, body));
    }

    pub fn answer(&mut self) -> Answer {
        self.try_answer().expect("an answer")
    }

    /// The next answer; an error where the connection ends or nothing comes.
    pub fn try_answer(&mut self) -> std::io::Result<Answer> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            self.more()?;
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).to_lowercase();
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a code");
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |n| n.parse().expect("n"));
        while self.unread.len() < end + length {
            self.more()?;
        }
        let body = String::from_utf8_lossy(&self.unread[end..end + length]).into_owned();
        self.unread.drain(..end + length);
        Ok(Answer { code, head, body })
    }

    fn more(&mut self) -> std::io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        let count = self.stream.read(&mut bytes)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.unread.extend_from_slice(&bytes[..count]);
        Ok(())
    }
}

/// A request with a body of JSON.
pub fn request(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {NAME}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// A folder as the kubelet mounts it: files are links into `..data`, which is replaced whole.
pub struct Mount {
    folder: PathBuf,
    count: usize,
}

impl Mount {
    /// An empty one.
    pub fn new(folder: &Path) -> Mount {
        std::fs::create_dir_all(folder).expect("a folder");
        Mount { folder: folder.to_owned(), count: 0 }
    }

    /// One with a pair.
    pub fn with_pair(folder: &Path, certificate: &str, key: &str) -> Mount {
        let mut mount = Mount::new(folder);
        mount.write(&[("tls.crt", certificate), ("tls.key", key)]);
        mount
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Replaces all files.
    ///
    /// Source: `AtomicWriter.Write` of Kubernetes' `pkg/volume/util/atomic_writer.go`
    pub fn write(&mut self, files: &[(&str, &str)]) {
        use std::os::unix::fs::symlink;
        self.count += 1;
        let name = format!("..2026_11_24_{:06}", self.count);
        let dated = self.folder.join(&name);
        std::fs::create_dir(&dated).expect("a folder");
        for (file, text) in files {
            std::fs::write(dated.join(file), text).expect("a file");
        }
        let old = std::fs::read_link(self.folder.join("..data")).ok();
        symlink(&name, self.folder.join("..data_tmp")).expect("a link");
        std::fs::rename(self.folder.join("..data_tmp"), self.folder.join("..data")).expect("a rename");
        for (file, _) in files {
            let _ = symlink(format!("..data/{file}"), self.folder.join(file));
        }
        if let Some(old) = old {
            std::fs::remove_dir_all(self.folder.join(old)).expect("the old folder");
        }
    }
}

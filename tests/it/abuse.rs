//! Guests of the webhook who mean no good: it stays up, answers the others, and its memory stays small.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::serving::{NAME, Wire, request, trusting};
use crate::webhook::Platform;
use crate::world::{bad, create, good, review};

/// What the memory of the webhook may reach at any time; its container has 256 MiB.
const MOST_MEMORY: u64 = 200 * 1024 * 1024;

/// A review whose pods carry a text of so many bytes in all.
fn padded(bytes: usize) -> String {
    let mut pod = good();
    let text = review("UPDATE", "", pod.clone(), pod.clone()).to_string();
    let half = (bytes - text.len() - 60) / 2;
    pod["metadata"]["annotations"] = json!({"padding": "x".repeat(half)});
    review("UPDATE", "", pod.clone(), pod).to_string()
}

#[test]
fn bodies_of_any_size_and_form() {
    let platform = Platform::new();
    let ask = |body: &str| platform.server.post(&platform.bundle, "/validate-pod", body);
    let mib = |tenths: usize| tenths * 1024 * 1024 / 10;
    for (tenths, code) in [(20, 200), (30, 200), (69, 200), (71, 413)] {
        let body = padded(mib(tenths));
        assert!(body.len().abs_diff(mib(tenths)) < 1024, "{}", body.len());
        let mut wire = platform.server.connect(&platform.bundle);
        wire.send(request("/validate-pod", &body));
        let answer = wire.answer();
        assert_eq!(answer.code, code, "{tenths}: {answer:?}");
    }
    // The same without a length.
    let mut wire = platform.server.connect(&platform.bundle);
    let head = format!(
        "POST /validate-pod HTTP/1.1\r\nhost: {NAME}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    wire.send(head);
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024));
    let mut sent = 0;
    while sent < mib(71) {
        wire.send(&chunk);
        sent += 64 * 1024;
    }
    wire.send("0\r\n\r\n");
    assert_eq!(wire.answer().code, 413);

    // As many containers as fit in what an API server takes.
    let containers = |security: Value| -> Value {
        let one = |n| json!({"name": format!("c{n}"), "image": "nginx", "securityContext": security});
        (0..10_000).map(one).collect()
    };
    let mut pod = good();
    pod["spec"]["containers"] = containers(json!({"privileged": true}));
    let start = Instant::now();
    let response = ask(&create(pod.clone()).to_string()).response();
    let message = response["status"]["message"].as_str().expect("a message");
    assert!(message.ends_with("; and 39984 more"), "{message}");
    assert!(message.len() < 2048);
    let mut changed = pod.clone();
    changed["spec"]["containers"] = containers(json!({"privileged": false}));
    let response = ask(&review("UPDATE", "", changed, pod).to_string()).response();
    assert_eq!(response["allowed"], false);
    // Not a timed test: a pod whose containers are compared each with each takes minutes in this build.
    assert!(start.elapsed() < Duration::from_secs(60));

    let nested = |depth: usize| {
        let mut text = create(good()).to_string();
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        text.insert_str(1, &format!("\"deep\":{deep},"));
        text
    };
    let zeros = format!("{{\"zeros\":[0{}]}}", ",0".repeat(3_000_000));
    let wrong: [(String, u16); 13] = [
        (String::new(), 400),
        ("\u{0}\u{0}".to_owned(), 400),
        ("null".to_owned(), 400),
        ("{\"kind\":\"AdmissionReview\"}".to_owned(), 400),
        (nested(100), 200),
        // What no policy looks at is read over, however deep it is.
        (nested(200), 200),
        (nested(100_000), 200),
        (nested(2_000_000), 413),
        (zeros, 413),
        ("{".repeat(10_000), 400),
        (create(good()).to_string().replace("/v1\"", "/v1beta1\""), 400),
        (create(good()).to_string().replace("\"uid\"", "\"uit\""), 400),
        ("\"".to_owned() + &"\\u0000".repeat(100_000), 400),
    ];
    for (body, code) in wrong {
        let answer = ask(&body);
        assert_eq!(answer.code, code, "{}: {answer:?}", &body[..body.len().min(80)]);
    }
    for (text, code) in [
        (request("/validate-pod", "{}").replace("application/json", "text/plain"), 415),
        (request("/validate-pod", "{}").replace("content-type: application/json\r\n", ""), 415),
        (format!("GET /validate-pod HTTP/1.1\r\nhost: {NAME}\r\n\r\n"), 405),
        (request("/validate-pods", "{}"), 404),
        (request("/../validate-pod", "{}"), 404),
        ("POST /validate-pod HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\nhost: {NAME}\r\n{}\r\n", "a: b\r\n".repeat(1000)), 431),
        ("\u{16}\u{3}\u{1}\r\n\r\n".to_owned(), 400),
    ] {
        let mut wire = platform.server.connect(&platform.bundle);
        wire.send(&text);
        assert_eq!(wire.answer().code, code, "{}", &text[..text.len().min(80)]);
    }

    // What is kept of a body is bounded, whatever it is made of.
    let many = |what: &str, one: &str, times: usize| {
        let body = create(good()).to_string();
        let list = vec![one; times].join(",");
        let marker = "\"containers\":";
        match what {
            "claims" => body.replace("\"limits\":", &format!("\"claims\":[{list}],\"limits\":")),
            "aliases" => body.replace(marker, &format!("\"hostAliases\":[{list}],{marker}")),
            _ => body.replace(marker, &format!("\"initContainers\":[{list}],{marker}")),
        }
    };
    for (what, one, times, code) in [
        ("claims", "{\"n\":1}", 120_000, 200),
        ("aliases", "{\"n\":1}", 120_000, 200),
        ("init", "{}", 120_000, 200),
        ("init", "{\"securityContext\":{}}", 80_000, 200),
        ("aliases", "{\"n\":1}", 700_000, 413),
    ] {
        let answer = ask(&many(what, one, times));
        assert_eq!(answer.code, code, "{what} {one}");
        assert!(answer.body.len() < 8192);
    }
    // Maps that are large, or that say the same again and again, in a pod of many containers: each is looked at many times.
    let keys = (0..60_000).map(|n| format!("\"k{n}\":\"1\"")).collect::<Vec<_>>().join(",");
    let again = vec!["\"runAsNonRoot\":true"; 60_000].join(",");
    for (marker, more) in [
        ("\"spec\":{", format!("\"spec\":{{\"resources\":{{\"limits\":{{{keys}}}}},")),
        (
            "\"spec\":{",
            format!(
                "\"spec\":{{\"initContainers\":[{}],\"securityContext\":{{{again}}},",
                vec!["{}"; 15_000].join(",")
            ),
        ),
    ] {
        let mut pod = good();
        pod["spec"]["containers"] = containers(json!({}));
        pod["spec"]["securityContext"].take();
        let start = Instant::now();
        let answer = ask(&create(pod).to_string().replacen(marker, &more, 1));
        assert_eq!(answer.code, 200, "{answer:?}");
        // Not a timed test: what was quadratic took minutes.
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    let mut named = create(bad());
    named["request"]["object"]["spec"]["containers"][0]["name"] = json!("n".repeat(3_000_000));
    let answer = ask(&named.to_string());
    assert!(answer.code == 200 && answer.body.len() < 8192);
    named["request"]["uid"] = json!("u".repeat(3_000_000));
    assert_eq!(ask(&named.to_string()).code, 400);

    // Many large bodies at a time: each is answered, or told to come again.
    let body = padded(mib(69));
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let one = || {
            let mut wire = platform.server.connect(&platform.bundle);
            let _ = wire.try_send(request("/validate-pod", &body));
            wire.try_answer().map_or(503, |answer| answer.code)
        };
        let all: Vec<_> = (0..16).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    assert!(codes.iter().all(|code| [200, 503].contains(code)) && codes.contains(&200), "{codes:?}");

    assert_eq!(ask(&create(bad()).to_string()).response()["allowed"], false);
    assert_eq!(platform.server.metric("mtp_webhook_panics_total"), 0.0);
    let peak = platform.server.peak();
    eprintln!("at most {} MiB", peak >> 20);
    assert!(peak < MOST_MEMORY, "{} MiB", peak >> 20);
}

#[test]
fn slow_guests_are_shown_out() {
    let platform = Platform::new();
    let address = &platform.server.address;
    std::thread::scope(|scope| {
        // Connects, and says nothing: no handshake.
        scope.spawn(|| {
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
            assert!(std::io::Read::read(&mut stream, &mut [0; 16]).is_ok_and(|count| count == 0), "it was kept");
        });
        // A head that does not end, a byte now and then.
        scope.spawn(|| {
            let mut wire = platform.server.connect(&platform.bundle);
            let start = Instant::now();
            wire.send("POST /validate-pod HTTP/1.1\r\n");
            while start.elapsed() < Duration::from_secs(30) {
                if wire.try_send("a: b\r\n").is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(300));
            }
            panic!("it was kept");
        });
        // The same on a connection that was good once.
        scope.spawn(|| {
            let mut wire = platform.server.connect(&platform.bundle);
            wire.post("/validate-pod", &create(good()).to_string());
            assert_eq!(wire.answer().code, 200);
            wire.send("POST /validate-pod HT");
            assert!(wire.try_answer().is_err_and(|e| e.kind() == std::io::ErrorKind::UnexpectedEof));
        });
        // A body that does not end.
        scope.spawn(|| {
            let mut wire = platform.server.connect(&platform.bundle);
            let whole = request("/validate-pod", &create(good()).to_string());
            wire.send(&whole[..whole.len() - 10]);
            assert_eq!(wire.answer().code, 408);
        });
        // One that waits between requests for longer than that is no enemy.
        scope.spawn(|| {
            let mut wire = platform.server.connect(&platform.bundle);
            for _ in 0..2 {
                wire.post("/validate-pod", &create(good()).to_string());
                assert_eq!(wire.answer().code, 200);
                std::thread::sleep(Duration::from_secs(15));
            }
        });
    });
    assert!(platform.server.metric("mtp_webhook_failed_handshakes_total{reason=\"timeout\"}") >= 1.0);
}

#[test]
fn connections_are_bounded_and_nobody_is_kept_out() {
    let platform = Platform::new();
    let address = &platform.server.address;
    // A thousand who hold a connection: half without a word, half with a handshake.
    let config = trusting(&platform.bundle);
    let silent: Vec<TcpStream> = (0..500).map(|_| TcpStream::connect(address).expect("a connection")).collect();
    let idle: Vec<_> = (0..500).map(|_| platform.server.try_connect(&config)).collect();
    assert!(idle.iter().all(Result::is_ok), "{:?}", idle.iter().find_map(|one| one.as_ref().err()));
    for _ in 0..20 {
        assert_eq!(platform.server.post(&platform.bundle, "/validate-pod", &create(good()).to_string()).code, 200);
    }
    // On a slow machine, some of the silent ones are shown out before that.
    let evicted = platform.server.metric("mtp_webhook_evicted_connections_total");
    let shown_out = platform.server.metric("mtp_webhook_failed_handshakes_total{reason=\"timeout\"}");
    assert!(evicted + shown_out >= 488.0 && evicted > 0.0, "{evicted} {shown_out}");
    platform.server.wait("room", || (platform.server.metric("mtp_webhook_connections ") <= 520.0).then_some(()));
    let memory = platform.server.memory();
    drop((silent, idle));

    // Those who come and go, in the middle of whatever.
    let whole = request("/validate-pod", &create(bad()).to_string());
    for round in 0..600 {
        match round % 4 {
            0 => drop(TcpStream::connect(address).expect("a connection")),
            1 => {
                let mut stream = TcpStream::connect(address).expect("a connection");
                let _ = stream.write_all(b"GET / HTTP/1.1\r\n\r\n");
            }
            2 => {
                let mut wire: Wire<_> = platform.server.connect(&platform.bundle);
                wire.send(&whole[..whole.len() / 2]);
            }
            _ => {
                let mut wire = platform.server.connect(&platform.bundle);
                wire.send(&whole);
                assert_eq!(wire.answer().response()["allowed"], false);
            }
        }
    }
    platform.server.wait("all are gone", || (platform.server.metric("mtp_webhook_connections ") <= 1.0).then_some(()));
    assert_eq!(platform.server.metric("mtp_webhook_panics_total"), 0.0);
    assert!(memory < MOST_MEMORY && platform.server.peak() < MOST_MEMORY, "{} MiB", platform.server.peak() >> 20);
}

/// HTTP/2: many requests on a connection, none of which ends.
#[test]
fn streams_are_bounded_as_connections_are() {
    use http_body_util::BodyExt;
    use hyper::body::Bytes;
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let platform = Platform::new();
    let mut config = (*trusting(&platform.bundle)).clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        type Body = http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>;
        let connect = || async {
            let stream = tokio::net::TcpStream::connect(&platform.server.address).await.expect("a connection");
            let name = rustls::pki_types::ServerName::try_from(NAME).expect("a name");
            let stream = connector.connect(name, stream).await.expect("a handshake");
            let client = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
            let (sender, connection) = client.handshake::<_, Body>(TokioIo::new(stream)).await.expect("HTTP/2");
            tokio::spawn(connection);
            sender
        };
        let request = |length: usize, body: Body| {
            hyper::Request::post(format!("https://{NAME}/validate-pod"))
                .header("content-type", "application/json")
                .header("content-length", length)
                .body(body)
                .expect("a request")
        };
        let whole = |text: String| request(text.len(), http_body_util::Full::new(Bytes::from(text)).boxed());
        // An honest one first.
        let mut sender = connect().await;
        let answer = sender.send_request(whole(create(bad()).to_string())).await.expect("an answer");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("failed privilege check"));
        let head =
            hyper::Request::head(format!("https://{NAME}/validate-pod")).body(http_body_util::Empty::new().boxed());
        assert_eq!(sender.send_request(head.expect("a request")).await.expect("an answer").status(), 405);

        let before = platform.server.peak();
        let (mut held, mut open) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            let mut sender = connect().await;
            for _ in 0..64 {
                held.push(tokio::spawn(sender.send_request(request(60_000, Stalled(false).boxed()))));
            }
            open.push(sender);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let took = platform.server.peak() - before;
        assert!(took < 64 * 1024 * 1024, "{} MiB for a hundred connections", took >> 20);
        // Others are answered meanwhile.
        let answer = sender.send_request(whole(create(good()).to_string())).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        held.iter().for_each(tokio::task::JoinHandle::abort);
    });
    assert_eq!(platform.server.metric("mtp_webhook_panics_total"), 0.0);
}

/// A body whose first byte comes, and nothing more.
struct Stalled(bool);

impl hyper::body::Body for Stalled {
    type Data = hyper::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        if std::mem::replace(&mut self.0, true) {
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(hyper::body::Bytes::from_static(b"{")))))
    }
}

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
        // The server may refuse before all of it is there.
        let sent = wire.try_send(request("/validate-pod", &body));
        let answer = wire.try_answer();
        assert!(sent.is_err() || answer.is_ok());
        if let Ok(answer) = answer {
            assert_eq!(answer.code, code, "{tenths}: {answer:?}");
        }
    }
    // The same without a length.
    let mut wire = platform.server.connect(&platform.bundle);
    let head = format!(
        "POST /validate-pod HTTP/1.1\r\nhost: {NAME}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    wire.send(head);
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024));
    let mut sent = 0;
    while sent < mib(71) && wire.try_send(&chunk).is_ok() {
        sent += 64 * 1024;
    }
    if let Ok(answer) = wire.try_answer() {
        assert_eq!(answer.code, 413);
    }

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
    assert!(peak < MOST_MEMORY, "{} MiB", peak / 1024 / 1024);
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
    assert!(platform.server.metric("mtp_webhook_evicted_connections_total") >= 488.0);
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

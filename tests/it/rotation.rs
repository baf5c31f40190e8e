//! A rotation under load: whoever trusts what is rendered at any step reaches every replica, and gets the right verdict.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use k8s_mtp::cli::Exit;
use rustls::ClientConfig;

use crate::serving::{Mount, Server, connect, trusting};
use crate::world::{SERVED, World, bad, bundle, create, good, pair, view};

/// A time of the rotation, as API servers have it: who is trusted, and how long that lasts.
const PHASE: Duration = Duration::from_secs(4);

/// How many connections a phase has at least: two hundred a second. On a machine that is busy otherwise, it lasts longer.
const ENOUGH: usize = 200 * PHASE.as_secs() as usize;

/// How often replicas find new files.
const RELOAD: Duration = Duration::from_secs(1);

#[test]
fn no_handshake_fails_and_no_verdict_is_wrong() {
    let world = World::issued();
    let tenants = view(&world.folder, &world.folder.join("mounted/tenants"));
    let [certificate, key] = pair(&world, SERVED);
    let mut mounts =
        ["a", "b"].map(|name| Mount::with_pair(&world.folder.join(&format!("mounted/{name}")), &certificate, &key));
    let servers = [0, 1].map(|n| Server::start(mounts[n].folder(), tenants.folder(), &[]));
    let addresses = servers.each_ref().map(|server| server.address.clone());

    // What each phase trusts, and what it serves.
    let step = |args: &[&str]| {
        for args in [args, &["render"]] {
            let ran = world.folder.mtp(args);
            assert_eq!(ran.exit, Exit::Clean, "{ran}");
        }
        (bundle(&world.folder), pair(&world, SERVED))
    };
    let first = (bundle(&world.folder), [certificate, key]);
    let staged = step(&["certs", "rotate", "--age", &world.recipient]);
    let switched = step(&["certs", "rotate"]);
    let retired = step(&["certs", "retire"]);
    assert!(first.1 == staged.1 && staged.1 != switched.1 && switched.1 == retired.1);
    let phases = [first, staged, switched, retired];
    assert_eq!(phases[1].0, phases[2].0);

    let (over, done, wrong) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let trusted = AtomicUsize::new(0);
    let configs: Vec<Arc<ClientConfig>> = phases.iter().map(|(bundle, _)| trusting(bundle)).collect();
    let bodies = [(create(good()).to_string(), true), (create(bad()).to_string(), false)];
    let client = |number: usize| {
        let mut round = number;
        while !over.load(Ordering::Relaxed) {
            round += 1;
            let phase = trusted.load(Ordering::Acquire);
            let (body, allowed) = &bodies[round % 2];
            // A new connection each, as an API server that just learned whom to trust.
            let answer = connect(&addresses[round / 2 % 2], &configs[phase]).map(|mut wire| {
                wire.post("/validate-pod", body);
                wire.try_answer().map(|answer| answer.response()["allowed"] == *allowed)
            });
            done.fetch_add(1, Ordering::Relaxed);
            if !matches!(answer, Ok(Ok(true))) {
                wrong.fetch_add(1, Ordering::Relaxed);
                eprintln!("phase {phase}: {answer:?}");
            }
        }
    };
    let start = Instant::now();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let client = &client;
            scope.spawn(move || client(number));
        }
        for (phase, (_, pair)) in phases.iter().enumerate() {
            // The API servers first, as the gates of a rotation ask for; old clients of the phase before may linger.
            trusted.store(phase, Ordering::Release);
            let begin = Instant::now();
            // The replicas later, one after the other, and again and again: the kubelet writes what is there already too.
            let before = done.load(Ordering::Relaxed);
            while begin.elapsed() < PHASE || done.load(Ordering::Relaxed) < before + ENOUGH {
                for mount in &mut mounts {
                    mount.write(&[("tls.crt", &pair[0]), ("tls.key", &pair[1])]);
                    std::thread::sleep(RELOAD / 2);
                }
            }
            // The next step waits until every replica serves what this one says.
            for server in &servers {
                let wanted = phase.max(1);
                server.wait("the pair", || {
                    (server.metric("mtp_webhook_reloads_total{what=\"certificate\"}") >= wanted as f64).then_some(())
                });
            }
            std::thread::sleep(RELOAD + RELOAD / 2);
        }
        over.store(true, Ordering::Relaxed);
    });
    let count = done.load(Ordering::Relaxed);
    let rate = count as f64 / start.elapsed().as_secs_f64();
    assert_eq!(wrong.load(Ordering::Relaxed), 0);
    for server in &servers {
        assert!(server.metric("mtp_webhook_reloads_total{what=\"certificate\"}") >= 8.0);
        assert_eq!(server.metric("mtp_webhook_reload_failures_total"), 0.0);
        assert_eq!(server.metric("mtp_webhook_failed_handshakes_total"), 0.0);
    }
    eprintln!("{count} connections, {rate:.0} a second");
    assert!(count >= phases.len() * ENOUGH);
}

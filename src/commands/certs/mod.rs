//! `mtp certs`: the webhook's certificate, its key encrypted, in git. Randomness and clock are read here.
#![expect(clippy::disallowed_methods, reason = "this is the shell: certificates begin now")]

pub mod age;
mod status;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use rcgen::KeyPair;
use time::OffsetDateTime;

use super::{Shell, Stream};
use crate::certs::issue::{DAYS, Order};
use crate::certs::lock::{Lock, Phase};
use crate::certs::rotation::{self, Fresh, Move, Step};
use crate::certs::sops::{DataKey, Seal};
use crate::certs::x509::Certificate;
use crate::certs::{LOCK, NEXT, SERVED, due, manifest, names};
use crate::cli::Exit;
use crate::contract::admission::Certificates;
use crate::diagnostic::has_errors;
use crate::disk;
use crate::inputs::TENANTS;
use crate::parse;
use crate::report::Report;

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make the first certificate, its key encrypted by SOPS for age recipients
    Issue(Issue),
    /// Take the next step of a rotation: first trust the next certificate too, then serve it
    Rotate(Rotate),
    /// Take the last step of a rotation: trust the old certificate no longer
    Retire,
    /// Say how far a rotation is and what is due; exit 1 where a step is
    Status(status::Options),
    /// Check that all that is in git fits together, and that no key stands anywhere in plain text
    Verify(verify::Options),
}

#[derive(Debug, Args)]
struct Issue {
    #[command(flatten)]
    make: Make,
    /// Others keep the Secret webhook-tls: only trust the authorities in this PEM file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recipients", "days", "key"])]
    ca: Option<PathBuf>,
    /// Replace what there is, without an overlap: pods are refused until the cluster has all of it
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct Rotate {
    #[command(flatten)]
    make: Make,
    /// Stage another certificate where the one that was staged is lost
    #[arg(long)]
    restage: bool,
}

#[derive(Debug, Args)]
struct Make {
    /// Whom the key is encrypted for (repeatable; default: the age recipients of .sops.yaml, else those of the last one)
    #[arg(long = "age", value_name = "age1…", id = "recipients")]
    recipients: Vec<String>,
    /// For how many days the certificate holds
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(i64::from(*DAYS.start())..=i64::from(*DAYS.end())))]
    days: u32,
    /// The kind of key
    #[arg(long, value_enum, default_value = "p256")]
    key: Key,
}

/// Kinds of key that every API server takes.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Key {
    /// ECDSA on P-256
    P256,
    /// ECDSA on P-384
    P384,
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let root = shell.root()?;
    for path in ["tenants/certs", LOCK, SERVED, NEXT] {
        disk::refuse_link(&root, path)?;
    }
    // One step at a time: two of them would each write a half of the state.
    let changes = !matches!(options.what, What::Status(_) | What::Verify(_));
    let _lock = (changes && disk::is_marked(&root)).then(|| disk::lock(&root)).transpose()?;
    match &options.what {
        What::Issue(options) => issue(options, &root, shell),
        What::Rotate(options) => rotate(options, &root, shell),
        What::Retire => {
            let lock = required_lock(&root)?;
            let Some(platform) = platform(&root, shell)? else { return Ok(Exit::Failed) };
            platform.refuse_step(&root, &lock)?;
            let step = rotation::retire(lock).map_err(|why| anyhow!(why))?;
            take(&root, &step)?;
            shell.note("the old authority is not trusted any more; run `mtp render`, commit, and the rotation is done");
            Ok(Exit::Clean)
        }
        What::Status(options) => status::run(options, &root, shell),
        What::Verify(options) => verify::run(options, &root, shell),
    }
}

fn issue(options: &Issue, root: &Path, shell: &mut Shell<'_>) -> Result<Exit> {
    if !options.force && disk::exists(&root.join(SERVED)) && !disk::exists(&root.join(LOCK)) {
        bail!(
            "{SERVED} is there without {LOCK}: take that back from git, or replace both with `mtp certs issue --force`"
        );
    }
    if !options.force && disk::exists(&root.join(LOCK)) {
        bail!(
            "{LOCK} is there already; `mtp certs rotate` replaces a certificate without an outage, and \
             `mtp certs issue --force` whatever is there, with one"
        );
    }
    let Some(Platform { namespace, .. }) = platform(root, shell)? else { return Ok(Exit::Failed) };
    if let Some(path) = &options.ca {
        let pem = disk::read_small(path)?.with_context(|| format!("there is no {}", path.display()))?;
        let chain = Certificate::chain(pem.as_bytes()).map_err(|why| anyhow!("{}: {why}", path.display()))?;
        let step = rotation::external(chain).map_err(|why| anyhow!("{}: {why}", path.display()))?;
        take(root, &step)?;
        disk::remove(&root.join(SERVED))?;
        disk::remove(&root.join(NEXT))?;
        shell.note(&format!("wrote {LOCK}; state `certificates: external` in the Platform, and run `mtp render`"));
        return Ok(Exit::Clean);
    }
    let step = rotation::issue(fresh(&options.make, root, &namespace)?);
    take(root, &step)?;
    // What an earlier rotation left would be taken for the next certificate.
    disk::remove(&root.join(NEXT))?;
    let until = step.lock.served.as_ref().map(|c| due::written(c.not_after)).unwrap_or_default();
    shell.note(&format!("wrote {LOCK} and {SERVED}: a certificate until {until}; run `mtp render`, and commit"));
    Ok(Exit::Clean)
}

fn rotate(options: &Rotate, root: &Path, shell: &mut Shell<'_>) -> Result<Exit> {
    let make = &options.make;
    let lock = required_lock(root)?;
    let Some(platform) = platform(root, shell)? else { return Ok(Exit::Failed) };
    let namespace = &platform.namespace;
    if options.restage {
        let step = rotation::restage(lock, fresh(make, root, namespace)?).map_err(|why| anyhow!(why))?;
        take(root, &step)?;
        shell.note("staged another one: run `mtp render`, commit, and have it applied");
        return Ok(Exit::Clean);
    }
    if lock.phase == Phase::Staged {
        if !make.recipients.is_empty() {
            bail!("this step makes no key: the one that is staged is served; --restage makes another one");
        }
        let [served, next] = [SERVED, NEXT].map(|path| disk::read_small(&root.join(path)));
        let (served, next) = (served?, next?);
        // A switch that was cut off is ended, whatever is rendered.
        if !rotation::is_cut_off(&lock, served.as_deref(), namespace) {
            platform.refuse_step(root, &lock)?;
        }
        let step = rotation::switch(lock, served.as_deref(), next.as_deref(), namespace).map_err(|why| anyhow!(why))?;
        take(root, &step)?;
        shell.note("switched: run `mtp render`, commit, and have it applied");
        shell.note("once every replica serves the new certificate (some three minutes), run `mtp certs retire`");
        return Ok(Exit::Clean);
    }
    let name = crate::certs::server_name(namespace);
    if lock.served.as_ref().is_some_and(|served| !served.is_for(&name)) {
        bail!("the certificate is not for {name}, which the API server asks for now: `mtp certs issue --force`");
    }
    platform.refuse_step(root, &lock)?;
    // Before a key is made.
    rotation::expect(&lock, Phase::Serving).map_err(|why| anyhow!(why))?;
    let step = rotation::stage(lock, fresh(make, root, namespace)?).map_err(|why| anyhow!(why))?;
    take(root, &step)?;
    shell.note("staged: both authorities are trusted; run `mtp render`, commit, and have it applied");
    shell.note("once every cluster has it, run `mtp certs rotate` again: it switches to the new certificate");
    Ok(Exit::Clean)
}

/// A new authority, its certificate, and the key of that, encrypted. Nothing that is secret leaves this function.
fn fresh(make: &Make, root: &Path, namespace: &str) -> Result<Fresh> {
    let recipients = recipients(make, root)?;
    let algorithm = match make.key {
        Key::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        Key::P384 => &rcgen::PKCS_ECDSA_P384_SHA384,
    };
    let key = || KeyPair::generate_for(algorithm).context("cannot make a key");
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(0).unwrap_or(now);
    let names = names(namespace);
    let serials = [random()?, random()?];
    let order = Order { names: &names, now, days: make.days, authority: key()?, server: key()?, serials };
    let issued = crate::certs::issue::issue(order).map_err(|why| anyhow!(why))?;

    let data_key = DataKey::new(random::<{ DataKey::LENGTH }>()?.to_vec()).context("cannot make a key")?;
    let wrapped = recipients
        .iter()
        .map(|recipient| Ok((recipient.clone(), age::wrap(&data_key, recipient)?)))
        .collect::<Result<Vec<_>>>()?;
    // A nonce a value; there are three.
    let mut nonces = [random::<32>()?, random()?, random()?].into_iter();
    let mut nonce = || nonces.next().expect("a Secret has two values, and one MAC");
    let seal = Seal { key: &data_key, nonces: &mut nonce, recipients: &wrapped, now: &due::written(now) };
    let secret = manifest::write(namespace, &issued.server, &issued.key, seal).context("cannot encrypt the key")?;
    Ok(Fresh { authority: issued.authority, server: issued.server, secret })
}

fn recipients(make: &Make, root: &Path) -> Result<Vec<String>> {
    const CONFIG: &str = ".sops.yaml";
    let mut found = make.recipients.clone();
    if found.is_empty()
        && let Some(config) = disk::read_small(&root.join(CONFIG))?
    {
        found = crate::certs::recipients::of(&config, SERVED).map_err(|why| anyhow!("{CONFIG}: {why}"))?;
    }
    if found.is_empty()
        && let Some(last) = disk::read_small(&root.join(SERVED))?
        && let Ok(sealed) = crate::certs::sops::read(&last)
    {
        found = sealed.recipients.into_iter().map(|(recipient, _)| recipient).collect();
    }
    found.sort();
    found.dedup();
    if found.is_empty() {
        bail!("nobody could decrypt the key: name a recipient with --age, or in a rule of {CONFIG} for {SERVED}");
    }
    Ok(found)
}

/// Random bytes of the operating system.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random bytes: {error}"))?;
    Ok(bytes)
}

fn read_lock(root: &Path) -> Result<Option<Lock>> {
    let Some(text) = disk::read_small(&root.join(LOCK))? else { return Ok(None) };
    Lock::read(&text).map(Some).map_err(|(span, why)| anyhow!("{LOCK}:{}: {why}", span.line.max(1)))
}

fn required_lock(root: &Path) -> Result<Lock> {
    read_lock(root)?.with_context(|| format!("there is no {LOCK}; `mtp certs issue` makes the first certificate"))
}

/// Where whom to trust stands in `rendered/`.
const CONFIGURATION: &str = "rendered/platform/validatingwebhookconfiguration-k8s-mtp-webhook.yaml";

/// What a step depends on of the Platform.
struct Platform {
    namespace: String,
    /// Where it takes certificates from; `None`: it has no webhook.
    mode: Option<Certificates>,
}

impl Platform {
    /// Whether the Platform takes its certificate from where that lock says.
    fn uses(&self, lock: &Lock) -> bool {
        match self.mode {
            Some(Certificates::Sops) => lock.phase != Phase::External,
            Some(Certificates::External) => lock.phase == Phase::External,
            Some(Certificates::CertManager | Certificates::None) | None => false,
        }
    }

    /// A step of a rotation that is not even in `rendered/` cannot have reached a cluster, and the next one would be an
    /// outage. Where the Platform does not use the certificate, there is nothing to rotate.
    fn refuse_step(&self, root: &Path, lock: &Lock) -> Result<()> {
        match self.mode {
            Some(Certificates::Sops) if is_rendered(root, lock)? => Ok(()),
            Some(Certificates::Sops) => {
                bail!("the step before is not rendered; run `mtp render`, commit, and have it applied first")
            }
            Some(Certificates::CertManager) => bail!("the Platform takes its certificate from cert-manager"),
            Some(Certificates::External | Certificates::None) => bail!("others keep the Platform's certificate"),
            // No cluster has it yet.
            None => Ok(()),
        }
    }
}

/// Whether `rendered/` has what a lock says.
fn is_rendered(root: &Path, lock: &Lock) -> Result<bool> {
    use base64::Engine;
    let rendered = disk::read_text(&root.join(CONFIGURATION))?.unwrap_or_default();
    let bundle = base64::prelude::BASE64_STANDARD.encode(lock.bundle());
    let secret = disk::read_text(&root.join("rendered/platform/secret-webhook-tls.yaml"))?;
    let is_served = lock.phase == Phase::External || secret == disk::read_small(&root.join(SERVED))?;
    Ok(rendered.contains(&bundle) && is_served)
}

/// What the Platform says; `None`: errors were reported.
fn platform(root: &Path, shell: &mut Shell<'_>) -> Result<Option<Platform>> {
    let inputs = disk::read(root)?;
    let (parsed, diagnostics) = parse::parse(&inputs);
    if has_errors(&diagnostics) {
        let report = Report { command: "certs", diagnostics, ..Report::default() };
        shell.report(&report, &inputs, Stream::Err)?;
        return Ok(None);
    }
    let platform = parsed.platforms.first().with_context(|| format!("there is no Platform in {TENANTS}/"))?;
    let spec = &platform.content.spec;
    let webhook = spec.admission.webhook.as_ref().filter(|_| !spec.admission.engines.is_empty());
    let mode = webhook.map(|webhook| webhook.certificates.map(|mode| mode.value).unwrap_or_default());
    Ok(Some(Platform { namespace: crate::plan::platform::namespace(spec).to_owned(), mode }))
}

/// Writes what a step says; the lock last.
fn take(root: &Path, step: &Step) -> Result<()> {
    for change in &step.files {
        match change {
            Move::Write(path, text) => disk::replace(root, path, text)?,
            Move::NextToServed => disk::rename(root, NEXT, SERVED)?,
        }
    }
    disk::replace(root, LOCK, &step.lock.write())
}

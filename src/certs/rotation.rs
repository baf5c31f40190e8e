//! The steps of a rotation: what each makes of the files below `tenants/certs/`.
//!
//! | step | trusted | served | waits for |
//! | --- | --- | --- | --- |
//! | stage | old and new | old | every API server has both |
//! | switch | old and new | new | every replica serves the new one |
//! | retire | new | new | |

use super::lock::{Lock, Phase};
use super::manifest;
use super::x509::Certificate;
use super::{NEXT, SERVED};

/// What a step writes: the lock, and what happens to the encrypted Secrets.
#[derive(Debug)]
pub struct Step {
    /// What becomes of the encrypted Secrets; before the lock, so that a step that was cut off can be taken again.
    pub files: Vec<Move>,
    /// The lock.
    pub lock: Lock,
}

/// What becomes of an encrypted Secret.
#[derive(Debug, PartialEq, Eq)]
pub enum Move {
    /// This text is written there.
    Write(&'static str, String),
    /// [`NEXT`] takes the place of [`SERVED`].
    NextToServed,
}

/// A certificate that was just made: its authority, and the Secret with its key, encrypted.
pub struct Fresh {
    /// The authority.
    pub authority: Certificate,
    /// The certificate.
    pub server: Certificate,
    /// The file of the Secret.
    pub secret: String,
}

/// The first certificate, or one that replaces whatever there was, without an overlap.
pub fn issue(fresh: Fresh) -> Step {
    let lock = Lock { phase: Phase::Serving, trusted: vec![fresh.authority], served: Some(fresh.server), next: None };
    Step { files: vec![Move::Write(SERVED, fresh.secret)], lock }
}

/// Whom to trust where others keep the Secret.
pub fn external(authorities: Vec<Certificate>) -> Result<Step, String> {
    let lock = Lock { phase: Phase::External, trusted: authorities, served: None, next: None };
    lock.check()?;
    Ok(Step { files: Vec::new(), lock })
}

/// First step: the next authority is trusted too.
pub fn stage(lock: Lock, fresh: Fresh) -> Result<Step, String> {
    expect(&lock, Phase::Serving)?;
    let mut trusted = lock.trusted;
    trusted.push(fresh.authority);
    let lock = Lock { phase: Phase::Staged, trusted, served: lock.served, next: Some(fresh.server) };
    Ok(Step { files: vec![Move::Write(NEXT, fresh.secret)], lock })
}

/// First step once more, where what was staged was lost: nothing that is served depends on it.
pub fn restage(lock: Lock, fresh: Fresh) -> Result<Step, String> {
    expect(&lock, Phase::Staged)?;
    let served = lock.served;
    let is_needed = |authority: &Certificate| served.as_ref().is_some_and(|served| served.is_signed_by(authority));
    let trusted = lock.trusted.into_iter().filter(is_needed).collect();
    stage(Lock { phase: Phase::Serving, trusted, served, next: None }, fresh)
}

/// Second step: the next certificate is served. `served` and `next` are the files of the Secrets; the first may be the
/// second already, where a run was cut off.
pub fn switch(lock: Lock, served: Option<&str>, next: Option<&str>, namespace: &str) -> Result<Step, String> {
    expect(&lock, Phase::Staged)?;
    let wanted = lock.next.as_ref().map(|certificate| certificate.sha256.as_str());
    let holds = |text: Option<&str>| {
        let sealed = text.map(|text| manifest::check(text, namespace));
        matches!(sealed, Some(Ok(sealed)) if manifest::certificate(&sealed) == wanted)
    };
    let files = match (holds(next), holds(served)) {
        (true, _) => vec![Move::NextToServed],
        (false, true) => Vec::new(),
        (false, false) => {
            return Err(format!(
                "{NEXT} is not the Secret of the certificate that was staged; take it back from git, or stage another one: \
                 `mtp certs rotate --restage`"
            ));
        }
    };
    let lock = Lock { phase: Phase::Switched, trusted: lock.trusted, served: lock.next, next: None };
    Ok(Step { files, lock })
}

/// Whether a switch was cut off behind its first half: what is to be served next stands in the place of what is served.
pub fn is_cut_off(lock: &Lock, served: Option<&str>, namespace: &str) -> bool {
    let sealed = served.map(|text| manifest::check(text, namespace));
    let next = lock.next.as_ref().map(|certificate| certificate.sha256.as_str());
    matches!(sealed, Some(Ok(sealed)) if next.is_some() && manifest::certificate(&sealed) == next)
}

/// Third step: the old authority is not trusted any more.
pub fn retire(lock: Lock) -> Result<Step, String> {
    expect(&lock, Phase::Switched)?;
    let served = lock.served.as_ref();
    let is_needed = |authority: &Certificate| served.is_some_and(|served| served.is_signed_by(authority));
    let trusted = lock.trusted.into_iter().filter(is_needed).collect();
    let lock = Lock { phase: Phase::Serving, trusted, ..lock };
    lock.check()?;
    Ok(Step { files: Vec::new(), lock })
}

/// Whether a lock is in that phase; the error says which step is next.
pub fn expect(lock: &Lock, phase: Phase) -> Result<(), String> {
    if lock.phase == phase {
        return Ok(());
    }
    let next = match lock.phase {
        Phase::Serving => "`mtp certs rotate` begins a rotation",
        Phase::Staged => "`mtp certs rotate` switches to the next certificate",
        Phase::Switched => "`mtp certs retire` ends the rotation",
        Phase::External => "whoever keeps the Secret rotates it; `mtp certs issue --ca FILE` tells whom to trust",
    };
    Err(format!("the state of certificates is `{}`: {next}", lock.phase.as_str()))
}

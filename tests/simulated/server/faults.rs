//! Faults that a test puts in the way of requests.

use std::time::Duration;

use super::answer::Answer;
use super::request::Asked;

/// What becomes of one request.
#[derive(Debug, Clone, Default)]
pub enum Fault {
    /// Nothing special.
    #[default]
    Proceed,
    /// It is not executed; the client gets this.
    FailBefore(Failure),
    /// It is executed, and the client gets this in place of the answer.
    FailAfter(Failure),
    /// It is executed after so long, by the clock of tokio.
    Delay(Duration),
    /// It is executed at once, and the answer takes so long.
    DelayAnswer(Duration),
    /// It is read from what was stored so many effective writes ago. Writes proceed.
    StaleRead(usize),
}

/// What the client gets in place of an answer.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The connection breaks.
    Connection,
    /// Somebody says this.
    Answer(Box<Answer>),
}

impl From<Answer> for Failure {
    fn from(answer: Answer) -> Failure {
        Failure::Answer(Box::new(answer))
    }
}

/// Decides about each request, by its number from 0.
pub type Hook = Box<dyn FnMut(usize, &Asked) -> Fault + Send>;

/// A connection that broke.
#[derive(Debug)]
pub struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection reset by peer")
    }
}

impl std::error::Error for Broken {}

//! `Workers`: a thread a core, each with the connections that were given to it.
//!
//! A request wakes its own task once its body is there. Among threads that steal work from each other, each such wake-up
//! wakes another thread as well, which costs more than the verdict; here nobody else is concerned.

use std::future::{Future, pending};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Handle};

/// The threads.
pub struct Workers {
    handles: Vec<Handle>,
    next: AtomicUsize,
}

impl Workers {
    /// Starts as many as there are cores.
    pub fn start() -> Result<Workers> {
        let count = std::thread::available_parallelism().map_or(1, NonZero::get);
        let mut handles = Vec::with_capacity(count);
        for number in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a worker")?;
            handles.push(runtime.handle().clone());
            std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || runtime.block_on(pending::<()>()))
                .context("cannot start a worker")?;
        }
        Ok(Workers { handles, next: AtomicUsize::new(0) })
    }

    /// Gives a connection to the next one.
    pub fn give(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len();
        drop(self.handles[number].spawn(connection));
    }
}

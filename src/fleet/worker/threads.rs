//! The threads that handlers run on.
//!
//! A handler is other people's code: it may compute for minutes, or block, and hold its thread meanwhile. On the
//! process's own runtime a few of these would stop the heartbeat, and with it the lease of everything that the worker
//! holds. So attempts have a runtime of their own, and nothing else is there.

use std::{
    future::Future,
    num::NonZero,
    sync::{Mutex, PoisonError},
    thread::available_parallelism,
};
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio_util::task::TaskTracker;

/// Handlers that hold their threads for good, before their worker gives up: with so many there is still a thread for each
/// processor.
pub(super) const SPARE: usize = 4;

/// Where attempts run, and where the engine does.
#[derive(Debug)]
pub(super) struct Threads {
    engine: Handle,
    attempts: Handle,
    own: Mutex<Option<Runtime>>,
}

impl Threads {
    /// Threads of their own for attempts. On a runtime of one thread (a simulation, a test) everything stays there: its
    /// clock may be a paused one.
    pub(super) fn start() -> std::io::Result<Self> {
        let engine = Handle::current();
        if engine.runtime_flavor() == RuntimeFlavor::CurrentThread {
            return Ok(Self { attempts: engine.clone(), engine, own: Mutex::default() });
        }
        let threads = available_parallelism().map_or(2, NonZero::get) + SPARE;
        let own =
            Builder::new_multi_thread().worker_threads(threads).thread_name("docket-handler").enable_all().build()?;
        Ok(Self { attempts: own.handle().clone(), engine, own: Mutex::new(Some(own)) })
    }

    /// Where nothing of a handler runs.
    pub(super) const fn engine(&self) -> &Handle {
        &self.engine
    }

    /// Handlers can't hold up the engine.
    pub(super) fn are_apart(&self) -> bool {
        self.attempts.id() != self.engine.id()
    }

    /// Starts an attempt.
    pub(super) fn spawn(&self, tasks: &TaskTracker, attempt: impl Future<Output = ()> + Send + 'static) {
        tasks.spawn_on(attempt, &self.attempts);
    }

    /// Resolves when a thread of the attempts is free for a moment.
    pub(super) async fn answer(&self) {
        // It can't panic, and nobody aborts it.
        let _ = self.attempts.spawn(async {}).await;
    }

    /// No attempt goes on. A thread that is held ends with its handler, or with the process.
    pub(super) fn close(&self) {
        if let Some(own) = self.own.lock().unwrap_or_else(PoisonError::into_inner).take() {
            own.shutdown_background();
        }
    }
}

impl Drop for Threads {
    /// A runtime that is dropped waits for its threads, which is not allowed on another runtime.
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::{sync::oneshot, time::timeout};

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn held_threads_leave_some_and_never_hold_up_the_engine() {
        let threads = Threads::start().unwrap();
        assert!(threads.are_apart());
        let tasks = TaskTracker::new();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = std::sync::Arc::new(Mutex::new(held));
        for _ in 0..SPARE {
            let held = held.clone();
            threads.spawn(&tasks, async move {
                // Until the sender is gone.
                let _ = held.lock().unwrap().recv();
            });
        }
        let (done, answer) = oneshot::channel();
        threads.spawn(&tasks, async move { done.send(()).expect("it is waited for") });
        timeout(Duration::from_secs(30), answer).await.expect("a thread is left").unwrap();
        timeout(Duration::from_secs(30), threads.answer()).await.expect("a thread is left");
        drop(release);
        tasks.close();
        timeout(Duration::from_secs(30), tasks.wait()).await.expect("they end");
    }

    #[tokio::test(start_paused = true)]
    async fn one_thread_is_shared() {
        let threads = Threads::start().unwrap();
        assert!(!threads.are_apart());
        threads.answer().await;
    }
}

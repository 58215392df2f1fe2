//! Background tasks: restarted when they end early, ended in order when the server stops.

use std::{future::Future, time::Duration};

use tokio::{task::JoinHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Pause before the first restart; doubled with each consecutive failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause between two restarts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Background tasks that live as long as the server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Keeps a task running: it is restarted when it fails, ends or panics, until the server stops.
    pub(crate) fn keep<W, F>(&self, name: &'static str, work: W)
    where
        W: Fn(CancellationToken) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            let mut pause = FIRST_PAUSE;
            while !stop.is_cancelled() {
                let started = Instant::now();
                let ended: Result<anyhow::Result<()>, _> = guard(tokio::spawn(work(stop.clone()))).await;
                if stop.is_cancelled() {
                    break;
                }
                match ended {
                    Ok(Ok(())) => tracing::warn!(task = name, "ended early; starting it again"),
                    Ok(Err(error)) => {
                        tracing::error!(task = name, error = format!("{error:#}"), "failed; starting it again")
                    }
                    Err(_) => tracing::error!(task = name, "panicked; starting it again"),
                }
                pause = if started.elapsed() > LONGEST_PAUSE { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
                tokio::select! { () = tokio::time::sleep(pause) => {}, () = stop.cancelled() => {} }
            }
        });
    }

    /// Repeats a job with a pause before each time; a failure is logged, and the pauses start anew.
    pub(crate) fn every<W, F, E>(&self, name: &'static str, pause: Duration, work: W)
    where
        W: Fn() -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + Send + 'static,
    {
        self.keep(name, move |stop| {
            let work = work.clone();
            async move {
                while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                    work().await.map_err(Into::into)?;
                }
                Ok(())
            }
        });
    }

    /// Asks all tasks to end and waits up to `patience`. Returns whether all of them ended in time.
    pub(crate) async fn end(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

/// Waits for a task, and aborts it when the wait is cancelled.
async fn guard<T>(task: JoinHandle<T>) -> Result<T, tokio::task::JoinError> {
    struct Abort(tokio::task::AbortHandle);
    impl Drop for Abort {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let _abort = Abort(task.abort_handle());
    task.await
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use super::Tasks;

    #[tokio::test(start_paused = true)]
    async fn work_that_fails_is_started_again() {
        let (tasks, starts) = (Tasks::default(), Arc::new(AtomicUsize::new(0)));
        let counted = starts.clone();
        tasks.keep("failing", move |_| {
            let counted = counted.clone();
            async move {
                counted.fetch_add(1, Ordering::SeqCst);
                anyhow::bail!("no")
            }
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(starts.load(Ordering::SeqCst) > 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_again_and_again_is_done_once_per_pause() {
        let (tasks, times) = (Tasks::default(), Arc::new(AtomicUsize::new(0)));
        let counted = times.clone();
        tasks.every("ticking", Duration::from_secs(10), move || {
            counted.fetch_add(1, Ordering::SeqCst);
            std::future::ready(anyhow::Ok(()))
        });
        tokio::time::sleep(Duration::from_secs(35)).await;
        assert_eq!(times.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_work_to_finish() {
        let (tasks, finished) = (Tasks::default(), Arc::new(AtomicUsize::new(0)));
        let counted = finished.clone();
        tasks.keep("careful", move |stop| {
            let counted = counted.clone();
            async move {
                stop.cancelled().await;
                tokio::time::sleep(Duration::from_secs(1)).await;
                counted.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        });
        tokio::task::yield_now().await;
        assert!(tasks.end(Duration::from_secs(5)).await && finished.load(Ordering::SeqCst) == 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_does_not_wait_for_ever() {
        let tasks = Tasks::default();
        tasks.keep("stubborn", |_| std::future::pending());
        tokio::task::yield_now().await;
        assert!(!tasks.end(Duration::from_secs(5)).await);
    }
}

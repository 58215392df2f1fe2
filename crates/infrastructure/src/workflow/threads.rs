use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

use tokio::sync::{Semaphore, oneshot};

type Job = Box<dyn FnOnce() + Send>;

/// A pool of threads with large stacks and a fair queue.
///
/// Programs run here instead of on the threads that answer requests, so whatever a program does, it only occupies one
/// of these few threads. Jobs wait in the order of their arrival while all threads are busy.
#[derive(Clone)]
pub(super) struct Threads {
    queue: SyncSender<Job>,
    turns: Arc<Semaphore>,
}

/// Why a job that has begun returned nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// It panicked.
    Failed,
    /// It exceeded its time; it continues, but its result is dropped.
    Late,
}

impl Threads {
    /// Starts the threads; they end when the last handle is dropped.
    pub(super) fn start(name: &str, count: usize, stack: usize) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel::<Job>(count);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..count {
            let receiver = receiver.clone();
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .stack_size(stack)
                .spawn(move || serve(&receiver))?;
        }
        Ok(Self { queue: sender, turns: Arc::new(Semaphore::new(count)) })
    }

    /// Waits for a thread, however long that takes, and then for the job's result, but not longer than `time`.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        time: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unanswered> {
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Unanswered::Failed)?;
        let (answer, answered) = oneshot::channel();
        let job = move || {
            // The caller has gone; skip the job.
            if !answer.is_closed() {
                _ = answer.send(job());
            }
            drop(turn);
        };
        // There is room: the queue never holds more jobs than there are permits.
        self.queue.try_send(Box::new(job)).map_err(|_| Unanswered::Failed)?;
        match tokio::time::timeout(time, answered).await {
            Ok(answered) => answered.map_err(|_| Unanswered::Failed),
            Err(_) => Err(Unanswered::Late),
        }
    }
}

fn serve(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // A panic in a job must not end the thread; the waiting caller sees the answer's channel closed.
            Ok(job) => _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_comes_while_all_threads_are_busy_gets_a_turn() {
        let threads = Threads::start("test", 1, 1 << 20).expect("a thread");
        let nap = || thread::sleep(Duration::from_millis(5));
        let all = (0..50).map(|_| threads.run(Duration::from_secs(60), nap));
        let ended = futures_util::future::join_all(all).await;
        assert_eq!(ended, [Ok(()); 50]);
    }

    #[tokio::test]
    async fn waiting_for_a_turn_takes_nothing_of_the_time_for_the_job() {
        let threads = Threads::start("test", 1, 1 << 20).expect("a thread");
        let first = threads.run(Duration::from_secs(60), || thread::sleep(Duration::from_secs(1)));
        let (_, second) = futures_util::future::join(first, threads.run(Duration::from_millis(900), || 7)).await;
        assert_eq!(second, Ok(7));
    }

    #[tokio::test]
    async fn a_job_that_panics_leaves_its_turn_to_others() {
        let threads = Threads::start("test", 1, 1 << 20).expect("a thread");
        let failed = threads.run(Duration::from_secs(60), || std::panic::resume_unwind(Box::new(()))).await;
        assert_eq!(failed, Err::<(), _>(Unanswered::Failed));
        assert_eq!(threads.run(Duration::from_secs(60), || 7).await, Ok(7));
    }
}

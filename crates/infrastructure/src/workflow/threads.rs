use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread,
};

type Job = Box<dyn FnOnce() + Send>;

/// Threads with room on their stacks and a bounded queue before them.
///
/// Programs run here and not on the threads that answer requests: whatever one of them does, it occupies one of
/// these few threads.
#[derive(Clone)]
pub(super) struct Threads {
    queue: SyncSender<Job>,
}

impl Threads {
    /// Starts the threads; they end with the last handle.
    pub(super) fn start(name: &str, count: usize, stack: usize, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..count {
            let receiver = receiver.clone();
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .stack_size(stack)
                .spawn(move || serve(&receiver))?;
        }
        Ok(Self { queue: sender })
    }

    /// Queues a job; refuses when too many wait already.
    pub(super) fn submit(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Busy> {
        self.queue.try_send(Box::new(job)).map_err(|refused| match refused {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => Busy,
        })
    }
}

/// Too many jobs are waiting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Busy;

fn serve(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // A panic inside a job must not cost the thread; whoever waits sees the answer's channel closed.
            Ok(job) => _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)),
            Err(_) => return,
        }
    }
}

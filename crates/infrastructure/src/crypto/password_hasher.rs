use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Ident, Output, PasswordHash as Phc, Salt},
};
use async_trait::async_trait;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use devskyy_application::{
    error::PortError,
    identity::{HashError, PasswordHash, PasswordHasher},
};
use devskyy_domain::identity::Password;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

const PORT: &str = "password hasher";
const ALGORITHM: Ident = Ident::new_unwrap("argon2id");

/// The cost of one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Argon2Cost {
    /// 19 MiB, two passes, one lane: the first choice of the OWASP password storage cheat sheet.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

impl Argon2Cost {
    fn params(self) -> Result<Params, argon2::Error> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(Params::DEFAULT_OUTPUT_LEN))
    }
}

enum Work {
    Hash,
    Verify(Box<Phc>),
}

enum Answer {
    Hashed(Box<Phc>),
    Verified(bool),
}

struct Job {
    password: Zeroizing<Vec<u8>>,
    work: Work,
    answer: oneshot::Sender<Result<Answer, argon2::Error>>,
}

/// Argon2id (RFC 9106) on a few dedicated threads, which reuse their memory, behind a bounded queue.
///
/// Sign-ins can therefore not starve the threads that serve requests, and a flood of them is refused instead of queued.
pub struct Argon2PasswordHasher {
    jobs: SyncSender<Job>,
    absent: Phc,
}

impl Argon2PasswordHasher {
    /// Starts `threads` hashing threads (at least one) with a queue of `waiting` passwords.
    ///
    /// # Errors
    /// [`PortError`] when the cost is out of Argon2's range or a thread cannot be started.
    pub fn start(cost: Argon2Cost, threads: usize, waiting: usize) -> Result<Self, PortError> {
        let params = cost.params().map_err(failed)?;
        // Verifying against it costs the same as any other hash; it is not computed, to keep the start fast.
        let absent = phc(&params, Salt::generate(), &[0; Params::DEFAULT_OUTPUT_LEN]).map_err(failed)?;
        let (jobs, queue) = sync_channel(waiting);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let (queue, params) = (Arc::clone(&queue), params.clone());
            thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || serve(&queue, &params))
                .map_err(|error| PortError::transient(PORT, "starting a hashing thread", error))?;
        }
        Ok(Self { jobs, absent })
    }

    async fn ask(&self, password: &str, work: Work) -> Result<Answer, HashError> {
        let (answer, answered) = oneshot::channel();
        let job = Job { password: Zeroizing::new(password.as_bytes().to_vec()), work, answer };
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => HashError::Overloaded,
            TrySendError::Disconnected(_) => gone(),
        })?;
        Ok(answered.await.map_err(|_| gone())?.map_err(failed)?)
    }
}

fn gone() -> HashError {
    HashError::Port(PortError::bug(PORT, "hashing a password", "the hashing threads have ended"))
}

fn failed(error: argon2::Error) -> PortError {
    PortError::bug(PORT, "hashing a password", error.to_string())
}

fn serve(queue: &Mutex<Receiver<Job>>, params: &Params) {
    let mut memory = Vec::new();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { password, work, answer }) = next else { return };
        if answer.is_closed() {
            continue;
        }
        let outcome = match work {
            Work::Hash => hash(params, &password, &mut memory).map(|hash| Answer::Hashed(Box::new(hash))),
            Work::Verify(stored) => verify(&stored, &password, &mut memory).map(Answer::Verified),
        };
        // The caller may have stopped waiting.
        drop(answer.send(outcome));
    }
}

fn hash(params: &Params, password: &[u8], memory: &mut Vec<Block>) -> Result<Phc, argon2::Error> {
    let salt = Salt::generate();
    let output = digest(params, password, &salt, memory)?;
    phc(params, salt, &output)
}

fn phc(params: &Params, salt: Salt, output: &[u8]) -> Result<Phc, argon2::Error> {
    Ok(Phc {
        algorithm: ALGORITHM,
        version: Some(Version::V0x13.into()),
        params: params.try_into().map_err(|_| argon2::Error::AlgorithmInvalid)?,
        salt: Some(salt),
        hash: Some(Output::new(output).map_err(|_| argon2::Error::OutputTooLong)?),
    })
}

fn verify(stored: &Phc, password: &[u8], memory: &mut Vec<Block>) -> Result<bool, argon2::Error> {
    let params = Params::try_from(stored).map_err(|_| argon2::Error::AlgorithmInvalid)?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(argon2::Error::AlgorithmInvalid);
    };
    let output = digest(&params, password, salt, memory)?;
    Ok(verify_slices_are_equal(&output, expected.as_bytes()).is_ok())
}

fn digest(
    params: &Params,
    password: &[u8],
    salt: &Salt,
    memory: &mut Vec<Block>,
) -> Result<Zeroizing<Vec<u8>>, argon2::Error> {
    memory.resize(params.block_count(), Block::default());
    let mut output = Zeroizing::new(vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone()).hash_password_into_with_memory(
        password,
        salt,
        &mut output,
        memory.as_mut_slice(),
    )?;
    Ok(output)
}

#[async_trait]
impl PasswordHasher for Argon2PasswordHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        match self.ask(password.expose(), Work::Hash).await? {
            Answer::Hashed(hash) => Ok(PasswordHash(hash.to_string())),
            Answer::Verified(_) => Err(gone()),
        }
    }

    async fn verify(&self, presented: &str, hash: Option<&PasswordHash>) -> Result<bool, HashError> {
        let stored = match hash {
            Some(PasswordHash(text)) => {
                Phc::new(text).map_err(|error| PortError::bug(PORT, "reading a stored hash", error.to_string()))?
            }
            None => self.absent.clone(),
        };
        match self.ask(presented, Work::Verify(Box::new(stored))).await? {
            Answer::Verified(matches) => Ok(matches && hash.is_some()),
            Answer::Hashed(_) => Err(gone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use argon2::Params;

    use super::{Argon2Cost, Argon2PasswordHasher};

    #[test]
    fn what_stands_for_an_absent_account_costs_what_is_configured() {
        for cost in [Argon2Cost::default(), Argon2Cost { memory_kib: 64, passes: 3, lanes: 2 }] {
            let hasher = Argon2PasswordHasher::start(cost, 1, 1).unwrap();
            let params = Params::try_from(&hasher.absent).unwrap();
            let found = Argon2Cost { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
            assert_eq!((found, params.output_len()), (cost, Some(Params::DEFAULT_OUTPUT_LEN)));
        }
    }
}

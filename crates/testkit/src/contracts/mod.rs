//! One suite per port: public functions over the port, one per promise, run unchanged over every adapter.
//!
//! Each suite has a macro that lists its promises. `x_contract!(factory)` creates one test per promise over the adapter
//! that the async `factory` returns. `x_contract!(broken factory)` creates one test per promise that passes if one of
//! the faulty adapters from `factory` breaks the promise. `x_contract!(each broken factory)` also tests that each of
//! these adapters breaks some promise.

pub mod audit;
pub mod checkpoints;
pub mod credentials;
pub mod event_store;
pub mod invitations;
pub mod live;
pub mod machine;
pub mod models;
pub mod people;
pub mod probing;
pub mod providers;
pub mod results;
pub mod routing;
pub mod runs;
pub mod secrets;
pub mod set_aside;
pub mod usage;
mod walking;
pub mod workflow;

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;

/// Timeout after which a promise counts as broken.
const ENDLESS: Duration = Duration::from_secs(60);

/// Whether a promise is broken, by a panic or by a timeout.
pub async fn is_broken(promise: impl Future<Output = ()>) -> bool {
    let promise = AssertUnwindSafe(promise).catch_unwind();
    !matches!(tokio::time::timeout(ENDLESS, promise).await, Ok(Ok(())))
}

/// Creates a test for each named promise of a suite: that an adapter keeps it, or that a faulty one breaks it.
///
/// The second brackets contain how the promises take the adapter, and the path of the suite.
#[doc(hidden)]
#[macro_export]
macro_rules! promises {
    (@one [broken $factory:path] [($($borrow:tt)+) $($suite:ident)::+] $promise:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            for culprit in $factory().iter_mut() {
                if $crate::contracts::is_broken($crate::contracts::$($suite)::+::$promise(culprit)).await {
                    return;
                }
            }
            panic!("no culprit breaks this promise");
        }
    };
    (@one [$(#[$meta:meta])* $factory:path] [($($borrow:tt)+) $($suite:ident)::+] $promise:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$meta])*
        async fn $promise() {
            $crate::contracts::$($suite)::+::$promise($($borrow)+ $factory().await).await;
        }
    };
    (@broken [($($borrow:tt)+) $($suite:ident)::+] $promise:ident $culprit:expr) => {
        $crate::contracts::is_broken($crate::contracts::$($suite)::+::$promise($culprit)).await
    };
    ([each broken $factory:path] $suite:tt => $($promise:ident),+ $(,)?) => {
        $($crate::promises! { @one [broken $factory] $suite $promise })+

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_culprit_breaks_a_promise() {
            let mut at_large: Vec<usize> = (0..$factory().len()).collect();
            $({
                let mut left = Vec::new();
                for number in at_large {
                    let mut culprits = $factory();
                    if !$crate::promises!(@broken $suite $promise &mut culprits[number]) {
                        left.push(number);
                    }
                }
                at_large = left;
            })+
            assert!(at_large.is_empty(), "no promise is broken by the culprits {at_large:?}");
        }
    };
    ($how:tt $suite:tt => $($promise:ident),+ $(,)?) => {
        $($crate::promises! { @one $how $suite $promise })+
    };
}

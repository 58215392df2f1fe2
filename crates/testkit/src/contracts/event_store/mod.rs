//! The contract of event logs. `event_store_contract!(factory)` creates one test per promise; `factory` is an async
//! function that returns a [`LogUnderTest`] over an empty log.

mod appending;
mod claiming;
mod concurrency;
mod reading;
mod repeating;
mod requests;

use std::sync::Arc;

use async_trait::async_trait;
use devskyy_application::es::EventStore;

pub use appending::*;
pub use claiming::*;
pub use concurrency::*;
pub use reading::*;
pub use repeating::*;
pub use requests::{Request, context, key, lamp, stream, text_of};

/// A log to be tested; it can be restarted.
#[async_trait]
pub trait LogUnderTest: Send {
    /// The log, running.
    fn store(&self) -> Arc<dyn EventStore>;

    /// Stops the adapter and starts a new one with the same data.
    async fn restart(&mut self);
}

/// Creates a test for each promise of the log.
#[macro_export]
macro_rules! event_store_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&mut) event_store] =>
            a_fresh_log_is_empty,
            an_event_is_read_back_exactly_as_it_was_recorded,
            positions_are_dense_over_accepted_requests,
            versions_count_within_each_stream,
            each_precondition_holds_in_exactly_its_states,
            a_conflict_names_the_stream_and_both_versions,
            several_streams_are_recorded_together_or_not_at_all,
            a_bare_guard_records_nothing_and_still_refuses,
            a_request_that_names_a_stream_twice_is_refused,
            time_never_goes_back,
            each_hash_covers_its_event_and_the_hash_before,
            everything_survives_a_restart,
            a_claimed_value_has_one_owner,
            an_owner_may_claim_again,
            a_value_given_back_can_be_claimed_by_another,
            only_the_owner_can_give_a_value_back,
            a_value_changes_hands_within_one_request,
            a_refused_request_takes_no_claim,
            a_repeated_key_is_answered_with_the_first_positions,
            a_key_is_bound_to_what_was_asked,
            keys_of_different_scopes_never_meet,
            a_refused_request_leaves_its_key_unused,
            a_stream_is_read_in_pages,
            the_log_is_read_in_pages,
            a_page_has_the_hash_of_the_event_it_ends_at,
            headlines_are_events_without_their_data,
            a_page_of_large_events_ends_early,
            a_stream_of_large_events_is_read_in_more_parts,
            a_filter_still_moves_forward,
            a_stream_that_does_not_exist_is_empty,
            a_waiting_reader_is_woken_by_an_append,
            a_reader_that_counts_otherwise_does_not_wait,
            a_log_that_only_grows_is_not_found_to_be_put_back,
            of_many_creators_exactly_one_wins,
            concurrent_increments_are_none_lost,
            a_live_reader_sees_every_event_once_and_in_order,
        }
    };
}

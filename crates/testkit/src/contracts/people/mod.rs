//! The contract of people, projects and agents. `identity_contract!`, `projects_contract!`, `api_keys_contract!` and
//! `agents_contract!` create one test per promise; they take an async function that returns a [`PeopleUnderTest`] over
//! an empty log.

#![expect(clippy::unwrap_used, reason = "a promise that is broken stops its test")]

mod accounts;
mod agent_lists;
mod agents;
mod api_keys;
mod attempts;
mod changes;
mod directory;
mod facts;
mod perishables;
mod projects;
mod sessions;
mod standings;
mod users;
mod walks;

use std::{any::Any, sync::Arc};

pub use accounts::*;
pub use agent_lists::*;
pub use agents::*;
pub use api_keys::*;
pub use attempts::*;
pub use changes::*;
use devskyy_application::{
    access::Memberships,
    agents::AgentViews,
    es::EventStore,
    identity::{
        AccountChanges, Accounts, Attempts, Erasures, Invitations, KeyStandings, KeyUses, KeyVault, KeyViews,
        Perishable, SessionList, Sessions, Standings, UserViews,
    },
    projects::{Directory, ProjectViews},
};
pub use directory::*;
pub use perishables::*;
pub use projects::*;
pub use sessions::*;
pub use standings::*;
pub use users::*;
pub use walks::*;

use crate::fakes::{
    InMemoryAccounts, InMemoryAgents, InMemoryApiKeys, InMemoryAttempts, InMemoryDirectory, InMemoryErasures,
    InMemoryEventStore, InMemoryInvitations, InMemoryProjects, InMemorySessions, InMemoryUsers, SequentialTokenMint,
};

/// The tables from which old rows are swept.
pub struct Perishables {
    /// Sessions.
    pub sessions: Arc<dyn Perishable>,
    /// Invitations.
    pub invitations: Arc<dyn Perishable>,
    /// Attempts and known sources.
    pub attempts: Arc<dyn Perishable>,
    /// Idempotency keys.
    pub used_keys: Arc<dyn Perishable>,
}

/// The adapters of people, projects and agents, over one log.
pub struct PeopleUnderTest {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The read model of users.
    pub users: Arc<dyn UserViews>,
    /// Private rows.
    pub accounts: Arc<dyn Accounts>,
    /// Sessions.
    pub sessions: Arc<dyn Sessions>,
    /// Validity of sessions.
    pub standings: Arc<dyn Standings>,
    /// The read model of projects.
    pub projects: Arc<dyn ProjectViews>,
    /// People by e-mail, under digests of [`SequentialTokenMint`].
    pub directory: Arc<dyn Directory>,
    /// Memberships in projects.
    pub memberships: Arc<dyn Memberships>,
    /// The read model of agents.
    pub agents: Arc<dyn AgentViews>,
    /// Changes of private rows.
    pub changes: Arc<dyn AccountChanges>,
    /// Sessions by person.
    pub session_list: Arc<dyn SessionList>,
    /// Invitations to register.
    pub invitations: Arc<dyn Invitations>,
    /// Erased people.
    pub erasures: Arc<dyn Erasures>,
    /// The read model of API keys.
    pub keys: Arc<dyn KeyViews>,
    /// Digests of their secrets.
    pub key_vault: Arc<dyn KeyVault>,
    /// Validity of API keys.
    pub key_standings: Arc<dyn KeyStandings>,
    /// Last uses of keys.
    pub key_uses: Arc<dyn KeyUses>,
    /// The tables that are swept.
    pub perishables: Perishables,
    /// Counts of attempts.
    pub attempts: Arc<dyn Attempts>,
    /// Resources that must live as long, for example a directory.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl PeopleUnderTest {
    /// The in-memory adapters.
    #[must_use]
    pub fn in_memory() -> Self {
        let store = Arc::new(InMemoryEventStore::default());
        let users = InMemoryUsers::following(&store);
        let projects = InMemoryProjects::following(&store);
        let sessions = Arc::new(InMemorySessions::of(users.clone()));
        let accounts = Arc::new(InMemoryAccounts::of(users.clone(), sessions.clone()));
        let keys = InMemoryApiKeys::following(&store, users.clone());
        let invitations = Arc::new(InMemoryInvitations::default());
        let attempts = Arc::new(InMemoryAttempts::default());
        let perishables = Perishables {
            sessions: sessions.clone(),
            invitations: invitations.clone(),
            attempts: attempts.clone(),
            used_keys: store.clone(),
        };
        let mint = Arc::new(SequentialTokenMint::default());
        Self {
            directory: Arc::new(InMemoryDirectory::of(users.clone(), accounts.clone(), mint)),
            accounts: accounts.clone(),
            changes: accounts,
            session_list: sessions.clone(),
            invitations,
            perishables,
            attempts,
            erasures: Arc::new(InMemoryErasures::default()),
            agents: InMemoryAgents::following(&store, projects.clone()),
            memberships: projects.clone(),
            projects,
            keys: keys.clone(),
            key_vault: keys.clone(),
            key_standings: keys.clone(),
            key_uses: keys,
            sessions: sessions.clone(),
            standings: sessions,
            users,
            store,
            keep: Box::new(()),
        }
    }
}

/// Creates a test for each promise about users, private rows, sessions and their validity.
#[macro_export]
macro_rules! identity_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) people] =>
            a_registered_user_is_found_with_role_and_project,
            nobody_is_found_before_registration,
            a_disabled_user_is_shown_as_disabled,
            an_enabled_user_is_shown_as_active,
            another_role_is_shown_at_once,
            members_alone_leave_the_platform_without_an_admin,
            an_admin_is_known,
            private_rows_are_found_by_email,
            rows_that_share_an_email_are_all_found,
            removed_rows_are_gone,
            profiles_of_strangers_are_left_out,
            a_sweep_spares_the_registered,
            a_sweep_spares_rows_written_lately,
            a_sweep_removes_rows_nobody_refers_to,
            a_fresh_token_is_exchanged,
            of_twenty_parallel_exchanges_at_most_one_successor_counts,
            after_twenty_parallel_exchanges_the_sign_in_goes_on,
            a_token_is_exchanged_again_while_its_successor_is_unused,
            a_replaced_successor_ends_the_sign_in,
            a_token_whose_successor_was_used_ends_the_sign_in,
            after_a_reuse_the_newest_token_is_refused_too,
            an_expired_token_is_not_exchanged_again,
            the_last_exchange_is_told,
            an_unknown_token_is_refused,
            an_expired_token_is_refused,
            no_token_outlives_its_sign_in,
            a_revoked_sign_in_exchanges_nothing,
            revoking_all_of_a_person_ends_every_sign_in,
            revoking_all_of_a_person_spares_others,
            an_open_sign_in_counts_with_the_users_role,
            a_revoked_sign_in_does_not_count,
            a_sign_in_past_its_end_does_not_count,
            a_disabled_users_sign_in_does_not_count,
            somebody_elses_sign_in_does_not_count,
            an_unknown_sign_in_does_not_count,
            another_password_replaces_the_one_before,
            a_password_is_replaced_once,
            a_change_of_the_password_is_unrecorded_at_first,
            a_change_that_was_recorded_is_not_unrecorded_any_more,
            a_later_change_of_the_password_stays_unrecorded,
            changes_made_lately_are_not_listed_as_unrecorded,
            the_first_password_is_no_unrecorded_change,
            another_name_replaces_the_one_before,
            a_name_is_changed_only_from_the_one_that_was_seen,
            nobody_is_renamed_who_is_not_there,
            a_persons_live_sign_ins_are_listed,
            every_other_sign_in_ends_with_the_password,
            no_sign_in_ends_without_the_password,
            no_sign_in_slips_past_a_change_of_the_password,
            a_person_has_no_more_sign_ins_than_they_may,
            an_ended_sign_in_makes_room_for_another,
            active_administrators_are_counted,
            users_are_listed_by_role_and_status,
            users_are_walked_once,
            a_sweep_does_not_spare_the_erased,
            a_kept_invitation_is_found,
            an_invitation_kept_twice_stays_as_it_was,
            an_erasure_is_remembered_once,
            sign_ins_that_have_ended_are_swept,
            sign_ins_that_have_not_ended_are_spared,
            invitations_that_have_ended_are_swept,
            invitations_that_have_not_ended_are_spared,
            keys_used_long_ago_are_forgotten,
            keys_used_lately_are_remembered,
        }
    };
}

/// Creates a test for each promise about attempts and known sources.
#[macro_export]
macro_rules! attempts_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) people] =>
            an_allowance_is_used_up,
            allowances_do_not_touch_each_other,
            an_allowance_is_whole_again_after_its_window,
            a_later_attempt_does_not_prolong_the_window,
            of_twenty_parallel_attempts_only_five_are_within_five,
            a_refused_attempt_is_counted_nowhere,
            counts_are_told_in_the_order_of_the_charges,
            a_refund_gives_one_attempt_back,
            a_refund_gives_back_no_more_than_was_counted,
            a_source_is_remembered_with_its_last_sign_in,
            windows_that_are_over_are_swept,
            sources_not_seen_for_long_are_swept,
            windows_that_count_are_spared,
        }
    };
}

/// Creates a test for each promise about projects and memberships.
#[macro_export]
macro_rules! projects_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) people] =>
            a_created_project_is_found,
            an_unknown_project_is_absent,
            the_creator_is_the_owner,
            a_renamed_project_shows_its_new_name,
            a_suspended_project_is_shown_as_suspended,
            an_archived_project_is_shown_as_archived,
            a_project_is_shown_as_its_events_tell,
            a_person_is_listed_the_projects_they_belong_to,
            everything_lists_the_projects_of_everybody,
            projects_are_listed_in_pages_the_oldest_first,
            projects_are_filtered_and_sorted,
            projects_are_walked_once_in_every_order,
            members_are_walked_once,
            a_walk_goes_on_after_somebody_who_has_left,
            an_added_member_is_listed_after_older_ones,
            a_changed_role_counts_at_once,
            a_role_taken_away_between_two_questions_is_gone,
            a_removed_member_has_no_role_any_more,
            a_member_who_left_and_came_back_is_a_member,
            a_stranger_has_no_role,
            nobody_stands_anywhere_in_an_unknown_project,
            members_of_one_project_are_acquainted,
            people_who_share_no_project_are_strangers,
            a_personal_project_is_found_by_its_person,
            other_projects_of_a_person_are_not_personal,
            a_registered_person_is_found_by_email,
            nobody_is_found_by_an_unknown_email,
            rows_without_a_registration_are_nobodys,
            people_are_told_with_email_and_name,
        }
    };
}

/// Creates a test for each promise about agents and their versions.
#[macro_export]
macro_rules! agents_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) people] =>
            a_new_agent_is_a_draft_without_version,
            an_agent_created_with_a_definition_is_active_at_version_1,
            an_unknown_agent_is_absent,
            a_changed_agent_shows_its_new_face,
            an_agents_life_is_followed,
            an_agent_is_shown_as_its_events_tell,
            versions_are_listed_the_newest_first,
            a_version_is_read_back_as_it_was_published,
            a_version_names_who_published_it,
            an_unknown_version_is_absent,
            a_restored_version_is_current_without_another_version,
            agents_are_listed_by_project,
            agents_are_listed_by_membership,
            agents_of_all_projects_are_listed_to_whoever_may_see_everything,
            agents_are_filtered_by_status,
            agents_are_filtered_by_type,
            agents_are_listed_the_newest_first,
            agents_are_listed_the_oldest_first,
            agents_are_listed_by_name_letters_case_aside,
            agents_are_listed_in_pages,
            a_page_beyond_the_end_is_empty_and_knows_the_total,
            agents_are_searched_by_name,
            agents_are_filtered_by_capability,
            agents_are_walked_once_in_every_order,
            agents_added_during_a_walk_hide_and_repeat_nothing,
            versions_are_walked_once,
        }
    };
}

/// Creates a test for each promise about API keys.
#[macro_export]
macro_rules! api_keys_contract {
    ($($how:tt)+) => {
        $crate::promises! { [$($how)+] [(&) people] =>
            an_issued_key_is_found,
            keys_are_listed_by_project_the_newest_first,
            keys_are_walked_once,
            a_key_with_its_secret_counts,
            a_key_with_another_secret_does_not_count,
            an_expired_key_does_not_count,
            a_revoked_key_does_not_count,
            a_disabled_issuers_key_does_not_count,
            a_replaced_secret_counts_for_the_overlap,
            a_secret_replaced_twice_does_not_count,
            a_removed_secret_does_not_count,
            a_sweep_removes_only_old_secrets_nobody_refers_to,
            the_last_use_is_told,
            an_older_use_that_is_told_later_changes_nothing,
        }
    };
}

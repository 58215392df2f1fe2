#![expect(unreachable_pub, reason = "the derive wants its models public; this module is not")]

/// One run.
pub mod run {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "runs")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub project_id: Uuid,
        pub agent_id: Uuid,
        pub agent_version: i32,
        pub status: String,
        /// A JSON array.
        pub waiting_for: String,
        pub priority: i16,
        /// Why it failed, as JSON.
        pub error: Option<String>,
        pub parent_run_id: Option<Uuid>,
        pub requested_by: String,
        pub deadline: i64,
        pub created_at: i64,
        pub started_at: Option<i64>,
        pub ended_at: Option<i64>,
        pub fence: i64,
        /// When a worker may claim it; `NULL` once it has ended.
        pub ready_at: Option<i64>,
        pub tokens_input: i64,
        pub tokens_output: i64,
        pub tokens_cache_read: i64,
        pub tokens_cache_write: i64,
        pub tokens_reasoning: i64,
        pub cost_micros: Option<i64>,
        pub retry_of: Option<Uuid>,
        pub forked_from: Option<Uuid>,
        /// The first step that a fork executes itself.
        pub fork_step: Option<String>,
        pub version: i64,
        pub position: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One result beside the log that a run refers to.
pub mod result {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_results")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub run_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        pub project_id: Uuid,
        /// Position of the first event that refers to it.
        pub position: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// One approval of a run.
pub mod approval {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "run_approvals")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub run_id: Uuid,
        pub project_id: Uuid,
        pub step: String,
        pub element: Option<i32>,
        pub prompt: String,
        /// What to look at before answering, as JSON.
        pub data: String,
        pub status: String,
        pub requested_at: i64,
        pub decided_at: Option<i64>,
        pub decided_by: Option<String>,
        pub reason: Option<String>,
        /// The call to be approved, as JSON.
        pub call: Option<String>,
        /// Edited arguments to call with instead, as JSON.
        pub edit: Option<String>,
        pub expires_at: Option<i64>,
        pub position: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

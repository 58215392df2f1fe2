#![expect(unreachable_pub, reason = "the derive wants its models public; this module is not")]

/// An audited event.
pub mod fact {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_facts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub happened_at: i64,
        pub kind: String,
        pub actor: String,
        pub project_id: Option<Uuid>,
        pub target: String,
        pub correlation_id: Uuid,
        pub position: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A security record that is not an event.
pub mod record {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "security_records")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub happened_at: i64,
        pub kind: String,
        pub outcome: String,
        pub actor: String,
        pub source: Option<String>,
        pub project_id: Option<Uuid>,
        pub target: Option<String>,
        pub correlation_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The source address of a request.
pub mod origin {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "request_origins")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub correlation_id: Uuid,
        pub source: String,
        pub happened_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

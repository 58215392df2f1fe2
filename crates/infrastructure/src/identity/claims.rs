use std::collections::HashMap;

use async_trait::async_trait;
use devskyy_application::{
    error::PortError,
    es::{Position, RecordedEvent},
    identity::{INVITATION_SCOPE, email_claim, first_administrator},
};
use devskyy_domain::{
    identity::{PlatformRole, User, UserEvent, UserRegistered},
    kernel::Aggregate,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use uuid::Uuid;

use crate::{
    es::{Holder, Holders, Holding, statement},
    sql::Port,
};

/// The claims of users: their e-mail, unless erased, and the invitation or bootstrap token they registered with.
///
/// The log contains neither the e-mails nor the invitations.
#[derive(Debug, Default)]
pub struct HeldByPeople {
    living: HashMap<Uuid, Position>,
    administrator: Option<(Uuid, Position)>,
    members: Vec<(Uuid, Position)>,
}

impl HeldByPeople {
    fn registered(&mut self, event: &RecordedEvent, registered: &UserRegistered) {
        let (user, position) = (event.stream_id, event.position);
        self.living.insert(user, position);
        match registered.role {
            PlatformRole::Member => self.members.push((user, position)),
            // Apart from the platform itself, only the bootstrap token can register an administrator.
            PlatformRole::Admin if !event.context.by_system() => {
                self.administrator.get_or_insert((user, position));
            }
            PlatformRole::Admin => {}
        }
    }

    async fn emails(live: &DatabaseTransaction) -> Result<HashMap<Uuid, Vec<u8>>, DbErr> {
        let sql = "SELECT user_id, email_digest FROM user_profiles";
        let rows = live.query_all_raw(statement(live.get_database_backend(), sql, vec![])).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
    }
}

#[async_trait]
impl Holders for HeldByPeople {
    fn category(&self) -> &'static str {
        User::CATEGORY
    }

    fn hear(&mut self, event: &RecordedEvent) -> Result<(), PortError> {
        match event.decode()? {
            UserEvent::Registered(registered) => self.registered(event, &registered),
            UserEvent::Erased(_) => drop(self.living.remove(&event.stream_id)),
            UserEvent::Disabled(_)
            | UserEvent::Enabled(_)
            | UserEvent::RoleChanged(_)
            | UserEvent::PasswordChanged(_) => {}
        }
        Ok(())
    }

    async fn holders(self: Box<Self>, live: &DatabaseTransaction) -> Result<Vec<Holder>, PortError> {
        let emails = Self::emails(live).await;
        let emails = emails.map_err(Port("verification").failed("reading private rows"))?;
        let with_email = |(owner, position): (Uuid, Position)| {
            let holds = Holding::This(email_claim(emails.get(&owner)?));
            Some(Holder { owner, holds, position })
        };
        let mut holders: Vec<_> = self.living.into_iter().filter_map(with_email).collect();
        let first = self.administrator.map(|(owner, position)| (owner, Holding::This(first_administrator()), position));
        let invited =
            self.members.into_iter().map(|(owner, position)| (owner, Holding::AtMostOne(INVITATION_SCOPE), position));
        holders.extend(first.into_iter().chain(invited).map(|(owner, holds, position)| Holder {
            owner,
            holds,
            position,
        }));
        Ok(holders)
    }
}

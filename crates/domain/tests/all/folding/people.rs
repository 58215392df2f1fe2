use devskyy_domain::identity::{PlatformRole, Roster, User, UserEvent};
use uuid::Uuid;

use super::{Rules, holds};

fn role(n: u8) -> PlatformRole {
    if n.is_multiple_of(2) { PlatformRole::Member } else { PlatformRole::Admin }
}

const USER: Rules<User> = Rules {
    asks: &[
        |it, one, other| it.register(role(one), Uuid::from_u128(other.into()).into()),
        |it, _, _| it.disable(),
        |it, _, _| it.enable(),
        |it, one, _| it.change_role(role(one)),
        |it, _, _| it.change_password(),
        |it, one, _| if one == 0 { it.erase() } else { Ok(vec![]) },
    ],
    sound: |it| !it.is_active_administrator() || it.details().is_some(),
    ended: |it, _| *it == User::Erased,
    noted: |event| matches!(event, UserEvent::PasswordChanged(_)),
};

/// It has no state: it exists only to be written to.
const ROSTER: Rules<Roster> = Rules {
    asks: &[|it, one, other| it.let_go(Uuid::from_u128(one.into()).into(), other.into())],
    sound: |_| true,
    ended: |_, _| false,
    noted: |_| true,
};

holds! {
    user: USER;
    roster: ROSTER;
}

//! Inviting people into projects.
//!
//! An invitation names an e-mail, which is stored outside the log. E-mails are not verified here. So a person whose
//! account is older than the invitation may answer it by e-mail alone; a person who registers later also needs the
//! token that the inviter was shown and passed on.

mod answer_invitation;
mod get_invitation;
mod invite_member;
mod list_invitations;
mod ports;
mod withdraw_invitation;

pub use answer_invitation::{AnswerInvitation, AnswerInvitationHandler};
pub use get_invitation::{GetInvitation, GetInvitationHandler};
pub use invite_member::{InviteMember, InviteMemberHandler};
pub use list_invitations::ListInvitationsHandler;
pub(super) use list_invitations::Shown;
pub use ports::{
    Addressed, Addressees, InvitationRecord, InvitationStatus, InvitationView, InvitationViews, IssuedInvitation,
    LISTED,
};
pub use withdraw_invitation::{WithdrawInvitation, WithdrawInvitationHandler};

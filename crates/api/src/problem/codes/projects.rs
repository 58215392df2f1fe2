use crate::problem::code::refusals;

refusals! {
    /// Why a request about projects is refused.
    PROJECTS {
        UNPROCESSABLE_ENTITY "project.name_length" "Name is too short or too long"
            "Send a name of 3 to 100 characters without control characters.";
        UNPROCESSABLE_ENTITY "project.role_unknown" "Unknown role"
            "Send `owner`, `maintainer`, `operator` or `viewer`.";
        UNPROCESSABLE_ENTITY "project.person_unknown" "No such person in your projects"
            "Invite the person by e-mail; the response does not reveal whether they have an account.";
        CONFLICT "project.suspended" "The project is suspended"
            "Resume the project first.";
        CONFLICT "project.archived" "The project is archived"
            "An archived project takes no new members, definitions, keys or runs; use another project.";
        CONFLICT "project.already_member" "The person is already a member"
            "Change their role instead.";
        CONFLICT "project.not_member" "The person is not a member"
            "Add them first.";
        CONFLICT "project.last_owner" "The project would have no owner"
            "Transfer the project to another member (`POST …/transfer`), or, if it is active, make somebody else an owner.";
    }
}

refusals! {
    /// Why a request about invitations into projects is refused.
    INVITATIONS {
        CONFLICT "invitation.expired" "The invitation has expired"
            "Ask an owner of the project for another invitation.";
        CONFLICT "invitation.ended" "The invitation has been answered or withdrawn"
            "Ask an owner of the project for another invitation.";
        CONFLICT "invitation.too_many" "Too many pending invitations"
            "Withdraw some first; a project has at most 100 pending invitations.";
    }
}

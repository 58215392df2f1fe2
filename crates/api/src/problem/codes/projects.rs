use crate::problem::code::refusals;

refusals! {
    /// Why a request about projects is refused.
    PROJECTS {
        UNPROCESSABLE_ENTITY "project.name_length" "Name is too short or too long"
            "Send a name of 3 to 100 characters without control characters.";
        UNPROCESSABLE_ENTITY "project.role_unknown" "Not a role"
            "Send `owner`, `maintainer`, `operator` or `viewer`.";
        UNPROCESSABLE_ENTITY "project.person_unknown" "Nobody has that id or e-mail"
            "Ask the person to register first.";
        CONFLICT "project.already_created" "The project exists already"
            "Nothing needs to be done.";
        CONFLICT "project.not_created" "There is no such project"
            "Check the id.";
        CONFLICT "project.suspended" "The project is suspended"
            "Resume the project first.";
        CONFLICT "project.archived" "The project is archived"
            "Archived projects can only be read; use another project.";
        CONFLICT "project.already_member" "The person is a member already"
            "Change their role instead.";
        CONFLICT "project.not_member" "The person is not a member"
            "Add them first.";
        CONFLICT "project.last_owner" "The project would have no owner"
            "Make somebody else an owner first.";
    }
}

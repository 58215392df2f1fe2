use crate::problem::code::refusals;

refusals! {
    /// Why a request about agents is refused.
    AGENTS {
        UNPROCESSABLE_ENTITY "agent.name_length" "Name is too short or too long"
            "Send a name of 3 to 100 characters without control characters.";
        CONFLICT "agent.name_taken" "The name is taken in this project"
            "Choose another name, or archive the agent that has it.";
        UNPROCESSABLE_ENTITY "agent.type_unknown" "Unknown agent type"
            "Send `workflow` or `assistant`.";
        CONFLICT "agent.model_unavailable" "The model has no provider"
            "Configure the provider named in the detail, for the project or in the configuration file, and try again.";
        UNPROCESSABLE_ENTITY "agent.capability_format" "Malformed capability"
            "Send lower-case letters and digits, words joined by hyphens, at most 50 characters.";
        UNPROCESSABLE_ENTITY "agent.too_many_capabilities" "Too many capabilities"
            "Send at most 50.";
        UNPROCESSABLE_ENTITY "agent.description_length" "Description is too long or unprintable"
            "Send at most 2000 characters.";
        CONFLICT "agent.no_version" "The agent has no version"
            "Publish a version first.";
        CONFLICT "agent.draft" "The agent is a draft"
            "Activate it first.";
        CONFLICT "agent.archived" "The agent is archived"
            "Archived agents can only be read; create another one.";
    }
}

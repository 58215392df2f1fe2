use crate::problem::code::refusals;

refusals! {
    /// Why a definition is refused.
    WORKFLOWS {
        UNPROCESSABLE_ENTITY "workflow.malformed" "The definition has the wrong shape"
            "Correct the place the pointer names; the document at `/docs` describes the shape.";
        UNPROCESSABLE_ENTITY "workflow.no_steps" "The workflow has no step"
            "Add at least one step.";
        UNPROCESSABLE_ENTITY "workflow.too_many_steps" "The workflow has too many steps"
            "Split it into several agents that call each other.";
        UNPROCESSABLE_ENTITY "workflow.too_many" "There is too much of something in the workflow"
            "Keep to as many tools, needed steps, headers and characters as the detail says.";
        UNPROCESSABLE_ENTITY "workflow.name" "A step or tool has an unusable name"
            "Use a lower-case letter, then up to 63 of `a-z`, `0-9` and `_`.";
        UNPROCESSABLE_ENTITY "workflow.step_duplicate" "Two steps go by one name"
            "Rename one of them.";
        UNPROCESSABLE_ENTITY "workflow.step_unknown" "There is no such step"
            "Name a step of the workflow in `needs`.";
        UNPROCESSABLE_ENTITY "workflow.step_not_needed" "An expression reads a step it does not wait for"
            "Add the step to `needs`.";
        UNPROCESSABLE_ENTITY "workflow.cycle" "Steps wait for each other"
            "Remove one of the `needs` of the circle the detail names.";
        UNPROCESSABLE_ENTITY "workflow.tool_unknown" "There is no such tool"
            "Define the tool under `tools`, or use `parse`, `jq` or `template`.";
        UNPROCESSABLE_ENTITY "workflow.tool_shadowed" "A tool takes a builtin name"
            "Choose another name than `parse`, `jq` and `template`.";
        UNPROCESSABLE_ENTITY "workflow.agent_unknown" "There is no such agent in the project"
            "Call an agent of the same project by its id.";
        UNPROCESSABLE_ENTITY "workflow.secret_unknown" "There is no such secret in the project"
            "Add the secret to the project, or name one it has.";
        UNPROCESSABLE_ENTITY "workflow.secret_misused" "A secret is inserted where or how it may not be"
            "Let it stand alone in the template of a header or of a value in a body, as `{{ secrets.name }}`.";
        UNPROCESSABLE_ENTITY "workflow.body" "A request cannot have such a body"
            "Send the arguments or a body; let the fields of a form be texts, numbers, truth values, lists of these, or computed.";
        UNPROCESSABLE_ENTITY "workflow.tool_undescribed" "The server does not say what its tool is"
            "See that the server can be reached and has the tool, or write `input_schema` (and `description`) down.";
        UNPROCESSABLE_ENTITY "workflow.limit" "A limit is out of range"
            "Keep to the range the detail names.";
        UNPROCESSABLE_ENTITY "workflow.computed_value" "A computed value is malformed"
            "Let `$jq` or `$template` stand alone in its object and hold a string.";
        UNPROCESSABLE_ENTITY "workflow.jq" "A jq program does not parse"
            "Correct the program at the pointer; the detail says where it goes wrong.";
        UNPROCESSABLE_ENTITY "workflow.template" "A template does not parse"
            "Correct the template at the pointer; the detail says where it goes wrong.";
        UNPROCESSABLE_ENTITY "workflow.schema" "Not a JSON Schema"
            "Correct the schema at the pointer (draft 2020-12).";
        UNPROCESSABLE_ENTITY "workflow.destination" "A tool sends requests where none may go"
            "Use `https` and a public host, or ask the operator to allow the destination (`egress`).";
    }
}

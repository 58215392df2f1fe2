use crate::problem::code::refusals;

refusals! {
    /// Why a definition is refused.
    WORKFLOWS {
        UNPROCESSABLE_ENTITY "workflow.malformed" "The definition has the wrong shape"
            "Correct the value at the pointer; the API reference at `/docs` describes the shape.";
        UNPROCESSABLE_ENTITY "workflow.no_steps" "The workflow has no step"
            "Add at least one step.";
        UNPROCESSABLE_ENTITY "workflow.too_many_steps" "The workflow has too many steps"
            "Split it into several agents that call each other.";
        UNPROCESSABLE_ENTITY "workflow.too_many" "A part of the workflow is too large"
            "Keep to the number of tools, needed steps, headers or characters in the detail.";
        UNPROCESSABLE_ENTITY "workflow.name" "A step or tool has an unusable name"
            "Use a lower-case letter, then up to 63 of `a-z`, `0-9` and `_`.";
        UNPROCESSABLE_ENTITY "workflow.step_duplicate" "Two steps have the same name"
            "Rename one of them.";
        UNPROCESSABLE_ENTITY "workflow.step_unknown" "Unknown step"
            "Name a step of the workflow in `needs`.";
        UNPROCESSABLE_ENTITY "workflow.step_not_needed" "An expression reads a step that is not in `needs`"
            "Add the step to `needs`.";
        UNPROCESSABLE_ENTITY "workflow.cycle" "The steps form a cycle"
            "Remove one of the `needs` of the cycle in the detail.";
        UNPROCESSABLE_ENTITY "workflow.tool_unknown" "Unknown tool"
            "Define the tool under `tools`, or use `parse`, `jq` or `template`.";
        UNPROCESSABLE_ENTITY "workflow.tool_shadowed" "A tool has the name of a builtin tool"
            "Choose another name than `parse`, `jq` and `template`.";
        UNPROCESSABLE_ENTITY "workflow.agent_unknown" "The project has no such agent"
            "Call an agent of the same project by its id.";
        UNPROCESSABLE_ENTITY "workflow.secret_unknown" "The project has no such secret"
            "Add the secret to the project, or name one it has.";
        UNPROCESSABLE_ENTITY "workflow.secret_misused" "A secret is used in a forbidden place"
            "Write exactly `{{ secrets.name }}`, in the template of a header or of a value in a body.";
        UNPROCESSABLE_ENTITY "workflow.body" "The body of a request is invalid"
            "Send either the arguments or a body; the fields of a form are texts, numbers, booleans, lists of these, or computed values.";
        UNPROCESSABLE_ENTITY "workflow.tool_undescribed" "The server does not describe the tool"
            "Check that the server is reachable and has the tool, or add `input_schema` (and `description`).";
        UNPROCESSABLE_ENTITY "workflow.limit" "A limit is out of range"
            "Keep to the range the detail names.";
        UNPROCESSABLE_ENTITY "workflow.computed_value" "A computed value is malformed"
            "Give an object with `$jq` or `$template` no other member, and a string as the value.";
        UNPROCESSABLE_ENTITY "workflow.jq" "A jq program does not parse"
            "Correct the program at the pointer; the detail says where it goes wrong.";
        UNPROCESSABLE_ENTITY "workflow.template" "A template does not parse"
            "Correct the template at the pointer; the detail says where it goes wrong.";
        UNPROCESSABLE_ENTITY "workflow.schema" "Not a JSON Schema"
            "Correct the schema at the pointer (draft 2020-12).";
        UNPROCESSABLE_ENTITY "workflow.destination" "A tool has a forbidden destination"
            "Use `https` and a public host, or ask the operator to allow the destination (`egress`).";
    }
}

use crate::problem::code::refusals;

refusals! {
    /// Why a definition of an assistant is refused.
    ASSISTANTS {
        UNPROCESSABLE_ENTITY "assistant.malformed" "The definition has the wrong shape"
            "Correct the value at the pointer; docs/assistants.md describes the members.";
        UNPROCESSABLE_ENTITY "assistant.model" "Malformed model name"
            "Write `<provider>/<model>`.";
        UNPROCESSABLE_ENTITY "assistant.fallback" "A fallback repeats a model"
            "Name other models as fallbacks.";
        UNPROCESSABLE_ENTITY "assistant.too_many" "A part of the assistant is too large"
            "Keep to the number of fallbacks, tools, prices, headers or characters in the detail.";
        UNPROCESSABLE_ENTITY "assistant.tool_name" "A tool has an unusable name"
            "Use a lower-case letter, then up to 63 of `a-z 0-9 _`.";
        UNPROCESSABLE_ENTITY "assistant.empty" "A text is empty"
            "Write instructions, and a description for every tool.";
        UNPROCESSABLE_ENTITY "assistant.limit" "A number is out of range"
            "Choose a number within the range in the detail.";
        UNPROCESSABLE_ENTITY "assistant.temperature" "The temperature is out of range"
            "Choose a number from 0 to 2.";
        UNPROCESSABLE_ENTITY "assistant.no_price" "A model has no price"
            "Add the price of the model and of every fallback, or drop the limit on cost.";
        UNPROCESSABLE_ENTITY "assistant.arguments_schema" "A tool's schema is not that of an object"
            "Give the schema `\"type\": \"object\"`.";
        UNPROCESSABLE_ENTITY "assistant.argument_name" "A tool's argument has a name that some provider rejects"
            "Use 1 to 64 of `a-z A-Z 0-9 _ . -`.";
        UNPROCESSABLE_ENTITY "assistant.computed_value" "A computed value is malformed"
            "Give an object with `$jq` or `$template` no other member, and a string as the value.";
        UNPROCESSABLE_ENTITY "assistant.body" "The body of a request is invalid"
            "Send either the arguments or a body; the fields of a form are texts, numbers, booleans, lists of these, or computed values.";
        UNPROCESSABLE_ENTITY "assistant.jq" "A jq program does not parse"
            "Correct the program.";
        UNPROCESSABLE_ENTITY "assistant.template" "A template does not parse"
            "Correct the template.";
        UNPROCESSABLE_ENTITY "assistant.destination" "A tool has a forbidden destination"
            "Use `https` and a public host, or ask the operator to allow the destination (`egress`).";
        UNPROCESSABLE_ENTITY "assistant.schema" "A schema is not JSON Schema"
            "Correct the schema (draft 2020-12).";
    }
}

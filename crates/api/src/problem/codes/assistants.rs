use crate::problem::code::refusals;

refusals! {
    /// Why a definition of an assistant is refused.
    ASSISTANTS {
        UNPROCESSABLE_ENTITY "assistant.malformed" "The definition has the wrong shape"
            "Correct the place the pointer names; docs/assistants.md describes the members.";
        UNPROCESSABLE_ENTITY "assistant.model" "Not the name of a model"
            "Write `<provider>/<model>`.";
        UNPROCESSABLE_ENTITY "assistant.fallback" "A model is asked in its own place"
            "Name other models as fallbacks.";
        UNPROCESSABLE_ENTITY "assistant.too_many" "There is too much of something in the assistant"
            "Keep to as many fallbacks, tools, prices, headers and characters as the detail says.";
        UNPROCESSABLE_ENTITY "assistant.tool_name" "A tool has an unusable name"
            "Use a lower-case letter, then up to 63 of `a-z 0-9 _`.";
        UNPROCESSABLE_ENTITY "assistant.empty" "A text says nothing"
            "Write instructions, and a description for every tool.";
        UNPROCESSABLE_ENTITY "assistant.limit" "A number is out of its range"
            "Choose a number within the range the message names.";
        UNPROCESSABLE_ENTITY "assistant.temperature" "The temperature is out of its range"
            "Choose a number from 0 to 2.";
        UNPROCESSABLE_ENTITY "assistant.no_price" "The price of a model is not known"
            "Add the price of the model and of every fallback, or drop the limit on cost.";
        UNPROCESSABLE_ENTITY "assistant.arguments_schema" "The arguments of a tool are no object"
            "Give the schema `\"type\": \"object\"`.";
        UNPROCESSABLE_ENTITY "assistant.computed_value" "A computed value is malformed"
            "Let `$jq` or `$template` stand alone in its object and hold a string.";
        UNPROCESSABLE_ENTITY "assistant.body" "A request cannot have such a body"
            "Send the arguments or a body; let the fields of a form be texts, numbers, truth values, lists of these, or computed.";
        UNPROCESSABLE_ENTITY "assistant.jq" "A jq program does not parse"
            "Correct the program.";
        UNPROCESSABLE_ENTITY "assistant.template" "A template does not parse"
            "Correct the template.";
        UNPROCESSABLE_ENTITY "assistant.destination" "A tool goes where requests may not go"
            "Use another address, or let the operator allow it.";
        UNPROCESSABLE_ENTITY "assistant.schema" "A schema is not JSON Schema"
            "Correct the schema (draft 2020-12).";
    }
}

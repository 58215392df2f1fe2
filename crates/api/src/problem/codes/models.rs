use crate::problem::code::refusals;

refusals! {
    /// Why a request about providers of models is refused.
    PROVIDERS {
        UNPROCESSABLE_ENTITY "provider.name_format" "Malformed provider name"
            "Send 1 to 40 lower-case letters, digits and hyphens, a letter first.";
        CONFLICT "provider.name_taken" "The project has a provider of that name"
            "Choose another name, or remove the provider that has it.";
        UNPROCESSABLE_ENTITY "provider.kind_unknown" "Unknown kind of provider"
            "Send `openai` for chat completions, also of gateways and local servers, or `anthropic`.";
        UNPROCESSABLE_ENTITY "provider.base_url_format" "Malformed provider URL"
            "Send an `http` or `https` URL without user name, query and fragment.";
        UNPROCESSABLE_ENTITY "provider.base_url_refused" "Forbidden provider URL"
            "Use a public `https` address, or ask the operator to allow it (`egress.allow_private`, `egress.allow_http`).";
        UNPROCESSABLE_ENTITY "provider.model_format" "Malformed model name"
            "Send the provider's own name of the model, at most 200 characters without spaces.";
        UNPROCESSABLE_ENTITY "provider.too_many_models" "Too many models"
            "List at most 200, or none to allow every model.";
        UNPROCESSABLE_ENTITY "provider.price_range" "Price is out of range"
            "Send millionths of a unit per million tokens, at most 1000000000000, under the provider's own name of the model.";
        UNPROCESSABLE_ENTITY "provider.key_format" "Malformed key"
            "Send 1 to 4096 visible ASCII characters without spaces.";
    }
}

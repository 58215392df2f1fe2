use crate::problem::code::refusals;

refusals! {
    /// Why a request about secrets of tools is refused.
    SECRETS {
        UNPROCESSABLE_ENTITY "secret.name_format" "Malformed secret name"
            "Send 1 to 64 letters, digits and underscores, a letter first.";
        CONFLICT "secret.name_taken" "The project has a secret of that name"
            "Replace its value, choose another name, or remove the secret that has it.";
        UNPROCESSABLE_ENTITY "secret.value_format" "Malformed secret value"
            "Send 8 to 4096 visible ASCII characters; spaces are allowed between them.";
        UNPROCESSABLE_ENTITY "secret.host_format" "Malformed host"
            "Send a host name or address in lower case, with the port if it is not the default one: `api.example.org`, `10.0.0.1:8443`.";
        UNPROCESSABLE_ENTITY "secret.host_count" "No hosts, or too many"
            "Name 1 to 20 hosts the secret may be sent to.";
        CONFLICT "secret.removed" "The secret is removed"
            "Add another one.";
    }
}

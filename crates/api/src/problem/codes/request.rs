use crate::problem::code::codes;

codes! {
    /// What can be wrong with a request before any use case sees it.
    REQUEST {
        ROUTE_NOT_FOUND = NOT_FOUND "request.route_not_found" "Unknown path"
            "Compare the path with the API reference at `/docs`; check for trailing slashes.";
        METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "request.method_not_allowed" "Method not allowed here"
            "Use one of the methods in the `Allow` header of the response.";
        NOT_HTTP = BAD_REQUEST "request.not_http" "Not an HTTP request"
            "Send HTTP/1.1 with at most 96 headers, as RFC 9110 allows them; TLS terminates in front of the platform.";
        HEAD_TOO_LARGE = REQUEST_HEADER_FIELDS_TOO_LARGE "request.head_too_large" "Head is too large"
            "Send fewer or shorter headers.";
        HEAD_TIMEOUT = REQUEST_TIMEOUT "request.head_timeout" "Head arrived too slowly"
            "Send the request again over a faster connection.";
        MALFORMED_JSON = BAD_REQUEST "request.malformed_json" "Body is not JSON"
            "Send one complete JSON document (RFC 8259) in UTF-8 and nothing after it.";
        TOO_DEEP = BAD_REQUEST "request.too_deep" "Body is nested too deeply"
            "Nest arrays and objects at most 32 deep.";
        DUPLICATE_MEMBER = BAD_REQUEST "request.duplicate_member" "A member occurs twice"
            "Name each member of an object once; the pointer shows the second occurrence.";
        NUL_CHARACTER = BAD_REQUEST "request.nul_character" "A text contains NUL"
            "Remove U+0000 from the text the pointer names.";
        BODY_TOO_LARGE = PAYLOAD_TOO_LARGE "request.body_too_large" "Body is too large"
            "Send a smaller body; the limit is in the detail.";
        ADDRESS_TOO_LONG = URI_TOO_LONG "request.address_too_long" "Address is too long"
            "Keep path and query together to 8192 bytes.";
        BODY_TIMEOUT = REQUEST_TIMEOUT "request.timeout" "Body arrived too slowly"
            "Send the request again over a faster connection.";
        BODY_UNREADABLE = BAD_REQUEST "request.body_unreadable" "Body could not be read"
            "Send the whole body that `Content-Length` or the chunks announce.";
        UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE "request.unsupported_media_type" "Body has the wrong media type"
            "Send `Content-Type: application/json`.";
        UNKNOWN_MEMBER = UNPROCESSABLE_ENTITY "request.unknown_member" "A member is unknown"
            "Remove the member the pointer names, or correct its spelling.";
        MISSING_MEMBER = UNPROCESSABLE_ENTITY "request.missing_member" "A member is missing"
            "Add the member the pointer names.";
        WRONG_TYPE = UNPROCESSABLE_ENTITY "request.wrong_type" "A member has the wrong type or form"
            "Send the type the detail names at the pointer.";
        ONE_OF = UNPROCESSABLE_ENTITY "request.one_of" "Members contradict each other"
            "Send exactly one of the members the detail names.";
        INVALID = UNPROCESSABLE_ENTITY "request.invalid" "Several members are invalid"
            "Correct each member listed in `errors`.";
        TEXT_LENGTH = UNPROCESSABLE_ENTITY "request.length" "A member is too short or too long"
            "Keep to the lengths the detail names.";
        OUT_OF_RANGE = UNPROCESSABLE_ENTITY "request.range" "A number is out of range"
            "Keep to the range the detail names.";
        MALFORMED_ID = BAD_REQUEST "request.malformed_id" "An id in the path is malformed"
            "Use the id exactly as the platform gave it: a UUID in version 1, in version 2 with the prefix of its kind.";
        PARAMETER = UNPROCESSABLE_ENTITY "request.parameter" "A query parameter is invalid"
            "Correct the parameter named in `errors`.";
        UNKNOWN_PARAMETER = UNPROCESSABLE_ENTITY "request.unknown_parameter" "A query parameter is unknown"
            "Remove the parameter named in `errors`, or correct its spelling.";
        LIST_PAGE = UNPROCESSABLE_ENTITY "list.page_range" "The page is out of range"
            "Count pages from 1.";
        LIST_PAGE_SIZE = UNPROCESSABLE_ENTITY "list.page_size_range" "The page size is out of range"
            "Ask for 1 to 100 items per page.";
        LIST_LIMIT = UNPROCESSABLE_ENTITY "list.limit_range" "The limit is out of range"
            "Ask for 1 to 100 items.";
        LIST_CURSOR = UNPROCESSABLE_ENTITY "list.cursor" "The cursor does not belong to this list"
            "Send `next_cursor` back as it came, to the same address with the same filter and sort; begin again without it.";
        PRECONDITION_REQUIRED = PRECONDITION_REQUIRED "request.precondition_required" "`If-Match` is required"
            "Read the resource and send its `ETag` in `If-Match`, or `If-Match: *` to change any state.";
        MALFORMED_ETAG = BAD_REQUEST "request.malformed_etag" "A condition is malformed"
            "Send `If-Match` or `If-None-Match` with quoted tags, as in the `ETag` of a response, or `*`.";
        IDEMPOTENCY_KEY = BAD_REQUEST "request.idempotency_key" "The idempotency key is malformed"
            "Send one `Idempotency-Key` of 1 to 255 printable ASCII characters without spaces.";
        LAST_EVENT_ID = BAD_REQUEST "request.last_event_id" "The last event id is malformed"
            "Send back the `id` of the last event received, a whole number.";
    }
}

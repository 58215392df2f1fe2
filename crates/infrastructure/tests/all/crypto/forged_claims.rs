//! Claims that are missing, of the wrong type, foreign or repeated, all under a genuine signature.

use serde_json::{Value, json};

use super::{
    forge::refused,
    world::{claims, now},
};

refused! {
    a_token_without_issuer_is_refused: |forge| forge.without("iss");
    a_token_without_audience_is_refused: |forge| forge.without("aud");
    a_token_without_subject_is_refused: |forge| forge.without("sub");
    a_token_without_session_is_refused: |forge| forge.without("sid");
    a_token_without_identity_is_refused: |forge| forge.without("jti");
    a_token_without_issuing_time_is_refused: |forge| forge.without("iat");
    a_token_without_beginning_is_refused: |forge| forge.without("nbf");
    a_token_without_expiry_is_refused: |forge| forge.without("exp");

    another_issuer_is_refused: |forge| forge.claiming("iss", json!("somebody-else"));
    an_issuer_that_begins_like_ours_is_refused: |forge| forge.claiming("iss", json!("devskyy.evil.example"));
    an_issuer_in_another_case_is_refused: |forge| forge.claiming("iss", json!("DevSkyy"));
    an_empty_issuer_is_refused: |forge| forge.claiming("iss", json!(""));
    several_issuers_are_refused: |forge| forge.claiming("iss", json!(["devskyy", "evil"]));
    an_issuer_that_is_null_is_refused: |forge| forge.claiming("iss", Value::Null);
    another_audience_is_refused: |forge| forge.claiming("aud", json!("somebody-else"));
    an_audience_that_begins_like_ours_is_refused: |forge| forge.claiming("aud", json!("devskyy-api-test"));
    several_audiences_are_refused: |forge| forge.claiming("aud", json!(["devskyy-api", "evil"]));
    no_audience_at_all_is_refused: |forge| forge.claiming("aud", json!([]));
    an_audience_that_is_null_is_refused: |forge| forge.claiming("aud", Value::Null);

    a_subject_that_is_no_id_is_refused: |forge| forge.claiming("sub", json!("admin"));
    an_empty_subject_is_refused: |forge| forge.claiming("sub", json!(""));
    a_subject_that_is_a_number_is_refused: |forge| forge.claiming("sub", json!(2));
    a_session_that_is_no_id_is_refused: |forge| forge.claiming("sid", json!("*"));
    a_session_that_is_null_is_refused: |forge| forge.claiming("sid", Value::Null);
    an_identity_that_is_no_id_is_refused: |forge| forge.claiming("jti", json!("1"));

    an_expiry_in_quotes_is_refused: |forge| forge.claiming("exp", json!(claims().expires_at.timestamp().to_string()));
    an_expiry_that_is_null_is_refused: |forge| forge.claiming("exp", Value::Null);
    an_expiry_that_is_a_truth_is_refused: |forge| forge.claiming("exp", json!(true));
    an_expiry_with_a_fraction_is_refused: |forge| forge.claiming("exp", json!(1_900_000_000.5));
    an_expiry_as_a_date_is_refused: |forge| forge.claiming("exp", json!("2099-01-01T00:00:00Z"));
    an_expiry_beyond_all_time_is_refused: |forge| forge.claiming("exp", json!(i64::MAX));
    an_expiry_that_overflows_is_refused: |forge| forge.claiming("exp", json!(u64::MAX));
    an_expiry_at_the_beginning_of_time_is_refused: |forge| forge.claiming("exp", json!(0));
    a_negative_expiry_is_refused: |forge| forge.claiming("exp", json!(-1));
    an_expiry_just_past_the_leeway_is_refused: |forge| forge.claiming("exp", json!(now().timestamp() - 5));
    a_beginning_in_the_future_is_refused: |forge| forge.claiming("nbf", json!(now().timestamp() + 6));
    a_beginning_in_quotes_is_refused: |forge| forge.claiming("nbf", json!(now().timestamp().to_string()));
    an_issuing_time_in_the_future_is_refused: |forge| forge.claiming("iat", json!(now().timestamp() + 6));
    an_issuing_time_in_quotes_is_refused: |forge| forge.claiming("iat", json!(now().timestamp().to_string()));

    an_expiry_said_twice_is_refused: |forge| forge.repeating(r#""exp":9999999999"#);
    a_subject_said_twice_is_refused: |forge| forge.repeating(r#""sub":"00000000-0000-0000-0000-000000000009""#);
    a_session_said_twice_is_refused: |forge| forge.repeating(r#""sid":"00000000-0000-0000-0000-000000000009""#);
    an_issuer_said_twice_is_refused: |forge| forge.repeating(r#""iss":"somebody-else""#);
    an_audience_said_twice_is_refused: |forge| forge.repeating(r#""aud":"somebody-else""#);
    an_escaped_repetition_is_one_too: |forge| forge.repeating(r#""\u0073ub":"00000000-0000-0000-0000-000000000009""#);

    claims_that_are_a_list_are_refused: |forge| forge.sign(&forge.header().to_string(), "[]");
    claims_that_are_a_text_are_refused: |forge| forge.sign(&forge.header().to_string(), r#""admin""#);
    empty_claims_are_refused: |forge| forge.sign(&forge.header().to_string(), "");
    claims_that_are_null_are_refused: |forge| forge.sign(&forge.header().to_string(), "null");
    claims_that_are_no_text_are_refused: |forge| forge.sign_bytes(&[0xff, 0xfe, 0x00]);
    anything_after_the_claims_is_refused: |forge| {
        forge.sign(&forge.header().to_string(), &format!("{}{{}}", forge.payload()))
    };
}

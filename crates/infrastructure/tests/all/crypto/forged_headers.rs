//! Forged headers: no algorithm, another one, another type of token, a key of the attacker.

use aws_lc_rs::hmac::{HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

use super::forge::{Forge, refused};

/// The platform's public key.
fn published(forge: &Forge) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": forge.key.kid, "x": BASE64URL_NOPAD.encode(&forge.key.public)})
}

refused! {
    no_algorithm_is_no_algorithm: |forge| forge.unsigned("none");
    no_algorithm_in_upper_case_is_none_either: |forge| forge.unsigned("NONE");
    no_algorithm_capitalised_is_none_either: |forge| forge.unsigned("None");
    no_algorithm_in_mixed_case_is_none_either: |forge| forge.unsigned("nOnE");
    no_algorithm_with_a_blank_is_none_either: |forge| forge.unsigned("none ");
    the_right_algorithm_without_a_signature_is_refused: |forge| forge.unsigned("EdDSA");
    an_empty_algorithm_is_refused: |forge| forge.unsigned("");
    no_algorithm_is_refused_although_the_signature_is_genuine: |forge| forge.headed("alg", json!("none"));
    a_missing_algorithm_is_refused: |forge| forge.headless("alg");
    an_algorithm_that_is_null_is_refused: |forge| forge.headed("alg", Value::Null);
    an_algorithm_that_is_a_list_is_refused: |forge| forge.headed("alg", json!(["EdDSA"]));
    the_algorithm_is_spelled_in_one_way: |forge| forge.headed("alg", json!("EDDSA"));
    the_public_key_is_no_shared_secret: |forge| forge.hashed("HS256", HMAC_SHA256, &forge.key.public);
    the_public_key_as_text_is_no_shared_secret: |forge| {
        forge.hashed("HS256", HMAC_SHA256, BASE64URL_NOPAD.encode(&forge.key.public).as_bytes())
    };
    the_published_key_is_no_shared_secret: |forge| {
        forge.hashed("HS256", HMAC_SHA256, published(forge).to_string().as_bytes())
    };
    the_public_key_is_no_shared_secret_of_384_bits: |forge| forge.hashed("HS384", HMAC_SHA384, &forge.key.public);
    the_public_key_is_no_shared_secret_of_512_bits: |forge| forge.hashed("HS512", HMAC_SHA512, &forge.key.public);
    the_public_key_in_pem_is_no_shared_secret: |forge| {
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(&forge.key.public));
        forge.hashed("HS256", HMAC_SHA256, pem.as_bytes())
    };
    an_empty_shared_secret_is_refused: |forge| forge.hashed("HS256", HMAC_SHA256, b"");
    a_genuine_signature_is_not_called_rsa: |forge| forge.headed("alg", json!("RS256"));
    a_genuine_signature_is_not_called_rsa_pss: |forge| forge.headed("alg", json!("PS256"));
    a_genuine_signature_is_not_called_ecdsa: |forge| forge.headed("alg", json!("ES256"));
    a_genuine_signature_is_not_called_hmac: |forge| forge.headed("alg", json!("HS256"));
    an_algorithm_said_twice_is_refused: |forge| {
        let header = forge.header().to_string().replacen('{', r#"{"alg":"none","#, 1);
        forge.sign(&header, &forge.payload().to_string())
    };

    a_token_of_no_type_is_refused: |forge| forge.headless("typ");
    a_token_of_the_general_type_is_refused: |forge| forge.headed("typ", json!("JWT"));
    a_token_of_another_type_is_refused: |forge| forge.headed("typ", json!("rt+jwt"));
    an_identity_token_is_refused: |forge| forge.headed("typ", json!("id+jwt"));
    a_type_that_is_no_text_is_refused: |forge| forge.headed("typ", json!(1));

    a_key_without_a_name_is_refused: |forge| forge.headless("kid");
    an_empty_key_name_is_refused: |forge| forge.headed("kid", json!(""));
    a_key_name_that_is_null_is_refused: |forge| forge.headed("kid", Value::Null);
    a_key_name_that_is_a_number_is_refused: |forge| forge.headed("kid", json!(0));
    a_key_name_that_is_a_list_is_refused: |forge| forge.headed("kid", json!([forge.key.kid]));
    a_key_name_that_is_a_path_is_refused: |forge| forge.headed("kid", json!("../../../../dev/null"));
    a_key_name_that_is_a_statement_is_refused: |forge| forge.headed("kid", json!("' OR '1'='1"));
    a_key_name_that_selects_is_refused: |forge| forge.headed("kid", json!("x' UNION SELECT 'AA' --"));
    a_key_name_that_is_a_command_is_refused: |forge| forge.headed("kid", json!("key|/bin/true"));
    a_key_name_with_nul_is_refused: |forge| forge.headed("kid", json!(format!("{}\0", forge.key.kid)));
    a_key_name_in_another_case_is_refused: |forge| forge.headed("kid", json!(forge.key.kid.to_lowercase() + "A"));
    a_key_name_that_is_an_address_is_refused: |forge| forge.headed("kid", json!("https://evil.example/key"));
    a_key_named_twice_is_refused: |forge| {
        let header = forge.header().to_string().replacen('{', r#"{"kid":"other","#, 1);
        forge.sign(&header, &forge.payload().to_string())
    };

    a_key_at_an_address_is_not_fetched: |forge| forge.headed("jku", json!("https://evil.example/keys"));
    a_key_in_the_header_is_not_used: |forge| forge.headed("jwk", published(forge));
    a_certificate_at_an_address_is_not_fetched: |forge| forge.headed("x5u", json!("https://evil.example/cert"));
    a_certificate_in_the_header_is_not_used: |forge| forge.headed("x5c", json!(["MIIB"]));
    a_certificates_thumbprint_is_not_used: |forge| forge.headed("x5t", json!("AAAA"));
    a_certificates_longer_thumbprint_is_not_used: |forge| forge.headed("x5t#S256", json!("AAAA"));
    a_critical_extension_is_not_ignored: |forge| forge.headed("crit", json!(["exp"]));
    a_payload_that_is_not_encoded_is_refused: |forge| forge.headed("b64", json!(false));
    a_compressed_token_is_refused: |forge| forge.headed("zip", json!("DEF"));
    an_encrypted_token_is_refused: |forge| forge.headed("enc", json!("A128GCM"));
    a_nested_token_is_refused: |forge| forge.headed("cty", json!("JWT"));
    a_header_nobody_knows_is_refused: |forge| forge.headed("admin", json!(true));
    a_header_that_is_no_object_is_refused: |forge| forge.sign("[]", &forge.payload().to_string());
    an_empty_header_is_refused: |forge| forge.sign("", &forge.payload().to_string());
}

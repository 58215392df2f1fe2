//! Signatures that are missing, altered, foreign, or malformed.

use aws_lc_rs::signature::Ed25519KeyPair;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::json;

use super::forge::{Forge, message, refused};

/// The three parts of a genuine token.
fn parts(forge: &Forge) -> [String; 3] {
    let token = forge.genuine();
    let mut parts = token.split('.').map(str::to_owned);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Genuine, except for the bytes of the signature.
fn resigned(forge: &Forge, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let [header, payload, signature] = parts(forge);
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap_or_default();
    format!("{header}.{payload}.{}", BASE64URL_NOPAD.encode(&change(signature)))
}

refused! {
    a_signature_of_a_strangers_key_is_refused: |forge| {
        let message = message(&forge.header().to_string(), forge.payload().to_string().as_bytes());
        let stranger = Ed25519KeyPair::generate().unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(stranger.sign(message.as_bytes()).as_ref()))
    };
    a_signature_of_other_claims_is_refused: |forge| {
        let [header, payload, _] = parts(forge);
        let other = forge.claiming("sub", json!("00000000-0000-0000-0000-000000000009"));
        format!("{header}.{payload}.{}", other.rsplit('.').next().unwrap_or_default())
    };
    claims_of_somebody_else_under_a_genuine_signature_are_refused: |forge| {
        let [header, _, signature] = parts(forge);
        let other = forge.claiming("sub", json!("00000000-0000-0000-0000-000000000009"));
        format!("{header}.{}.{signature}", other.split('.').nth(1).unwrap_or_default())
    };
    a_signature_with_its_first_bit_turned_is_refused: |forge| resigned(forge, |mut bytes| {
        bytes[0] ^= 0x80;
        bytes
    });
    a_signature_with_its_last_bit_turned_is_refused: |forge| resigned(forge, |mut bytes| {
        bytes[63] ^= 1;
        bytes
    });
    a_signature_of_nothing_but_zeros_is_refused: |forge| resigned(forge, |bytes| vec![0; bytes.len()]);
    a_signature_cut_in_half_is_refused: |forge| resigned(forge, |bytes| bytes[..32].to_vec());
    a_signature_with_a_byte_more_is_refused: |forge| resigned(forge, |mut bytes| {
        bytes.push(0);
        bytes
    });
    a_doubled_signature_is_refused: |forge| resigned(forge, |bytes| bytes.repeat(2));
    an_empty_signature_is_refused: |forge| resigned(forge, |_| Vec::new());
    a_signature_with_other_spare_bits_is_refused: |forge| {
        let mut token = forge.genuine();
        // The last of 86 characters carries two bits; the other four must be zero.
        let last = token.pop().unwrap_or_default();
        let next = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".windows(2);
        let next = next.filter(|pair| char::from(pair[0]) == last).map(|pair| char::from(pair[1])).next();
        format!("{token}{}", next.unwrap_or('B'))
    };

    an_empty_token_is_refused: |_| String::new();
    a_token_of_dots_is_refused: |_| "..".to_owned();
    a_token_of_two_parts_is_refused: |forge| {
        let [header, payload, _] = parts(forge);
        format!("{header}.{payload}")
    };
    a_token_of_four_parts_is_refused: |forge| format!("{}.AAAA", forge.genuine());
    a_token_of_five_parts_is_refused: |forge| format!("{}.AAAA.AAAA", forge.genuine());
    a_token_in_the_json_form_is_refused: |forge| {
        let [protected, payload, signature] = parts(forge);
        json!({"protected": protected, "payload": payload, "signature": signature}).to_string()
    };
    a_padded_token_is_refused: |forge| format!("{}==", forge.genuine());
    a_token_in_the_other_alphabet_is_refused: |forge| {
        let [header, payload, signature] = parts(forge);
        let bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap_or_default();
        format!("{header}.{payload}.{}", BASE64.encode(&bytes))
    };
    a_blank_before_the_token_is_refused: |forge| format!(" {}", forge.genuine());
    a_line_break_after_the_token_is_refused: |forge| format!("{}\n", forge.genuine());
    a_line_break_within_the_token_is_refused: |forge| forge.genuine().replacen('.', "\n.", 1);
    nul_after_the_token_is_refused: |forge| format!("{}\0", forge.genuine());
    a_scheme_before_the_token_is_refused: |forge| format!("Bearer {}", forge.genuine());
    two_tokens_are_refused: |forge| format!("{},{}", forge.genuine(), forge.genuine());
    an_endless_token_is_refused: |forge| forge.claiming("extra", json!("x".repeat(4_096)));
}

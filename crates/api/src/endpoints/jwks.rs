use actix_web::{HttpResponse, get, http::header::CACHE_CONTROL, web::Data};
use devskyy_application::identity::Identity;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{mount::Mount, openapi::answers::Public, problem::Problem};

pub(crate) fn configure(config: &mut impl Mount) {
    config.service(public_keys);
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Serialize, ToSchema)]
#[schema(as = KeySet)]
struct KeySet {
    /// The keys.
    keys: Vec<PublicKey>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Serialize, ToSchema)]
struct PublicKey {
    /// Always `OKP`.
    #[schema(example = "OKP")]
    kty: String,
    /// Always `Ed25519`.
    #[schema(example = "Ed25519")]
    crv: String,
    /// Name of the key, as in the header of a token.
    kid: String,
    /// Always `EdDSA`.
    #[schema(example = "EdDSA")]
    alg: String,
    /// Always `sig`.
    #[schema(example = "sig")]
    r#use: String,
    /// The public key in base64url.
    x: String,
}

/// Show the public keys of access tokens (JWKS).
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "The keys in use", body = inline(KeySet), content_type = "application/json"), Public)
)]
#[get("/.well-known/jwks.json")]
async fn public_keys(identity: Data<Identity>) -> Result<HttpResponse, Problem> {
    let keys = identity.public_keys.handle().await?;
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=60"))
        .content_type("application/json")
        .body(keys))
}

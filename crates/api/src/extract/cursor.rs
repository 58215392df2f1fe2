//! Cursors: where a list continues, sealed so that only this platform can have written it, and only for this list.

use std::sync::Arc;

use actix_web::{HttpRequest, web::Data};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE64URL_NOPAD;
use devskyy_application::{
    identity::TokenMint,
    paging::{Key, KeyValue},
};
use uuid::Uuid;

const PURPOSE: &str = "list.cursor";
/// Changes with the form of cursors or the order of a list; older cursors are then refused.
const FORMAT: u8 = 1;
/// Bytes of the seal, 128 bits of HMAC-SHA-256.
const SEAL: usize = 16;
/// The longest cursor that is read.
pub(crate) const LONGEST_CURSOR: usize = 1_536;

/// Seals cursors of one list: of its address, its filter and its sort.
pub(crate) struct Cursors {
    mint: Option<Arc<dyn TokenMint>>,
    list: String,
}

impl Cursors {
    /// Those of the requested list.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let mut pairs: Vec<&str> = request.query_string().split('&').filter(|pair| tells_the_list(pair)).collect();
        pairs.sort_unstable();
        let list = format!("{}?{}", request.path(), pairs.join("&"));
        let mint = request.app_data::<Data<dyn TokenMint>>().map(|mint| mint.clone().into_inner());
        Self { mint, list }
    }

    /// The cursor of a place.
    pub(crate) fn seal(&self, place: &Key) -> String {
        let mut cursor = vec![FORMAT];
        cursor.extend_from_slice(place.id.as_bytes());
        match &place.value {
            KeyValue::Number(number) => cursor.extend(std::iter::once(b'n').chain(number.to_be_bytes())),
            KeyValue::Text(text) => cursor.extend(std::iter::once(b't').chain(text.bytes())),
        }
        let seal = self.sealed(&cursor).unwrap_or_default();
        cursor.extend_from_slice(&seal);
        BASE64URL_NOPAD.encode(&cursor)
    }

    /// The place behind a cursor of exactly this list; `None` for any other text.
    pub(crate) fn open(&self, raw: &str) -> Option<Key> {
        let cursor = BASE64URL_NOPAD.decode(Some(raw).filter(|raw| raw.len() <= LONGEST_CURSOR)?.as_bytes()).ok()?;
        let (place, seal) = cursor.split_at_checked(cursor.len().checked_sub(SEAL)?)?;
        verify_slices_are_equal(&self.sealed(place)?, seal).ok()?;
        let (format, place) = place.split_first()?;
        let (id, value) = place.split_at_checked(16)?;
        let value = match value.split_first()? {
            (b'n', number) => KeyValue::Number(i64::from_be_bytes(number.try_into().ok()?)),
            (b't', text) => KeyValue::Text(String::from_utf8(text.to_vec()).ok()?),
            _ => return None,
        };
        let id = Uuid::from_slice(id).ok()?;
        (*format == FORMAT).then_some(Key { value, id })
    }

    fn sealed(&self, place: &[u8]) -> Option<[u8; SEAL]> {
        let mut text = self.list.clone().into_bytes();
        text.push(0);
        text.extend_from_slice(place);
        let digest = self.mint.as_ref()?.keyed(PURPOSE, &text);
        digest.get(..SEAL)?.try_into().ok()
    }
}

/// Whether a pair of the query identifies the list, and not the part of it.
pub(crate) fn tells_the_list(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    !name.is_empty() && !["before", "cursor", "limit", "page", "page_size"].contains(&name)
}

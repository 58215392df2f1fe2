use std::sync::Arc;

use devskyy_domain::kernel::ids::ApiKeyId;
use uuid::Uuid;

use super::super::ports::TokenMint;

/// The prefix of every key, by which people and scanners recognise one.
pub(crate) const MARK: &str = "dsk_";

/// Length of the checksum, in characters.
const CHECKSUM: usize = 8;

/// Formats and parses keys: `dsk_<prefix>_<secret>_<checksum>`.
///
/// The prefix is the key's id without hyphens. The checksum is the beginning of the SHA-256 of everything before it:
/// typos are detected without a query, and scanners can tell keys from noise offline.
#[derive(Clone)]
pub(super) struct KeyText(pub(super) Arc<dyn TokenMint>);

impl KeyText {
    pub(super) fn write(&self, key: ApiKeyId, secret: &str) -> String {
        let body = format!("{MARK}{}_{secret}", Uuid::from(key).simple());
        let checksum = self.checksum(&body);
        format!("{body}_{checksum}")
    }

    /// The key's id and the digest of its secret; `None` if the text is not a well-formed key.
    pub(super) fn read(&self, text: &str) -> Option<(ApiKeyId, [u8; 32])> {
        let (body, checksum) = text.rsplit_once('_')?;
        let (prefix, secret) = body.strip_prefix(MARK)?.split_once('_')?;
        let lower_hex = prefix.len() == 32 && prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !lower_hex || secret.is_empty() || self.checksum(body) != checksum {
            return None;
        }
        let key = Uuid::try_parse(prefix).ok()?;
        Some((key.into(), self.0.digest(secret)))
    }

    fn checksum(&self, body: &str) -> String {
        use std::fmt::Write as _;
        let digest = self.0.digest(body);
        digest.iter().take(CHECKSUM / 2).fold(String::with_capacity(CHECKSUM), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

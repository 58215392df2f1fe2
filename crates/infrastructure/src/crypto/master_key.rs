use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hmac,
    rand::fill,
};
use data_encoding::HEXLOWER_PERMISSIVE;
use zeroize::Zeroizing;

use super::secret_file::create_secret_file;

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is not a key.
    #[error("the master key must be 64 hexadecimal digits (32 bytes)")]
    Malformed,
    /// Other users may read the file.
    #[error("{} can be read by others; run: chmod 600 {}", .0.display(), .0.display())]
    Exposed(PathBuf),
    /// The file is empty.
    #[error(
        "{} is empty; put the master key back from a backup, or delete the file if this installation has no data yet",
        .0.display()
    )]
    Empty(PathBuf),
    /// The file cannot be read or written.
    #[error("{} cannot be used as the master key's file: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The system's random generator failed.
    #[error("the system's random generator failed")]
    Random,
}

/// The root secret of a deployment: it seals signing keys and keys the digests of personal values.
///
/// Each purpose gets its own derived key, so that uses cannot be confused.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Parses a key from 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`MasterKeyError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let bytes =
            Zeroizing::new(HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map_err(|_| MasterKeyError::Malformed)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| MasterKeyError::Malformed)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Generates a key.
    ///
    /// # Errors
    /// [`MasterKeyError::Random`].
    pub fn generate() -> Result<Self, MasterKeyError> {
        let mut key = Zeroizing::new([0; 32]);
        fill(key.as_mut_slice()).map_err(|_| MasterKeyError::Random)?;
        Ok(Self(key))
    }

    /// Reads the key from a file that only its owner may read, or creates the file.
    ///
    /// # Errors
    /// [`MasterKeyError`] when the file is exposed, empty, damaged or inaccessible.
    pub fn load_or_create(path: &Path) -> Result<Self, MasterKeyError> {
        match Self::load(path) {
            Err(MasterKeyError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            loaded => return loaded,
        }
        let key = Self::generate()?;
        let text = Zeroizing::new(HEXLOWER_PERMISSIVE.encode(key.0.as_slice()));
        match create_secret_file(path, text.as_bytes()) {
            Ok(()) => Ok(key),
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(source) => Err(MasterKeyError::File { path: path.to_owned(), source }),
        }
    }

    fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |source| MasterKeyError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
            return Err(MasterKeyError::Exposed(path.to_owned()));
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(failed)?;
        if text.trim().is_empty() {
            return Err(MasterKeyError::Empty(path.to_owned()));
        }
        Self::parse(&text)
    }

    /// Keyed digest (HMAC-SHA-256) of a value for one purpose.
    #[must_use]
    pub fn keyed(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.derived(purpose).as_slice());
        digest_bytes(hmac::sign(&key, value))
    }

    /// Encrypts a secret for one purpose (AES-256-GCM), bound to the name it is stored under.
    ///
    /// # Errors
    /// [`MasterKeyError::Random`] when no nonce can be generated.
    pub fn seal(&self, purpose: &str, name: &str, secret: &[u8]) -> Result<Vec<u8>, MasterKeyError> {
        let key = self.sealing_key(purpose)?;
        let mut sealed = secret.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(name.as_bytes()), &mut sealed)
            .map_err(|_| MasterKeyError::Random)?;
        sealed.extend_from_slice(nonce.as_ref());
        Ok(sealed)
    }

    /// Decrypts the output of [`MasterKey::seal`]; `None` if the key, purpose or name differs, or it was altered.
    #[must_use]
    pub fn open(&self, purpose: &str, name: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (body, nonce) = sealed.split_at_checked(sealed.len().checked_sub(NONCE_LEN)?)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = Zeroizing::new(body.to_vec());
        let opened =
            self.sealing_key(purpose).ok()?.open_in_place(nonce, Aad::from(name.as_bytes()), &mut buffer).ok()?.len();
        buffer.truncate(opened);
        Some(buffer)
    }

    fn sealing_key(&self, purpose: &str) -> Result<RandomizedNonceKey, MasterKeyError> {
        RandomizedNonceKey::new(&AES_256_GCM, self.derived(purpose).as_slice()).map_err(|_| MasterKeyError::Random)
    }

    fn derived(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice());
        Zeroizing::new(digest_bytes(hmac::sign(&key, format!("devskyy/{purpose}").as_bytes())))
    }
}

fn digest_bytes(tag: hmac::Tag) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(tag.as_ref());
    digest
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

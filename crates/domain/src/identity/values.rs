use std::{fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{common_passwords::is_common, error::IdentityError};

/// The role of a person on the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformRole {
    /// Administers the platform.
    Admin,
    /// Uses the platform.
    Member,
}

impl PlatformRole {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::Admin, Self::Member];

    /// The name used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// Parses the name used on the wire and in the database.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A normalised e-mail address; personal data, so `Debug` does not print it and events never contain it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Maximum length of an address in bytes (RFC 5321).
    pub const LONGEST: usize = 254;

    /// Trims, lower-cases and validates a raw address.
    ///
    /// # Errors
    /// [`IdentityError::EmailFormat`] when it is not a valid address.
    pub fn parse(raw: &str) -> Result<Self, IdentityError> {
        let address = raw.trim().to_lowercase();
        let (local, domain) = address.rsplit_once('@').ok_or(IdentityError::EmailFormat)?;
        let local_is_fine = (1..=64).contains(&local.chars().count())
            && !local.contains('@')
            && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character));
        let domain_is_fine = domain.contains('.') && domain.split('.').all(is_label);
        if local_is_fine && domain_is_fine && address.len() <= Self::LONGEST {
            Ok(Self(address))
        } else {
            Err(IdentityError::EmailFormat)
        }
    }

    /// The normalised address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_atom_character(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// The name of a person; personal data like the e-mail.
#[derive(Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Length of a name in characters.
    pub const LENGTH: RangeInclusive<usize> = 1..=100;

    /// Trims and validates a raw name.
    ///
    /// # Errors
    /// [`IdentityError::NameFormat`] when it is empty, too long or has control characters.
    pub fn parse(raw: &str) -> Result<Self, IdentityError> {
        let name = raw.trim();
        if Self::LENGTH.contains(&name.chars().count()) && !name.chars().any(char::is_control) {
            Ok(Self(name.to_owned()))
        } else {
            Err(IdentityError::NameFormat)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisplayName(…)")
    }
}

/// The requirements for a new password.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// 8 characters with a digit and an upper-case letter.
    #[default]
    Classic,
    /// 12 characters of any kind (NIST SP 800-63B requires length, not composition).
    Nist,
}

impl PasswordPolicy {
    /// Minimum length in characters.
    #[must_use]
    pub const fn shortest(self) -> usize {
        match self {
            Self::Classic => 8,
            Self::Nist => 12,
        }
    }

    fn is_composed(self, raw: &str) -> Result<(), IdentityError> {
        match self {
            Self::Nist => Ok(()),
            Self::Classic if !raw.chars().any(|c| c.is_ascii_digit()) => Err(IdentityError::PasswordNeedsDigit),
            Self::Classic if !raw.chars().any(char::is_uppercase) => Err(IdentityError::PasswordNeedsUpperCase),
            Self::Classic => Ok(()),
        }
    }
}

/// A new password that satisfies the policy; never printed, and wiped from memory on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Maximum length in characters.
    pub const LONGEST: usize = 128;

    /// Validates a raw password; `email` is `None` if the e-mail itself is invalid.
    ///
    /// # Errors
    /// The first violated rule.
    pub fn parse(raw: &str, email: Option<&Email>, policy: PasswordPolicy) -> Result<Self, IdentityError> {
        if !(policy.shortest()..=Self::LONGEST).contains(&raw.chars().count()) {
            return Err(match policy {
                PasswordPolicy::Classic => IdentityError::PasswordLength,
                PasswordPolicy::Nist => IdentityError::PasswordTooShort,
            });
        }
        let lower = Zeroizing::new(raw.to_lowercase());
        if email
            .is_some_and(|email| *lower == email.as_str() || email.as_str().split('@').next() == Some(lower.as_str()))
        {
            return Err(IdentityError::PasswordIsEmail);
        }
        if is_common(&lower) {
            return Err(IdentityError::PasswordCommon);
        }
        policy.is_composed(raw)?;
        Ok(Self(Zeroizing::new(raw.to_owned())))
    }

    /// The password itself, for the hasher only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

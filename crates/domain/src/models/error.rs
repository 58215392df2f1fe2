use crate::kernel::{Refusal, RefusalKind};

/// Why a request about a model provider is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Not a slug.
    #[error("the name must be a slug of 1 to 40 lower-case letters, digits and hyphens that begins with a letter")]
    NameFormat,
    /// Another provider of the project has this name.
    #[error("the project has a provider of that name already")]
    NameTaken,
    /// The protocol is unknown.
    #[error("the kind must be openai or anthropic")]
    KindUnknown,
    /// The base URL is not valid.
    #[error("the base URL must be http or https, without user name, query and fragment, at most 2,048 characters")]
    BaseUrlFormat,
    /// The operator's egress rules do not allow the base URL.
    #[error("the base URL is not allowed: {0}")]
    BaseUrlRefused(String),
    /// A model name is not valid.
    #[error("model {} is empty, longer than 200 characters or contains spaces", .0 + 1)]
    ModelFormat(usize),
    /// The list of models is too long.
    #[error("at most 200 models can be listed")]
    TooManyModels,
    /// A price is out of range.
    #[error("a price of {0} is above a million units per million tokens")]
    PriceRange(String),
    /// The key is not valid in a header.
    #[error("the key must have 1 to 4,096 visible ASCII characters and no spaces")]
    KeyFormat,
    /// A removed provider stays removed.
    #[error("the provider is removed, add another one")]
    Removed,
    /// The id is used already.
    #[error("the provider is there already")]
    AlreadyAdded,
    /// No provider has this id.
    #[error("there is no such provider")]
    NotAdded,
}

impl Refusal for ProviderError {
    fn code(&self) -> &'static str {
        match self {
            Self::NameFormat => "provider.name_format",
            Self::NameTaken => "provider.name_taken",
            Self::KindUnknown => "provider.kind_unknown",
            Self::BaseUrlFormat => "provider.base_url_format",
            Self::BaseUrlRefused(_) => "provider.base_url_refused",
            Self::ModelFormat(_) => "provider.model_format",
            Self::TooManyModels => "provider.too_many_models",
            Self::PriceRange(_) => "provider.price_range",
            Self::KeyFormat => "provider.key_format",
            Self::Removed => "provider.removed",
            Self::AlreadyAdded => "provider.already_added",
            Self::NotAdded => "provider.not_added",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::NameFormat
            | Self::KindUnknown
            | Self::BaseUrlFormat
            | Self::BaseUrlRefused(_)
            | Self::ModelFormat(_)
            | Self::TooManyModels
            | Self::PriceRange(_)
            | Self::KeyFormat => RefusalKind::Invalid,
            Self::NameTaken | Self::Removed | Self::AlreadyAdded | Self::NotAdded => RefusalKind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::NameFormat | Self::NameTaken => Some("/name".to_owned()),
            Self::KindUnknown => Some("/kind".to_owned()),
            Self::BaseUrlFormat | Self::BaseUrlRefused(_) => Some("/base_url".to_owned()),
            Self::ModelFormat(index) => Some(format!("/models/{index}")),
            Self::TooManyModels => Some("/models".to_owned()),
            Self::PriceRange(_) => Some("/prices".to_owned()),
            Self::KeyFormat => Some("/key".to_owned()),
            Self::Removed | Self::AlreadyAdded | Self::NotAdded => None,
        }
    }
}

/// The stored status of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProviderStatus {
    Enabled,
    Disabled,
    Removed,
}

impl ProviderStatus {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Removed => "removed",
        }
    }
}

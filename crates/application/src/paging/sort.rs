/// The one thing that most lists can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Age {
    /// When something came into being.
    #[default]
    CreatedAt,
}

/// In which order a list is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<F> {
    /// What decides first; the id decides between equals.
    pub by: F,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl<F> Sort<F> {
    /// The least first.
    #[must_use]
    pub const fn ascending(by: F) -> Self {
        Self { by, descending: false }
    }

    /// The greatest first.
    #[must_use]
    pub const fn descending(by: F) -> Self {
        Self { by, descending: true }
    }
}

impl<F: Default> Default for Sort<F> {
    /// The newest first, where the field says when something came into being.
    fn default() -> Self {
        Self::descending(F::default())
    }
}

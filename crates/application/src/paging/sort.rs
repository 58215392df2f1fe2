/// The only field that most lists can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Age {
    /// The time of creation.
    #[default]
    CreatedAt,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<F> {
    /// The field sorted by first; the id decides between equals.
    pub by: F,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl<F> Sort<F> {
    /// Ascending.
    #[must_use]
    pub const fn ascending(by: F) -> Self {
        Self { by, descending: false }
    }

    /// Descending.
    #[must_use]
    pub const fn descending(by: F) -> Self {
        Self { by, descending: true }
    }
}

impl<F: Default> Default for Sort<F> {
    /// The newest first, if the field is a time of creation.
    fn default() -> Self {
        Self::descending(F::default())
    }
}

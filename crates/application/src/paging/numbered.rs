use devskyy_domain::kernel::{Refusal, RefusalKind};

/// Maximum number of items of a page.
pub const MAX_PAGE_SIZE: u64 = 100;
/// Default number of items of a page.
pub const USUAL_PAGE_SIZE: u64 = 20;
/// Highest page; an offset far beyond it is expensive for a database.
pub const MAX_PAGE: u64 = 1_000_000;

/// One of a list's numbered pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Number of the page, from 1.
    pub page: u64,
    /// Items per page, 1 to 100.
    pub page_size: u64,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { page: 1, page_size: USUAL_PAGE_SIZE }
    }
}

/// Why a page cannot be requested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagingError {
    /// Pages are numbered from 1.
    #[error("page must be from 1 to {MAX_PAGE}")]
    Page,
    /// Pages have at least one item, and not too many.
    #[error("page_size must be from 1 to {MAX_PAGE_SIZE}")]
    PageSize,
    /// Parts have at least one item, and not too many.
    #[error("limit must be from 1 to {MAX_PAGE_SIZE}")]
    Limit,
}

impl Refusal for PagingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Page => "list.page_range",
            Self::PageSize => "list.page_size_range",
            Self::Limit => "list.limit_range",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Page | Self::PageSize | Self::Limit => RefusalKind::Invalid,
        }
    }
}

impl PageRequest {
    /// Checks raw numbers; omitted ones get their defaults.
    ///
    /// # Errors
    /// [`PagingError`] when a number is out of range.
    pub fn parse(page: Option<u64>, page_size: Option<u64>) -> Result<Self, PagingError> {
        let Self { page: first, page_size: usual } = Self::default();
        let (page, page_size) = (page.unwrap_or(first), page_size.unwrap_or(usual));
        if !(1..=MAX_PAGE).contains(&page) {
            return Err(PagingError::Page);
        }
        if !(1..=MAX_PAGE_SIZE).contains(&page_size) {
            return Err(PagingError::PageSize);
        }
        Ok(Self { page, page_size })
    }

    /// How many items come before the page.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.page.saturating_sub(1).saturating_mul(self.page_size)
    }
}

//! Lists in numbered pages, with a total.

use devskyy_domain::kernel::{Refusal, RefusalKind};

/// Most items a page may hold.
pub const MAX_PAGE_SIZE: u64 = 100;
/// Highest page that can be asked for; far above it an offset stops being a number databases like.
const MAX_PAGE: u64 = 1_000_000;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Number of the page, from 1.
    pub page: u64,
    /// Items per page, 1 to 100.
    pub page_size: u64,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { page: 1, page_size: 20 }
    }
}

/// Why a page cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagingError {
    /// Pages count from 1.
    #[error("page must be from 1 to {MAX_PAGE}")]
    Page,
    /// Pages are neither empty nor endless.
    #[error("page_size must be from 1 to {MAX_PAGE_SIZE}")]
    PageSize,
}

impl Refusal for PagingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Page => "list.page_range",
            Self::PageSize => "list.page_size_range",
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Page | Self::PageSize => RefusalKind::Invalid,
        }
    }
}

impl PageRequest {
    /// Checks raw numbers; what is left out gets its default.
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

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOf<T> {
    /// The items of this page, in order.
    pub items: Vec<T>,
    /// Items on all pages together.
    pub total: u64,
}

impl<T> PageOf<T> {
    /// Cuts a page out of a complete list.
    pub fn cut(all: Vec<T>, request: PageRequest) -> Self {
        let total = all.len() as u64;
        let (skip, take) = (request.offset(), request.page_size);
        let items = all
            .into_iter()
            .skip(usize::try_from(skip).unwrap_or(usize::MAX))
            .take(usize::try_from(take).unwrap_or(usize::MAX))
            .collect();
        Self { items, total }
    }

    /// The same page with each item turned into something else.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> PageOf<U> {
        PageOf { items: self.items.into_iter().map(each).collect(), total: self.total }
    }
}

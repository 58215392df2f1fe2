//! Lists in parts: numbered pages with a total, or parts that each continue where the last one ended.

mod keyset;
mod listed;
mod numbered;
mod sort;

pub use keyset::{Key, KeyValue, KeysetRequest};
pub use listed::{Beyond, PageOf};
pub use numbered::{MAX_PAGE, MAX_PAGE_SIZE, PageRequest, PagingError, USUAL_PAGE_SIZE};
pub use sort::{Age, Sort};

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A numbered page, and the total.
    Page(PageRequest),
    /// What comes after a place, whatever was added or removed before it.
    Keyset(KeysetRequest),
}

impl Default for Part {
    fn default() -> Self {
        Self::Page(PageRequest::default())
    }
}

use super::{Key, Part};

/// What is known about the rest of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beyond {
    /// Items on all pages together.
    Total(u64),
    /// The place to continue after; `None` at the end of the list.
    Next(Option<Key>),
}

/// One part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOf<T> {
    /// The items of this part, in order.
    pub items: Vec<T>,
    /// What is known about the others.
    pub beyond: Beyond,
}

impl<T> PageOf<T> {
    /// A numbered page.
    #[must_use]
    pub const fn of_total(items: Vec<T>, total: u64) -> Self {
        Self { items, beyond: Beyond::Total(total) }
    }

    /// A part of at most `limit` items, from up to one item more.
    pub fn up_to(mut items: Vec<T>, limit: u64, key: impl FnOnce(&T) -> Key) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(key);
        Self { items, beyond: Beyond::Next(next) }
    }

    /// Sorts a complete list and cuts out the part.
    pub fn cut(mut all: Vec<T>, part: &Part, descending: bool, key: impl Fn(&T) -> Key) -> Self {
        all.sort_by(|left, right| {
            let ascending = key(left).cmp(&key(right));
            if descending { ascending.reverse() } else { ascending }
        });
        match part {
            Part::Page(page) => {
                let total = all.len() as u64;
                let (skip, take) = (page.offset(), page.page_size);
                let items = all.into_iter().skip(usize::try_from(skip).unwrap_or(usize::MAX));
                Self::of_total(items.take(usize::try_from(take).unwrap_or(usize::MAX)).collect(), total)
            }
            Part::Keyset(wanted) => {
                let comes = |item: &T| match &wanted.after {
                    None => true,
                    Some(after) if descending => key(item) < *after,
                    Some(after) => key(item) > *after,
                };
                Self::up_to(all.into_iter().filter(comes).collect(), wanted.limit, key)
            }
        }
    }

    /// Items on all pages, if they were counted.
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        match self.beyond {
            Beyond::Total(total) => Some(total),
            Beyond::Next(_) => None,
        }
    }

    /// The same part with each item converted.
    ///
    /// # Errors
    /// The first failure.
    pub fn try_map<U, E>(self, each: impl FnMut(T) -> Result<U, E>) -> Result<PageOf<U>, E> {
        Ok(PageOf { items: self.items.into_iter().map(each).collect::<Result<_, _>>()?, beyond: self.beyond })
    }

    /// The same part with each item converted.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> PageOf<U> {
        PageOf { items: self.items.into_iter().map(each).collect(), beyond: self.beyond }
    }
}

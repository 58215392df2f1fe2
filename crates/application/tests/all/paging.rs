//! Whatever is added between two requests, a walk by cursor returns every item that existed throughout exactly once.

use devskyy_application::paging::{Beyond, Key, KeysetRequest, PageOf, Part};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

/// A row: its sort value, of few values so that many are equal, and its id.
type Row = (String, u128);

fn key((name, id): &Row) -> Key {
    Key::by_name(name, Uuid::from_u128(*id))
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    vec(("[a-dA-D]{1,2}", any::<u128>()), 0..20)
}

/// Walks through rows; before each further request, the next batch is added.
fn walk(mut rows: Vec<Row>, batches: Vec<Vec<Row>>, limit: u64, descending: bool) -> Vec<Row> {
    let (mut told, mut after, mut batches) = (Vec::new(), None, batches.into_iter());
    loop {
        let part = Part::Keyset(KeysetRequest { after, limit });
        let PageOf { items, beyond } = PageOf::cut(rows.clone(), &part, descending, key);
        told.extend(items);
        match beyond {
            Beyond::Next(Some(next)) => after = Some(next),
            Beyond::Next(None) | Beyond::Total(_) => return told,
        }
        rows.extend(batches.next().unwrap_or_default());
    }
}

proptest! {
    #[test]
    fn a_walk_tells_what_was_there_throughout_once(
        first in rows(), batches in vec(rows(), 0..6), limit in 1_u64..8, descending in any::<bool>(),
    ) {
        let told = walk(first.clone(), batches, limit, descending);
        for row in &first {
            prop_assert_eq!(told.iter().filter(|it| *it == row).count(), first.iter().filter(|it| *it == row).count());
        }
    }

    #[test]
    fn a_walk_tells_nothing_twice_and_keeps_the_order(
        first in rows(), batches in vec(rows(), 0..6), limit in 1_u64..8, descending in any::<bool>(),
    ) {
        let told: Vec<Key> = walk(first, batches, limit, descending).iter().map(key).collect();
        let in_order = |pair: &[Key]| if descending { pair[0] >= pair[1] } else { pair[0] <= pair[1] };
        prop_assert!(told.windows(2).all(in_order));
    }

    #[test]
    fn pages_put_together_are_the_list(first in rows(), size in 1_u64..8, descending in any::<bool>()) {
        let page = |page| Part::Page(devskyy_application::paging::PageRequest { page, page_size: size });
        let together: Vec<Row> = (1..=21).flat_map(|n| PageOf::cut(first.clone(), &page(n), descending, key).items).collect();
        let all = PageOf::cut(first, &Part::Keyset(KeysetRequest { after: None, limit: 100 }), descending, key);
        prop_assert_eq!(together, all.items);
    }
}

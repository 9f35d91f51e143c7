//! Work in batches that fit into memory.

/// Cuts a list into runs whose costs add up to at most `limit`; what costs more stands alone.
pub(super) fn by_cost<T>(items: &[T], limit: u64, cost: impl Fn(&T) -> u64) -> Vec<&[T]> {
    let mut out = Vec::new();
    let (mut start, mut sum) = (0, 0u64);
    for (i, item) in items.iter().enumerate() {
        let cost = cost(item);
        if i > start && sum.saturating_add(cost) > limit {
            out.push(&items[start..i]);
            (start, sum) = (i, 0);
        }
        sum = sum.saturating_add(cost);
    }
    if start < items.len() {
        out.push(&items[start..]);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn runs() {
        let cut = |items: &[u64]| {
            super::by_cost(items, 10, |n| *n)
                .iter()
                .map(|b| b.to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(cut(&[]), Vec::<Vec<u64>>::new());
        assert_eq!(
            cut(&[5, 5, 1, 20, 3]),
            [vec![5, 5], vec![1], vec![20], vec![3]]
        );
    }
}

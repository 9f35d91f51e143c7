//! Making a patch: the longest matches are found in a suffix array of the old file and stretched over small changes.

use super::put_number;
use libsais::SuffixArrayConstruction;

/// A patch from `old` to `new`, the same bytes as the C tool's. `None` for files too large for one, or no memory for the
/// suffix array, which takes four bytes for each of the old file.
pub fn diff(old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    if old.len() >= i32::MAX as usize || new.len() >= i32::MAX as usize {
        return None;
    }
    let sorted = SuffixArrayConstruction::for_text(old)
        .in_owned_buffer32()
        .single_threaded()
        .run()
        .ok()?
        .into_vec();
    let index = Index { old, sorted };
    let mut out = Vec::new();
    let mut scan = Scan::new(&index, new);
    while scan.at < new.len() {
        scan.step(&mut out);
    }
    Some(out)
}

/// The suffixes of the old file in order; the empty one, which comes first, is left out of the array.
struct Index<'a> {
    old: &'a [u8],
    sorted: Vec<i32>,
}

fn common(a: &[u8], b: &[u8]) -> usize {
    // Eight bytes at a time: in similar files nearly all of the time goes here.
    let words = a
        .chunks_exact(8)
        .zip(b.chunks_exact(8))
        .take_while(|(x, y)| x == y)
        .count()
        * 8;
    let rest = a[words..].iter().zip(&b[words..]);
    words + rest.take_while(|(x, y)| x == y).count()
}

impl Index<'_> {
    fn suffix(&self, rank: usize) -> usize {
        match rank {
            0 => self.old.len(),
            n => self.sorted[n - 1] as usize,
        }
    }

    /// Length and place of a long match for the start of `wanted`.
    fn search(&self, wanted: &[u8]) -> (usize, usize) {
        let (mut low, mut high) = (0, self.old.len());
        while high - low >= 2 {
            let middle = low + (high - low) / 2;
            let suffix = &self.old[self.suffix(middle)..];
            let shorter = suffix.len().min(wanted.len());
            if suffix[..shorter] < wanted[..shorter] {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (a, b) = (self.suffix(low), self.suffix(high));
        let (a_len, b_len) = (
            common(&self.old[a..], wanted),
            common(&self.old[b..], wanted),
        );
        if a_len > b_len {
            (a_len, a)
        } else {
            (b_len, b)
        }
    }
}

/// Where the comparison stands. Places are signed: an alignment may point before the old file.
struct Scan<'a> {
    index: &'a Index<'a>,
    new: &'a [u8],
    at: usize,
    len: usize,
    pos: usize,
    last_at: usize,
    last_pos: usize,
    last_offset: i64,
}

impl<'a> Scan<'a> {
    fn new(index: &'a Index<'a>, new: &'a [u8]) -> Self {
        Scan {
            index,
            new,
            at: 0,
            len: 0,
            pos: 0,
            last_at: 0,
            last_pos: 0,
            last_offset: 0,
        }
    }

    /// Whether the old file, aligned as for the last match, has the same byte there.
    fn same_as_before(&self, at: usize) -> bool {
        let place = at as i64 + self.last_offset;
        usize::try_from(place)
            .ok()
            .and_then(|place| self.index.old.get(place))
            .is_some_and(|old| *old == self.new[at])
    }

    /// Goes to the next match that is better than going on with the last alignment, and writes what lies between.
    fn step(&mut self, out: &mut Vec<u8>) {
        self.at += self.len;
        let mut counted = self.at;
        let mut score = 0usize;
        while self.at < self.new.len() {
            (self.len, self.pos) = self.index.search(&self.new[self.at..]);
            while counted < self.at + self.len {
                score += usize::from(self.same_as_before(counted));
                counted += 1;
            }
            if (self.len == score && self.len != 0) || self.len > score + 8 {
                break;
            }
            if self.same_as_before(self.at) {
                score -= 1;
            }
            self.at += 1;
        }
        if self.len != score || self.at == self.new.len() {
            self.emit(out);
        }
    }

    fn emit(&mut self, out: &mut Vec<u8>) {
        let (old, new) = (self.index.old, self.new);
        let room = (self.at - self.last_at).min(old.len() - self.last_pos);
        let mut forward =
            stretch((0..room).map(|i| old[self.last_pos + i] == new[self.last_at + i]));
        let mut backward = 0;
        if self.at < new.len() {
            let room = (self.at - self.last_at).min(self.pos);
            backward = stretch((1..=room).map(|i| old[self.pos - i] == new[self.at - i]));
        }
        let overlap = (self.last_at + forward + backward).saturating_sub(self.at);
        if overlap > 0 {
            let (mut sum, mut best, mut keep) = (0i64, 0i64, 0);
            for i in 0..overlap {
                let ahead = forward - overlap + i;
                sum += i64::from(new[self.last_at + ahead] == old[self.last_pos + ahead]);
                let behind = self.at - backward + i;
                sum -= i64::from(new[behind] == old[self.pos - backward + i]);
                if sum > best {
                    (best, keep) = (sum, i + 1);
                }
            }
            forward = forward + keep - overlap;
            backward -= keep;
        }
        let diff_end = self.last_at + forward;
        let extra_end = self.at - backward;
        put_number(out, forward as i64);
        put_number(out, (extra_end - diff_end) as i64);
        put_number(
            out,
            (self.pos as i64 - backward as i64) - (self.last_pos + forward) as i64,
        );
        out.extend(
            new[self.last_at..diff_end]
                .iter()
                .zip(&old[self.last_pos..])
                .map(|(new, old)| new.wrapping_sub(*old)),
        );
        out.extend_from_slice(&new[diff_end..extra_end]);
        self.last_at = extra_end;
        self.last_pos = self.pos - backward;
        self.last_offset = self.pos as i64 - self.at as i64;
    }
}

/// How far a match reaches if it may hold changes: the shortest length with the most of twice the equal bytes less all.
fn stretch(equal: impl Iterator<Item = bool>) -> usize {
    let (mut sum, mut best, mut length) = (0i64, 0i64, 0);
    for (i, equal) in equal.enumerate() {
        sum += i64::from(equal);
        let value = 2 * sum - (i as i64 + 1);
        if value > best {
            (best, length) = (value, i + 1);
        }
    }
    length
}

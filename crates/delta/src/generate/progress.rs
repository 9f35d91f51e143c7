//! How far the making of deltas is.

/// What is being done. Phases follow one another, but may overlap.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// Both trees' listings are read.
    ReadingTrees,
    /// New files are compared with old ones.
    Comparing,
    /// Patches are made.
    Patching,
    /// Parts are filled and packed.
    Packing,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Phase; 4] = [
        Phase::ReadingTrees,
        Phase::Comparing,
        Phase::Patching,
        Phase::Packing,
    ];
}

/// Where the making of deltas tells how far it is. Called from many threads.
pub trait Progress: Sync {
    /// A phase has so many bytes more to do than was known.
    fn more(&self, phase: Phase, bytes: u64);
    /// So many bytes more of a phase are done.
    fn done(&self, phase: Phase, bytes: u64);
}

/// Tells nobody.
impl Progress for () {
    fn more(&self, _phase: Phase, _bytes: u64) {}
    fn done(&self, _phase: Phase, _bytes: u64) {}
}

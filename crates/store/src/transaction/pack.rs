//! Compressing for archive repositories.

use std::cell::RefCell;
use std::io;

/// A thread's compressor with the level it was made for, and its output buffer. Setting the tables up takes longer than
/// compressing a small file.
#[derive(Default)]
struct Packer {
    compressor: Option<(u32, libdeflater::Compressor)>,
    packed: Vec<u8>,
}

thread_local! {
    static PACKER: RefCell<Packer> = RefCell::default();
}

/// Hands `framing` followed by `content` as raw DEFLATE data to `write`.
pub(super) fn whole(
    level: u32,
    framing: &[u8],
    content: &[u8],
    write: impl FnOnce(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    PACKER.with_borrow_mut(|Packer { compressor, packed }| {
        if compressor
            .as_ref()
            .is_none_or(|(made_for, _)| *made_for != level)
        {
            let lvl = libdeflater::CompressionLvl::new(of_zlib(level)).unwrap_or_default();
            *compressor = Some((level, libdeflater::Compressor::new(lvl)));
        }
        let Some((_, compressor)) = compressor else {
            return Err(io::Error::other("no compressor"));
        };
        packed.clear();
        packed.extend_from_slice(framing);
        packed.resize(
            framing.len() + compressor.deflate_compress_bound(content.len()),
            0,
        );
        let n = compressor
            .deflate_compress(content, &mut packed[framing.len()..])
            .map_err(|e| io::Error::other(format!("compressing: {e:?}")))?;
        packed.truncate(framing.len() + n);
        write(packed)
    })
}

/// The level that packs about as tight as zlib's of that number. On an operating system tree, 5 is 0.6 % smaller than
/// zlib's 6 (and 6 is 1.1 %), in 85 % of the time that 6 takes.
fn of_zlib(level: u32) -> i32 {
    match level {
        6 => 5,
        other => other as i32,
    }
}

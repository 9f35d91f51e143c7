//! Damaging an object, alike in both worlds.

use super::step::How;
use std::fs;
use std::io;
use std::path::Path;

/// Does it to the object `name` (`XX/REST.type`) of a repository, if that is there.
pub fn damage(repo: &Path, name: &str, how: &How) -> io::Result<()> {
    let path = repo.join("objects").join(name);
    let Ok(meta) = path.symlink_metadata() else {
        return Ok(());
    };
    if matches!(how, How::Delete) || !meta.is_file() {
        return fs::remove_file(&path);
    }
    let mut bytes = fs::read(&path)?;
    match how {
        How::Delete => {}
        How::Empty => bytes.clear(),
        How::Append => bytes.push(b'x'),
        How::Flip(at) => {
            let at = match name.ends_with(".filez") {
                // Where the compressed stream starts: the streams of two compressors have nothing else in common.
                true => bytes.get(..4).map_or(0, |b| {
                    8 + u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize
                }),
                false => (*at as usize) % bytes.len().max(1),
            };
            match bytes.get_mut(at) {
                // A block type that does not exist.
                Some(byte) if name.ends_with(".filez") => *byte = 0xff,
                Some(byte) => *byte ^= 0x41,
                None => bytes.push(b'x'),
            }
        }
    }
    // In place: mode, owner and attributes are to stay, and so is a hard link.
    fs::write(&path, bytes)
}

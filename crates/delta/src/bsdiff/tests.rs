use super::*;
use proptest::prelude::*;
use std::io::Read;

fn patched(old: &[u8], patch: &[u8], size: usize) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    PatchReader::new(old, patch, size as u64).read_to_end(&mut out)?;
    Ok(out)
}

#[test]
fn the_patch_of_the_specification() {
    let old = b"hello world\nthe quick brown fox jumps over the lazy dog\n";
    let new = b"hello World\nthe quick brown fox leaps over the lazy dog!\n";
    let patch = diff(old, new).unwrap();
    assert_eq!(patch.len(), 81);
    assert_eq!(
        patch[..24],
        [
            55, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        ]
    );
    assert_eq!(patch[79..], [0x21, 0x0a]);
    assert_eq!(patched(old, &patch, new.len()).unwrap(), new);
}

#[test]
fn numbers_have_a_sign_bit() {
    for n in [0, 1, -1, 255, -256, i64::MAX, -i64::MAX] {
        let mut out = Vec::new();
        put_number(&mut out, n);
        assert_eq!(number(out[..].try_into().unwrap()), n);
    }
    assert_eq!(number([5, 0, 0, 0, 0, 0, 0, 0x80]), -5);
}

#[test]
fn a_patch_may_point_outside_the_old_file() {
    let mut patch = Vec::new();
    for (diff, extra, seek) in [(0, 0, -3), (5, 0, 0)] {
        put_number(&mut patch, diff);
        put_number(&mut patch, extra);
        put_number(&mut patch, seek);
    }
    patch.extend([1, 1, 1, 1, 1]);
    assert_eq!(patched(&[10, 20], &patch, 5).unwrap(), [1, 1, 1, 11, 21]);
}

#[test]
fn bad_patches_are_errors() {
    let step = |diff, extra, seek| {
        let mut out = Vec::new();
        for n in [diff, extra, seek] {
            put_number(&mut out, n);
        }
        out
    };
    for patch in [
        vec![],
        step(1, 0, 0),
        step(-1, 0, 0),
        step(0, -1, 0),
        step(9, 0, 0),
        step(8, 8, 0),
        step(i64::MAX, i64::MAX, 0),
        [step(0, 0, i64::MAX), step(0, 0, i64::MAX), step(8, 0, 0)].concat(),
        [step(0, 0, i64::MAX), step(8, 0, 0), vec![0; 8]].concat(),
    ] {
        let error = patched(b"old", &patch, 8).unwrap_err();
        assert!(
            error.to_string().starts_with("bsdiff patch failed"),
            "{error}"
        );
    }
    assert_eq!(patched(b"old", &[], 0).unwrap(), b"");
}

/// Files that share pieces, as versions do.
fn related() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let piece = prop::collection::vec(0u8..4, 0..40);
    let pieces = prop::collection::vec(piece, 1..6);
    (
        pieces,
        prop::collection::vec((0usize..6, any::<u8>()), 0..10),
    )
        .prop_map(|(pieces, picks)| {
            let old = pieces.concat();
            let mut new = Vec::new();
            for (pick, byte) in picks {
                new.extend(&pieces[pick % pieces.len()]);
                new.push(byte);
            }
            (old, new)
        })
}

proptest! {
    #[test]
    fn what_is_diffed_can_be_patched((old, new) in related()) {
        let patch = diff(&old, &new).unwrap();
        prop_assert_eq!(patched(&old, &patch, new.len()).unwrap(), new);
    }

    #[test]
    fn arbitrary_patches_make_the_announced_size_or_an_error(old: Vec<u8>, patch: Vec<u8>, size in 0usize..100) {
        if let Ok(new) = patched(&old, &patch, size) {
            prop_assert_eq!(new.len(), size);
        }
    }
}

#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_keyfile::KeyFile;

fuzz_target!(|data: &[u8]| {
    if let Ok(file) = KeyFile::parse(data) {
        let bytes = file.to_bytes();
        let again = KeyFile::parse(&bytes).expect("what is written parses");
        // Each reading takes one CR off a line's end, as GLib does.
        if !data.contains(&b'\r') {
            assert_eq!(again.to_bytes(), bytes);
        }
        for group in file.groups() {
            for key in file.keys(group).expect("a listed group exists") {
                let _ = file.string(group, key);
                let _ = file.string_list(group, key);
                let _ = file.boolean(group, key);
                let _ = file.int64(group, key);
                let _ = file.uint64(group, key);
            }
        }
    }
});

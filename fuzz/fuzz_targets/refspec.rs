#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::{Checksum, ObjectName, refs};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(refspec) = refs::parse_refspec(text) {
        assert_eq!(refspec.to_string(), text);
        assert!(refs::validate_ref_name(&refspec.name).is_ok());
        // A ref becomes a path: it must stay below its folder.
        assert!(
            !refspec
                .name
                .split('/')
                .any(|part| matches!(part, "" | "." | ".."))
        );
    }
    let _ = refs::validate_remote_name(text);
    let _ = refs::validate_collection_id(text);
    if let Ok(name) = text.parse::<ObjectName>() {
        assert_eq!(name.to_string(), text);
    }
    if let Some(checksum) = Checksum::from_modified_base64(text) {
        assert_eq!(checksum.modified_base64(), text);
    }
});

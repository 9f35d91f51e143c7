#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_object::Xattrs;

fuzz_target!(|data: &[u8]| {
    let canonical = Xattrs::check_canonical(data);
    if let Ok(xattrs) = Xattrs::decode(data) {
        let again = xattrs.encode();
        assert_eq!(Xattrs::decode(&again), Ok(xattrs));
        assert!(canonical.is_err() || again == data);
    } else {
        assert!(canonical.is_err());
    }
});

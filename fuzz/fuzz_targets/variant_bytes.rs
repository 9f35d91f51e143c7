#![no_main]

use libfuzzer_sys::fuzz_target;
use osier_gv::{Type, Value, check_normal_form};

fuzz_target!(|data: &[u8]| {
    // A type string, a NUL, bytes of that type.
    let Some(at) = data.iter().position(|&byte| byte == 0) else {
        return;
    };
    let Ok(text) = std::str::from_utf8(&data[..at]) else {
        return;
    };
    let Ok(ty) = Type::parse(text) else {
        return;
    };
    let bytes = &data[at + 1..];
    let value = Value::decode(&ty, bytes);
    assert_eq!(value.is_ok(), check_normal_form(&ty, bytes).is_ok());
    if let Ok(value) = value {
        assert_eq!(value.encode(), bytes);
        assert_eq!(value.byteswapped().byteswapped().encode(), bytes);
    }
});

//! Access control lists in pax headers. They are not kept, but the permissions of owner, group and others in them are
//! those that count: the mode beside them may have the mask in the group's place.

/// The mode with the permissions that the list has.
pub(super) fn mode(mode: u32, list: &[u8]) -> u32 {
    let Ok(list) = std::str::from_utf8(list) else {
        return mode;
    };
    let mut mode = mode;
    for entry in list.split([',', '\n']) {
        let entry = entry.split('#').next().unwrap_or_default();
        let mut fields = entry.split(':').map(str::trim);
        let (Some(tag), Some(second)) = (fields.next(), fields.next()) else {
            continue;
        };
        let shift = match tag {
            "user" | "u" => 6,
            "group" | "g" => 3,
            "other" | "o" => 0,
            _ => continue,
        };
        let permissions = match (second, fields.next()) {
            ("", Some(permissions)) => permissions,
            // Others have no name, so some leave its place out.
            (permissions, None) if shift == 0 => permissions,
            _ => continue,
        };
        let bits = permissions.chars().map(|c| match c {
            'r' => 4,
            'w' => 2,
            'x' => 1,
            _ => 0,
        });
        mode = (mode & !(7 << shift)) | (bits.fold(0, |a, b| a | b) << shift);
    }
    mode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_group_and_others() {
        for (list, expected) in [
            ("user::rwx,group::r-x,other::r--", 0o4754),
            (
                "user::rwx\nuser:joe:rwx:1000\ngroup::r-x\nmask::rwx\nother::---",
                0o4750,
            ),
            ("u::rwx,g::---,o:--x", 0o4701),
            ("xx", 0o4644),
            ("", 0o4644),
        ] {
            assert_eq!(mode(0o4644, list.as_bytes()), expected, "{list}");
        }
    }
}

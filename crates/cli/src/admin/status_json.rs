//! The JSON form of `status`, laid out as the C tool does.

use std::fmt::Write;

use osier_sysroot::DeploymentStatus;

/// Renders a document with a final line feed.
pub fn render(list: &[DeploymentStatus]) -> String {
    let mut text = String::from("{\n   \"deployments\": [");
    for (at, status) in list.iter().enumerate() {
        text.push_str(if at == 0 { "\n      {\n" } else { ",{\n" });
        let members = members(status);
        let lines: Vec<String> = members
            .into_iter()
            .map(|(key, value)| format!("         \"{key}\": {value}"))
            .collect();
        let _ = write!(text, "{}\n      }}", lines.join(",\n"));
    }
    text.push_str(if list.is_empty() {
        "]\n}\n"
    } else {
        "\n   ]\n}\n"
    });
    text
}

fn members(status: &DeploymentStatus) -> Vec<(&'static str, String)> {
    let flag = |value: bool| value.to_string();
    let mut members = vec![
        ("checksum", string(&status.checksum)),
        ("stateroot", string(&status.stateroot)),
        (
            "refspec",
            status
                .refspec
                .as_deref()
                .map_or_else(|| "null".to_owned(), string),
        ),
        ("serial", status.serial.to_string()),
        ("index", status.index.to_string()),
        ("booted", flag(status.booted)),
        ("pending", flag(status.pending)),
        ("rollback", flag(status.rollback)),
        ("finalization-locked", flag(status.finalization_locked)),
        ("soft-reboot-target", flag(false)),
        ("staged", flag(status.staged)),
        ("pinned", flag(status.pinned)),
        ("unlocked", string(status.unlocked.as_str())),
    ];
    members.extend(
        status
            .version
            .as_deref()
            .map(|text| ("version", string(text))),
    );
    members.extend(
        status
            .source_title
            .as_deref()
            .map(|text| ("source-title", string(text))),
    );
    members
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_sysroot::Unlocked;

    fn one(index: usize) -> DeploymentStatus {
        DeploymentStatus {
            checksum: "ab".into(),
            stateroot: "os".into(),
            refspec: None,
            serial: 1,
            index,
            booted: false,
            pending: false,
            rollback: true,
            finalization_locked: false,
            staged: false,
            pinned: false,
            unlocked: Unlocked::Hotfix,
            version: Some("1 \"x\"".into()),
            source_title: None,
            has_origin: false,
        }
    }

    #[test]
    fn layout() {
        let text = render(&[one(0), one(1)]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["deployments"][1]["version"], "1 \"x\"");
        assert!(
            text.starts_with("{\n   \"deployments\": [\n      {\n         \"checksum\": \"ab\",\n")
        );
        assert!(text.contains("\n      },{\n"));
        assert!(text.ends_with("\n      }\n   ]\n}\n"));
    }
}

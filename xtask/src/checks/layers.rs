//! The crates depend on each other in one direction.

use anyhow::{Context, Result};
use serde_json::Value;

/// From the lowest layer up: each may use those before it, and the leaves.
const LAYERS: [&str; 9] = [
    "gv", "object", "store", "delta", "pull", "serve", "publish", "sysroot", "cli",
];
/// Used by any layer, using none.
const LEAVES: [&str; 6] = [
    "archive",
    "composefs",
    "keyfile",
    "selinux-labels",
    "sign",
    "sys",
];
/// Programs beside the layers, with all they may use.
const SATELLITES: [(&str, &[&str]); 2] = [
    ("boot", &["gv", "object", "keyfile", "sign", "sys"]),
    ("fuse", &["keyfile", "sys"]),
];
/// Never shipped: they may use everything, and only they and tests may use each other.
const TOOLS: [&str; 4] = ["testkit", "conformance", "xtask", "benches"];

/// Every dependency that goes the wrong way.
pub fn faults(metadata: &Value) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for package in metadata["packages"]
        .as_array()
        .context("cargo metadata has no packages")?
    {
        if !package["source"].is_null() {
            continue;
        }
        let name = short(&package["name"]);
        if !is_known(name) {
            faults.push(format!(
                "{name} has no place among the layers (xtask/src/checks/layers.rs)"
            ));
        }
        for dependency in package["dependencies"]
            .as_array()
            .context("a package has no dependencies list")?
        {
            let used = short(&dependency["name"]);
            let for_tests = dependency["kind"] == "dev";
            if is_known(used) && dependency["source"].is_null() && !may_use(name, used, for_tests) {
                let kind = if for_tests { "tests of " } else { "" };
                faults.push(format!("{kind}{name} must not use {used}"));
            }
        }
    }
    Ok(faults)
}

fn short(name: &Value) -> &str {
    let name = name.as_str().unwrap_or_default();
    name.strip_prefix("osier-").unwrap_or(name)
}

fn is_known(name: &str) -> bool {
    LAYERS.contains(&name)
        || LEAVES.contains(&name)
        || TOOLS.contains(&name)
        || name == "fuzz"
        || SATELLITES.iter().any(|(satellite, _)| *satellite == name)
}

fn may_use(name: &str, used: &str, for_tests: bool) -> bool {
    if TOOLS.contains(&name) || name == "fuzz" {
        return true;
    }
    if TOOLS.contains(&used) {
        return for_tests && used == "testkit";
    }
    if let Some((_, allowed)) = SATELLITES.iter().find(|(satellite, _)| *satellite == name) {
        return allowed.contains(&used);
    }
    let rank = |crate_name: &str| LAYERS.iter().position(|layer| *layer == crate_name);
    match (rank(name), rank(used)) {
        (Some(user), Some(layer)) => layer < user,
        (Some(_), None) => LEAVES.contains(&used),
        // A leaf's tests may lean on another leaf, its code on nothing of ours.
        (None, _) => for_tests && LEAVES.contains(&used),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, used: &str, kind: Value) -> Value {
        json!({"packages": [{"name": name, "source": null, "dependencies": [{"name": used, "source": null, "kind": kind}]}]})
    }

    #[test]
    fn only_downwards() {
        for (name, used, kind, good) in [
            ("osier-store", "osier-object", Value::Null, true),
            ("osier-store", "osier-sys", Value::Null, true),
            ("osier-object", "osier-store", Value::Null, false),
            ("osier-object", "osier-store", json!("dev"), false),
            ("osier-sys", "osier-gv", Value::Null, false),
            ("osier-store", "osier-testkit", json!("dev"), true),
            ("osier-store", "osier-testkit", Value::Null, false),
            ("osier-boot", "osier-store", Value::Null, false),
            ("osier-boot", "osier-object", Value::Null, true),
            ("xtask", "osier-testkit", Value::Null, true),
            ("osier-misc", "serde", Value::Null, false),
        ] {
            assert_eq!(
                faults(&package(name, used, kind)).unwrap().is_empty(),
                good,
                "{name} {used}"
            );
        }
    }
}

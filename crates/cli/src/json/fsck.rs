//! `fsck --json`: the events as they come, then the verdict.

use std::io::{self, Write};

use osier_object::{CommitId, ObjectName};
use osier_store::fsck::{Event, FsckOutcome};
use serde::Serialize;

use super::document::Document;
use super::schema;

/// An object.
#[derive(Debug, Serialize)]
struct Object {
    checksum: String,
    object_type: &'static str,
}

impl From<&ObjectName> for Object {
    fn from(name: &ObjectName) -> Self {
        Self {
            checksum: name.checksum.to_string(),
            object_type: name.ty.name(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Item<'a> {
    Missing {
        object: Object,
        commits: Vec<String>,
    },
    Damaged {
        object: Object,
        commits: Vec<String>,
        error: String,
    },
    Repaired {
        object: Object,
        source: &'a str,
        other_links: u64,
    },
    NotRepaired {
        object: Object,
        reasons: &'a [String],
    },
    Restored {
        commit: String,
    },
    MarkedPartial {
        commit: String,
    },
    TombstoneAdded {
        commit: String,
    },
}

fn item<'a>(event: &Event<'a>) -> Option<Item<'a>> {
    let ids = |commits: &[CommitId]| commits.iter().map(CommitId::to_string).collect();
    Some(match event {
        // The numbers are in the closing fields.
        Event::Stage(_) | Event::PartialCommits(_) => return None,
        Event::ObjectMissing(name) => Item::Missing {
            object: name.into(),
            commits: Vec::new(),
        },
        Event::MissingFrom { commits, name } => Item::Missing {
            object: name.into(),
            commits: ids(commits),
        },
        Event::Damaged {
            name,
            commits,
            error,
        } => Item::Damaged {
            object: name.into(),
            commits: ids(commits),
            error: error.to_string(),
        },
        Event::Repaired {
            name,
            source,
            other_links,
        } => Item::Repaired {
            object: name.into(),
            source,
            other_links: *other_links,
        },
        Event::NotRepaired { name, reasons } => Item::NotRepaired {
            object: name.into(),
            reasons,
        },
        Event::Restored(id) => Item::Restored {
            commit: id.to_string(),
        },
        Event::MarkedPartial(id) => Item::MarkedPartial {
            commit: id.to_string(),
        },
        Event::TombstoneAdded(id) => Item::TombstoneAdded {
            commit: id.to_string(),
        },
    })
}

/// A check being reported.
pub struct Fsck<'w>(Document<'w>);

impl<'w> Fsck<'w> {
    pub fn begin(out: &'w mut (dyn Write + Send)) -> io::Result<Self> {
        let mut document = Document::begin(out, schema::FSCK)?;
        document.begin_list("events")?;
        Ok(Self(document))
    }

    pub fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        match item(event) {
            Some(item) => self.0.element(&item),
            None => Ok(()),
        }
    }

    /// `outcome` is there unless the check ended early; `error` is what standard error says.
    pub fn end(mut self, outcome: Option<&FsckOutcome>, error: Option<&str>) -> io::Result<()> {
        let document = &mut self.0;
        document.end_list()?;
        document.field("complete", &outcome.is_some())?;
        document.field("commits", &outcome.map(|o| o.commits))?;
        document.field("objects", &outcome.map(|o| o.objects))?;
        document.field("bad_objects", &outcome.map(|o| o.bad))?;
        document.field("partial_commits", &outcome.map(|o| o.partial))?;
        document.field(
            "partial_commits_by_fsck",
            &outcome.map(|o| o.partial_by_fsck),
        )?;
        document.field("repaired_objects", &outcome.map(|o| o.repaired))?;
        document.field("sound", &error.is_none())?;
        document.field("error", &error)?;
        self.0.end()
    }
}

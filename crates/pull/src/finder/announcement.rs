//! What a machine tells the local network about a repository it serves: the TXT record of a DNS-SD service.
//!
//! Each value is a GVariant, numbers big-endian: `v` `y` is the version, 1; `rb` `(yyay)` the [`BloomFilter`] of its refs;
//! `st` `t` when its summary was made; `ri` `q` where it lies: `http://ADDRESS:PORT/ri`.

use super::bloom::BloomFilter;
use osier_gv::Value;
use osier_object::summary::{Summary, key};

/// The type of the service, as DNS-SD names it.
pub const SERVICE: &str = "_ostree_repo._tcp";

const VERSION: u8 = 1;

/// One repository as it is announced. Nothing in it is to be trusted: it says where looking may be worth it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Announcement {
    /// Refs that the repository may have.
    pub refs: BloomFilter,
    /// When its summary was made, in seconds since 1970.
    pub summary_time: u64,
    /// Which repository of the machine it is.
    pub index: u16,
}

/// A TXT record that announces no repository.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TxtError {
    /// A key is missing.
    #[error("TXT record has no {0}")]
    Missing(&'static str),
    /// Another version.
    #[error("TXT record is of another version than 1")]
    Version,
    /// A value that is not of its type.
    #[error("TXT record has a malformed {0}")]
    Malformed(&'static str),
}

/// A summary whose refs no one could look for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("The summary lists no refs of a collection; is core.collection-id set?")]
pub struct NoCollectionRefs;

impl Announcement {
    /// Of a repository with this summary.
    ///
    /// # Errors
    /// [`NoCollectionRefs`]: others look for refs by their collection.
    pub fn of_summary(summary: &Summary, index: u16) -> Result<Announcement, NoCollectionRefs> {
        let others = summary.collection_map().unwrap_or_default();
        let own = match summary.metadata.get(key::COLLECTION_ID) {
            Some(Value::Str(id)) => Some((id.as_str(), &summary.refs)),
            _ => None,
        };
        let all = own
            .into_iter()
            .chain(others.iter().map(|(id, refs)| (id.as_str(), refs)));
        let pairs: Vec<(&str, &str)> = all
            .flat_map(|(id, refs)| refs.iter().map(move |found| (id, found.name.as_str())))
            .collect();
        if pairs.is_empty() {
            return Err(NoCollectionRefs);
        }
        let mut refs = BloomFilter::for_refs(pairs.len());
        for (collection, name) in pairs {
            refs.insert(collection, name);
        }
        let summary_time = match summary.metadata.get(key::LAST_MODIFIED) {
            Some(Value::U64(time)) => u64::from_be(*time),
            _ => 0,
        };
        Ok(Announcement {
            refs,
            summary_time,
            index,
        })
    }

    /// The keys and values of the record.
    #[must_use]
    pub fn to_txt(&self) -> [(&'static str, Vec<u8>); 4] {
        [
            ("v", vec![VERSION]),
            ("rb", self.refs.to_bytes()),
            ("st", self.summary_time.to_be_bytes().to_vec()),
            ("ri", self.index.to_be_bytes().to_vec()),
        ]
    }

    /// Reads a record, given a way to look up its values.
    ///
    /// # Errors
    /// [`TxtError`].
    pub fn from_txt<'a>(get: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Announcement, TxtError> {
        let value = |key| get(key).ok_or(TxtError::Missing(key));
        if value("v")? != [VERSION] {
            return Err(TxtError::Version);
        }
        let refs = BloomFilter::from_bytes(value("rb")?).ok_or(TxtError::Malformed("rb"))?;
        let time = <[u8; 8]>::try_from(value("st")?).map_err(|_| TxtError::Malformed("st"))?;
        let index = <[u8; 2]>::try_from(value("ri")?).map_err(|_| TxtError::Malformed("ri"))?;
        Ok(Announcement {
            refs,
            summary_time: u64::from_be_bytes(time),
            index: u16::from_be_bytes(index),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osier_gv::Dict;
    use osier_object::summary::{SummaryRef, encode_collection_map};

    fn found(name: &str) -> SummaryRef {
        SummaryRef {
            name: name.to_owned(),
            commit_size: 1,
            commit: "0".repeat(64).parse().unwrap(),
            metadata: Dict::new(),
        }
    }

    fn read(record: &[(&str, Vec<u8>)]) -> Result<Announcement, TxtError> {
        Announcement::from_txt(|key| {
            record
                .iter()
                .find(|(known, _)| *known == key)
                .map(|(_, value)| &value[..])
        })
    }

    fn summary() -> Summary {
        let mut metadata = Dict::new();
        let others = [("org.example.Other".to_owned(), vec![found("app/x")])];
        metadata.insert(key::COLLECTION_ID, Value::Str("org.example.Os".into()));
        metadata.insert(key::COLLECTION_MAP, encode_collection_map(&others).unwrap());
        metadata.insert(key::LAST_MODIFIED, Value::U64(1234u64.to_be()));
        Summary {
            refs: vec![found("os/main")],
            metadata,
        }
    }

    #[test]
    fn a_summary_is_announced_with_all_its_collections() {
        let announced = Announcement::of_summary(&summary(), 3).unwrap();
        assert_eq!((announced.summary_time, announced.index), (1234, 3));
        assert!(announced.refs.may_contain("org.example.Os", "os/main"));
        assert!(announced.refs.may_contain("org.example.Other", "app/x"));
        assert!(!announced.refs.may_contain("org.example.Os", "app/x"));
        let record = announced.to_txt();
        assert!(
            record
                .iter()
                .all(|(key, value)| key.len() + value.len() < 255)
        );
        assert_eq!(record[2].1, [0, 0, 0, 0, 0, 0, 4, 210]);
        assert_eq!(read(&record), Ok(announced));
    }

    #[test]
    fn refs_of_no_collection_are_not_announced() {
        let mut summary = summary();
        summary.metadata = Dict::new();
        assert_eq!(Announcement::of_summary(&summary, 0), Err(NoCollectionRefs));
    }

    #[test]
    fn hostile_records_are_refused() {
        let good = Announcement::of_summary(&summary(), 0).unwrap().to_txt();
        for at in 0..good.len() {
            let key = good[at].0;
            let mut record = good.to_vec();
            record.remove(at);
            assert_eq!(read(&record), Err(TxtError::Missing(key)));
            for value in [vec![], vec![0], vec![2; 3], vec![0xff; 300]] {
                let mut record = good.to_vec();
                record[at].1 = value;
                assert!(read(&record).is_err(), "{key}");
            }
        }
    }
}

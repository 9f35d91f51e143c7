//! `remote gpg-list-keys --json`.

use std::io::{self, Write};

use osier_sign::openpgp::{KeyInfo, SubkeyInfo, UserInfo};
use serde::Serialize;

use super::document::Document;
use super::schema;
use super::value::Time;

#[derive(Debug, Serialize)]
struct Key {
    fingerprint: String,
    #[serde(flatten)]
    state: State,
    users: Vec<User>,
    subkeys: Vec<Subkey>,
}

#[derive(Debug, Serialize)]
struct Subkey {
    fingerprint: String,
    #[serde(flatten)]
    state: State,
}

#[derive(Debug, Serialize)]
struct User {
    id: String,
    revoked: bool,
    valid: bool,
    advanced_update_url: Option<String>,
    direct_update_url: Option<String>,
}

/// What keys and subkeys have alike.
#[derive(Debug, Serialize)]
struct State {
    created: u64,
    created_date: Option<String>,
    expires: Option<u64>,
    expires_date: Option<String>,
    expired: bool,
    revoked: bool,
    valid: bool,
}

impl State {
    fn new(created: u64, expires: Option<u64>, revoked: bool, valid: bool, now: u64) -> State {
        State {
            created,
            created_date: Time(created).date(),
            expires,
            expires_date: expires.and_then(|time| Time(time).date()),
            expired: expires.is_some_and(|time| time <= now),
            revoked,
            valid,
        }
    }
}

fn user(user: UserInfo) -> User {
    let (advanced, direct) = user.update_urls.unzip();
    User {
        id: user.id,
        revoked: user.revoked,
        valid: user.valid,
        advanced_update_url: advanced,
        direct_update_url: direct,
    }
}

fn subkey(key: SubkeyInfo, now: u64) -> Subkey {
    Subkey {
        fingerprint: key.fingerprint,
        state: State::new(key.created, key.expires, key.revoked, key.valid, now),
    }
}

/// Prints the keys of a keyring.
pub fn print(out: &mut (dyn Write + Send), keys: Vec<KeyInfo>, now: u64) -> io::Result<()> {
    let mut document = Document::begin(out, schema::GPG_KEYS)?;
    let keys = keys.into_iter().map(|key| Key {
        fingerprint: key.fingerprint,
        state: State::new(key.created, key.expires, key.revoked, key.valid, now),
        users: key.users.into_iter().map(user).collect(),
        subkeys: key
            .subkeys
            .into_iter()
            .map(|key| subkey(key, now))
            .collect(),
    });
    document.list("keys", keys)?;
    document.end()
}

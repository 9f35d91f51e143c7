//! Keys of the sign API that OpenSSL makes.

use crate::{Scratch, ours_is_c, text};
use osier_testkit::skip;
use std::fs;
use std::process::Command;

/// A pair of keys as the command line takes them, and what files with them hold.
pub struct KeyPair {
    /// The secret key in base64.
    pub secret: String,
    /// The public key in base64.
    pub public: String,
    /// A file with the secret key: base64 for `ed25519`, else PEM.
    pub secret_file: String,
    /// A file with the public key, likewise.
    pub public_file: String,
}

impl KeyPair {
    /// A new pair: `ed25519` as plain numbers, all others as DER.
    ///
    /// # Panics
    /// When OpenSSL cannot make such a key.
    #[must_use]
    pub fn new(scratch: &Scratch, kind: &str, algorithm: &[&str]) -> KeyPair {
        let pem = scratch.path("key.pem");
        let pem = text(&pem);
        openssl(&[&["genpkey", "-out", pem], algorithm].concat());
        // The secret key as PKCS#8, whatever the algorithm.
        let pkcs8 = ["pkcs8", "-topk8", "-nocrypt", "-in", pem];
        let pubout = ["pkey", "-in", pem, "-pubout"];
        let der = |args: &[&str]| openssl(&[args, &["-outform", "DER"]].concat());
        let (mut secret, mut public) = (der(&pkcs8), der(&pubout));
        if kind == "ed25519" {
            let plain = |der: &[u8]| der[der.len() - 32..].to_vec();
            public = plain(&public);
            secret = [plain(&secret), public.clone()].concat();
        }
        let base64 = |bytes: &[u8]| {
            let file = scratch.path("bytes");
            fs::write(&file, bytes).expect("a scratch file");
            utf8(openssl(&["base64", "-A", "-in", text(&file)]))
        };
        let (secret, public) = (base64(&secret), base64(&public));
        let [secret_file, public_file] = match kind {
            "ed25519" => [format!("{secret}\n"), format!("{public}\n")],
            _ => [&pkcs8[..], &pubout].map(|args| utf8(openssl(args))),
        };
        KeyPair {
            secret,
            public,
            secret_file,
            public_file,
        }
    }
}

/// Whether keys can be made, and the program tested knows types that need them; said aloud otherwise.
#[must_use]
pub fn ready() -> bool {
    let there = Command::new("openssl").arg("version").output().is_ok();
    if !there {
        skip::because("needs openssl");
    }
    there && !ours_is_c()
}

fn openssl(args: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(args)
        .output()
        .expect("openssl starts");
    assert!(output.status.success(), "{args:?}: {output:?}");
    output.stdout
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

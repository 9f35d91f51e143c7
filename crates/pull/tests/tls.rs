//! Over TLS: whom a pull trusts, and what it shows.

mod common;

use common::{Site, assert_whole, options, remote};
use osier_pull::{Cancel, Error, pull};
use osier_store::{Repo, RepoMode};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

struct Identity {
    cert: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    pem: String,
    key_pem: String,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        Authority {
            der: cert.der().clone(),
            pem: cert.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn issue(&self, host: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let cert = CertificateParams::new(vec![host.to_owned()])
            .unwrap()
            .signed_by(&key, &self.issuer)
            .unwrap();
        let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Identity {
            cert: cert.der().clone(),
            key: der,
            pem: cert.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// Speaks TLS in front of a plain server, one request a connection. It ends with the process.
fn terminate(backend: SocketAddr, identity: Identity, clients: Option<&Authority>) -> u16 {
    let builder =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der.clone()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .unwrap(),
            )
        }
    };
    let config = Arc::new(
        builder
            .with_single_cert(vec![identity.cert], identity.key)
            .unwrap(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                // A client that does not trust us goes away.
                let _ = forward(stream?, config, backend);
                Ok::<_, std::io::Error>(())
            });
        }
    });
    port
}

fn forward(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    backend: SocketAddr,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut tls = BufReader::new(StreamOwned::new(connection, stream));
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if tls.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut plain = TcpStream::connect(backend)?;
    plain.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer)?;
    let tls = tls.get_mut();
    // The connection is not used again, and says so.
    let at = answer.windows(2).position(|w| w == b"\r\n").unwrap_or(0);
    tls.write_all(&answer[..at])?;
    tls.write_all(b"\r\nconnection: close")?;
    tls.write_all(&answer[at..])?;
    tls.conn.send_close_notify();
    tls.flush()
}

fn attempt(dest: &Repo, url: &str, keys: &str) -> Result<(), Error> {
    let options = osier_pull::PullOptions {
        network_retries: 0,
        ..options("main")
    };
    pull(dest, &remote(url, keys), &options, &mut (), &Cancel::new()).map(drop)
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    path.display().to_string()
}

#[test]
fn trusts_whom_the_remote_says() {
    let site = Site::new();
    let authority = Authority::new();
    let ca = write(&site.path("ca.pem"), &authority.pem);
    let other = write(&site.path("other.pem"), &Authority::new().pem);
    let port = terminate(site.server.addr(), authority.issue("localhost"), None);
    let (good, wrong_host) = (
        format!("https://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
    );
    let dest = site.dest("dest", RepoMode::BareUser);
    let refused = |url: &str, keys: &str| {
        let error = attempt(&dest, url, keys).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("While fetching {url}/summary.sig: [60] ")),
            "{error}"
        );
    };
    // The system does not know this authority.
    refused(&good, "");
    refused(&good, &format!("tls-ca-path={other}\n"));
    refused(&wrong_host, &format!("tls-ca-path={ca}\n"));
    // Any chain will do, but not any name.
    refused(&wrong_host, "tls-permissive=true\n");
    assert!(
        site.server.log().is_empty(),
        "nothing was asked of a server that is not trusted"
    );
    let missing = attempt(&dest, &good, "tls-ca-path=/nonexistent\n")
        .unwrap_err()
        .to_string();
    assert!(missing.starts_with("reading /nonexistent: "), "{missing}");

    attempt(&dest, &good, "tls-permissive=true\n").unwrap();
    assert_whole(&dest, &site.tip());
    let dest = site.dest("again", RepoMode::BareUser);
    attempt(&dest, &good, &format!("tls-ca-path={ca}\nhttp2=false\n")).unwrap();
    assert_whole(&dest, &site.tip());
}

#[test]
fn shows_the_certificate_that_a_server_demands() {
    let site = Site::new();
    let authority = Authority::new();
    let ca = write(&site.path("ca.pem"), &authority.pem);
    let client = authority.issue("client");
    let cert = write(&site.path("client.pem"), &client.pem);
    let key = write(&site.path("client.key"), &client.key_pem);
    let port = terminate(
        site.server.addr(),
        authority.issue("localhost"),
        Some(&authority),
    );
    let url = format!("https://localhost:{port}");
    let dest = site.dest("dest", RepoMode::BareUser);
    let trust = format!("tls-ca-path={ca}\n");
    assert!(attempt(&dest, &url, &trust).is_err());
    assert!(site.server.log().is_empty());
    let half = attempt(
        &dest,
        &url,
        &format!("{trust}tls-client-cert-path={cert}\n"),
    )
    .unwrap_err()
    .to_string();
    assert!(
        half.ends_with("must specify both \"tls-client-cert-path\" and \"tls-client-key-path\""),
        "{half}"
    );
    attempt(
        &dest,
        &url,
        &format!("{trust}tls-client-cert-path={cert}\ntls-client-key-path={key}\n"),
    )
    .unwrap();
    assert_whole(&dest, &site.tip());
}

#[test]
fn a_certificate_signed_by_itself_is_trusted_by_its_own_file() {
    let site = Site::new();
    let signed = |not_after: i32, is_ca| {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = is_ca;
        params.not_after = rcgen::date_time_ymd(not_after, 1, 1);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Identity {
            cert: cert.der().clone(),
            key: der,
            pem: cert.pem(),
            key_pem: key.serialize_pem(),
        }
    };
    let authority = || IsCa::Ca(BasicConstraints::Unconstrained);
    for (n, (identity, good)) in [
        (signed(2100, authority()), true),
        (signed(2100, IsCa::NoCa), true),
        (signed(2020, authority()), false),
    ]
    .into_iter()
    .enumerate()
    {
        let ca = write(&site.path(&format!("{n}.pem")), &identity.pem);
        let port = terminate(site.server.addr(), identity, None);
        let dest = site.dest(&format!("dest{n}"), RepoMode::BareUser);
        let keys = format!("tls-ca-path={ca}\n");
        assert_eq!(
            attempt(&dest, &format!("https://localhost:{port}"), &keys).is_ok(),
            good,
            "{n}"
        );
        assert!(
            attempt(&dest, &format!("https://127.0.0.1:{port}"), &keys).is_err(),
            "{n}"
        );
    }
}

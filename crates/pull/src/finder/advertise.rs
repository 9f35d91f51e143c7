//! Announcing a repository to the local network by multicast DNS.

use super::announcement::{Announcement, SERVICE};
use super::lan::LanError;
use mdns_sd::{ServiceDaemon, ServiceInfo, TxtProperty};
use std::net::SocketAddr;
use std::time::Duration;

/// How long to wait until others have been told that a repository is gone.
const FAREWELL: Duration = Duration::from_millis(500);

/// What to announce, and as what.
#[derive(Clone, Debug)]
pub struct Advertise {
    /// The name people see; it should be the machine's.
    pub name: String,
    /// Where the repository is served; with an unspecified address, at each that the machine has.
    pub address: SocketAddr,
    /// The UDP port of multicast DNS. Another one than 5353 is of use for tests only.
    pub port: u16,
}

/// A repository that is announced for as long as this lives.
pub struct Advertiser {
    daemon: ServiceDaemon,
    options: Advertise,
    fullname: String,
}

impl std::fmt::Debug for Advertiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Advertiser").field(&self.fullname).finish()
    }
}

impl Advertiser {
    /// Begins to announce.
    ///
    /// # Errors
    /// No socket for multicast DNS is to be had.
    pub fn start(options: Advertise, announcement: &Announcement) -> Result<Advertiser, LanError> {
        let service = service(&options, announcement).map_err(fail)?;
        let fullname = service.get_fullname().to_owned();
        let daemon = ServiceDaemon::new_with_port(options.port).map_err(fail)?;
        daemon.register(service).map_err(fail)?;
        Ok(Advertiser {
            daemon,
            options,
            fullname,
        })
    }

    /// Announces something else from now on.
    ///
    /// # Errors
    /// The thread that announces is gone.
    pub fn update(&self, announcement: &Announcement) -> Result<(), LanError> {
        let service = service(&self.options, announcement).map_err(fail)?;
        self.daemon.register(service).map_err(fail)
    }

    /// The name under which it is announced.
    #[must_use]
    pub fn fullname(&self) -> &str {
        &self.fullname
    }
}

impl Drop for Advertiser {
    fn drop(&mut self) {
        if let Ok(done) = self.daemon.unregister(&self.fullname) {
            let _ = done.recv_timeout(FAREWELL);
        }
        let _ = self.daemon.shutdown();
    }
}

fn fail(cause: mdns_sd::Error) -> LanError {
    LanError {
        action: "announcing a repository in",
        cause,
    }
}

fn service(
    options: &Advertise,
    announcement: &Announcement,
) -> Result<ServiceInfo, mdns_sd::Error> {
    let port = options.address.port();
    // A host name of its own: the machine's may be announced by another program, with other addresses.
    let label: String = options
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let host = format!("ostree-{label}-{port}.local.");
    // One machine may announce several repositories.
    let instance = format!(
        "{} {port}",
        options.name.chars().take(40).collect::<String>()
    );
    let kind = format!("{SERVICE}.local.");
    let txt: Vec<TxtProperty> = announcement.to_txt().map(TxtProperty::from).into();
    let ip = options.address.ip();
    if ip.is_unspecified() {
        Ok(ServiceInfo::new(&kind, &instance, &host, "", port, txt)?.enable_addr_auto())
    } else {
        ServiceInfo::new(&kind, &instance, &host, ip, port, txt)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bloom::BloomFilter;
    use super::super::lan::{Browse, browse};
    use super::*;
    use crate::Cancel;

    /// A port per process, so that nobody else's announcements are heard.
    fn port() -> u16 {
        20_000 + (std::process::id() % 20_000) as u16
    }

    #[test]
    fn what_is_announced_is_found_until_it_is_gone() {
        let mut refs = BloomFilter::for_refs(100);
        refs.insert("org.example.Os", "os/main");
        let announcement = Announcement {
            refs,
            summary_time: 1_700_000_000,
            index: 0,
        };
        let options = Advertise {
            name: "a machine".to_owned(),
            address: "127.0.0.1:8123".parse().unwrap(),
            port: port(),
        };
        let advertiser = match Advertiser::start(options, &announcement) {
            Ok(advertiser) => advertiser,
            Err(e) => return osier_testkit::skip::because(&e.to_string()),
        };
        // Listened to until it is heard: no machine is too slow for this test.
        let listen = Browse {
            time: Duration::from_secs(2),
            port: port(),
        };
        let heard = (0..15).find_map(|_| {
            browse(&listen, &Cancel::new())
                .unwrap()
                .into_iter()
                .find(|found| found.instance == advertiser.fullname())
        });
        let Some(found) = heard else {
            return osier_testkit::skip::because("no multicast on the loopback interface");
        };
        assert_eq!(found.url, "http://127.0.0.1:8123/0");
        assert_eq!(found.announcement, announcement);
    }
}

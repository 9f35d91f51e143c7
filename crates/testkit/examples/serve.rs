//! Serves a folder over HTTP until killed: `serve FOLDER [ADDR:PORT]` prints its URL on the first line.

use osier_testkit::httpd::Server;
use std::io::Write;
use std::path::Path;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = args
        .next()
        .ok_or_else(|| anyhow::anyhow!("usage: serve FOLDER [ADDR:PORT]"))?;
    let addr = args
        .next()
        .unwrap_or_else(|| "127.0.0.1:0".to_owned())
        .parse()?;
    let server = Server::serve_on(Path::new(&folder), addr)?;
    writeln!(std::io::stdout(), "{}", server.url())?;
    loop {
        std::thread::park();
    }
}

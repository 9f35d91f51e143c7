//! Ending long work on Ctrl-C without leaving anything behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use anyhow::{Context, Result};
use osier_store::parallel::Cancel;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Cancels when the program is asked to end. Whoever asks twice does not want to wait.
#[derive(Debug)]
pub struct Interrupt {
    cancel: Arc<Cancel>,
    signal: Arc<AtomicI32>,
}

impl Interrupt {
    /// Watches for signals from here on.
    ///
    /// # Errors
    /// When the system lets it not.
    pub fn watch() -> Result<Interrupt> {
        let interrupt = Interrupt {
            cancel: Arc::default(),
            signal: Arc::default(),
        };
        let mut signals = Signals::new([SIGINT, SIGTERM]).context("catching signals")?;
        let (cancel, signal) = (interrupt.cancel.clone(), interrupt.signal.clone());
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                let mut signals = signals.forever();
                if let Some(first) = signals.next() {
                    signal.store(first, Ordering::Relaxed);
                    cancel.cancel();
                }
                if let Some(second) = signals.next() {
                    let _ = emulate_default_handler(second);
                }
            })
            .context("starting a thread")?;
        Ok(interrupt)
    }

    /// What the work has to look at.
    #[must_use]
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Once all is cleaned up: ends the program as the signal would have done, if there was one.
    pub fn obey(&self) {
        let signal = self.signal.load(Ordering::Relaxed);
        if signal != 0 {
            let _ = emulate_default_handler(signal);
        }
    }
}

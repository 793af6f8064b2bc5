//! The log, on standard error.

use tracing_subscriber::EnvFilter;

use super::{LogFormat, RunArgs};

/// Sets more or less than the default, in the terms of `tracing`: `RULEMILL_LOG=rulemill=debug`.
const VARIABLE: &str = "RULEMILL_LOG";

/// Starts logging. Other libraries have nothing to say that our own lines do not say better.
pub(super) fn start(args: &RunArgs) {
    let default = if args.quiet { "off,rulemill=warn" } else { "off,rulemill=info" };
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // Fails only where a log was started before, as in tests.
    let _ = match args.log_format {
        LogFormat::Text => log.with_ansi(colours).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

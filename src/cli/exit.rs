//! Exit codes, decided in one place.

use std::io;
use std::process::{ExitCode, Termination};

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All well.
    Ok = 0,
    /// A test, lint or evaluation failed; nothing was tested; a delivery was not done at the end.
    Failed = 1,
    /// The command line, a file, a port, or a file's form is wrong.
    Usage = 2,
    /// Rule SQL or an action does not compile.
    Compile = 3,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// Prints an error that ends the command. A reader that has gone away is none.
#[expect(clippy::print_stderr, reason = "the command line's one place for errors")]
pub(super) fn report(error: &anyhow::Error) -> Exit {
    let broken_pipe = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
    if broken_pipe {
        return Exit::Ok;
    }
    eprintln!("error: {error:#}");
    Exit::Usage
}

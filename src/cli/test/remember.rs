//! The tests that failed the last time, in `.rulemill/` of the folder that the command runs in.
//!
//! Invariant: a run changes what is remembered of the tests that it ran, and of no others.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::select::Case;
use crate::limits;

/// The folder, which `rulemill run` keeps its data in as well.
const FOLDER: &str = ".rulemill";
/// The file in it.
const FILE: &str = "failed-tests";

/// File, name and profile of a test.
type Key = (String, String, String);

/// Tests that failed.
pub(super) struct Failures {
    path: PathBuf,
    keys: BTreeSet<Key>,
    /// Was there a file?
    known: bool,
}

impl Failures {
    /// What is remembered here; a file that cannot be read remembers nothing.
    pub fn read() -> Failures {
        Failures::read_from(&Path::new(FOLDER).join(FILE))
    }

    fn read_from(path: &Path) -> Failures {
        let text = fs::read_to_string(path);
        let known = text.is_ok();
        let key = |line: &str| serde_json::from_str::<Key>(line).ok();
        let keys = text.unwrap_or_default().lines().take(limits::FAILURES_MAX).filter_map(key).collect();
        Failures { path: path.to_owned(), keys, known }
    }

    /// Did it fail the last time?
    pub fn has(&self, case: &Case<'_>) -> bool {
        self.keys.contains(&key(case))
    }

    /// Notes how a test went.
    pub fn note(&mut self, case: &Case<'_>, passed: bool) {
        match passed {
            true => self.keys.remove(&key(case)),
            false => self.keys.len() < limits::FAILURES_MAX && self.keys.insert(key(case)),
        };
    }

    /// Writes what is to be remembered; where nothing is and was, nothing is written.
    pub fn write(&self) -> io::Result<()> {
        if !self.known && self.keys.is_empty() {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        if !folder.is_dir() {
            make_private(folder)?;
        }
        let mut text = String::new();
        for key in &self.keys {
            text += &serde_json::to_string(key)?;
            text.push('\n');
        }
        // Another run that reads meanwhile must not find half a file.
        let new = self.path.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.path)
    }

    /// Why `--failed` selects nothing.
    pub fn nothing(&self) -> String {
        let path = self.path.display();
        match (self.known, self.keys.len()) {
            (false, _) => format!("no run is remembered in {path}; `rulemill test` remembers what fails"),
            (true, 0) => format!("no test failed the last time, says {path}"),
            (true, n) => format!("none of the {n} tests that failed the last time is selected, says {path}"),
        }
    }
}

fn key(case: &Case<'_>) -> Key {
    (case.file.source.name().to_owned(), case.test.name.clone(), case.profile.name().to_owned())
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

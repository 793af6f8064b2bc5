//! Files that HOCON files include, from disk: beside the including file, and inside the project.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::files::shown;
use super::fixtures::{project_of, reason};
use crate::document::{Included, Includes};
use crate::limits;

/// The disk.
pub(super) struct Disk {
    allow_outside: bool,
}

impl Disk {
    /// May includes leave the project?
    pub fn new(allow_outside: bool) -> Disk {
        Disk { allow_outside }
    }
}

impl Includes for Disk {
    fn open(&mut self, from: &str, name: &str) -> Result<Option<Included>, String> {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let path = folder.join(name);
        let told =
            |e: &std::io::Error| format!("cannot read the included file {}: {}", shown(&path), reason(e));
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(told(&e)),
        };
        if !self.allow_outside && !real.starts_with(project_of(folder)) {
            return Err(format!(
                "the included file {name} lies outside the project; --allow-outside lets it"
            ));
        }
        let meta = fs::metadata(&real).map_err(|e| told(&e))?;
        if !meta.is_file() {
            return Err(format!("the included file {} is no file", shown(&path)));
        }
        if meta.len() > limits::DOCUMENT_BYTES_MAX as u64 {
            let limit = limits::DOCUMENT_BYTES_MAX;
            return Err(format!("the included file has {} bytes; rulemill reads up to {limit}", meta.len()));
        }
        let bytes = fs::read(&real).map_err(|e| told(&e))?;
        Ok(Some(Included { name: shown(&path), identity: shown(&real), bytes }))
    }

    fn identity(&mut self, name: &str) -> String {
        Path::new(name).canonicalize().map_or_else(|_| name.to_owned(), |real| shown(&real))
    }
}

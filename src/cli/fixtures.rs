//! Fixtures from disk: relative to the test file, and inside the project.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::files::shown;
use crate::harness::{Fixtures, Stream};
use crate::limits;
use crate::value::Bytes;

/// The folder of one test file.
pub(super) struct Folder {
    folder: PathBuf,
    /// The files that were asked for, found or not.
    pub used: Vec<PathBuf>,
    /// What fixtures may not leave; `None` when they may lie anywhere.
    project: Option<PathBuf>,
}

impl Folder {
    /// The folder of a test file.
    pub fn new(test_file: &Path, allow_outside: bool) -> Folder {
        let folder = test_file.parent().unwrap_or(Path::new("")).to_path_buf();
        let project = (!allow_outside).then(|| project_of(&folder));
        Folder { folder, used: Vec::new(), project }
    }
}

impl Folder {
    /// Writes a file of the project anew; its folder must be there.
    pub fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let full = self.folder.join(path);
        let name = shown(&full);
        let fail = |e: &std::io::Error| format!("cannot write {name}: {}", reason(e));
        let folder = full.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let real = folder.canonicalize().map_err(|e| fail(&e))?;
        if self.project.as_ref().is_some_and(|project| !real.starts_with(project)) {
            return Err(format!("{path} lies outside the project; --allow-outside lets it"));
        }
        fs::write(&full, text).map_err(|e| fail(&e))
    }
}

/// The project of a folder: the nearest one above it that has `rules`, `fixtures` or `.git` in it, or else itself.
pub(super) fn project_of(folder: &Path) -> PathBuf {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(folder) = here.canonicalize() else { return here.to_path_buf() };
    let has = |dir: &&Path| ["rules", "fixtures", ".git"].iter().any(|name| dir.join(name).exists());
    folder.ancestors().find(has).unwrap_or(&folder).to_path_buf()
}

impl Fixtures for Folder {
    fn stream(&mut self, path: &str) -> Result<Stream, String> {
        self.used.push(self.folder.join(path));
        let real = self.real(path)?;
        let bytes = fs::metadata(&real).ok().map(|meta| meta.len());
        let mut stream =
            Stream::new(move || Ok(Box::new(BufReader::with_capacity(READ_BYTES, fs::File::open(&real)?))));
        stream.bytes = bytes;
        Ok(stream)
    }

    fn read(&mut self, path: &str) -> Result<Bytes, String> {
        self.used.push(self.folder.join(path));
        let real = self.real(path)?;
        let name = shown(&self.folder.join(path));
        let meta =
            fs::metadata(&real).map_err(|e| format!("cannot read the fixture {name}: {}", reason(&e)))?;
        if meta.len() > limits::FIXTURE_BYTES_MAX as u64 {
            let limit = limits::FIXTURE_BYTES_MAX;
            return Err(format!("the fixture {name} has {} bytes; rulemill reads up to {limit}", meta.len()));
        }
        let bytes = fs::read(&real).map_err(|e| format!("cannot read the fixture {name}: {}", reason(&e)))?;
        Ok(Bytes::from(bytes))
    }
}

/// Bytes of a capture that are read at once.
const READ_BYTES: usize = 256 * 1024;

impl Folder {
    /// Where a fixture really lies: inside the project, and a file.
    fn real(&self, path: &str) -> Result<PathBuf, String> {
        let full = self.folder.join(path);
        let name = shown(&full);
        let real =
            full.canonicalize().map_err(|e| format!("cannot read the fixture {name}: {}", reason(&e)))?;
        if let Some(project) = &self.project
            && !real.starts_with(project)
        {
            return Err(format!("the fixture {path} lies outside the project; --allow-outside lets it"));
        }
        let meta =
            fs::metadata(&real).map_err(|e| format!("cannot read the fixture {name}: {}", reason(&e)))?;
        if !meta.is_file() {
            return Err(format!("the fixture {name} is no file"));
        }
        Ok(real)
    }
}

/// Why, in words that do not depend on the system.
pub(super) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_end_at_the_bound() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("big")).unwrap();
        let mut fixtures = Folder::new(&folder.path().join("x.test.yaml"), false);
        file.set_len(limits::FIXTURE_BYTES_MAX as u64).unwrap();
        assert_eq!(fixtures.read("big").map(|bytes| bytes.len()), Ok(limits::FIXTURE_BYTES_MAX));
        file.set_len(limits::FIXTURE_BYTES_MAX as u64 + 1).unwrap();
        let name = shown(&folder.path().join("big"));
        let sentence = format!("the fixture {name} has 16777217 bytes; rulemill reads up to 16777216");
        assert_eq!(fixtures.read("big"), Err(sentence));
        assert!(fixtures.read(".").unwrap_err().ends_with("is no file"));
    }
}

//! The folder that holds rulemill's state: private to its user, used by one process, of a known version.
//!
//! Invariant: while a [`Folder`] lives, no other process has one for the same path.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Layout of the folder. A change that an older rulemill would misread raises it.
const VERSION: u32 = 1;
const VERSION_FILE: &str = "version";
const LOCK_FILE: &str = "lock";
const VERSION_WORDS: &str = "rulemill data";

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Another process works on it.
    #[error("the data folder {} is in use by another rulemill{}: stop it, or give --data-dir another folder",
        path.display(), holder.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, where known.
        holder: Option<u32>,
    },
    /// It was written by a rulemill of another layout.
    #[error("the data folder {} has version {found:?}, and this rulemill reads version {VERSION}: \
             use the rulemill that wrote it, or give --data-dir another folder", path.display())]
    Version {
        /// The folder.
        path: PathBuf,
        /// What its `version` file says.
        found: String,
    },
    /// It holds files that are not ours.
    #[error("the folder {} is not empty and holds no rulemill data: give --data-dir an empty or a new folder",
        path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
}

/// A data folder that is ours until dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    // The lock goes with the file handle, also when the process is killed.
    _lock: File,
}

impl Folder {
    /// Opens the folder, making it with mode 0700 where it does not exist yet.
    pub fn open(path: &Path) -> Result<Folder, FolderError> {
        create_durably(path, 0o700).map_err(io("make the data folder", path))?;
        let known = path.join(VERSION_FILE).exists();
        if !known && !holds_nothing_foreign(path)? {
            return Err(FolderError::Foreign { path: path.to_owned() });
        }
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(path, mode).map_err(io("make private", path))?;
        let lock = lock(path)?;
        check_version(path)?;
        Ok(Folder { path: path.to_owned(), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn io<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> FolderError + 'a {
    move |source| FolderError::Io { what, path: path.to_owned(), source }
}

/// Makes a folder and those above it that are missing, so that they are still there after a crash: a folder is an
/// entry of the one above it, which has to reach the disk too.
pub fn create_durably(path: &Path, mode: u32) -> std::io::Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.is_dir()).collect();
    for folder in missing.into_iter().rev() {
        match fs::DirBuilder::new().mode(mode).create(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists || !folder.is_dir() => {
                return Err(error);
            }
            _ => {}
        }
        let above = folder.parent().filter(|p| !p.as_os_str().is_empty());
        File::open(above.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// What `rulemill test` may have put into the folder before it held data.
const OTHERS: [&str; 2] = ["failed-tests", "failed-tests.new"];

/// A crash before the version file was written leaves at most the lock file.
fn holds_nothing_foreign(path: &Path) -> Result<bool, FolderError> {
    let mut entries = fs::read_dir(path).map_err(io("list", path))?;
    Ok(entries.all(|entry| {
        entry.is_ok_and(|e| {
            let name = e.file_name();
            let own = name == LOCK_FILE || name == format!("{VERSION_FILE}.new").as_str();
            own || OTHERS.iter().any(|other| name == *other)
        })
    }))
}

fn lock(folder: &Path) -> Result<File, FolderError> {
    let path = folder.join(LOCK_FILE);
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&path).map_err(io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let holder = file.read_to_string(&mut holder).ok().and_then(|_| holder.trim().parse().ok());
            return Err(FolderError::Locked { path: folder.to_owned(), holder });
        }
        Err(TryLockError::Error(source)) => return Err(io("lock", &path)(source)),
    }
    // Only for the message above: a lock without the number locks as well.
    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}

fn check_version(folder: &Path) -> Result<(), FolderError> {
    let path = folder.join(VERSION_FILE);
    let ours = format!("{VERSION_WORDS} {VERSION}\n");
    match fs::read(&path) {
        Ok(found) if found == ours.as_bytes() => Ok(()),
        Ok(found) => {
            let found = String::from_utf8_lossy(&found);
            let found =
                found.trim().trim_start_matches(VERSION_WORDS).trim_start().chars().take(64).collect();
            Err(FolderError::Version { path: folder.to_owned(), found })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let new = folder.join(format!("{VERSION_FILE}.new"));
            let write = || -> std::io::Result<()> {
                let mut file = File::create(&new)?;
                file.write_all(ours.as_bytes())?;
                file.sync_all()?;
                fs::rename(&new, &path)?;
                File::open(folder)?.sync_all()
            };
            write().map_err(io("write", &path))
        }
        Err(error) => Err(io("read", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_is_private_and_locked_and_versioned() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a/b");
        let folder = Folder::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let second = Folder::open(&path).unwrap_err().to_string();
        assert!(second.contains("in use by another rulemill (process "), "{second}");
        drop(folder);
        Folder::open(&path).unwrap();
    }

    #[test]
    fn other_versions_and_other_peoples_folders_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        drop(Folder::open(temp.path()).unwrap());
        fs::write(temp.path().join(VERSION_FILE), "rulemill data 99\n").unwrap();
        let other = Folder::open(temp.path()).unwrap_err().to_string();
        assert!(other.contains("has version \"99\", and this rulemill reads version 1"), "{other}");

        let theirs = tempfile::tempdir().unwrap();
        fs::write(theirs.path().join("thesis.txt"), "x").unwrap();
        fs::set_permissions(theirs.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let foreign = Folder::open(theirs.path()).unwrap_err().to_string();
        assert!(foreign.contains("is not empty and holds no rulemill data"), "{foreign}");
        assert_eq!(fs::metadata(theirs.path()).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Folder::open(file.path()).unwrap_err().to_string();
        assert!(error.starts_with("cannot make the data folder "), "{error}");
    }
}

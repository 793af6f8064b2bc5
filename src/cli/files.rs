//! Paths of the command line to files: folders are searched, names are shown as the user wrote them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::limits;
use crate::rule::Input;

/// What is searched when no path is given.
pub(super) const DEFAULT_FOLDER: &str = "rules";

/// What the names of rule files end in.
pub(super) const RULE_EXTENSIONS: [&str; 6] = ["yaml", "yml", "json", "sql", "hocon", "conf"];

/// A file that a command works on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Its path, relative as the user gave it.
    pub path: PathBuf,
    /// Was it named itself, or found in a folder?
    pub named: bool,
}

impl Found {
    /// Its name in messages.
    pub fn shown(&self) -> String {
        shown(&self.path)
    }

    /// Is it a test file?
    pub fn is_test(&self) -> bool {
        is_test(&self.path)
    }
}

/// A path in messages: with slashes, without a leading `./`.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}

/// Does a file's name say that it holds tests?
pub(super) fn is_test(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    [".test.yaml", ".test.yml", ".test.json"].iter().any(|end| name.ends_with(end))
}

/// Does a file's name say that it may hold rules?
fn is_rule(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    RULE_EXTENSIONS.contains(&extension) && !is_test(path)
}

/// All rule and test files at and below the paths, in a stable order, each once.
pub(super) fn find(paths: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    find_up_to(paths, limits::FILES_MAX)
}

fn find_up_to(paths: &[PathBuf], files_max: usize) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    if paths.is_empty() {
        let folder = Path::new(DEFAULT_FOLDER);
        if !folder.is_dir() {
            bail!("there is no folder '{DEFAULT_FOLDER}' here; name files or folders");
        }
        walk(folder, limits::FOLDER_DEPTH_MAX, files_max, &mut found)?;
    }
    for path in paths {
        let meta = fs::metadata(path).with_context(|| format!("cannot read {}", shown(path)))?;
        if meta.is_dir() {
            walk(path, limits::FOLDER_DEPTH_MAX, files_max, &mut found)?;
        } else {
            found.push(Found { path: path.clone(), named: true });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path).then(b.named.cmp(&a.named)));
    found.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

/// The test file of a rule file, where there is one beside it.
pub(super) fn test_beside(rule_file: &Path) -> Option<Found> {
    let beside = ["yaml", "yml", "json"].map(|end| rule_file.with_extension(format!("test.{end}")));
    beside.into_iter().find(|path| path.is_file()).map(|path| Found { path, named: false })
}

/// The rule files of one folder, not of those below it.
pub(super) fn rules_beside(folder: &Path) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        if is_rule(&path) && path.is_file() {
            found.push(Found { path, named: false });
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let shown_folder = shown(folder);
    let read = fs::read_dir(folder).with_context(|| format!("cannot read {shown_folder}"))?;
    let mut paths = Vec::new();
    for entry in read {
        let entry = entry.with_context(|| format!("cannot read {shown_folder}"))?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden {
            paths.push(if folder == Path::new(".") {
                PathBuf::from(entry.file_name())
            } else {
                entry.path()
            });
        }
    }
    paths.sort();
    Ok(paths)
}

fn walk(folder: &Path, depth: usize, files_max: usize, found: &mut Vec<Found>) -> anyhow::Result<()> {
    let Some(depth) = depth.checked_sub(1) else {
        bail!("{} is more than {} folders deep", shown(folder), limits::FOLDER_DEPTH_MAX);
    };
    for path in entries(folder)? {
        // A link to a folder may lead round in a circle.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, depth, files_max, found)?;
        } else if path.is_file() && (is_rule(&path) || is_test(&path)) {
            found.push(Found { path, named: false });
        }
        if found.len() > files_max {
            bail!("more than {files_max} files; name fewer folders");
        }
    }
    Ok(())
}

/// Reads a file.
pub(super) fn read(found: &Found) -> anyhow::Result<Input> {
    let path = found.shown();
    let bytes = fs::read(&found.path).with_context(|| format!("cannot read {path}"))?;
    Ok(Input { path, bytes })
}

/// Puts other bytes in the place of a file's, all or none: whoever reads it meanwhile sees the one or the other.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", shown(path));
    // Of a link, the file behind it.
    let path = path.canonicalize().with_context(cannot)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = fs::metadata(&path).and_then(|meta| {
        // A file that its owner made unwritable stays as it is, though its folder would let it be replaced.
        fs::OpenOptions::new().write(true).open(&path)?;
        fs::write(&beside, bytes)?;
        fs::set_permissions(&beside, meta.permissions())?;
        fs::rename(&beside, &path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.with_context(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_kinds() {
        assert!(is_test(Path::new("a/b.test.yaml")) && is_test(Path::new("x.test.json")));
        assert!(!is_test(Path::new("test.yaml")) && !is_test(Path::new("a.yaml")));
        assert!(
            is_rule(Path::new("a.sql")) && is_rule(Path::new("a.yml")) && is_rule(Path::new("cluster.hocon"))
        );
        assert!(!is_rule(Path::new("a.test.yaml")) && !is_rule(Path::new("a.txt")));
    }

    #[test]
    fn folders_are_searched_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.test.yaml", "sub/c.sql", ".hidden/d.yaml", "e.txt"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = find(&[folder.path().to_path_buf(), folder.path().join("b.yaml")]).unwrap();
        let names: Vec<_> =
            found.iter().map(|f| f.path.strip_prefix(folder.path()).unwrap().to_owned()).collect();
        assert_eq!(names, ["a.test.yaml", "b.yaml", "sub/c.sql"].map(PathBuf::from));
        assert!(found[1].named && !found[0].named);
        assert!(find(&[folder.path().join("no.yaml")]).unwrap_err().to_string().starts_with("cannot read "));
    }

    #[test]
    fn searches_end_at_their_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let deep = |levels: usize| folder.path().join(vec!["d"; levels].join("/"));
        fs::create_dir_all(deep(limits::FOLDER_DEPTH_MAX - 1)).unwrap();
        fs::write(deep(limits::FOLDER_DEPTH_MAX - 1).join("a.sql"), "x").unwrap();
        let paths = [folder.path().to_path_buf()];
        assert_eq!(find(&paths).unwrap().len(), 1);
        fs::create_dir(deep(limits::FOLDER_DEPTH_MAX)).unwrap();
        assert!(find(&paths).unwrap_err().to_string().ends_with("is more than 32 folders deep"));
        fs::remove_dir(deep(limits::FOLDER_DEPTH_MAX)).unwrap();
        fs::write(folder.path().join("b.sql"), "x").unwrap();
        assert_eq!(find_up_to(&paths, 2).unwrap().len(), 2);
        let problem = find_up_to(&paths, 1).unwrap_err();
        assert_eq!(problem.to_string(), "more than 1 files; name fewer folders");
    }
}

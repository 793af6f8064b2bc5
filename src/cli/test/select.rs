//! What the command line selects: paths, lines, names, and what failed the last time.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use regex::Regex;

use super::remember::Failures;
use crate::cli::files;
use crate::harness::{Test, TestFile, report};
use crate::profile::Profile;

/// What the command line selects.
#[derive(Default)]
pub(super) struct Selection {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// `FILE:LINE`.
    pub lines: Vec<(PathBuf, usize)>,
    /// Parts of names, and patterns.
    pub names: Vec<Name>,
}

/// What a test's name must have.
pub(super) enum Name {
    /// This text in it.
    Part(String),
    /// A match of this pattern, written `/…/`.
    Pattern(Box<Regex>),
}

impl Name {
    fn fits(&self, name: &str) -> bool {
        match self {
            Name::Part(part) => name.contains(part.as_str()),
            Name::Pattern(regex) => regex.is_match(name),
        }
    }

    fn shown(&self) -> String {
        match self {
            Name::Part(part) => format!("'{part}'"),
            Name::Pattern(regex) => format!("/{regex}/"),
        }
    }
}

/// A test under one profile.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub file: &'a TestFile,
    pub test: &'a Test,
    pub profile: Profile,
}

impl Selection {
    /// Splits targets into paths, lines and names: what exists is a path.
    pub fn of(targets: &[String]) -> anyhow::Result<Selection> {
        let mut selection = Selection::default();
        for target in targets {
            if Path::new(target).exists() {
                selection.paths.push(PathBuf::from(target));
                continue;
            }
            if let Some((path, line)) = target.rsplit_once(':')
                && let Ok(line) = line.parse()
                && Path::new(path).exists()
            {
                selection.lines.push((PathBuf::from(path), line));
                continue;
            }
            if let Some(pattern) = target.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'))
                && !pattern.is_empty()
            {
                let regex = Regex::new(pattern).map_err(|e| {
                    let why = e.to_string();
                    let why = why.lines().last().unwrap_or_default();
                    anyhow!("/{pattern}/ cannot be read: {}", why.trim_start_matches("error: "))
                })?;
                selection.names.push(Name::Pattern(Box::new(regex)));
                continue;
            }
            // What looks like a path and is not there is a mistake, not a name.
            let ends = |e: &std::ffi::OsStr| e == "yaml" || e == "yml";
            let like_path = target.contains('/') || Path::new(target).extension().is_some_and(ends);
            match like_path {
                true => selection.paths.push(PathBuf::from(target)),
                false => selection.names.push(Name::Part(target.clone())),
            }
        }
        Ok(selection)
    }

    /// Files and folders to read.
    pub fn to_read(&self) -> Vec<PathBuf> {
        self.paths.iter().chain(self.lines.iter().map(|(path, _)| path)).cloned().collect()
    }

    /// The selected tests under the profiles they are for.
    pub fn cases<'a>(&self, read: &'a [TestFile], default: Profile) -> Vec<Case<'a>> {
        let mut cases = Vec::new();
        for file in read {
            let owners = self.owners(file);
            // Who says `speeding` may mean the rule: its tests stand in `speeding.test.yaml`.
            let stem = file.source.name().rsplit('/').next().unwrap_or_default();
            let stem = stem.split(".test.").next().unwrap_or_default();
            for test in &file.tests {
                let fits = |name: &Name| name.fits(&test.name) || name.fits(stem);
                let named = self.names.is_empty() || self.names.iter().any(fits);
                if named && owners.as_ref().is_none_or(|owners| owners.contains(&test.span.start)) {
                    let profiles = test.profiles.clone().unwrap_or_else(|| vec![default]);
                    cases.extend(profiles.into_iter().map(|profile| Case { file, test, profile }));
                }
            }
        }
        cases
    }

    /// The starts of the tests that the lines belong to; `None` where no line of this file is named.
    fn owners(&self, file: &TestFile) -> Option<Vec<u32>> {
        let in_file = |path: &Path| files::shown(path) == file.source.name();
        let lines: Vec<usize> =
            self.lines.iter().filter(|(path, _)| in_file(path)).map(|(_, line)| *line).collect();
        // The test that a line belongs to is the last one that begins at or before it.
        let owner = |line: &usize| {
            file.tests.iter().filter(|t| report::line(file, t) <= *line).map(|t| t.span.start).max()
        };
        (!lines.is_empty()).then(|| lines.iter().filter_map(owner).collect())
    }

    /// Why there is nothing to run.
    pub fn nothing(&self, read: &[TestFile], failed: Option<&Failures>) -> String {
        if let Some(failures) = failed {
            return failures.nothing();
        }
        let tests: usize = read.iter().map(|file| file.tests.len()).sum();
        let mut wanted: Vec<String> = self.names.iter().map(Name::shown).collect();
        wanted.extend(self.lines.iter().map(|(path, line)| format!("{}:{line}", files::shown(path))));
        match (read.len(), wanted.is_empty()) {
            (0, _) => "no test files found".to_owned(),
            (_, true) => "no tests found".to_owned(),
            _ => format!("none of {tests} tests matches {}", wanted.join(", ")),
        }
    }
}

//! The rules that tests run: loaded once for each profile, before the first test.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use super::select::Case;
use crate::cli::files;
use crate::cli::includes::Disk;
use crate::diag::{Diagnostic, Severity, codes};
use crate::harness::{self, TestFile};
use crate::profile::Profile;
use crate::rule::{self, Input, Loaded};

/// Rules by profile.
pub(super) struct Rules(BTreeMap<Profile, Loaded>);

impl Rules {
    /// Loads the rules for every profile that a test is for.
    pub fn load(
        cases: &[Case<'_>],
        found: &[files::Found],
        tests: &[TestFile],
        allow_outside: bool,
    ) -> anyhow::Result<Rules> {
        let mut by_profile = BTreeMap::new();
        for case in cases {
            if let Entry::Vacant(entry) = by_profile.entry(case.profile) {
                entry.insert(load(found, tests, case.profile, allow_outside)?);
            }
        }
        Ok(Rules(by_profile))
    }

    /// All of them.
    pub fn by_profile(&self) -> &BTreeMap<Profile, Loaded> {
        &self.0
    }

    /// The rules of a profile.
    pub fn get(&self, profile: Profile) -> Option<&Loaded> {
        self.0.get(&profile)
    }

    /// Everything that was found while loading.
    pub fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.values().flat_map(|loaded| &loaded.problems)
    }

    /// What is wrong with the rule files; what is so for each profile is said once.
    pub fn errors(&self) -> Vec<Diagnostic> {
        let mut errors: Vec<Diagnostic> = Vec::new();
        for problem in self.problems().filter(|problem| problem.severity == Severity::Error) {
            if !errors.iter().any(|known| known.to_string() == problem.to_string()) {
                errors.push(problem.clone());
            }
        }
        errors
    }
}

/// Loads the rule files given; when only test files were, those of the same name, and all beside them when these do
/// not have everything.
fn load(
    found: &[files::Found],
    tests: &[TestFile],
    profile: Profile,
    allow_outside: bool,
) -> anyhow::Result<Loaded> {
    let mut includes = Disk::new(allow_outside);
    let mut given: Vec<_> = found.iter().filter(|found| !found.is_test()).cloned().collect();
    if given.is_empty() {
        for file in tests {
            let stem = harness::rule_stem(file.source.name());
            let paths = files::RULE_EXTENSIONS.map(|e| PathBuf::from(format!("{stem}.{e}")));
            let existing = paths.into_iter().filter(|path| path.is_file());
            given.extend(existing.map(|path| files::Found { path, named: false }));
        }
        let loaded = rule::load_with(&inputs(&given)?, profile, &mut includes);
        if !loaded.has_errors() && tests.iter().all(|file| has_rules(file, &loaded)) {
            return Ok(loaded);
        }
        for file in tests {
            let folder = Path::new(file.source.name()).parent().unwrap_or(Path::new(""));
            given.extend(files::rules_beside(folder)?);
        }
        given.sort();
        given.dedup_by(|a, b| files::shown(&a.path) == files::shown(&b.path));
    }
    let mut loaded = rule::load_with(&inputs(&given)?, profile, &mut includes);
    // Other YAML and JSON files may lie beside rules.
    loaded.problems.retain(|problem| problem.code != codes::NO_RULES);
    Ok(loaded)
}

fn has_rules(file: &TestFile, loaded: &Loaded) -> bool {
    let names = file.tests.iter().filter_map(|test| test.rules.as_ref()).flatten();
    names.into_iter().all(|name| loaded.set.rules.contains_key(name.name.as_str()))
}

fn inputs(found: &[files::Found]) -> anyhow::Result<Vec<Input>> {
    found.iter().map(files::read).collect()
}

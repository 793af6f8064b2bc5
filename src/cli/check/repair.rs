//! `check --fix`: repairs written into the files, or shown as a diff.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};

use super::super::Exit;
use super::super::includes::Disk;
use super::super::show::count;
use super::{Files, diff};
use crate::limits::FIX_ROUNDS_MAX;
use crate::lint::{self, Levels};
use crate::profile::Profile;
use crate::rule::{self, Input};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file with repairs.
pub(super) struct Repaired {
    /// Which of the inputs.
    at: usize,
    before: Input,
    after: Vec<u8>,
    /// What was done.
    titles: Vec<String>,
}

/// Repairs all files as far as it goes; nothing is written.
pub(super) fn repair(files: &Files, levels: &Levels, profile: Profile) -> Vec<Repaired> {
    let mut inputs = files.inputs.clone();
    let mut titles: Vec<Vec<String>> = vec![Vec::new(); inputs.len()];
    let places: BTreeMap<&str, usize> =
        files.inputs.iter().enumerate().map(|(at, input)| (input.path.as_str(), at)).collect();
    for _ in 0..FIX_ROUNDS_MAX {
        let loaded = rule::load_with(&inputs, profile, &mut Disk::new(false));
        let checked = lint::check(&loaded, &[], &mut levels.clone());
        let mut changed = false;
        for document in &loaded.documents {
            let Some(&at) = places.get(document.source.name()) else { continue };
            let Some(fixed) = lint::fix(document, &checked.findings, profile) else { continue };
            let mark = if inputs[at].bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK } else { &[] };
            inputs[at].bytes = [mark, fixed.text.as_bytes()].concat();
            titles[at].extend(fixed.titles);
            changed = true;
        }
        if !changed {
            break;
        }
    }
    let mut repaired = Vec::new();
    for (at, (input, titles)) in inputs.into_iter().zip(titles).enumerate() {
        if input.bytes != files.inputs[at].bytes {
            repaired.push(Repaired { at, before: files.inputs[at].clone(), after: input.bytes, titles });
        }
    }
    repaired
}

/// Shows what would be done.
pub(super) fn show(repaired: &[Repaired], quiet: bool) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    for file in repaired {
        let text = String::from_utf8_lossy;
        write!(out, "{}", diff::unified(&file.before.path, &text(&file.before.bytes), &text(&file.after)))?;
    }
    if !quiet {
        let repairs = repaired.iter().map(|file| file.titles.len()).sum();
        writeln!(out, "would make {} in {}", count(repairs, "repair"), count(repaired.len(), "file"))?;
    }
    Ok(if repaired.is_empty() { Exit::Ok } else { Exit::Failed })
}

/// Writes what was done, and lets the check go on with it.
pub(super) fn write(repaired: &[Repaired], files: &mut Files, tell: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for file in repaired {
        let path = &files.rules[file.at].path;
        let name = &file.before.path;
        if fs::read(path).with_context(|| format!("cannot read {name}"))? != file.before.bytes {
            bail!("{name} was changed while it was checked; nothing was written to it");
        }
        replace(path, &file.after).with_context(|| format!("cannot write {name}"))?;
        files.inputs[file.at].bytes.clone_from(&file.after);
        for title in file.titles.iter().filter(|_| tell) {
            writeln!(out, "repaired {name}: {title}")?;
        }
    }
    Ok(())
}

/// Puts a new file in the place of the old one in one step, so that nobody reads half of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays a link to the file that is repaired.
    let path = path.canonicalize()?;
    let permissions = fs::metadata(&path)?.permissions();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.rulemill-{}", std::process::id()));
    let written = fs::write(&beside, bytes)
        .and_then(|()| fs::set_permissions(&beside, permissions))
        .and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // What is left of it is of no use; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

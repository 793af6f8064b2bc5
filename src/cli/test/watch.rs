//! `test --watch`: the tests that a change touches run again, as soon as the system tells of it.
//!
//! Invariant: what failed stays on the screen: its tests run again with every change, until they pass.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use anyhow::{Context, bail};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::select::Selection;
use super::{TestArgs, Touched, once};
use crate::cli::{Exit, exit, files};

/// Editors change a file in several steps; what comes within this time is one change.
const CALM: Duration = Duration::from_millis(15);

/// What the loop waits for.
enum Next {
    Changed(Vec<PathBuf>),
    End,
}

/// Runs tests until Ctrl-C.
pub(super) fn run(args: &TestArgs) -> anyhow::Result<Exit> {
    if args.format != super::Format::Human {
        bail!("--watch writes for people; leave --format out");
    }
    let (sender, next) = mpsc::channel();
    let end = sender.clone();
    ctrlc::set_handler(move || _ = end.send(Next::End)).context("cannot wait for Ctrl-C")?;
    let mut watch = Watch {
        args,
        watcher: watcher(sender)?,
        watched: BTreeSet::new(),
        touched: Touched::default(),
        readers: BTreeMap::new(),
    };
    watch.again(None)?;
    loop {
        let Some(changed) = gather(&next) else { return Ok(Exit::Ok) };
        let changed: BTreeSet<PathBuf> = changed.iter().map(|path| real(path)).collect();
        if let Some(tests) = watch.affected(&changed) {
            watch.again(tests.as_ref())?;
        }
    }
}

fn watcher(sender: Sender<Next>) -> anyhow::Result<RecommendedWatcher> {
    let heard = move |event: notify::Result<Event>| {
        let Ok(event) = event else { return };
        // Reading is no change; a command's own reading would start it again for ever.
        if !matches!(event.kind, EventKind::Access(_)) {
            let _ = sender.send(Next::Changed(event.paths));
        }
    };
    notify::recommended_watcher(heard).context("cannot watch files")
}

/// The paths of a change and of those that follow at once; `None` at the end.
fn gather(next: &Receiver<Next>) -> Option<Vec<PathBuf>> {
    let Ok(Next::Changed(mut paths)) = next.recv() else { return None };
    loop {
        match next.recv_timeout(CALM) {
            Ok(Next::Changed(more)) => paths.extend(more),
            Ok(Next::End) | Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => return Some(paths),
        }
    }
}

struct Watch<'a> {
    args: &'a TestArgs,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    touched: Touched,
    /// The test files that read a file; `None`: all may.
    readers: BTreeMap<PathBuf, Option<BTreeSet<PathBuf>>>,
}

impl Watch<'_> {
    /// The test files that a change touches: `Some(None)` for all, `None` where it touches none.
    fn affected(&self, changed: &BTreeSet<PathBuf>) -> Option<Option<BTreeSet<PathBuf>>> {
        let mut tests = self.touched.failed.clone();
        let mut relevant = false;
        for path in changed {
            match self.readers.get(path) {
                // One that all share may be about any of them, and so may one that is new, or gone.
                Some(None) => return Some(None),
                Some(_) if files::is_test(path) && !path.exists() => return Some(None),
                None if is_ours(path) => return Some(None),
                None => {}
                Some(Some(own)) => {
                    relevant = true;
                    tests.extend(own.iter().cloned());
                }
            }
        }
        relevant.then_some(Some(tests))
    }

    /// Notes who reads what.
    fn note_readers(&mut self) {
        self.readers.clear();
        for (test, own) in &self.touched.by_test {
            for path in own {
                let readers = self.readers.entry(real(path)).or_insert_with(|| Some(BTreeSet::new()));
                readers.iter_mut().for_each(|readers| _ = readers.insert(test.clone()));
            }
        }
        self.readers.extend(self.touched.shared.iter().map(|path| (real(path), None)));
    }

    /// Runs all tests, or only those of some files.
    fn again(&mut self, only: Option<&BTreeSet<PathBuf>>) -> anyhow::Result<()> {
        let screen = io::stdout().is_terminal();
        if screen {
            // Clears the screen and goes to its top, so that a run always stands at the same place.
            write!(io::stdout(), "\x1b[2J\x1b[3J\x1b[H")?;
        }
        match only {
            Some(only) => only.iter().for_each(|path| {
                self.touched.by_test.remove(path);
                self.touched.failed.remove(path);
            }),
            None => self.touched = Touched::default(),
        }
        let before = self.touched.by_test.len();
        let run = once(self.args, only, &mut self.touched);
        // A folder that went away, a file that cannot be read: the next change may bring it back.
        if let Err(e) = &run {
            exit::report(e);
            self.touched.shared.extend(self.args.targets.iter().map(PathBuf::from));
        }
        // Before it is said, so that no change after it is missed.
        self.note_readers();
        self.watch_folders();
        let mut out = io::stdout().lock();
        if only.is_some() && before > 0 {
            let noun = if before == 1 { "file" } else { "files" };
            writeln!(out, "{before} other test {noun} untouched")?;
        }
        writeln!(out, "watching; Ctrl-C ends{}", if screen { "" } else { "\n" })?;
        out.flush()?;
        Ok(())
    }

    /// Watches every folder that the tests read from, and those that are searched.
    fn watch_folders(&mut self) {
        let targets =
            Selection::of(&self.args.targets).map(|selection| selection.to_read()).unwrap_or_default();
        let searched: Vec<PathBuf> = match targets.is_empty() {
            true => vec![PathBuf::from(files::DEFAULT_FOLDER)],
            false => targets,
        };
        for path in searched.iter().filter(|path| path.is_dir()) {
            self.watch(path, RecursiveMode::Recursive);
        }
        let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
        let used = self.touched.by_test.values().flatten().chain(&self.touched.shared).chain(&searched);
        // A file that is saved by a rename is another one: its folder tells of both.
        folders.extend(used.filter_map(|path| Some(path.parent()?.to_path_buf())));
        for folder in folders {
            let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
            self.watch(&folder, RecursiveMode::NonRecursive);
        }
    }

    fn watch(&mut self, folder: &Path, mode: RecursiveMode) {
        let real = real(folder);
        if real.is_dir() && !self.watched.contains(&real) && self.watcher.watch(&real, mode).is_ok() {
            self.watched.insert(real);
        }
    }
}

/// May a file that no test has read hold tests or rules?
fn is_ours(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !hidden && (files::RULE_EXTENSIONS.contains(&extension) || files::is_test(path))
}

/// A path that is the same however it was written, of a file that may be gone.
fn real(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (path.file_name(), parent.canonicalize()) {
        (Some(name), Ok(parent)) => parent.join(name),
        _ => path.canonicalize().unwrap_or_else(|_| path.to_path_buf()),
    }
}

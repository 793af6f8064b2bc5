//! `rulemill init`: a folder that a team can start from.
//!
//! Invariant: no file that is there is changed; either all of the new ones are written, or a sentence says why not.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::{Exit, files};

/// Options of `init`.
#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// The folder; the present one when not given.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// One file of the project.
struct Template {
    path: &'static str,
    text: &'static str,
    /// A repository may well have its own, and keeps it.
    optional: bool,
}

/// What a new project holds.
const PROJECT: &[Template] = &[
    required("rules/hot_room.yaml", include_str!("project/hot_room.yaml")),
    required("rules/hot_room.test.yaml", include_str!("project/hot_room.test.yaml")),
    required("fixtures/hot_room.json", include_str!("project/hot_room.json")),
    required(".github/workflows/rules.yml", include_str!("project/workflow.yml")),
    optional("README.md", include_str!("project/README.md")),
    optional(".gitignore", include_str!("project/gitignore")),
];

const fn required(path: &'static str, text: &'static str) -> Template {
    Template { path, text, optional: false }
}

const fn optional(path: &'static str, text: &'static str) -> Template {
    Template { path, text, optional: true }
}

/// Writes the project and says what to do with it.
pub(super) fn run(args: InitArgs) -> anyhow::Result<Exit> {
    let shown = |path: &Path| files::shown(&args.dir.join(path));
    if args.dir.exists() && !args.dir.is_dir() {
        bail!("'{}' is a file; name a folder", files::shown(&args.dir));
    }
    // A link that leads nowhere is there, too.
    let is_there = |template: &&Template| fs::symlink_metadata(args.dir.join(template.path)).is_ok();
    let in_the_way: Vec<String> = PROJECT
        .iter()
        .filter(|template| !template.optional && is_there(template))
        .map(|template| shown(Path::new(template.path)))
        .collect();
    if !in_the_way.is_empty() {
        bail!("nothing was written, since these are there already: {}", in_the_way.join(", "));
    }
    let mut out = io::stdout().lock();
    for template in PROJECT {
        let path = args.dir.join(template.path);
        if template.optional && is_there(&template) {
            writeln!(out, "kept    {}", shown(Path::new(template.path)))?;
            continue;
        }
        create(&path, template.text)?;
        writeln!(out, "created {}", shown(Path::new(template.path)))?;
    }
    writeln!(out, "\nNext:")?;
    if args.dir != Path::new(".") {
        writeln!(out, "  cd {}", files::shown(&args.dir))?;
    }
    let steps = [
        ("rulemill test", "runs the tests beside the rules"),
        ("rulemill check", "says what is wrong with the rules"),
        ("rulemill fn", "lists the functions that SQL can call"),
        #[cfg(feature = "live")]
        ("rulemill run", "starts a broker with these rules, on MQTT port 1883"),
    ];
    for (command, what) in steps {
        writeln!(out, "  {command:14}  {what}")?;
    }
    writeln!(out, "\nThen change rules/hot_room.yaml and its test, or put your own rules beside them.")?;
    Ok(Exit::Ok)
}

/// Writes a file that must not be there yet.
fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", files::shown(path));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(cannot)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)
}

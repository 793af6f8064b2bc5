//! `rulemill convert`: the same rules in another format.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::files::{self, Found};
use super::includes::Disk;
use super::{Exit, show};
use crate::document::{self, Data, Document, Entry, Format, Node, Release, Style};
use crate::text::Span;

/// Options of `convert`.
#[derive(Args, Debug)]
pub struct ConvertArgs {
    /// A rule file: YAML, JSON, HOCON or SQL.
    file: PathBuf,
    /// The format; that of the output's name when not given.
    #[arg(long, value_enum, value_name = "FORMAT", required_unless_present = "output")]
    to: Option<Target>,
    /// File to write; standard output when not given.
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long, requires = "output")]
    force: bool,
    /// Let included files lie outside the project.
    #[arg(long)]
    allow_outside: bool,
}

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    Hocon,
    Json,
    Yaml,
}

impl Target {
    fn format(self) -> Format {
        match self {
            Target::Hocon => Format::Hocon,
            Target::Json => Format::Json,
            Target::Yaml => Format::Yaml,
        }
    }
}

/// Reads the file and writes it in the other format.
pub fn run(args: ConvertArgs) -> anyhow::Result<Exit> {
    let format = target(&args)?;
    let mut err = anstream::stderr().lock();
    let document = match read(&args) {
        Ok(Ok(document)) => document,
        Ok(Err(problems)) => {
            show::blocks(&mut err, &problems)?;
            return Ok(Exit::Usage);
        }
        Err(e) => return Err(e),
    };
    show::blocks(&mut err, &document.notes)?;
    let text = match document::write(&document, format) {
        Ok(text) => text,
        Err(problem) => {
            show::blocks(&mut err, &[problem])?;
            return Ok(Exit::Usage);
        }
    };
    for remark in remarks(&document, format) {
        writeln!(err, "note: {remark}")?;
    }
    match &args.output {
        Some(path) => store(path, &text, args.force)?,
        None => io::stdout().write_all(text.as_bytes())?,
    }
    Ok(Exit::Ok)
}

fn target(args: &ConvertArgs) -> anyhow::Result<Format> {
    let named = args.output.as_deref().and_then(Format::of);
    match (args.to.map(Target::format), named, &args.output) {
        (Some(to), Some(named), Some(path)) if to != named => {
            bail!("--to says {}, and the name of {} {}", to.name(), files::shown(path), named.name())
        }
        (Some(to), ..) => Ok(to),
        (None, Some(named), _) => Ok(named),
        _ => bail!("the output's name tells no format; add --to hocon, json or yaml"),
    }
}

/// The document, or what is wrong with the file.
fn read(args: &ConvertArgs) -> anyhow::Result<Result<Document, Vec<crate::diag::Diagnostic>>> {
    let input = files::read(&Found { path: args.file.clone(), named: true })?;
    if args.file.extension().is_some_and(|e| e == "sql") {
        let stem = args.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        return Ok(document::decode(&input.path, &input.bytes)
            .map(|source| {
                let root = of_sql(&stem, source.text());
                Document { source, root, notes: Vec::new() }
            })
            .map_err(|problem| vec![problem]));
    }
    let Some(format) = Format::of(&args.file) else {
        bail!("{} is no rule file: their names end in .yaml, .yml, .json, .hocon, .conf or .sql", input.path);
    };
    let mut disk = Disk::new(args.allow_outside);
    Ok(Document::read_with(&input.path, &input.bytes, format, Release::default(), &mut disk))
}

/// The rule that a bare SQL file is.
fn of_sql(stem: &str, sql: &str) -> Node {
    let span = Span::new(0, sql.len());
    let node = |data| Node { span, style: Style::Plain, data };
    let text = |text: &str| node(Data::Text(Arc::from(text)));
    let map = |entries: Vec<(&str, Node)>| {
        let entry = |(key, value)| Entry { key: Arc::from(key), key_span: span, value };
        node(Data::Map(Arc::new(entries.into_iter().map(entry).collect())))
    };
    let console = node(Data::List(Arc::new(vec![map(vec![("function", text("console"))])])));
    let rule = map(vec![("sql", text(sql)), ("actions", console)]);
    map(vec![("rule_engine", map(vec![("rules", map(vec![(stem, rule)]))]))])
}

/// What is worth knowing about the output.
fn remarks(document: &Document, format: Format) -> Vec<String> {
    let mut remarks = Vec::new();
    if format != Format::Yaml && document.root.get("rulemill").is_some() {
        remarks.push(
            "a broker does not know the root key `rulemill`; remove it before EMQX reads the file".to_owned(),
        );
    }
    let comments = document::comments(document);
    if format == Format::Json && comments > 0 {
        remarks.push(format!("{} left out: JSON has none", show::count(comments, "comment")));
    }
    remarks
}

/// Writes a file as a whole or not at all.
fn store(path: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let shown = files::shown(path);
    if path.exists() && !force {
        bail!("{shown} is there; --force writes over it");
    }
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let beside = path.with_file_name(name);
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| _ = fs::remove_file(&beside))
        .with_context(|| format!("cannot write {shown}"))
}

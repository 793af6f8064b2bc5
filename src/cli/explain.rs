//! `rulemill explain`: the page of a code.

use std::io::{self, Write};

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use super::Exit;
use super::show::OutputFormat;
use crate::diag::{codes, examples, nearest};
use crate::lint::{self, Example, Lint, Repair};

/// Options of `explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// Codes such as E404 or W01, or names of lints; all are listed when there is none.
    #[arg(value_name = "CODE|NAME")]
    codes: Vec<String>,
    /// How pages are written.
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
}

/// One page.
enum Page {
    Lint(&'static Lint),
    Error(&'static codes::Code),
}

/// Prints the pages, or the list of all.
pub fn run(args: ExplainArgs) -> anyhow::Result<Exit> {
    let pages: Vec<Page> = match args.codes.is_empty() {
        true => all(),
        false => args.codes.iter().map(|code| find(code)).collect::<Result<_, _>>()?,
    };
    match (args.format, args.codes.is_empty()) {
        (OutputFormat::Json, _) => {
            let list: Vec<Value> = pages.iter().map(Page::json).collect();
            writeln!(io::stdout(), "{:#}", json!({ "pages": list }))?;
        }
        (_, true) => list(&pages)?,
        (_, false) => {
            let texts: Vec<String> = pages.iter().map(Page::text).collect();
            write!(io::stdout(), "{}", texts.join("\n\n"))?;
        }
    }
    Ok(Exit::Ok)
}

fn all() -> Vec<Page> {
    let errors = codes::CODES.iter().map(Page::Error);
    lint::all().iter().map(|lint| Page::Lint(lint)).chain(errors).collect()
}

fn find(word: &str) -> anyhow::Result<Page> {
    if let Some(lint) = lint::find(word) {
        return Ok(Page::Lint(lint));
    }
    if let Some(code) = codes::find(word) {
        return Ok(Page::Error(code));
    }
    let near = lint::nearest_name(word).or_else(|| nearest(word, codes::CODES.iter().map(|page| page.code)));
    match near {
        Some(near) => bail!("there is no code '{word}'; did you mean '{near}'?"),
        None => bail!("there is no code '{word}'; `rulemill explain` lists all"),
    }
}

fn list(pages: &[Page]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let width = lint::all().iter().map(|lint| lint.name.len()).max().unwrap_or_default();
    writeln!(out, "Lints, with what their findings do unless told otherwise:")?;
    for page in pages {
        match page {
            Page::Lint(lint) => {
                writeln!(
                    out,
                    "  {} {:width$}  {:5}  {}",
                    lint.code,
                    lint.name,
                    lint.level.name(),
                    lint.summary
                )?;
            }
            Page::Error(code) => {
                if code.code == codes::CODES[0].code {
                    writeln!(out, "\nErrors:")?;
                }
                writeln!(out, "  {} {}", code.code, code.title)?;
            }
        }
    }
    writeln!(out, "\n`rulemill explain CODE` shows a page with its examples.")
}

impl Page {
    fn text(&self) -> String {
        match self {
            Page::Lint(lint) => lint_text(lint),
            Page::Error(code) => error_text(code),
        }
    }

    fn json(&self) -> Value {
        match self {
            Page::Lint(lint) => json!({
                "code": lint.code, "name": lint.name, "summary": lint.summary, "level": lint.level.name(),
                "what": lint.what, "why": lint.why, "quiet": lint.quiet, "fix": repair(lint),
                "bad": lint_files(&lint.bad), "good": lint_files(&lint.good),
            }),
            Page::Error(code) => {
                let example = examples::find(code.code);
                let files =
                    |of: Option<examples::Example>| of.map(|example| files_json(&error_files(&example)));
                json!({
                    "code": code.code, "summary": code.title, "text": code.text,
                    "bad": files(example.map(|(bad, _)| bad)), "good": files(example.map(|(_, good)| good)),
                })
            }
        }
    }
}

fn lint_text(lint: &Lint) -> String {
    let mut text = format!("{}\n{}\n\n", lint.heading(), lint.summary);
    paragraph(&mut text, lint.what);
    paragraph(&mut text, lint.why);
    let level = format!(
        "Level: {}. Set it in a rule file by `rulemill: {{ lints: {{ {}: allow }} }}`, on the command \
                         line by `--allow {}`, in SQL by `-- rulemill: allow({})`.",
        lint.level.name(),
        lint.name,
        lint.code,
        lint.code
    );
    paragraph(&mut text, &level);
    if let Some(reason) = lint.quiet {
        paragraph(&mut text, &format!("Why no more than that: {reason}."));
    }
    if let Some(repair) = repair(lint) {
        paragraph(&mut text, &format!("`rulemill check --fix` repairs it: {repair}."));
    }
    show(&mut text, "Found", &files_of(&lint.bad));
    show(&mut text, "Right", &files_of(&lint.good));
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn error_text(code: &codes::Code) -> String {
    let mut text = format!("{} {}\n\n", code.code, code.title);
    paragraph(&mut text, code.text);
    if let Some((bad, good)) = examples::find(code.code) {
        show(&mut text, "Wrong", &error_files(&bad));
        show(&mut text, "Right", &error_files(&good));
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn repair(lint: &Lint) -> Option<&'static str> {
    match lint.repair {
        Repair::Certain(how) => Some(how),
        Repair::ByHand => None,
    }
}

/// A paragraph in lines of at most 100 characters, and a blank line.
fn paragraph(out: &mut String, text: &str) {
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 100 {
            out.push('\n');
            width = 0;
        }
        if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out.push_str("\n\n");
}

/// A name and what stands under it.
type File = (String, String);

fn show(out: &mut String, title: &str, files: &[File]) {
    for (name, text) in files {
        let title = if name.is_empty() { format!("{title}:") } else { format!("{title}, {name}:") };
        out.push_str(&title);
        out.push('\n');
        for line in text.trim_end().lines() {
            out.push_str(format!("    {line}").trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
}

fn file(name: &str, text: &str) -> File {
    (name.to_owned(), text.to_owned())
}

fn files_of(example: &Example) -> Vec<File> {
    match example {
        Example::Sql(text) => vec![file("", text)],
        Example::Rules(text) => vec![file("in a rule file", text)],
        Example::Tested(rules, tests) => vec![file("r.yaml", rules), file("r.test.yaml", tests)],
    }
}

fn error_files(example: &examples::Example) -> Vec<File> {
    use examples::Example as E;
    match example {
        E::Sql(text) => vec![file("", text)],
        E::OldSql(text) => vec![file("EMQX 4.3", text)],
        E::Run(text, payload) => vec![file("", text), file("payload", payload)],
        E::Rules(text) => vec![file("in a rule file", text)],
        E::Bytes(bytes) => {
            vec![file("in a rule file", &bytes.escape_ascii().to_string().replace("\\n", "\n"))]
        }
        E::Named(name, text) => vec![file(name, text)],
        E::Formatted(text) => vec![file("in a rule file, for `rulemill fmt`", text)],
        E::ToJson(text) => vec![file("in a rule file, for `rulemill convert --to json`", text)],
        E::Tests(text) => vec![file("in a test file", text)],
    }
}

fn lint_files(example: &Example) -> Value {
    files_json(&files_of(example))
}

fn files_json(files: &[File]) -> Value {
    files.iter().map(|(what, text)| json!({ "what": what, "text": text })).collect()
}

//! The findings of a check, in each format.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::super::show::{self, count};
use super::{Checked, Shown};
use crate::diag::{Diagnostic, Severity, codes, github, json as diag_json, sarif};
use crate::lint;

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// Workflow commands of GitHub Actions.
    Github,
    /// SARIF 2.1.0.
    Sarif,
}

/// Writes what was found to standard output.
pub(super) fn write(checked: &Checked, format: CheckFormat, quiet: bool) -> io::Result<()> {
    let diagnostics = || checked.findings.iter().map(|shown| &shown.diagnostic);
    match format {
        CheckFormat::Human => human(checked, quiet),
        CheckFormat::Json => writeln!(io::stdout(), "{:#}", document(checked)),
        CheckFormat::Github => {
            let mut out = io::stdout().lock();
            diagnostics().try_for_each(|diagnostic| writeln!(out, "{}", github::to_command(diagnostic)))
        }
        CheckFormat::Sarif => {
            let list: Vec<Diagnostic> = diagnostics().cloned().collect();
            writeln!(io::stdout(), "{:#}", sarif::to_log(&list, &page))
        }
    }
}

fn human(checked: &Checked, quiet: bool) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    for shown in &checked.findings {
        let mut diagnostic = shown.diagnostic.clone();
        if let Some(fix) = &shown.fix {
            // Help that says the same is said once.
            diagnostic.help.push(format!("`rulemill check --fix` can do it: {fix}"));
        }
        show::blocks(&mut out, std::slice::from_ref(&diagnostic))?;
    }
    if quiet {
        return Ok(());
    }
    let (errors, warnings) = (checked.count(Severity::Error), checked.count(Severity::Warning));
    let verdict = match (errors, warnings) {
        (0, 0) => "no problems".to_owned(),
        (0, _) => count(warnings, "warning"),
        (_, 0) => count(errors, "error"),
        _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    writeln!(out, "{} in {}: {verdict}", count(checked.rules, "rule"), count(checked.files, "file"))
}

fn document(checked: &Checked) -> Value {
    let finding = |shown: &Shown| {
        let mut object = diag_json::to_json(&shown.diagnostic);
        if let Some(lint) = lint::find(shown.diagnostic.code) {
            object["lint"] = json!(lint.name);
        }
        if let Some(fix) = &shown.fix {
            object["fix"] = json!({ "title": fix });
        }
        object
    };
    json!({
        "rules": checked.rules,
        "files": checked.files,
        "errors": checked.count(Severity::Error),
        "warnings": checked.count(Severity::Warning),
        "notes": checked.count(Severity::Note),
        "diagnostics": checked.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// The page of a code, for the list of rules in a SARIF log.
fn page(code: &'static str) -> sarif::Rule {
    if let Some(lint) = lint::find(code) {
        return sarif::Rule {
            id: code,
            name: lint.name.to_owned(),
            summary: lint.summary.to_owned(),
            help: format!("{} {}", lint.what, lint.why),
            severity: lint.level.severity().unwrap_or(Severity::Note),
        };
    }
    let (title, text) = codes::find(code).map_or((code, code), |page| (page.title, page.text));
    let severity = if code == codes::SKIPPED_KEY { Severity::Note } else { Severity::Error };
    sarif::Rule {
        id: code,
        name: code.to_owned(),
        summary: title.to_owned(),
        help: text.to_owned(),
        severity,
    }
}

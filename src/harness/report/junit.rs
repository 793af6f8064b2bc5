//! Results as JUnit XML, in the form that CI servers agree on.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::{github, line};
use crate::diag::Diagnostic;
use crate::harness::{CaseResult, Look, Test, TestFile, report};

/// One case with its time.
#[derive(Clone, Copy, Debug)]
pub struct Timed<'a> {
    /// Its file.
    pub file: &'a TestFile,
    /// Its test.
    pub test: &'a Test,
    /// How it went.
    pub result: &'a CaseResult,
    /// How long it took.
    pub time: Duration,
}

/// The document: one suite a test file, and one for the problems of files.
pub fn document(cases: &[Timed<'_>], problems: &[Diagnostic]) -> String {
    let failed = cases.iter().filter(|case| !case.result.passed()).count();
    let time: Duration = cases.iter().map(|case| case.time).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"rulemill\" tests=\"{}\" failures=\"{failed}\" errors=\"{}\" time=\"{}\">",
        cases.len() + problems.len(),
        problems.len(),
        seconds(time)
    );
    // Shuffled cases of one file need not follow each other.
    let mut files: BTreeMap<&str, Vec<&Timed<'_>>> = BTreeMap::new();
    cases.iter().for_each(|case| files.entry(case.file.source.name()).or_default().push(case));
    files.iter().for_each(|(file, cases)| suite(&mut out, file, cases));
    if !problems.is_empty() {
        let n = problems.len();
        let _ = writeln!(out, "  <testsuite name=\"files\" tests=\"{n}\" failures=\"0\" errors=\"{n}\">");
        problems.iter().for_each(|problem| error(&mut out, problem));
        out += "  </testsuite>\n";
    }
    out += "</testsuites>\n";
    out
}

fn suite(out: &mut String, file: &str, cases: &[&Timed<'_>]) {
    let failed = cases.iter().filter(|case| !case.result.passed()).count();
    let time: Duration = cases.iter().map(|case| case.time).sum();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" time=\"{}\">",
        escaped(file),
        cases.len(),
        seconds(time)
    );
    for case in cases {
        let name = escaped(&format!("{} (EMQX {})", case.test.name, case.result.profile));
        let (class, file) = (escaped(file.trim_end_matches(".yaml")), escaped(file));
        let _ = write!(
            out,
            "    <testcase name=\"{name}\" classname=\"{class}\" file=\"{file}\" line=\"{}\" time=\"{}\"",
            line(case.file, case.test),
            seconds(case.time)
        );
        match case.result.passed() {
            true => out.push_str("/>\n"),
            false => failure(out, case),
        }
    }
    out.push_str("  </testsuite>\n");
}

fn failure(out: &mut String, case: &Timed<'_>) {
    let first = match (case.result.problems.first(), case.result.differences.first()) {
        (_, Some(difference)) => github::sentence(difference),
        (Some(problem), None) => problem.message.clone(),
        (None, None) => String::new(),
    };
    let mut text: String = case.result.problems.iter().map(|problem| format!("{problem}\n")).collect();
    let look = Look::plain(super::super::look::WIDTH);
    text += &report::failure_block(case.file, case.test, case.result, "rulemill test", look);
    let _ = write!(
        out,
        ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
        escaped(&first),
        escaped_text(&text)
    );
}

fn error(out: &mut String, problem: &Diagnostic) {
    let (file, line) = match (&problem.source, problem.labels.first()) {
        (Some(source), Some(label)) => (source.name(), source.position(label.span.start as usize).line),
        (Some(source), None) => (source.name(), 1),
        (None, _) => ("", 1),
    };
    let _ = writeln!(
        out,
        "    <testcase name=\"{}\" classname=\"files\" file=\"{}\" line=\"{line}\" time=\"0.000\">\n      \
         <error message=\"{}\">{}</error>\n    </testcase>",
        escaped(problem.code),
        escaped(file),
        escaped(&problem.message),
        escaped_text(&problem.to_string())
    );
}

fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

/// A text in an attribute: line breaks would become blanks there.
fn escaped(text: &str) -> String {
    escaped_text(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// A text between tags; what XML 1.0 cannot hold at all is replaced.
fn escaped_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escaped("a<b>&\"\u{1}\n\t\u{1f600}"), "a&lt;b&gt;&amp;&quot;\u{fffd}&#10;&#9;\u{1f600}");
    }
}

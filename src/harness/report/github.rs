//! Results as workflow commands of GitHub Actions, which show them beside the changed lines.

use super::{DifferenceKind, line};
use crate::diag::Diagnostic;
use crate::harness::compare::Difference;
use crate::harness::{CaseResult, Test, TestFile, show};

/// One command for each difference and problem of a case; none when it passed.
pub fn case(file: &TestFile, test: &Test, result: &CaseResult) -> Vec<String> {
    if result.passed() {
        return Vec::new();
    }
    let title = format!("{} (EMQX {})", test.name, result.profile);
    let mut commands: Vec<String> = result.problems.iter().map(problem).collect();
    commands.extend(result.differences.iter().map(|difference| {
        let at = file.source.position(difference.span.start as usize);
        command(file.source.name(), at.line, Some(at.column), &title, &sentence(difference))
    }));
    if commands.is_empty() {
        commands.push(command(file.source.name(), line(file, test), None, &title, "the test failed"));
    }
    commands
}

/// A command for a diagnostic.
pub fn problem(problem: &Diagnostic) -> String {
    let (mut name, mut line, mut column) = ("", 1, None);
    if let Some(source) = &problem.source {
        name = source.name();
        if let Some(label) = problem.labels.first() {
            let at = source.position(label.span.start as usize);
            (line, column) = (at.line, Some(at.column));
        }
    }
    let message = std::iter::once(&problem.message).chain(&problem.help).cloned().collect::<Vec<_>>();
    command(name, line, column, problem.code, &message.join("\n"))
}

/// What is different, in a sentence.
pub fn sentence(difference: &Difference) -> String {
    let path = if difference.path.is_empty() { "the result" } else { &difference.path };
    let (expected, actual) = (show::cut(&difference.expected), show::cut(&difference.actual));
    let mut text = match difference.kind {
        DifferenceKind::Missing => format!("{path} is missing: expected {expected}"),
        DifferenceKind::Unexpected => format!("{path} is not expected: {actual}"),
        DifferenceKind::Different => format!("{path}: expected {expected}, got {actual}"),
    };
    if let Some(hint) = &difference.hint {
        text += &format!(" ({hint})");
    }
    text
}

fn command(file: &str, line: usize, column: Option<usize>, title: &str, message: &str) -> String {
    let column = column.map_or(String::new(), |column| format!(",col={column}"));
    format!(
        "::error file={},line={line}{column},title={}::{}",
        property(file),
        property(title),
        data(message)
    )
}

/// The escapes of a command's text.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of a command's properties.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_one_line_whatever_they_say() {
        let shown = command("a,b:c.yaml", 3, Some(7), "100 %\r\n, so", "x: 1, 2\n::error::no");
        let expected =
            "::error file=a%2Cb%3Ac.yaml,line=3,col=7,title=100 %25%0D%0A%2C so::x: 1, 2%0A::error::no";
        assert_eq!(shown, expected);
    }
}

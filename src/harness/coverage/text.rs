//! Coverage for people at a terminal.

use std::fmt::Write;

use super::excerpt::{self, Line, State};
use super::summary::{Count, Coverage, RuleCoverage};

/// Each rule that something was not reached of: its SQL, `!` before lines with gaps and `~` before those where only
/// something good to know is missing; below them what it is.
pub fn blocks(coverage: &Coverage) -> String {
    let mut out = String::new();
    for rule in &coverage.rules {
        let (count, advisory) = (rule.count(), rule.advisory());
        if count.reached < count.points || advisory.reached < advisory.points {
            write_rule(&mut out, rule, count);
            out.push('\n');
        }
    }
    out
}

fn write_rule(out: &mut String, coverage: &RuleCoverage, count: Count) {
    let rule = &coverage.rule;
    let (file, line) = (rule.place.file(), rule.place.line());
    let (reached, all) = (count.reached, points(count.points));
    let _ = writeln!(out, "{} ({file}:{line}), {reached} of {all}, {}", rule.id, coverage.ran());
    let excerpts = excerpt::excerpts(coverage);
    let numbers = excerpts.iter().flat_map(|excerpt| &excerpt.lines).map(|line| line.number);
    let width = numbers.max().unwrap_or(0).to_string().len();
    let sql_file = rule.sql.file.name();
    for excerpt in &excerpts {
        // Of the actions, only what is missing is of interest.
        let shown = |line: &&Line| !excerpt.beside || line.state() > Some(State::Reached);
        let lines: Vec<&Line> = excerpt.lines.iter().filter(shown).collect();
        if excerpt.beside && !lines.is_empty() {
            let file = if excerpt.file == sql_file { "" } else { &excerpt.file };
            let _ = writeln!(out, "{}", format!("  {:width$} … {file}", "").trim_end());
        }
        lines.into_iter().for_each(|line| write_line(out, line, width));
    }
}

fn points(n: usize) -> String {
    if n == 1 { "1 point".to_owned() } else { format!("{n} points") }
}

fn write_line(out: &mut String, line: &Line, width: usize) {
    let gutter = match line.state() {
        Some(State::Gap) => '!',
        Some(State::Advisory) => '~',
        _ => ' ',
    };
    let _ = writeln!(out, "{gutter} {:>width$} | {}", line.number, line.text);
    for mark in line.marks.iter().filter(|mark| mark.state > State::Reached) {
        let sign = if mark.state == State::Gap { "^" } else { "~" };
        // Tabs stay, so that what is below them stands there.
        let before: String =
            line.text.chars().take(mark.from).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let under = sign.repeat(mark.to - mark.from);
        let _ = writeln!(out, "  {:width$} | {before}{under} {}", "", mark.sentence);
    }
}

/// One line a rule, and their sum.
pub fn table(coverage: &Coverage) -> String {
    let mut rows = vec![["rule", "points", "covered", "advisory"].map(str::to_owned)];
    let row = |name: &str, count: Count, advisory: Count| {
        let percent = if count.points == 0 { "–".to_owned() } else { format!("{} %", count.percent()) };
        let of = |count: Count| format!("{}/{}", count.reached, count.points);
        [name.to_owned(), of(count), percent, of(advisory)]
    };
    rows.extend(coverage.rules.iter().map(|rule| row(&rule.rule.id, rule.count(), rule.advisory())));
    rows.push(row("total", coverage.count(), coverage.advisory()));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 4] = std::array::from_fn(width);
    let mut out = String::new();
    for [name, count, percent, advisory] in &rows {
        let [w, x, y, z] = widths;
        let _ = writeln!(out, "{name:w$}  {count:>x$}  {percent:>y$}  {advisory:>z$}");
    }
    out
}

//! Lines of a rule's SQL with values written under what they belong to.
//!
//! ```text
//!   7 | WHERE payload.t > 30 AND qos = 1
//!     |       └ 31.5    │    │   └ 0 └ false
//!     |                 │    └ false
//!     |                 └ true
//! ```
//!
//! Values stand as high as they fit beside those on their right; a line leads up to the place of each.

use std::fmt::Write;

use super::look::Look;
use super::show;
use crate::limits;
use crate::rule::Rule;
use crate::text::Span;

/// A value and the expression it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The expression, in the SQL.
    pub span: Span,
    /// Its place in the SQL that stands for it: an operator, or its start.
    pub anchor: u32,
    /// The value.
    pub text: String,
    /// The value is undefined.
    pub odd: bool,
}

/// Columns that a value gets at least, whatever the width.
const VALUE_COLUMNS_MIN: usize = 24;

/// Writes the rule's SQL, each line with its number in the file and its values below.
pub fn write(out: &mut String, rule: &Rule, marks: &[Mark], look: Look) {
    let file = &rule.sql.file;
    let line_of = |offset: u32| file.position(offset as usize).line;
    let (start, end) = (line_of(rule.sql.span.start), line_of(rule.sql.span.end));
    let width = end.to_string().len();
    let shown = end.min(start + limits::REPORT_SQL_LINES_MAX - 1);
    let placed: Vec<(usize, usize, &Mark)> = marks
        .iter()
        .map(|mark| {
            let at = rule.sql.place(Span { start: mark.anchor, end: mark.anchor + 1 });
            let at = file.position(at.start as usize);
            (at.line, at.column - 1, mark)
        })
        .collect();
    for (number, line) in file.text().lines().enumerate().skip(start - 1).take(shown + 1 - start) {
        let number = number + 1;
        let text = line.trim_end().replace('\t', " ");
        let _ = writeln!(out, "  {} {text}", look.dim(&format!("{number:>width$} |")));
        let below: Vec<(usize, &Mark)> = placed
            .iter()
            .filter(|(line, ..)| *line == number)
            .map(|(_, column, mark)| (*column, *mark))
            .collect();
        for row in rows(below, look.width.saturating_sub(width + 5)) {
            let _ = writeln!(out, "  {} {}", look.dim(&format!("{:>width$} |", "")), written(&row, look));
        }
    }
    if shown < end {
        let _ = writeln!(out, "  {:>width$} | … {} more lines", "", end - shown);
    }
}

/// A row below a line of SQL: lines that lead on, and values.
type Row<'a> = Vec<(usize, Option<(String, &'a Mark)>)>;

/// Lays the values out, the rightmost first.
fn rows(mut marks: Vec<(usize, &Mark)>, width: usize) -> Vec<Row<'_>> {
    marks.sort_by(|(a, one), (b, other)| b.cmp(a).then(one.span.end.cmp(&other.span.end)));
    let mut placed: Vec<(usize, usize, String, &Mark)> = Vec::new();
    for (column, mark) in marks {
        let room = width.saturating_sub(column + 2).max(VALUE_COLUMNS_MIN);
        let text = show::cut_to(&mark.text, room.min(limits::REPORT_VALUE_CHARS_MAX));
        let end = column + 2 + text.chars().count();
        // A value in a row blocks it, and as a line all rows above.
        let fits = |row: usize| placed.iter().all(|(at, other, ..)| *at < row || end < *other);
        let row = (0..).find(|row| fits(*row)).unwrap_or_default();
        placed.push((row, column, text, mark));
    }
    let count = placed.iter().map(|(row, ..)| row + 1).max().unwrap_or_default();
    let mut rows: Vec<Row<'_>> = vec![Vec::new(); count];
    for (row, column, text, mark) in placed {
        rows[..row].iter_mut().for_each(|above| above.push((column, None)));
        rows[row].push((column, Some((text, mark))));
    }
    for row in &mut rows {
        // A value takes the place of a line that passes through it.
        row.sort_by_key(|(column, value)| (*column, value.is_none()));
        row.dedup_by_key(|(column, _)| *column);
    }
    rows
}

fn written(row: &Row<'_>, look: Look) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (column, value) in row {
        out.extend(std::iter::repeat_n(' ', column.saturating_sub(at)));
        match value {
            None => {
                out += &look.dim("│");
                at = column + 1;
            }
            Some((text, mark)) => {
                out += &look.dim("└ ");
                out += &if mark.odd { look.warn(text) } else { look.value(text) };
                at = column + 2 + text.chars().count();
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(marks: &[(usize, &str)], width: usize) -> Vec<String> {
        let marks: Vec<Mark> = marks
            .iter()
            .map(|(_, text)| Mark { span: Span::default(), anchor: 0, text: (*text).to_owned(), odd: false })
            .collect::<Vec<_>>();
        let columns = [0, 4, 10, 10];
        let below = marks.iter().zip(columns).map(|(mark, column)| (column, mark)).collect();
        rows(below, width).iter().map(|row| written(row, Look::plain(width))).collect()
    }

    #[test]
    fn values_stand_as_high_as_they_fit() {
        let shown = laid_out(&[(0, "1"), (4, "long value"), (10, "x"), (10, "y")], 80);
        assert_eq!(shown, ["└ 1 │     └ x", "    │     └ y", "    └ long value"]);
    }

    #[test]
    fn long_values_are_cut_to_the_width() {
        let shown = laid_out(&[(0, &"a".repeat(100))], 40);
        assert_eq!(shown[0].chars().count(), 40);
        assert!(shown[0].ends_with('…'));
    }
}

//! Lints of what the text says and the engines read otherwise: comments, slashes, positions.

use super::finding::{Edit, Fix, Report};
use super::levels::Level;
use super::subject::Subject;
use super::table::{Check, Example, Lint, Repair};
use super::walk::{self, Clause};
use crate::profile::Profile;
use crate::sql::ast::{ArithOp, Expr, ExprKind, Path, PathIndex, PathStep};
use crate::text::Span;
use crate::value::Value;

pub(super) const ROWS: &[Lint] = &[
    Lint {
        code: "W03",
        name: "index-zero",
        level: Level::Deny,
        summary: "position 0 of a list is read; positions count from 1",
        what: "Looks for `[0]` and `[-0]` in a path that is read, and for slices that begin or end at 0. Positions count from 1, \
               or from -1 at the end. `[0]` and `[-0]` mean something only after AS, where they put a value in front of a list or behind it.",
        why: "Reading position 0 is undefined, and a slice with 0 fails the rule.",
        quiet: None,
        bad: Example::Sql("SELECT payload.values[0] AS first FROM \"sensors/+\""),
        good: Example::Sql("SELECT payload.values[1] AS first FROM \"sensors/+\""),
        repair: Repair::ByHand,
        check: Check::Rule(index_zero),
    },
    Lint {
        code: "W05",
        name: "leading-slash",
        level: Level::Deny,
        summary: "a `/` at the start of a line, which EMQX deletes",
        what: "Looks for lines that begin with `/`. Before it parses a statement, EMQX deletes every line feed that is directly \
               followed by a slash, together with the slash.",
        why: "A division whose `/` starts a line is none: `a` and `b` around it become the one name `ab`, or a name and its alias, \
              without a word.",
        quiet: None,
        bad: Example::Sql("SELECT payload.sum\n/payload.count AS mean\nFROM \"sensors/+\""),
        good: Example::Sql("SELECT payload.sum /\n  payload.count AS mean\nFROM \"sensors/+\""),
        repair: Repair::Certain("a blank is put before the slash"),
        check: Check::Lexer,
    },
    Lint {
        code: "W06",
        name: "unfinished-comment",
        level: Level::Warn,
        summary: "two minus signs that look like a comment and are none",
        what: "EMQX takes `--` for a comment only where a line and more of the statement follow. On the last line it is two minus signs: \
               mostly a syntax error (E002), and where a number follows, arithmetic, which this lint reports. `#` starts no comment at \
               all (E001).",
        why: "`a > 5 --10` compares with 15.",
        quiet: None,
        bad: Example::Sql("SELECT payload.v AS v\nFROM \"sensors/+\"\nWHERE payload.v > 5 --10"),
        good: Example::Sql("SELECT payload.v AS v\nFROM \"sensors/+\"\n-- was 10\nWHERE payload.v > 5"),
        repair: Repair::Certain("`#` becomes `--`, and words behind the last `--` move above the last line"),
        check: Check::Rule(unfinished_comment),
    },
];

fn index_zero(subject: &Subject<'_>, report: &mut Report<'_>) {
    let help = "positions count from 1; the last item is [-1]";
    for root in &subject.roots {
        walk::paths(root.expr, &mut |path| {
            for at in zeros(path) {
                report.sql(at, "position 0 is undefined").help(help);
            }
        });
        root.expr.each(&mut |expr| {
            if let ExprKind::Slice(_, first, last) = &expr.kind
                && [first, last].contains(&&Value::Int(0))
            {
                report.sql(expr.span(), "a slice with position 0 fails").help(help);
            }
        });
    }
}

fn zeros(path: &Path) -> impl Iterator<Item = Span> {
    path.steps.iter().filter_map(|step| match step {
        PathStep::Index(PathIndex::Head | PathIndex::Tail | PathIndex::Const(0), at) => Some(at.0),
        _ => None,
    })
}

fn unfinished_comment(subject: &Subject<'_>, report: &mut Report<'_>) {
    let text = subject.rule.sql.text.text();
    for (clause, right) in double_minuses(subject) {
        let at = Span { start: right.span().start - 1, end: right.span().start + 1 };
        let draft = report.sql(at, "`--` is no comment here: EMQX subtracts a negative value").help(
            "put a comment above the last line of the statement; to subtract, write a blank between the signs",
        );
        // What names nothing was never meant as a value.
        let is_prose = walk::any(right, &|expr| {
            walk::as_path(expr).is_some_and(|path| subject.lookup(clause, &path.head.text).is_none())
        });
        if is_prose && let Some(edits) = comment_edits(text).filter(|edits| !edits.is_empty()) {
            draft.fix(Fix { title: "move the comment above the last line".to_owned(), edits });
        }
    }
}

/// The right sides of `a --b`, which look like comments.
pub(super) fn double_minuses<'a>(subject: &Subject<'a>) -> Vec<(Clause, &'a Expr)> {
    let text = subject.rule.sql.text.text();
    let mut found = Vec::new();
    subject.each(&mut |clause, expr| {
        if let ExprKind::Arith(ArithOp::Subtract, _, right) = &expr.kind
            && let ExprKind::Unary(true, _) = right.kind
            && text[..right.span().start as usize].ends_with('-')
        {
            found.push((clause, &**right));
        }
    });
    found
}

/// The slashes that the lexer told of.
pub(super) fn from_lexer(subject: &Subject<'_>, report: &mut Report<'_>) {
    let problems = subject.rule.program.problems();
    for problem in problems.iter().filter(|problem| problem.code == report.lint.code) {
        let Some(label) = problem.labels.first() else { continue };
        let mut draft = report.sql(label.span, &problem.message).label(&label.message);
        for help in &problem.help {
            draft = draft.help(help);
        }
        if let Some(fix) = slash_fix(subject.rule.sql.text.text(), label.span) {
            draft.fix(fix);
        }
    }
}

/// A blank before the slash: the engine deletes only a slash that directly follows a line feed.
fn slash_fix(text: &str, slash: Span) -> Option<Fix> {
    let at = slash.start as usize;
    let holds = |piece: &Piece| piece.kind == PieceKind::Quoted && piece.span.range().contains(&at);
    if pieces(text)?.iter().any(holds) {
        return None;
    }
    Some(Fix::new("put a blank before the `/`", Span { end: slash.start, ..slash }, " "))
}

/// The repair of comments and slashes in a statement that does not parse. Slashes first: a comment may come where a
/// slash stands.
pub(super) fn repair_syntax(text: &str, profile: Profile) -> Option<Fix> {
    let (statement, problems) = crate::sql::parse(text, profile);
    if statement.is_some() {
        return None;
    }
    let slashes = problems.iter().filter(|problem| problem.code == "W05");
    let slashes = slashes.filter_map(|problem| problem.labels.first());
    let mut edits: Vec<Edit> =
        slashes.filter_map(|label| slash_fix(text, label.span)).flat_map(|fix| fix.edits).collect();
    if edits.is_empty() && problems.iter().any(|problem| matches!(problem.code, "E001" | "E002")) {
        edits = comment_edits(text)?;
    }
    let title = "write comments and slashes as EMQX reads them".to_owned();
    (!edits.is_empty()).then_some(Fix { title, edits })
}

/// A stretch of a statement, as its author sees it.
struct Piece {
    kind: PieceKind,
    span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PieceKind {
    /// `'…'` or `"…"`.
    Quoted,
    /// `-- …` or `# …` up to the end of its line.
    Comment,
    /// Any other characters without blanks.
    Word,
}

/// The pieces of a statement; none where a quote is not closed.
fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, len) = match first {
            ' ' | '\t' | '\r' | '\n' => {
                at += first.len_utf8();
                continue;
            }
            '\'' | '"' => (PieceKind::Quoted, 2 + rest[1..].find(first)?),
            '#' => (PieceKind::Comment, line_length(rest)),
            '-' if rest.starts_with("--") => (PieceKind::Comment, line_length(rest)),
            _ => (PieceKind::Word, first.len_utf8()),
        };
        pieces.push(Piece { kind, span: Span::new(at, at + len) });
        at += len;
    }
    Some(pieces)
}

fn line_length(rest: &str) -> usize {
    rest.find(['\r', '\n']).unwrap_or(rest.len())
}

/// `#` to `--` where a line follows; comments behind everything else to a line above the last one.
fn comment_edits(text: &str) -> Option<Vec<Edit>> {
    let pieces = pieces(text)?;
    let last = pieces.iter().rposition(|piece| piece.kind != PieceKind::Comment)?;
    let mut edits = Vec::new();
    for piece in pieces[..last].iter().filter(|piece| piece.kind == PieceKind::Comment) {
        let hashes = text[piece.span.range()].len() - text[piece.span.range()].trim_start_matches('#').len();
        if hashes > 0 {
            let start = piece.span.start as usize;
            edits.push(Edit { span: Span::new(start, start + hashes), text: "--".to_owned() });
        }
    }
    let end = pieces[last].span.end as usize;
    let Some(trailing) = pieces.last().filter(|piece| piece.kind == PieceKind::Comment) else {
        return Some(edits);
    };
    let line = text[..pieces[last].span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    // A line that begins inside a string is no place for a comment.
    if pieces.iter().any(|piece| (piece.span.start as usize) < line && (piece.span.end as usize) > line) {
        return None;
    }
    let blanks = text[line..].len() - text[line..].trim_start_matches([' ', '\t']).len();
    let indent = &text[line..line + blanks];
    let moved: Vec<String> = pieces[last + 1..]
        .iter()
        .map(|piece| {
            format!("-- {}\n{indent}", text[piece.span.range()].trim_start_matches(['-', '#']).trim())
        })
        .collect();
    edits.push(Edit { span: Span::new(line + blanks, line + blanks), text: moved.concat() });
    edits.push(Edit { span: Span::new(end, trailing.span.end as usize), text: String::new() });
    Some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_that_are_syntax_errors_are_repaired() {
        let cases = [
            ("SELECT a FROM \"#\" -- all", Some("-- all\nSELECT a FROM \"#\"")),
            ("SELECT a\n  FROM \"#\" -- x\n-- y\n", Some("SELECT a\n  -- x\n  -- y\n  FROM \"#\"\n")),
            ("SELECT a ## first\n, b FROM \"#\"", Some("SELECT a -- first\n, b FROM \"#\"")),
            ("SELECT a # x\nFROM \"t\" # y", Some("SELECT a -- x\n-- y\nFROM \"t\"")),
            ("SELECT a\n/b FROM \"t\" -- y", Some("SELECT a\n /b FROM \"t\" -- y")),
            ("SELECT 'a\nb' FROM \"t\" -- y", None),
            ("SELECT a FROM \"t\"", None),
            ("SELECT a FRM \"t\"", None),
            ("SELECT 'a FROM \"t\" -- y", None),
        ];
        for (text, wanted) in cases {
            let repaired = repair_syntax(text, Profile::V5_8)
                .and_then(|fix| super::super::fix::applied(text, &fix.edits));
            assert_eq!(repaired.as_deref(), wanted, "{text}");
        }
    }
}

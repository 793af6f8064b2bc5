//! Statements in one style: keywords in upper case, a clause a line, a field a line where the statement is long.
//!
//! Only blanks, line ends and the letter case of keywords change, and an alias gets its `AS`. Comments stay where
//! they are: behind what they stand behind, or on a line of their own.
//!
//! Invariant: what is formatted means what it meant, under every profile, or it is not formatted; and formatting it
//! again changes nothing.

mod layout;
mod shape;

use super::lexer::{self, Scanned};
use super::parser::parse;
use crate::diag::{Diagnostic, Severity};
use crate::profile::Profile;

/// Columns that a line should not be longer than.
pub const WIDTH: usize = 100;

/// How lines are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// A clause a line.
    Clauses,
    /// One line where the statement fits it and has no comments; else as [`Lines::Clauses`].
    OneIfFits,
    /// One line, however long, unless there are comments. For strings that show no line ends.
    One,
}

/// Why a statement was not formatted.
#[derive(Clone, Debug)]
pub enum Unformatted {
    /// It does not parse.
    Wrong(Vec<Diagnostic>),
    /// Its meaning hangs on its blanks: EMQX deletes a `/` at the start of a line together with the line's end, even
    /// inside strings, so there are texts that no other text stands for.
    Fragile,
}

/// The statement in the one style, without a line's end behind it.
pub fn format(text: &str, profile: Profile, lines: Lines) -> Result<String, Unformatted> {
    let (tree, problems) = parse(text, profile);
    if tree.is_none() {
        let errors = problems.into_iter().filter(|p| p.severity == Severity::Error).collect();
        return Err(Unformatted::Wrong(errors));
    }
    let Scanned { tokens, comments, .. } = lexer::scan_all(text, profile);
    let words: Vec<String> = comments.iter().map(|c| c.text.clone()).collect();
    let pieces = shape::document(tokens, comments, lines, WIDTH);
    let formatted = layout::print(&pieces, WIDTH);
    let same = Profile::ALL.into_iter().all(|profile| match parse(text, profile).0 {
        Some(tree) => parse(&formatted, profile).0 == Some(tree),
        None => true,
    });
    let kept = lexer::scan_all(&formatted, profile).comments.into_iter().map(|c| c.text).eq(words);
    if same && kept { Ok(formatted) } else { Err(Unformatted::Fragile) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sql::generate::statement;

    /// Statements and how they are formatted: `----` between the two, `====` between cases; a case that begins with
    /// `one line` is formatted for a string that holds no line's end.
    const CASES: &str = include_str!("cases.txt");

    fn one(text: &str, lines: Lines) -> String {
        match format(text, Profile::V5_8, lines) {
            Ok(formatted) => formatted,
            Err(why) => panic!("{text}: {why:?}"),
        }
    }

    #[test]
    fn cases() {
        let mut wrong = Vec::new();
        for case in CASES.split("\n====\n") {
            let (given, expected) = case.split_once("\n----\n").unwrap_or_else(|| panic!("{case}"));
            let (given, lines) = match given.strip_prefix("one line\n") {
                Some(given) => (given, Lines::OneIfFits),
                None => (given, Lines::Clauses),
            };
            let got = one(given, lines);
            if got != expected.trim_end() {
                wrong.push(format!("{given}\n---- gives\n{got}\n---- not\n{expected}"));
            }
            assert_eq!(one(&got, lines), got, "formatted twice");
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n====\n"));
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        assert!(matches!(format("SELECT", Profile::V5_8, Lines::One), Err(Unformatted::Wrong(_))));
        // The engine sees the string 'a\n/b', and no text that is written otherwise would give it.
        let fragile = "SELECT 'a\n\n//b' AS x FROM t";
        assert!(matches!(format(fragile, Profile::V5_8, Lines::Clauses), Err(Unformatted::Fragile)));
    }

    #[test]
    fn every_profile_reads_the_same() {
        // Under 4.3 `mod` is a name here, and under 5.8 nothing.
        let text = "SELECT 5 mod FROM \"t\"";
        assert_eq!(format(text, Profile::V4_3, Lines::One).unwrap(), "SELECT 5 AS mod FROM \"t\"");
        assert!(format(text, Profile::V5_8, Lines::One).is_err());
    }

    /// The statement with other blanks and with comments between its tokens.
    fn scattered(text: &str, gaps: &[u8]) -> (String, usize) {
        let tokens = lexer::scan(text, Profile::V5_8).0;
        let (mut out, mut comments) = (String::new(), 0);
        for (at, token) in tokens.iter().enumerate() {
            out.push_str(&text[token.span.range()]);
            let gap = match gaps.get(at % gaps.len().max(1)).copied().unwrap_or(0) {
                _ if at + 2 >= tokens.len() => " ",
                0..=99 => " ",
                100..=139 => "\n",
                140..=159 => "\t\r\n    ",
                160..=199 => " -- a comment\n",
                200..=239 => "\n  -- a line\n\n",
                _ => " --1\n--2\n",
            };
            comments += gap.matches("--").count();
            out.push_str(gap);
            // A `/` at the start of a line is none for the engine.
            out.push_str(if gap.ends_with('\n') { " " } else { "" });
        }
        (out, comments)
    }

    proptest! {
        #[test]
        fn the_meaning_stays_and_once_is_enough(text in statement(), gaps in proptest::collection::vec(any::<u8>(), 1..24)) {
            let (written, comments) = scattered(&text, &gaps);
            let tree = parse(&text, Profile::V5_8).0;
            prop_assert_eq!(&parse(&written, Profile::V5_8).0, &tree, "scattered: {}", &written);
            for lines in [Lines::Clauses, Lines::OneIfFits, Lines::One] {
                let formatted = one(&written, lines);
                prop_assert_eq!(&parse(&formatted, Profile::V5_8).0, &tree, "{}\n----\n{}", &written, &formatted);
                prop_assert_eq!(formatted.matches("--").count(), comments, "{}\n----\n{}", &written, &formatted);
                prop_assert_eq!(&one(&formatted, lines), &formatted, "{}\n----\n{}", &written, &formatted);
                prop_assert!(!formatted.lines().any(|line| line.ends_with(' ') && !line.contains('\'')), "{}", &formatted);
            }
        }

        #[test]
        fn blanks_do_not_matter(text in statement(), gaps in proptest::collection::vec(0u8..160, 1..24)) {
            let (written, _) = scattered(&text, &gaps);
            prop_assert_eq!(one(&written, Lines::Clauses), one(&text, Lines::Clauses));
        }
    }
}

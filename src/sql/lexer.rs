//! Text to tokens.
//!
//! The engines clean the text before they scan it: blanks at both ends go, and so does every line feed that is
//! directly followed by a slash, together with the slash (rulesql `parsetree_with_tokens`). A map of the cuts keeps
//! spans true to the text as written.

use std::ops::Range;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_until, take_while, take_while1};
use nom::character::complete::{char, digit1, one_of, satisfy};
use nom::combinator::{opt, recognize};
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};

use super::foreign;
use super::token::{Kind, Token, is_name_char, keyword};
use crate::diag::Diagnostic;
use crate::profile::Profile;
use crate::text::Span;

/// The tokens of a statement, closed by one `End`, and what could not be read.
pub(super) fn scan(text: &str, profile: Profile) -> (Vec<Token>, Vec<Diagnostic>) {
    let scanned = scan_all(text, profile);
    (scanned.tokens, scanned.problems)
}

/// Everything that stands in a text.
pub(super) struct Scanned {
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub problems: Vec<Diagnostic>,
}

/// A comment, as its author placed it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Comment {
    /// From its `--`, without blanks at its end.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// The token that it stands before.
    pub before: usize,
    /// Nothing else stands before it on its line.
    pub own_line: bool,
    /// It stands further right than the token that it stands before.
    pub deeper: bool,
}

/// As [`scan`], with the comments.
pub(super) fn scan_all(text: &str, profile: Profile) -> Scanned {
    let clean = Clean::new(text);
    let mut tokens: Vec<Token> = Vec::new();
    let mut comments = Vec::new();
    let mut problems = Vec::new();
    let mut rest = clean.text.as_str();
    loop {
        let blanks = clean.text.len() - rest.len();
        rest = skip_blanks(rest);
        let at = clean.text.len() - rest.len();
        let Some(first) = rest.chars().next() else { break };
        clean.comments(blanks..at, tokens.len(), &mut comments);
        let read = match foreign::operator(rest) {
            Some(foreign) => Err(foreign),
            None => token(rest, profile).map_err(|_| {
                let touches = tokens.last().is_some_and(|last| last.span.end == clean.span(at, at).start);
                foreign::text(rest, first, &tokens, touches)
            }),
        };
        rest = match read {
            Ok((after, kind)) => {
                let span = clean.span(at, clean.text.len() - after.len());
                tokens.push(Token { kind, span });
                after
            }
            Err(foreign) => {
                let span = clean.span(at - foreign.before, at + foreign.taken);
                if foreign.before > 0 {
                    tokens.pop();
                }
                problems.push(Diagnostic::error("E001", foreign.message).at(span, "").help(foreign.help));
                tokens.extend(foreign.token.map(|kind| Token { kind, span }));
                &rest[foreign.taken..]
            }
        };
    }
    let end = clean.span(clean.text.len(), clean.text.len());
    tokens.push(Token { kind: Kind::End, span: end });
    problems.extend(clean.cut_slashes());
    Scanned { tokens, comments, problems }
}

/// The cleaned text, and where it was cut.
struct Clean<'a> {
    original: &'a str,
    text: String,
    /// (offset in the cleaned text, bytes cut before it).
    cuts: Vec<(usize, usize)>,
}

impl<'a> Clean<'a> {
    fn new(original: &'a str) -> Clean<'a> {
        let trimmed = original.trim_matches([' ', '\r', '\n']);
        let lead = original.len() - original.trim_start_matches([' ', '\r', '\n']).len();
        let mut clean = Clean { original, text: String::with_capacity(trimmed.len()), cuts: vec![(0, lead)] };
        for (n, part) in trimmed.split("\n/").enumerate() {
            if n > 0 {
                let before = clean.cuts.last().map_or(0, |cut| cut.1);
                clean.cuts.push((clean.text.len(), before + 2));
            }
            clean.text.push_str(part);
        }
        clean
    }

    /// The span in the original of a range of the cleaned text.
    fn span(&self, start: usize, end: usize) -> Span {
        let shift = |at: usize| at + self.cuts.iter().rfind(|cut| cut.0 <= at).map_or(0, |cut| cut.1);
        let end = if end > start { shift(end - 1) + 1 } else { shift(end) };
        Span::new(shift(start).min(self.original.len()), end.min(self.original.len()))
    }

    /// The comments in a range of blanks, which ends where the token `before` begins.
    fn comments(&self, blanks: Range<usize>, before: usize, out: &mut Vec<Comment>) {
        let column = |at: usize| self.text[..at].rfind('\n').map_or(at, |line| at - line - 1);
        let mut at = blanks.start;
        while let Some(found) = self.text[at..blanks.end].find("--") {
            let start = at + found;
            let length = self.text[start..blanks.end].find('\n').unwrap_or(blanks.end - start);
            let text = self.text[start..start + length].trim_end();
            out.push(Comment {
                text: text.to_owned(),
                span: self.span(start, start + text.len()),
                before,
                own_line: start == 0 || self.text[at..start].contains('\n') || at > blanks.start,
                deeper: column(start) > column(blanks.end),
            });
            at = start + length;
        }
    }

    /// A note for each slash that the engine deletes without a word. They are warnings: the statement may well run.
    fn cut_slashes(&self) -> impl Iterator<Item = Diagnostic> {
        self.cuts.iter().skip(1).map(|(at, cut)| {
            let slash = at + cut - 1;
            Diagnostic::warning(
                "W05",
                "EMQX deletes a `/` at the start of a line, and joins what stands around it",
            )
            .at(Span::new(slash, slash + 1), "this `/` is not there for EMQX")
            .help("end the line before with the `/`")
        })
    }
}

/// Blanks and comments; a comment reaches to the end of its line and needs that end.
fn skip_blanks(mut rest: &str) -> &str {
    loop {
        let after = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let comment: IResult<&str, &str> = delimited(tag("--"), take_until("\n"), char('\n')).parse(after);
        match comment {
            Ok((next, _)) => rest = next,
            Err(_) => return after,
        }
    }
}

/// The comments of a statement, from their two dashes to the end of their lines.
pub fn comments(text: &str, profile: Profile) -> Vec<Span> {
    scan_all(text, profile).comments.into_iter().map(|comment| comment.span).collect()
}

fn token(input: &str, profile: Profile) -> IResult<&str, Kind> {
    alt((string, quoted_name, comparison, range, punctuation, |i| word(i, profile), number)).parse(input)
}

/// A quoted text: two quotes in a row are part of it, and nothing else escapes.
fn quoted(input: &str, quote: char) -> IResult<&str, &str> {
    let doubled = |i| recognize(pair(char(quote), char(quote))).parse(i);
    let plain = |i| take_while1(|c| c != quote).parse(i);
    let body = nom::multi::many0_count(alt((plain, doubled)));
    recognize(delimited(char(quote), body, char(quote))).parse(input)
}

fn string(input: &str) -> IResult<&str, Kind> {
    quoted(input, '\'').map(|(rest, text)| (rest, Kind::Str(text.to_owned())))
}

fn quoted_name(input: &str) -> IResult<&str, Kind> {
    quoted(input, '"').map(|(rest, text)| (rest, Kind::Quoted(text.to_owned())))
}

fn comparison(input: &str) -> IResult<&str, Kind> {
    let operators = alt((
        alt((tag("=~"), tag("~="), tag("!="), tag("<>"), tag("<="), tag(">="))),
        alt((tag("="), tag("<"), tag(">"))),
    ));
    operators
        .map(|text: &str| Kind::Comparison(known(text, &["=~", "~=", "!=", "<>", "<=", ">=", "=", "<", ">"])))
        .parse(input)
}

fn known(text: &str, names: &[&'static str]) -> &'static str {
    names.iter().find(|name| **name == text).copied().unwrap_or("")
}

fn range(input: &str) -> IResult<&str, Kind> {
    let bound = || recognize(pair(opt(one_of("+-")), digit1));
    let both = (bound(), preceded(tag(".."), bound()));
    delimited(char('['), both, char(']'))
        .map(|(first, last): (&str, &str)| Kind::Range(first.to_owned(), last.to_owned()))
        .parse(input)
}

fn punctuation(input: &str) -> IResult<&str, Kind> {
    let names: [&'static str; 10] = ["-", "+", "*", "/", "(", ")", "[", "]", ",", "."];
    one_of("-+*/()[],.").map(|c| Kind::Punctuation(known(c.encode_utf8(&mut [0; 4]), &names))).parse(input)
}

fn word(input: &str, profile: Profile) -> IResult<&str, Kind> {
    let letters = recognize(pair(satisfy(|c| c.is_ascii_alphabetic()), take_while(is_name_char)));
    letters
        .map(|text: &str| match (keyword(text), text) {
            (Some(keyword), _) => Kind::Keyword(keyword),
            (_, "div") => Kind::Punctuation("div"),
            // rulesql 0.1.7 made `mod` an operator; before, it is a name like any other.
            (_, "mod") if profile.is_5_8() => Kind::Punctuation("mod"),
            _ => Kind::Name(text.to_owned()),
        })
        .parse(input)
}

/// `12`, `1.5`, `1.5e-3`; also what scans as a number and is none: `10e3`, `1.5f`. A single digit before `e` or a
/// suffix is an integer and a name.
fn number(input: &str) -> IResult<&str, Kind> {
    let (after_digits, whole) = digit1(input)?;
    let fraction: IResult<&str, &str> = preceded(char('.'), digit1).parse(after_digits);
    let (rest, long) = match fraction {
        Ok((rest, _)) => (rest, true),
        Err(_) => (after_digits, whole.len() > 1),
    };
    if !long {
        return Ok((rest, Kind::Int(whole.to_owned())));
    }
    let exponent = recognize((one_of("eE"), opt(one_of("+-")), digit1));
    let (end, _) = (opt(exponent), opt(one_of("fFdD"))).parse(rest)?;
    let text = &input[..input.len() - end.len()];
    let kind = if text.len() == whole.len() { Kind::Int } else { Kind::Float };
    Ok((end, kind(text.to_owned())))
}

/// Where a `--` stands that no line follows: two minus signs for the engine, since its comment rule wants the end of
/// the line.
pub(super) fn unfinished_comment(tokens: &[Token], text: &str) -> Option<Span> {
    let minus = |t: &Token| t.kind == Kind::Punctuation("-");
    tokens.windows(2).find_map(|pair| {
        let after = text.get(pair[1].span.range().end..).unwrap_or("").trim_end_matches([' ', '\r', '\n']);
        let adjacent = minus(&pair[0]) && minus(&pair[1]) && pair[0].span.end == pair[1].span.start;
        (adjacent && !after.contains('\n')).then(|| pair[0].span.to(pair[1].span))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, profile: Profile) -> String {
        let (tokens, problems) = scan(text, profile);
        assert!(problems.iter().all(|p| p.code == "W05"), "{text}: {problems:?}");
        tokens.iter().map(|t| t.kind.describe().replace('`', "")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tokens() {
        let end = "the end of the statement";
        let cases = [
            ("'a''b' 'c'", "'a''b' 'c'"),
            ("1.5e3 007 10e3 1.5f 1e3 1.", "1.5e3 007 10e3 1.5f 1 e3 1 ."),
            ("[1..-3] [1 ..3]", "[1..-3] [ 1 . . 3 ]"),
            ("a=~b<>c", "a =~ b <> c"),
            ("divx div modx mod", "divx div modx mod"),
            ("a -- note\nb", "a b"),
            ("x\n/y", "xy"),
            ("x /\ny", "x / y"),
        ];
        for (text, tokens) in cases {
            assert_eq!(words(text, Profile::V5_8), format!("{tokens} {end}"));
        }
        assert!(matches!(scan("mod", Profile::V4_3).0[0].kind, Kind::Name(_)));
        assert!(matches!(scan("mod", Profile::V5_8).0[0].kind, Kind::Punctuation("mod")));
    }

    #[test]
    fn spans_are_those_of_the_text_as_written() {
        let text = "  a\n/b 'é'\n/d x";
        let (tokens, _) = scan(text, Profile::V5_8);
        assert_eq!(&text[tokens[0].span.range()], "a\n/b");
        assert_eq!(&text[tokens[1].span.range()], "'é'");
        let last = &tokens[tokens.len() - 2];
        assert_eq!(&text[last.span.range()], "x");
    }

    #[test]
    fn comments_are_found_where_they_are_comments() {
        let text = " a -- one\r\n'-- no' \"-- no\" # b\n\n/x --two\n -- three\ny -- open";
        let found: Vec<_> = comments(text, Profile::V5_8).into_iter().map(|at| &text[at.range()]).collect();
        assert_eq!(found, ["-- one", "--two", "-- three"]);
    }

    #[test]
    fn unreadable_texts_are_reported_and_passed_over() {
        for (text, code) in [("a ; b", "E001"), ("'open", "E001"), ("_id", "E001"), ("a # c\nb", "E001")] {
            let (tokens, problems) = scan(text, Profile::V5_8);
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!(problems[0].code, code, "{text}");
            assert!(tokens.last().is_some_and(|t| t.kind == Kind::End));
        }
        for (text, found) in [("a -- b", true), ("a -- b\n ", true), ("a -- b\nc", false), ("a - - b", false)]
        {
            assert_eq!(unfinished_comment(&scan(text, Profile::V5_8).0, text).is_some(), found, "{text}");
        }
    }
}

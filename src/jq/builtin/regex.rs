//! Regular expressions: jq 1.6 has Oniguruma with Perl's syntax.
//!
//! Most patterns mean the same to the `regex` crate, which takes time in proportion to the text. The others
//! (look-around, back references, possessive repeats) go to PCRE2 with a bound on its backtracking.
//!
//! Invariant: a pattern that meets that bound ends the run; no `try` can ask it again.

use std::ops::Range;

use super::super::meter::{self, Stop};
use super::super::throw::{Answer, Throw, error, unfit};
use super::super::value::Val;
use super::{Host, Row, row};
use crate::limits::{JQ_PATTERN_BACKTRACKS_MAX, JQ_PATTERN_BYTES_MAX, JQ_PATTERNS_MAX};

pub(super) const ROWS: &[Row] = &[row("_match_impl", 3, matches)];

/// The patterns compiled last.
#[derive(Default)]
pub(in super::super) struct Patterns(Vec<(String, Flags, Pattern)>);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Flags {
    global: bool,
    ignore_case: bool,
    extended: bool,
    dot_all: bool,
    not_empty: bool,
}

/// A pattern in the engines that can run it.
#[derive(Clone)]
struct Pattern {
    linear: Option<regex::Regex>,
    backtracking: pcre2::bytes::Regex,
    /// Does it ask for the end of the text? The linear engine does not see that before a last newline.
    ends: bool,
}

/// Where a group matched.
type Group = Option<Range<usize>>;

impl Patterns {
    fn get(&mut self, text: &str, flags: Flags) -> Result<Pattern, Throw> {
        let same =
            |(known, known_flags, _): &(String, Flags, Pattern)| known == text && *known_flags == flags;
        if let Some(at) = self.0.iter().position(same) {
            self.0[..=at].rotate_right(1);
        } else {
            let pattern = Pattern::compile(text, flags)?;
            // Compiling is far slower than a step.
            meter::spend(1000)?;
            self.0.truncate(JQ_PATTERNS_MAX - 1);
            self.0.insert(0, (text.to_owned(), flags, pattern));
        }
        self.0.first().map(|(_, _, pattern)| pattern.clone()).ok_or(Throw::Empty)
    }
}

impl Pattern {
    fn compile(text: &str, flags: Flags) -> Result<Pattern, Throw> {
        if text.len() > JQ_PATTERN_BYTES_MAX {
            return Err(Stop::Size.into());
        }
        let not_empty = if flags.not_empty { "(*NOTEMPTY)" } else { "" };
        let bounded = format!("(*LIMIT_MATCH={JQ_PATTERN_BACKTRACKS_MAX}){not_empty}{text}");
        let backtracking = pcre2::bytes::RegexBuilder::new()
            .utf(true)
            .ucp(true)
            .caseless(flags.ignore_case)
            .extended(flags.extended)
            .dotall(flags.dot_all)
            .build(&bounded)
            .map_err(|e| error(format!("Regex failure: {}", e)))?;
        let linear = (!flags.not_empty && means_the_same(text)).then(|| {
            regex::RegexBuilder::new(text)
                .case_insensitive(flags.ignore_case)
                .ignore_whitespace(flags.extended)
                .dot_matches_new_line(flags.dot_all)
                .build()
                .ok()
        });
        Ok(Pattern { linear: linear.flatten(), backtracking, ends: text.contains('$') })
    }

    /// The groups of the first match from a byte on.
    fn find(&self, text: &str, from: usize) -> Result<Option<Vec<Group>>, Throw> {
        meter::spend(4)?;
        meter::read(text.len() - from)?;
        let linear = self.linear.as_ref().filter(|_| !(self.ends && text.ends_with('\n')));
        if let Some(linear) = linear {
            let found = linear.captures_at(text, from);
            return Ok(found.map(|groups| groups.iter().map(|group| group.map(|m| m.range())).collect()));
        }
        meter::spend(text.len() as u64 - from as u64)?;
        let mut places = self.backtracking.capture_locations();
        match self.backtracking.captures_read_at(&mut places, text.as_bytes(), from) {
            Ok(None) => Ok(None),
            Ok(Some(_)) => Ok(Some((0..places.len()).map(|n| places.get(n).map(|(a, b)| a..b)).collect())),
            Err(_) => Err(Stop::Pattern.into()),
        }
    }

    fn names(&self) -> &[Option<String>] {
        self.backtracking.capture_names()
    }
}

/// Does the `regex` crate read this as Oniguruma does? It has no possessive repeats, reads `[a[b]]`, `&&` and the
/// classes of `[:alpha:]` in its own way, and `\<` as the start of a word.
fn means_the_same(pattern: &str) -> bool {
    let others = ["++", "*+", "?+", "}+", "[[", "[:", "&&", "--", "~~", "\\<", "\\>", "\\b{", "(?U", "(?R"];
    !others.iter().any(|other| pattern.contains(other))
}

fn flags(value: &Val) -> Result<Flags, Throw> {
    let mut flags = Flags::default();
    let text = match value {
        Val::Null => return Ok(flags),
        Val::Str(text) => text.as_str(),
        other => return Err(unfit(other, "is not a string")),
    };
    for flag in text.chars() {
        match flag {
            'g' => flags.global = true,
            'i' => flags.ignore_case = true,
            'x' => flags.extended = true,
            'm' | 'p' => flags.dot_all = true,
            'n' => flags.not_empty = true,
            // Perl's syntax is single line as it is; the longest match is not offered.
            's' | 'l' => {}
            _ => return Err(error(format!("{text} is not a valid modifier string"))),
        }
    }
    Ok(flags)
}

/// `_match_impl(pattern; flags; test)`: all matches, or whether there is one.
fn matches(host: &mut Host, v: &mut [Val]) -> Answer {
    let Some(text) = v[0].as_str() else {
        return Err(unfit(&v[0], "cannot be matched, as it is not a string"));
    };
    let Some(pattern) = v[1].as_str() else { return Err(unfit(&v[1], "is not a string")) };
    let flags = flags(&v[2])?;
    let test = matches!(v[3], Val::Bool(true));
    let pattern = host.patterns.get(pattern, flags)?;
    let mut found = Vec::new();
    let mut from = 0;
    loop {
        let Some(groups) = pattern.find(text, from)? else { break };
        let Some(whole) = groups.first().cloned().flatten() else { break };
        if test {
            return Ok(Val::Bool(true));
        }
        found.push(a_match(text, &groups, pattern.names()));
        from = if whole.is_empty() {
            // jq goes on from where it searched, not from where it found.
            text[from..].chars().next().map_or(text.len(), |c| from + c.len_utf8())
        } else {
            whole.end
        };
        if !flags.global || from >= text.len() {
            break;
        }
    }
    Ok(if test { Val::Bool(false) } else { Val::list(found) })
}

fn a_match(text: &str, groups: &[Group], names: &[Option<String>]) -> Val {
    let whole = groups.first().cloned().flatten().unwrap_or_default();
    let captures = if whole.is_empty() {
        Vec::new()
    } else {
        let named = |at: usize| names.get(at).and_then(Option::as_deref);
        groups.iter().enumerate().skip(1).map(|(at, group)| capture(text, group, named(at))).collect()
    };
    Val::members([
        ("offset", characters(text, whole.start)),
        ("length", Val::count(text[whole.clone()].chars().count())),
        ("string", Val::str(&text[whole])),
        ("captures", Val::list(captures)),
    ])
}

fn capture(text: &str, group: &Group, name: Option<&str>) -> Val {
    let name = name.map_or(Val::Null, Val::str);
    match group {
        // The order of the members differs as well.
        Some(range) if !range.is_empty() => Val::members([
            ("offset", characters(text, range.start)),
            ("length", Val::count(text[range.clone()].chars().count())),
            ("string", Val::str(&text[range.clone()])),
            ("name", name),
        ]),
        group => {
            let (offset, string) = match group {
                Some(range) => (characters(text, range.start), Val::str("")),
                None => (Val::Num(-1.0), Val::Null),
            };
            Val::members([("offset", offset), ("string", string), ("length", Val::Num(0.0)), ("name", name)])
        }
    }
}

fn characters(text: &str, bytes: usize) -> Val {
    Val::count(text[..bytes].chars().count())
}

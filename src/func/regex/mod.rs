//! Regular expressions: PCRE over bytes, as Erlang's `re` module runs them.
//!
//! Subject, pattern and replacement are bytes; a match may begin and end inside a character. Patterns are rewritten
//! from the dialect of PCRE 8.44, which OTP 25 holds, to that of PCRE2 ([`pattern`]).
//!
//! Invariant: a search that reaches PCRE's match limit is no match, never an error or a hang.

mod bracket;
mod class;
mod pattern;
mod replace;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use pcre2::bytes::{CaptureLocations, Regex, RegexBuilder};

use super::table::builtins;
use super::{Call, FnError, args};
use crate::limits;
use crate::value::{Bytes, Value};

builtins! { pub(super) ROWS, "string":
    "regex_match"(text: STR|LIST, pattern: STR|LIST) -> BOOL, Pure, Both => regex_match,
        "Does the pattern match anywhere in the text?",
        [
            "regex_match('abc123', '[0-9]+$')" => Ok("true"),
            "regex_match('a', '(')" => Err("regular expression"),
        ];
    "regex_replace"(text: STR|LIST, pattern: STR|LIST, by: STR|LIST) -> STR, Pure, Both => regex_replace,
        "The text with every match replaced; in the replacement & stands for the match, \\1 or \\g{1} for a \
         group.",
        [
            "regex_replace('ab1cd3ef', '([0-9])', '[&]')" => Ok("\"ab[1]cd[3]ef\""),
            "regex_replace('a', '(', 'b')" => Err("regular expression"),
        ];
    "regex_extract"(text: STR|LIST, pattern: STR|LIST) -> LIST, Pure, Only5 => regex_extract,
        "What the groups of the pattern hold in its first match, up to the last group that took part; an \
         empty list where nothing matches.",
        [
            "regex_extract('Number: 12345', '([0-9]+)')" => Ok("[\"12345\"]"),
            "regex_extract('a', '(')" => Err("regular expression"),
        ];
}

/// A compiled pattern with room for where its groups match.
struct Compiled {
    source: pattern::Rewritten,
    first: Search,
    /// The same pattern for a retry after an empty match: at the same place, and not empty. Only replacing needs it.
    retry: OnceCell<Option<Search>>,
}

struct Search {
    regex: Regex,
    groups: RefCell<CaptureLocations>,
}

/// A group's place, as start and end.
type Span = (usize, usize);

impl Search {
    fn new(source: &str) -> Result<Search, String> {
        let regex = RegexBuilder::new().build(source).map_err(|e| e.to_string())?;
        Ok(Search { groups: RefCell::new(regex.capture_locations()), regex })
    }

    fn run(&self, subject: &[u8], from: usize) -> Option<Vec<Option<Span>>> {
        let mut groups = self.groups.borrow_mut();
        // An error is PCRE's match limit or the like, which `re` takes for no match.
        self.regex.captures_read_at(&mut groups, subject, from).ok().flatten()?;
        Some((0..groups.len()).map(|group| groups.get(group)).collect())
    }
}

impl Compiled {
    /// The pattern, or why PCRE refuses it.
    fn new(source: &[u8], ascii: bool) -> Result<Compiled, String> {
        let source = pattern::rewrite(source, ascii)?;
        Ok(Compiled { first: Search::new(&source.text)?, source, retry: OnceCell::new() })
    }

    /// The groups of the first match from a place on, the whole match first; `None` where there is none.
    fn search(&self, subject: &[u8], from: usize) -> Option<Vec<Option<Span>>> {
        self.first.run(subject, from)
    }

    /// The groups of a match that is not empty and begins at a place.
    fn search_not_empty(&self, subject: &[u8], from: usize) -> Option<Vec<Option<Span>>> {
        let retry = self.retry.get_or_init(|| {
            let (verbs, body) = self.source.text.split_at(self.source.verbs);
            // `\G` holds where the search starts: the match must begin there and must not end there. The line end
            // closes a comment that the pattern may end in.
            let with = |end: &str| Search::new(&format!("{verbs}\\G(?:{body}{end})(?!\\G)"));
            with("").or_else(|_| with("\n")).ok()
        });
        retry.as_ref()?.run(subject, from)
    }
}

/// What a pattern came to: compiled, or the reason why not.
type Outcome = Result<Rc<Compiled>, String>;

thread_local! {
    /// Patterns by their bytes, once for any subject and once for subjects that are ASCII.
    static CACHE: RefCell<[HashMap<Vec<u8>, Outcome>; 2]> = RefCell::default();
}

fn compiled(source: &Bytes, subject: &[u8], shown: &Value) -> Result<Rc<Compiled>, FnError> {
    let ascii = subject.is_ascii();
    let outcome = CACHE.with_borrow_mut(|cache| {
        let cache = &mut cache[usize::from(ascii)];
        if let Some(outcome) = cache.get(source.as_ref()) {
            return outcome.clone();
        }
        if cache.len() >= limits::REGEX_CACHE_MAX {
            cache.clear();
        }
        let outcome = Compiled::new(source, ascii).map(Rc::new);
        cache.insert(source.to_vec(), outcome.clone());
        outcome
    });
    outcome.map_err(|e| FnError::argument(2, format!("a regular expression ({e})"), shown))
}

/// A string, or a list of bytes and strings.
fn flat(args: &[Value], at: usize) -> Result<Bytes, FnError> {
    match &args[at] {
        Value::Str(bytes) => Ok(bytes.clone()),
        other => args::iodata(other)
            .map(Bytes::from)
            .ok_or_else(|| FnError::argument(at + 1, "a string, or a list of bytes and strings", other)),
    }
}

fn regex_match(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (subject, source) = (flat(args, 0)?, flat(args, 1)?);
    let pattern = compiled(&source, &subject, &args[1])?;
    Ok(Value::Bool(pattern.first.regex.is_match(&subject).unwrap_or(false)))
}

fn regex_extract(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (subject, source) = (flat(args, 0)?, flat(args, 1)?);
    let pattern = compiled(&source, &subject, &args[1])?;
    let groups = pattern.search(&subject, 0).unwrap_or_default();
    let last = groups.iter().rposition(Option::is_some).unwrap_or(0);
    let texts = groups.iter().skip(1).take(last).map(|group| match group {
        Some((start, end)) if start <= end => Value::Str(subject.slice(*start..*end)),
        _ => Value::str(""),
    });
    Ok(Value::list(texts.collect()))
}

fn regex_replace(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (subject, source, by) = (flat(args, 0)?, flat(args, 1)?, flat(args, 2)?);
    let pattern = compiled(&source, &subject, &args[1])?;
    replace::replace(&pattern, &subject, &by).map(Value::bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctx::Ctx;
    use crate::profile::Profile;

    fn call(body: crate::func::Body, args: &[&[u8]]) -> Result<Value, FnError> {
        let args: Vec<Value> = args.iter().map(Value::str).collect();
        let mut ctx = Ctx::frozen(0, 0);
        body(&mut Call { ctx: &mut ctx, columns: None, profile: Profile::V5_8 }, &args)
    }

    fn replaced(subject: &str, pattern: &str, by: &str) -> String {
        let value = call(regex_replace, &[subject.as_bytes(), pattern.as_bytes(), by.as_bytes()]).unwrap();
        String::from_utf8_lossy(value.as_bytes().unwrap()).into_owned()
    }

    #[test]
    fn empty_matches_are_tried_again() {
        assert_eq!(replaced("abc", "", "-"), "-a-b-c-");
        assert_eq!(replaced("abc", "b*", "-"), "-a--c-");
        assert_eq!(replaced("aXb", "(?=X)|X", "<&>"), "a<><X>b");
        assert_eq!(replaced("a b", "(?x) \\b # edge", "|"), "|a| |b|");
    }

    #[test]
    fn replacements() {
        assert_eq!(replaced("ab", "(a)(b)", "\\2\\1\\g{1}\\g2&"), "baabab");
        assert_eq!(replaced("a", "a", "\\&\\0\\\\$1\\"), "&0\\$1\\");
        assert_eq!(replaced("a", "(x)?a", "[\\1\\9]"), "[]");
        assert!(call(regex_replace, &[b"a", b"a", b"\\gx"]).is_err());
        assert_eq!(replaced("b", "a", "\\gx"), "b", "what matches nothing is not looked at");
    }

    #[test]
    fn groups_stop_at_the_last_that_took_part() {
        let json = |subject: &str, pattern: &str| {
            crate::value::encode::to_display(
                &call(regex_extract, &[subject.as_bytes(), pattern.as_bytes()]).unwrap(),
            )
        };
        assert_eq!(json("ac", "(a)(b)?(c)(d)?"), r#"["a","","c"]"#);
        assert_eq!(json("ac", "x(y)"), "[]");
        assert_eq!(json("ac", "ac"), "[]");
    }

    #[test]
    fn the_match_limit_is_no_match() {
        let subject = "a".repeat(40) + "b";
        assert_eq!(call(regex_match, &[subject.as_bytes(), b"^(a|aa)+$|b$"]), Ok(Value::Bool(false)));
        assert_eq!(call(regex_match, &[&subject.as_bytes()[13..], b"^(a|aa)+$|b$"]), Ok(Value::Bool(true)));
    }

    #[test]
    fn the_cache_is_bounded() {
        for n in 0..limits::REGEX_CACHE_MAX + 2 {
            assert_eq!(call(regex_match, &[b"a", format!("a{{{n},}}|").as_bytes()]), Ok(Value::Bool(true)));
        }
        CACHE.with_borrow(|cache| assert!(cache[1].len() <= limits::REGEX_CACHE_MAX));
    }
}

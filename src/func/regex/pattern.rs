//! Patterns of PCRE 8.44 rewritten for PCRE2.
//!
//! The two differ where 8.44 is lax (unknown escapes are letters, `{,3}` is text) and where PCRE2 knows more; and the
//! library compiles in ASCII tables, where Erlang has Latin-1. So classes, bytes past ASCII and edges of words are
//! spelled out. Recursion that never ends is not refused here, as 8.44 would; PCRE2's limits catch it.
//!
//! Invariant: the result is ASCII, and its groups have the numbers that they had.

use super::class::{self, Set, other_case};

/// A rewritten pattern.
pub(super) struct Rewritten {
    pub(super) text: String,
    /// Length of the verbs at its start, such as `(*ANYCRLF)`.
    pub(super) verbs: usize,
}

pub(super) type Result<T> = std::result::Result<T, String>;

/// What holds inside a group.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope {
    pub(super) caseless: bool,
    extended: bool,
    lookbehind: bool,
}

pub(super) struct Rewriter<'a> {
    pub(super) rest: &'a [u8],
    pub(super) out: String,
    pub(super) scope: Scope,
    outer: Vec<Scope>,
    /// Capturing groups opened so far.
    groups: usize,
    /// The subject is ASCII, so PCRE2's own `\w` and `\b` will do.
    ascii: bool,
}

/// The pattern for PCRE2, or why 8.44 refuses it.
pub(super) fn rewrite(pattern: &[u8], ascii: bool) -> Result<Rewritten> {
    // 8.44 takes patterns that end in NUL.
    let end = pattern.iter().position(|b| *b == 0).unwrap_or(pattern.len());
    let mut rewriter = Rewriter {
        rest: &pattern[..end],
        out: String::new(),
        scope: Scope::default(),
        outer: Vec::new(),
        groups: 0,
        ascii,
    };
    let utf = rewriter.verbs();
    let verbs = rewriter.out.len();
    if utf {
        // Characters, not bytes: none of what follows here applies.
        let body = std::str::from_utf8(rewriter.rest).map_err(|_| "it is no UTF-8")?;
        rewriter.out.push_str(body);
    } else {
        rewriter.all()?;
    }
    Ok(Rewritten { text: rewriter.out, verbs })
}

impl Rewriter<'_> {
    pub(super) fn eat(&mut self, prefix: &[u8]) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn peek(&self) -> u8 {
        self.rest.first().copied().unwrap_or(0)
    }

    /// Everything up to and with a byte; to the end where it does not come.
    pub(super) fn through(&mut self, last: u8) -> &[u8] {
        let end = self.rest.iter().position(|b| *b == last).map_or(self.rest.len(), |at| at + 1);
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn copy(&mut self, taken: usize) {
        let (taken, rest) = self.rest.split_at(taken.min(self.rest.len()));
        self.out.extend(taken.iter().map(|b| char::from(*b)).filter(char::is_ascii));
        self.rest = rest;
    }

    /// The verbs at the start; true if they switch to characters.
    fn verbs(&mut self) -> bool {
        let mut utf = false;
        while self.rest.starts_with(b"(*") && self.rest.get(2).is_some_and(u8::is_ascii_uppercase) {
            let verb = self.through(b')').to_vec();
            utf |= verb.starts_with(b"(*UTF");
            let verb = if verb == b"(*UTF8)" { b"(*UTF)".to_vec() } else { verb };
            self.out.push_str(&String::from_utf8_lossy(&verb));
        }
        utf
    }

    fn all(&mut self) -> Result<()> {
        while let Some(byte) = self.next() {
            match byte {
                b'\\' => self.escape()?,
                b'[' => self.class()?,
                b'(' => self.group()?,
                b')' => {
                    self.scope = self.outer.pop().unwrap_or_default();
                    self.out.push(')');
                }
                b'{' => self.brace()?,
                b'*' | b'+' | b'?' => {
                    self.varying()?;
                    self.out.push(char::from(byte));
                    // What makes the quantifier lazy or possessive belongs to it.
                    if matches!(self.peek(), b'+' | b'?') {
                        self.copy(1);
                    }
                }
                b'#' if self.scope.extended => {
                    self.through(b'\n');
                }
                0x80.. => self.literal(byte),
                _ => self.out.push(char::from(byte)),
            }
        }
        Ok(())
    }

    /// A byte that stands for itself.
    fn literal(&mut self, byte: u8) {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' => self.out.push(char::from(byte)),
            0x80.. if self.scope.caseless && other_case(byte) != byte => {
                let mut set = Set::empty();
                set.add_range(byte, byte);
                set.folded().write(&mut self.out);
            }
            _ => self.out.push_str(&format!("\\x{byte:02x}")),
        }
    }

    /// A quantifier that varies: 8.44 wants lookbehinds of fixed length.
    fn varying(&self) -> Result<()> {
        if self.scope.lookbehind { Err("a lookbehind must have a fixed length".to_owned()) } else { Ok(()) }
    }

    /// `{n}`, `{n,}` and `{n,m}` are quantifiers; any other brace is text.
    fn brace(&mut self) -> Result<()> {
        let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
        let low = digits(self.rest);
        let comma = self.rest.get(low) == Some(&b',');
        let high = if comma { digits(&self.rest[low + 1..]) } else { 0 };
        let len = low + usize::from(comma) + high;
        if low == 0 || self.rest.get(len) != Some(&b'}') {
            self.out.push_str("\\{");
            return Ok(());
        }
        if comma && self.rest[..low] != self.rest[low + 1..len] {
            self.varying()?;
        }
        self.out.push('{');
        self.copy(len + 1);
        if matches!(self.peek(), b'+' | b'?') {
            self.copy(1);
        }
        Ok(())
    }

    fn open(&mut self, head: &str) {
        self.outer.push(self.scope);
        self.out.push_str(head);
    }

    fn group(&mut self) -> Result<()> {
        if self.peek() == b'*' && self.rest.get(1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b':') {
            if self.rest[1].is_ascii_lowercase() {
                return Err("unknown verb after (*".to_owned());
            }
            let verb = String::from_utf8_lossy(self.through(b')')).into_owned();
            self.out.push('(');
            self.out.push_str(&verb);
            return Ok(());
        }
        if !self.eat(b"?") {
            self.groups += 1;
            self.open("(");
            return Ok(());
        }
        if self.eat(b"#") {
            return match self.through(b')').last() {
                Some(b')') => Ok(()),
                _ => Err("a comment without end".to_owned()),
            };
        }
        for (head, lookbehind) in [("<=", true), ("<!", true), ("=", false), ("!", false)] {
            if self.eat(head.as_bytes()) {
                self.open(&format!("(?{head}"));
                self.scope.lookbehind = lookbehind;
                return Ok(());
            }
        }
        match self.peek() {
            b':' | b'|' | b'>' => {
                self.open("(?");
                self.copy(1);
            }
            b'<' | b'\'' => self.named("(?"),
            b'P' if self.rest.get(1) == Some(&b'<') => self.named("(?"),
            b'(' => self.condition(),
            // Recursion, references and callouts hold no pattern.
            b'P' | b'R' | b'&' | b'C' | b'+' | b'0'..=b'9' => self.reference(),
            b'-' if self.rest.get(1).is_some_and(u8::is_ascii_digit) => self.reference(),
            _ => self.flags()?,
        }
        Ok(())
    }

    /// Up to the end of the name, which is no pattern either.
    fn named(&mut self, head: &str) {
        self.groups += 1;
        self.open(head);
        let quote = self.rest.iter().position(|b| matches!(b, b'<' | b'\'')).unwrap_or(0);
        self.copy(quote + 1);
        let end = self.rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(0);
        self.copy(end + 1);
    }

    fn reference(&mut self) {
        let text = String::from_utf8_lossy(self.through(b')')).into_owned();
        self.out.push_str("(?");
        self.out.push_str(&text);
    }

    /// `(?(1)…`, `(?(<name>)…`, or an assertion, which is a group of its own.
    fn condition(&mut self) {
        self.open("(?");
        if self.rest.get(1) != Some(&b'?') {
            let text = String::from_utf8_lossy(self.through(b')')).into_owned();
            self.out.push_str(&text);
        }
    }

    /// `(?i)` holds to the end of the group around it, `(?i:…)` inside. `X` asked 8.44 for strictness.
    fn flags(&mut self) -> Result<()> {
        let mut scope = self.scope;
        let mut on = true;
        let mut kept = String::new();
        loop {
            let flag = self.next().ok_or("an option group without end")?;
            match flag {
                b'-' => on = false,
                b'i' => scope.caseless = on,
                b'x' => scope.extended = on,
                b's' | b'm' | b'J' | b'U' | b'X' => {}
                b')' => {
                    self.out.push_str(&format!("(?{kept})"));
                    self.scope = scope;
                    return Ok(());
                }
                b':' => {
                    self.open(&format!("(?{kept}:"));
                    self.scope = scope;
                    return Ok(());
                }
                other => return Err(format!("unknown option '{}' after (?", char::from(other))),
            }
            // `xx` is `x` to 8.44.
            if flag != b'X' && !(flag == b'x' && kept.ends_with('x')) {
                kept.push(char::from(flag));
            }
        }
    }

    fn escape(&mut self) -> Result<()> {
        let letter = self.next().ok_or("a backslash at its end")?;
        match letter {
            b'Q' => {
                let quoted = self.quoted();
                quoted.into_iter().for_each(|byte| self.literal(byte));
            }
            b'E' => {}
            b'w' | b'W' | b'b' | b'B' if self.ascii => {
                self.out.push_str(&format!("\\{}", char::from(letter)))
            }
            b'd' | b'D' | b'w' | b'W' | b's' | b'S' | b'h' | b'H' | b'v' | b'V' => {
                if let Some(set) = class::escape(letter) {
                    set.write(&mut self.out);
                }
            }
            b'b' | b'B' => self.edge(letter == b'b'),
            b'x' => {
                let byte = self.hexadecimal()?;
                self.literal(byte);
            }
            b'1'..=b'9' => self.reference_or_octal(letter),
            b'0' => {
                let byte = self.octal(0, 2);
                self.literal(byte);
            }
            b'g' | b'k' | b'p' | b'P' | b'o' | b'N' => self.with_braces(letter)?,
            b'c' => {
                if !self.rest.first().is_some_and(u8::is_ascii) {
                    return Err("\\c without an ASCII character".to_owned());
                }
                self.out.push_str("\\c");
                self.copy(1);
            }
            b'L' | b'l' | b'U' | b'u' => return Err(format!("\\{} is not supported", char::from(letter))),
            b'A' | b'C' | b'G' | b'K' | b'R' | b'X' | b'Z' | b'z' | b'a' | b'e' | b'f' | b'n' | b'r'
            | b't' => {
                self.out.push_str(&format!("\\{}", char::from(letter)));
            }
            other => self.literal(other),
        }
        Ok(())
    }

    /// What stands up to `\E`.
    pub(super) fn quoted(&mut self) -> Vec<u8> {
        let end = self.rest.windows(2).position(|pair| pair == b"\\E");
        let quoted = self.rest[..end.unwrap_or(self.rest.len())].to_vec();
        self.rest = &self.rest[end.map_or(self.rest.len(), |end| end + 2)..];
        quoted
    }

    /// `\b` where bytes past ASCII can be parts of words.
    fn edge(&mut self, wanted: bool) {
        let mut word = String::new();
        if let Some(set) = class::escape(b'w') {
            set.write(&mut word);
        }
        self.out.push_str(&match wanted {
            true => format!("(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"),
            false => format!("(?:(?<={word})(?={word})|(?<!{word})(?!{word}))"),
        });
    }

    /// `\x` with up to two digits, none being NUL, or any number of them in braces.
    pub(super) fn hexadecimal(&mut self) -> Result<u8> {
        if self.peek() != b'{' {
            let count = self.rest.iter().take(2).take_while(|b| b.is_ascii_hexdigit()).count();
            let (digits, rest) = self.rest.split_at(count);
            self.rest = rest;
            let text = std::str::from_utf8(digits).unwrap_or_default();
            return Ok(u8::from_str_radix(text, 16).unwrap_or(0));
        }
        let braced = self.through(b'}');
        let digits = braced.strip_prefix(b"{").and_then(|d| d.strip_suffix(b"}")).unwrap_or_default();
        let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'));
        let code = text.and_then(|text| u32::from_str_radix(text, 16).ok()).ok_or("a malformed \\x{…}")?;
        u8::try_from(code).map_err(|_| "a code past \\xff in \\x{…}: patterns are bytes".to_owned())
    }

    /// Up to so many further octal digits; what is past a byte is cut.
    pub(super) fn octal(&mut self, first: u32, more: usize) -> u8 {
        let mut code = first;
        for _ in 0..more {
            if !matches!(self.peek(), b'0'..=b'7') {
                break;
            }
            code = code * 8 + u32::from(self.next().unwrap_or(b'0') - b'0');
        }
        (code & 0xff) as u8
    }

    /// A number of a group that is there, or less than 8, is a reference; or else the digits are octal, and 8 and 9
    /// stand for themselves.
    fn reference_or_octal(&mut self, first: u8) {
        let count = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let digits: String = [first].iter().chain(&self.rest[..count]).map(|b| char::from(*b)).collect();
        let number: usize = digits.parse().unwrap_or(usize::MAX);
        if number < 8 || number <= self.groups {
            self.rest = &self.rest[count..];
            self.out.push_str(&format!("\\g{{{number}}}"));
        } else if first >= b'8' {
            self.literal(first);
        } else {
            let byte = self.octal(u32::from(first - b'0'), 2);
            self.literal(byte);
        }
    }

    /// Escapes that may have braces, which are no quantifiers.
    fn with_braces(&mut self, letter: u8) -> Result<()> {
        self.out.push_str(&format!("\\{}", char::from(letter)));
        if self.peek() == b'{' && letter != b'N' {
            let braced = String::from_utf8_lossy(self.through(b'}')).into_owned();
            if braced.contains(char::is_whitespace) || !braced.is_ascii() {
                return Err(format!("a malformed \\{}{braced}", char::from(letter)));
            }
            self.out.push_str(&braced);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(pattern: &str) -> String {
        rewrite(pattern.as_bytes(), true).map_or_else(|e| format!("error: {e}"), |r| r.text)
    }

    #[test]
    fn what_8_44_takes_for_text() {
        let cases = [
            ("\\y\\i\\j", "yij"),
            ("\\8", "8"),
            ("a{,3}", "a\\{,3}"),
            ("a{ 1 }", "a\\{ 1 }"),
            ("a{1,3}?", "a{1,3}?"),
            ("\\xg", "\\x00g"),
            ("a\0b", "a"),
            ("[\\R]", "[\\x52]"),
            ("[\\d-z]", "[\\x2d\\x30-\\x39\\x7a]"),
            ("[]a]", "[\\x5d\\x61]"),
            ("(?xx)[a b]", "(?x)[\\x20\\x61-\\x62]"),
            ("\\Qa.b\\E+", "a\\x2eb+"),
            ("(a)\\1\\2", "(a)\\g{1}\\g{2}"),
            ("(?x)a # (b\nc", "(?x)a c"),
            ("é", "\\xc3\\xa9"),
            ("(?i)é", "(?i)[\\xc3\\xe3]\\xa9"),
            ("(?<n>a)\\9(?P<m>b)", "(?<n>a)9(?P<m>b)"),
            ("(?#c)a", "a"),
            ("[\\p{Lu}x]", "[\\x41-\\x5a\\x78\\xc0-\\xd6\\xd8-\\xde]"),
            ("(*ANYCRLF)a", "(*ANYCRLF)a"),
        ];
        for (pattern, text) in cases {
            assert_eq!(rewritten(pattern), text, "{pattern:?}");
        }
    }

    #[test]
    fn what_8_44_refuses() {
        for pattern in [
            "(?^)",
            "(?n)",
            "[:alpha:]",
            "[[:foo:]]",
            "[z-a]",
            "[a",
            "a\\",
            "\\x{4f60}",
            "(?<=a*)b",
            "(?#a",
            "\\u",
            "(*pla:a)",
        ] {
            assert!(rewritten(pattern).starts_with("error"), "{pattern:?} gives {}", rewritten(pattern));
        }
    }
}

//! Classes in brackets, turned into the sets of bytes that they stand for.
//!
//! Invariant: every element goes into one set, so that cases and inversion apply to the whole.

use super::class::{self, Set};
use super::pattern::{Result, Rewriter};

impl Rewriter<'_> {
    /// A class whose opening bracket has been read.
    pub(super) fn class(&mut self) -> Result<()> {
        if self.posix_name(self.rest).is_some() {
            return Err("a POSIX class stands only inside brackets, as in [[:alpha:]]".to_owned());
        }
        let inverse = self.eat(b"^");
        let mut set = Set::empty();
        let mut first = true;
        loop {
            let byte = self.next().ok_or("a class without its closing bracket")?;
            if byte == b']' && !first {
                break;
            }
            first = false;
            let Some(from) = self.class_item(byte, &mut set)? else { continue };
            // A range, unless the hyphen is the last in the class or a class follows it.
            let to = match self.rest {
                [b'-', b']', ..] | [b'-'] => None,
                [b'-', ..] => self.range_end(&mut set)?,
                _ => None,
            };
            let to = to.unwrap_or(from);
            if to < from {
                return Err("a range in a class that runs backwards".to_owned());
            }
            set.add_range(from, to);
        }
        let set = if self.scope.caseless { set.folded() } else { set };
        (if inverse { set.inverse() } else { set }).write(&mut self.out);
        Ok(())
    }

    /// The byte that ends a range; `None` if the hyphen stood for itself.
    fn range_end(&mut self, set: &mut Set) -> Result<Option<u8>> {
        self.rest = &self.rest[1..];
        let Some(byte) = self.next() else { return Err("a class without its closing bracket".to_owned()) };
        let end = self.class_item(byte, set)?;
        if end.is_none() {
            set.add_range(b'-', b'-');
        }
        Ok(end)
    }

    /// One byte of a class, or `None` for what has joined the set as a whole.
    fn class_item(&mut self, byte: u8, set: &mut Set) -> Result<Option<u8>> {
        if byte == b'[' {
            if let Some((kind, name)) = self.posix_name(self.rest) {
                if kind != b':' {
                    return Err("POSIX collating elements are not supported".to_owned());
                }
                let found = class::posix(name, self.scope.caseless).ok_or("an unknown POSIX class")?;
                self.rest = &self.rest[name.len() + 3..];
                set.add(&found);
                return Ok(None);
            }
            return Ok(Some(byte));
        }
        if byte != b'\\' {
            return Ok(Some(byte));
        }
        let letter = self.next().ok_or("a class without its closing bracket")?;
        if let Some(found) = class::escape(letter) {
            set.add(&found);
            return Ok(None);
        }
        Ok(Some(match letter {
            b'E' => return Ok(None),
            b'Q' => {
                let quoted = self.quoted();
                quoted.iter().for_each(|byte| set.add_range(*byte, *byte));
                return Ok(None);
            }
            b'a' => 7,
            b'b' => 8,
            b'e' => 27,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0'..=b'7' => self.octal(u32::from(letter - b'0'), 2),
            b'x' => self.hexadecimal()?,
            b'o' => {
                let braced = String::from_utf8_lossy(self.through(b'}')).into_owned();
                let digits = braced.strip_prefix('{').and_then(|d| d.strip_suffix('}')).unwrap_or_default();
                u8::from_str_radix(digits, 8).map_err(|_| "a malformed \\o{…}")?
            }
            b'c' => {
                let c = self.next().filter(u8::is_ascii).ok_or("\\c without an ASCII character")?;
                c.to_ascii_uppercase() ^ 0x40
            }
            b'p' | b'P' => {
                let found = self.property(letter)?;
                set.add(&found);
                return Ok(None);
            }
            b'L' | b'l' | b'U' | b'u' | b'N' => {
                return Err(format!("\\{} inside a class is not supported", char::from(letter)));
            }
            other => other,
        }))
    }

    /// The bytes that have a Unicode property, which PCRE2 itself is asked.
    fn property(&mut self, letter: u8) -> Result<Set> {
        let name = match self.peek() {
            b'{' => self.through(b'}').to_vec(),
            _ => self.next().map(|b| vec![b]).unwrap_or_default(),
        };
        let source = format!("^\\{}{}", char::from(letter), String::from_utf8_lossy(&name));
        let regex = pcre2::bytes::Regex::new(&source).map_err(|e| e.to_string())?;
        Ok(Set::of(|byte| regex.is_match(&[byte]).unwrap_or(false)))
    }

    /// The kind (`:`, `.` or `=`) and name of a POSIX element whose bracket has been read.
    fn posix_name<'r>(&self, rest: &'r [u8]) -> Option<(u8, &'r [u8])> {
        let (kind, name) = rest.split_first().filter(|(kind, _)| matches!(kind, b':' | b'.' | b'='))?;
        let mut at = 0;
        while at + 1 < name.len() {
            match (name[at], name[at + 1]) {
                (b'\\', b']' | b'\\') => at += 1,
                (b'[', next) if next == *kind => return None,
                (b']', _) => return None,
                (end, b']') if end == *kind => return Some((*kind, &name[..at])),
                _ => {}
            }
            at += 1;
        }
        None
    }
}

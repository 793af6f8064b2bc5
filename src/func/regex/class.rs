//! Sets of bytes: what classes stand for under Erlang's Latin-1 tables.
//!
//! Invariant: a set is written as hexadecimal ranges, so nothing in it can mean anything else.

use std::fmt::Write;

/// A set of bytes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Set([bool; 256]);

impl Set {
    /// The bytes of which this holds.
    pub(super) fn of(is: impl Fn(u8) -> bool) -> Set {
        let mut set = [false; 256];
        for byte in 0..=255u8 {
            set[usize::from(byte)] = is(byte);
        }
        Set(set)
    }

    /// No bytes.
    pub(super) fn empty() -> Set {
        Set([false; 256])
    }

    /// Takes in a range.
    pub(super) fn add_range(&mut self, from: u8, to: u8) {
        self.0[usize::from(from)..=usize::from(to)].fill(true);
    }

    /// Takes in another set.
    pub(super) fn add(&mut self, other: &Set) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, other)| *mine |= other);
    }

    /// All other bytes.
    pub(super) fn inverse(&self) -> Set {
        Set(self.0.map(|has| !has))
    }

    /// With the other case of every letter.
    pub(super) fn folded(&self) -> Set {
        Set::of(|byte| self.0[usize::from(byte)] || self.0[usize::from(other_case(byte))])
    }

    /// As a class of PCRE's.
    pub(super) fn write(&self, out: &mut String) {
        let ranges = self.ranges();
        if ranges.is_empty() {
            out.push_str("[^\\x00-\\xff]");
            return;
        }
        out.push('[');
        for (from, to) in ranges {
            let _ = match to - from {
                0 => write!(out, "\\x{from:02x}"),
                _ => write!(out, "\\x{from:02x}-\\x{to:02x}"),
            };
        }
        out.push(']');
    }

    fn ranges(&self) -> Vec<(u8, u8)> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for byte in (0..=255u8).filter(|byte| self.0[usize::from(*byte)]) {
            match ranges.last_mut() {
                Some((_, to)) if to.checked_add(1) == Some(byte) => *to = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        ranges
    }
}

/// The letter in the other case, or the byte itself.
pub(super) fn other_case(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' | 0xC0..=0xD6 | 0xD8..=0xDE => byte + 32,
        b'a'..=b'z' | 0xE0..=0xF6 | 0xF8..=0xFE => byte - 32,
        _ => byte,
    }
}

fn is_alpha(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, 0xAA | 0xB5 | 0xBA | 0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0xFF)
}

fn is_word(byte: u8) -> bool {
    is_alpha(byte) || byte.is_ascii_digit() || byte == b'_'
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 9..=13 | b' ')
}

fn is_graph(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E | 0xA0..=0xFF)
}

/// The set of a class escape (`\d`, `\w`, `\s`, `\h`, `\v` and their inverses).
pub(super) fn escape(letter: u8) -> Option<Set> {
    let set = match letter.to_ascii_lowercase() {
        b'd' => Set::of(|b| b.is_ascii_digit()),
        b'w' => Set::of(is_word),
        b's' => Set::of(is_space),
        b'h' => Set::of(|b| matches!(b, 9 | b' ' | 0xA0)),
        b'v' => Set::of(|b| matches!(b, 10..=13 | 0x85)),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { set.inverse() } else { set })
}

/// The set of a POSIX class, by its name; without regard to case, upper and lower are letters.
pub(super) fn posix(name: &[u8], caseless: bool) -> Option<Set> {
    let (inverse, name) = match name.strip_prefix(b"^") {
        Some(name) => (true, name),
        None => (false, name),
    };
    let set = match name {
        b"upper" | b"lower" if caseless => Set::of(is_alpha),
        b"alpha" => Set::of(is_alpha),
        b"lower" => Set::of(|b| b.is_ascii_lowercase() || matches!(b, 0xB5 | 0xDF..=0xF6 | 0xF8..=0xFF)),
        b"upper" => Set::of(|b| b.is_ascii_uppercase() || matches!(b, 0xC0..=0xD6 | 0xD8..=0xDE)),
        b"alnum" => Set::of(|b| is_alpha(b) || b.is_ascii_digit()),
        b"ascii" => Set::of(|b| b.is_ascii()),
        b"blank" => Set::of(|b| matches!(b, 9 | b' ')),
        b"cntrl" => Set::of(|b| matches!(b, 0..=0x1F | 0x7F..=0x9F)),
        b"digit" => Set::of(|b| b.is_ascii_digit()),
        b"graph" => Set::of(is_graph),
        b"print" => Set::of(|b| is_graph(b) || b == b' '),
        b"punct" => Set::of(|b| is_graph(b) && !is_alpha(b) && !b.is_ascii_digit()),
        b"space" => Set::of(is_space),
        b"word" => Set::of(is_word),
        b"xdigit" => Set::of(|b| b.is_ascii_hexdigit()),
        _ => return None,
    };
    Some(if inverse { set.inverse() } else { set })
}

//! Topic names and filters.
//!
//! Invariant: everything works on bytes and whole levels; no text is cut at a fixed byte.

mod hash;
mod index;

pub use index::Index;
use thiserror::Error;

/// The longest topic, in bytes (MQTT-4.7.3-3).
pub const TOPIC_BYTES_MAX: usize = 65_535;

/// Why a topic name or filter is invalid.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Invalid {
    /// No text at all.
    #[error("a topic cannot be empty")]
    Empty,
    /// Over [`TOPIC_BYTES_MAX`].
    #[error("a topic cannot be longer than {TOPIC_BYTES_MAX} bytes")]
    TooLong,
    /// `a/#/b`.
    #[error("`#` can only be the last level")]
    HashNotLast,
    /// `a+/b`, a NUL.
    #[error("`+`, `#` and NUL cannot be part of a level")]
    Character,
    /// Not UTF-8.
    #[error("a topic must be UTF-8")]
    NotUtf8,
    /// A name with `+` or `#` levels.
    #[error("a topic name cannot hold the wildcards `+` and `#`")]
    Wildcard,
    /// `$share//a`, `$share/g`, `$share/g+/a`.
    #[error("a shared subscription is written `$share/GROUP/FILTER`")]
    Share,
}

/// Does a topic name match a filter (emqx_topic:match)?
pub fn matches(name: &[u8], filter: &[u8]) -> bool {
    // Wildcards on the first level do not match names that start with `$` (MQTT-4.7.2-1); the engine looks at the
    // filter's first byte alone.
    if name.first() == Some(&b'$') && matches!(filter.first(), Some(b'+' | b'#')) {
        return false;
    }
    let mut levels = name.split(|b| *b == b'/');
    let mut filters = filter.split(|b| *b == b'/').peekable();
    while let Some(wanted) = filters.next() {
        if wanted == b"#" && filters.peek().is_none() {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == b"+" || level == wanted => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// Has a filter `+` or `#` levels?
pub fn has_wildcard(filter: &[u8]) -> bool {
    filter.split(|b| *b == b'/').any(|level| level == b"+" || level == b"#")
}

/// A name that the filter matches: its wildcards become plain levels.
pub fn matching_name(filter: &str) -> String {
    let level = |level| if level == "+" || level == "#" { "x" } else { level };
    filter.split('/').map(level).collect::<Vec<_>>().join("/")
}

/// Checks a topic name (emqx_topic:validate/2).
pub fn validate_name(name: &[u8]) -> Result<(), Invalid> {
    validate_levels(name)?;
    if has_wildcard(name) { Err(Invalid::Wildcard) } else { Ok(()) }
}

/// Checks a topic filter.
pub fn validate_filter(filter: &[u8]) -> Result<(), Invalid> {
    if let Some(shared) = filter.strip_prefix(b"$share/") {
        return validate_share(shared);
    }
    validate_levels(filter)
}

fn validate_share(shared: &[u8]) -> Result<(), Invalid> {
    if shared.len() + b"$share/".len() > TOPIC_BYTES_MAX {
        return Err(Invalid::TooLong);
    }
    let mut parts = shared.splitn(2, |b| *b == b'/');
    let (group, filter) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if group.is_empty() || filter.is_empty() || group.iter().any(|b| matches!(b, b'+' | b'#')) {
        return Err(Invalid::Share);
    }
    validate_levels(filter)
}

fn validate_levels(topic: &[u8]) -> Result<(), Invalid> {
    if topic.is_empty() {
        return Err(Invalid::Empty);
    }
    if topic.len() > TOPIC_BYTES_MAX {
        return Err(Invalid::TooLong);
    }
    let count = topic.split(|b| *b == b'/').count();
    for (at, level) in topic.split(|b| *b == b'/').enumerate() {
        match level {
            b"+" => {}
            b"#" if at + 1 == count => {}
            b"#" => return Err(Invalid::HashNotLast),
            _ if level.iter().any(|b| matches!(b, b'+' | b'#' | 0)) => return Err(Invalid::Character),
            _ if std::str::from_utf8(level).is_err() => return Err(Invalid::NotUtf8),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        for (name, filter, answer) in [
            ("a/b", "a/b", true),
            ("a/b", "a/+", true),
            ("a", "a/#", true),
            ("a/", "a/+", true),
            ("/a", "+/a", true),
            ("a/b/c", "a/+", false),
            ("a/b", "#", true),
            ("$SYS/x", "#", false),
            ("$SYS/x", "+/x", false),
            ("$SYS/x", "$SYS/#", true),
            ("é/x", "é/+", true),
            ("a", "A", false),
            ("a/b", "a/#/b", false),
        ] {
            assert_eq!(matches(name.as_bytes(), filter.as_bytes()), answer, "{name} {filter}");
        }
    }

    #[test]
    fn validity() {
        assert_eq!(validate_filter(b"a/#/b"), Err(Invalid::HashNotLast));
        assert_eq!(validate_filter(b"a+/b"), Err(Invalid::Character));
        assert_eq!(validate_filter(b""), Err(Invalid::Empty));
        assert_eq!(validate_name(b"a/+"), Err(Invalid::Wildcard));
        assert_eq!(validate_filter(b"$share/g/a/#"), Ok(()));
        assert_eq!(validate_filter(b"$share/g"), Err(Invalid::Share));
        assert_eq!(validate_name(&vec![b'a'; TOPIC_BYTES_MAX]), Ok(()));
        assert_eq!(validate_name(&vec![b'a'; TOPIC_BYTES_MAX + 1]), Err(Invalid::TooLong));
    }
}

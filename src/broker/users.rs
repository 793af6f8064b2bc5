//! Who may connect.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::limits;

/// Who may connect to the broker.
#[derive(Clone)]
pub enum Access {
    /// Everybody, with any user name or none.
    Anonymous,
    /// These users with their passwords.
    Users(Arc<BTreeMap<String, String>>),
}

/// Why a client is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It gave no user name.
    NoName,
    /// The name is unknown, or the password another.
    BadPassword,
}

impl Access {
    /// Reads `user:password` lines. Empty lines and lines that start with `#` count as nothing; a password may
    /// hold colons. The error names the line.
    pub fn parse(text: &str) -> Result<Access, String> {
        let mut users = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = if index == 0 { line.trim_start_matches('\u{feff}') } else { line };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let number = index + 1;
            // The line itself stays out of the message: it may be a password.
            let Some((name, password)) = line.split_once(':') else {
                return Err(format!("line {number}: no colon; write user:password"));
            };
            if name.is_empty() || password.is_empty() {
                return Err(format!("line {number}: user and password must not be empty"));
            }
            if users.insert(name.to_owned(), password.to_owned()).is_some() {
                return Err(format!("line {number}: the user '{name}' stands there already"));
            }
            if users.len() > limits::USERS_MAX {
                return Err(format!("line {number}: more than {} users", limits::USERS_MAX));
            }
        }
        if users.is_empty() {
            return Err("no users in it; write one user:password a line".to_owned());
        }
        Ok(Access::Users(Arc::new(users)))
    }

    /// May this client connect?
    pub(super) fn check(&self, name: Option<&str>, password: Option<&[u8]>) -> Result<(), Refusal> {
        let Access::Users(users) = self else { return Ok(()) };
        let name = name.ok_or(Refusal::NoName)?;
        // An unknown name costs the same comparison as a known one.
        let expected = users.get(name).map(String::as_bytes);
        let same = same_bytes(expected.unwrap_or(b"-"), password.unwrap_or_default());
        if expected.is_some() && same { Ok(()) } else { Err(Refusal::BadPassword) }
    }
}

/// Compares without stopping at the first difference, so that time tells nothing about it.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y));
    a.len() == b.len() && std::hint::black_box(differing) == 0
}

/// Passwords stay out.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Anonymous => f.write_str("Anonymous"),
            Access::Users(users) => write!(f, "Users({})", users.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_users_and_names_the_bad_line() {
        let access = Access::parse("# team\n\nann:s3:cret\r\nbob:x\n").unwrap();
        assert_eq!(access.check(Some("ann"), Some(b"s3:cret")), Ok(()));
        assert_eq!(access.check(Some("ann"), Some(b"s3")), Err(Refusal::BadPassword));
        assert_eq!(access.check(Some("eve"), Some(b"-")), Err(Refusal::BadPassword));
        assert_eq!(access.check(Some("bob"), None), Err(Refusal::BadPassword));
        assert_eq!(access.check(None, None), Err(Refusal::NoName));
        assert!(!format!("{access:?}").contains("cret"));
        for (text, error) in [
            ("", "no users in it; write one user:password a line"),
            ("ann\n", "line 1: no colon; write user:password"),
            ("ann:\n", "line 1: user and password must not be empty"),
            ("ann:x\nann:y\n", "line 2: the user 'ann' stands there already"),
        ] {
            assert_eq!(Access::parse(text).unwrap_err(), error);
        }
    }

    #[test]
    fn there_is_a_bound_on_users() {
        let lines = |count: usize| (0..count).map(|n| format!("u{n}:p\n")).collect::<String>();
        assert!(Access::parse(&lines(limits::USERS_MAX)).is_ok());
        let error = Access::parse(&lines(limits::USERS_MAX + 1)).unwrap_err();
        assert_eq!(error, "line 100001: more than 100000 users");
    }
}

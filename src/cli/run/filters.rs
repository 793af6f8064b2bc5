//! Which topic filters to subscribe to, so that all rules see their messages and none comes twice.

use std::collections::BTreeSet;

use crate::event;

/// The rules' filters without those that another one covers; `$events/…` are no messages.
pub(super) fn union<'a>(topics: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let all: BTreeSet<&str> = topics.into_iter().filter(|topic| !event::is_event_topic(topic)).collect();
    let covered = |filter: &&str| all.iter().any(|other| other != filter && covers(other, filter));
    all.iter().filter(|filter| !covered(filter)).map(|&filter| filter.to_owned()).collect()
}

/// Two filters that may match one message, though neither covers the other: some brokers send it twice then.
pub(super) fn overlapping(filters: &[String]) -> Option<(&str, &str)> {
    let pairs = filters.iter().enumerate().flat_map(|(at, a)| filters[at + 1..].iter().map(move |b| (a, b)));
    pairs.map(|(a, b)| (a.as_str(), b.as_str())).find(|(a, b)| overlap(a, b))
}

/// Does `wide` match everything that `narrow` matches?
fn covers(wide: &str, narrow: &str) -> bool {
    if dollar(wide, narrow) {
        return false;
    }
    let (mut wide, mut narrow) = (wide.split('/'), narrow.split('/'));
    loop {
        match (wide.next(), narrow.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

fn overlap(a: &str, b: &str) -> bool {
    if dollar(a, b) || dollar(b, a) {
        return false;
    }
    let (mut a, mut b) = (a.split('/'), b.split('/'));
    loop {
        match (a.next(), b.next()) {
            (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
            (Some("+"), Some(_)) | (Some(_), Some("+")) => {}
            (Some(x), Some(y)) if x == y => {}
            _ => return false,
        }
    }
}

/// Is the one a wildcard at the start, which matches no name that starts with `$`, as the other does?
fn dollar(wildcard: &str, name: &str) -> bool {
    wildcard.starts_with(['+', '#']) && name.starts_with('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subscription_for_each_message() {
        for (topics, expected) in [
            (&["#", "car/#", "$events/client_connected"][..], &["#"][..]),
            (&["a/+", "a/b", "a/b/c"], &["a/+", "a/b/c"]),
            (&["a/#", "a", "a/b/+", "a/+/#"], &["a/#"]),
            (&["#", "$SYS/#"], &["#", "$SYS/#"]),
            (&["a", "a"], &["a"]),
            (&["a/+", "a/#"], &["a/#"]),
            (&["+/b", "a/+"], &["+/b", "a/+"]),
        ] {
            assert_eq!(union(topics.iter().copied()), expected, "{topics:?}");
        }
    }

    #[test]
    fn filters_that_share_messages_are_found() {
        let found = |filters: &[&str]| {
            let filters: Vec<_> = filters.iter().map(|&f| f.to_owned()).collect();
            overlapping(&filters).is_some()
        };
        assert!(found(&["x", "+/b", "a/+"]));
        assert!(found(&["a/+/c", "a/b/#"]));
        assert!(!found(&["a/+", "a/b/c", "b/#"]));
        assert!(!found(&["#", "$SYS/#"]));
    }
}

//! `=~` over anything, as emqx_topic:match takes it: topics and filters as text, or as lists of levels.

use crate::profile::Profile;
use crate::topic;
use crate::value::Value;

/// A level as the engine sees it once a text is cut (emqx_topic:words); lists come with plain values only.
#[derive(PartialEq)]
enum Word<'a> {
    Text(&'a [u8]),
    Empty,
    Plus,
    Hash,
    Other(&'a Value),
}

/// Does the topic on the left match the filter on the right? None where the engine fails.
pub(super) fn matches(name: &Value, filter: &Value, profile: Profile) -> Option<bool> {
    if let (Value::Str(name), Value::Str(filter)) = (name, filter) {
        return Some(topic::matches(name, filter));
    }
    let (name, filter) = match profile {
        // 5.8 cuts whichever side is a text, and says false to what is neither text nor list.
        Profile::V5_8 => (words(name, true), words(filter, true)),
        Profile::V4_3 => (words(name, false), words(filter, false)),
    };
    match (name, filter, profile) {
        (Some(name), Some(filter), Profile::V5_8) => {
            let dollar = matches!(name.first(), Some(Word::Text([b'$', ..])));
            let wild = matches!(filter.first(), Some(Word::Plus | Word::Hash));
            Some(!(dollar && wild) && levels_match(&name, &filter))
        }
        (Some(name), Some(filter), Profile::V4_3) => Some(levels_match(&name, &filter)),
        (_, Some(filter), Profile::V5_8) => Some(matches!(filter.as_slice(), [Word::Hash])),
        (_, None, Profile::V5_8) => Some(false),
        (_, _, Profile::V4_3) => None,
    }
}

fn words(value: &Value, cut: bool) -> Option<Vec<Word<'_>>> {
    match value {
        Value::Str(text) if cut => Some(
            text.split(|byte| *byte == b'/')
                .map(|level| match level {
                    b"" => Word::Empty,
                    b"+" => Word::Plus,
                    b"#" => Word::Hash,
                    text => Word::Text(text),
                })
                .collect(),
        ),
        Value::List(items) => Some(
            items
                .iter()
                .map(|item| match item {
                    Value::Str(text) => Word::Text(text),
                    other => Word::Other(other),
                })
                .collect(),
        ),
        _ => None,
    }
}

fn levels_match(name: &[Word<'_>], filter: &[Word<'_>]) -> bool {
    match (name, filter) {
        ([], []) => true,
        ([a, name @ ..], [b, filter @ ..]) if a == b => levels_match(name, filter),
        ([_, name @ ..], [Word::Plus, filter @ ..]) => levels_match(name, filter),
        ([Word::Text(b""), name @ ..], [Word::Empty, filter @ ..]) => levels_match(name, filter),
        (_, [Word::Hash]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Bytes, decode};

    #[test]
    fn lists_and_other_values() {
        let value = |json: &str| decode::decode(&Bytes::copy_from_slice(json.as_bytes())).unwrap();
        for (name, filter, in_5_8, in_4_3) in [
            ("[\"a\",\"b\"]", "\"a/+\"", Some(true), None),
            ("[\"a\",\"b\"]", "[\"a\",\"b\"]", Some(true), Some(true)),
            ("[\"a\"]", "[\"a\",\"b\"]", Some(false), Some(false)),
            ("[\"\"]", "\"\"", Some(true), None),
            ("[\"$a\"]", "\"#\"", Some(false), None),
            ("{}", "\"#\"", Some(true), None),
            ("{}", "\"a\"", Some(false), None),
            ("1", "1", Some(false), None),
            ("[]", "[]", Some(true), Some(true)),
            ("\"a\"", "[\"a\"]", Some(true), None),
        ] {
            assert_eq!(matches(&value(name), &value(filter), Profile::V5_8), in_5_8, "{name} =~ {filter}");
            assert_eq!(matches(&value(name), &value(filter), Profile::V4_3), in_4_3, "{name} =~ {filter}");
        }
    }
}

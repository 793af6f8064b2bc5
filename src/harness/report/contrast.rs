//! Two texts that are nearly the same: what differs must be seen, however long they are.

use super::super::{look::Look, show};

/// The texts are shown around their first difference when they share so much before it.
const SHARED_MIN: usize = 24;

/// How expected and actual are written: on a line each, with what differs marked where there are colours. Long texts
/// are cut to where they begin to differ; then the third says from which character on that is.
pub(super) fn contrast(expected: &str, actual: &str, look: Look) -> (String, String, Option<usize>) {
    let (old, new): (Vec<char>, Vec<char>) = (expected.chars().collect(), actual.chars().collect());
    let shared = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - shared;
    let shared_end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let room = look.width.saturating_sub("    expected  ".len() + 2);
    let long = old.len().max(new.len()) > room;
    if shared + shared_end < SHARED_MIN.min(room) || expected == actual {
        let whole = |text: &str| show::cut(text);
        return (look.good(&whole(expected)), look.bad(&whole(actual)), None);
    }
    let quote = usize::from(old.first() == Some(&'"'));
    let start = if long { shared.saturating_sub(room / 3) } else { 0 };
    let line = |chars: &[char], code: &str| {
        let end = if long { chars.len().min(start + room) } else { chars.len() };
        let text = |from: usize, to: usize| chars[from.min(end)..to.min(end)].iter().collect::<String>();
        let same_from = (chars.len() - shared_end).max(shared);
        let marked = format!("{code};7");
        let middle = text(shared, same_from);
        format!(
            "{}{}{}{}{}",
            if start > 0 { "…" } else { "" },
            look.paint(code, &text(start, shared)),
            if middle.is_empty() { String::new() } else { look.paint(&marked, &middle) },
            look.paint(code, &text(same_from, chars.len())),
            if end < chars.len() { "…" } else { "" },
        )
    };
    (line(&old, "32"), line(&new, "31"), (start > 0).then_some(shared + 1 - quote))
}

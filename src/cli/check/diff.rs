//! A unified diff of two texts.

use std::fmt::Write;

use crate::limits::DIFF_CELLS_MAX;

/// Lines around a change.
const CONTEXT: usize = 3;

/// One line of the comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// The diff; nothing when the texts are equal.
pub(super) fn unified(name: &str, before: &str, after: &str) -> String {
    let lines = compare(
        &before.split_inclusive('\n').collect::<Vec<_>>(),
        &after.split_inclusive('\n').collect::<Vec<_>>(),
    );
    let mut out = String::new();
    let changed: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !matches!(line, Line::Same(_)))
        .map(|(at, _)| at)
        .collect();
    if changed.is_empty() {
        return out;
    }
    let _ = writeln!(out, "--- {name}\n+++ {name}");
    let mut next = 0;
    while let Some(&first) = changed.get(next) {
        // Changes that share their context stand in one hunk.
        let mut last = first;
        while let Some(&more) = changed.get(next).filter(|&&more| more <= last + 2 * CONTEXT + 1) {
            last = more;
            next += 1;
        }
        let range = first.saturating_sub(CONTEXT)..(last + CONTEXT + 1).min(lines.len());
        hunk(&mut out, &lines, range);
    }
    out
}

fn hunk(out: &mut String, lines: &[Line<'_>], range: std::ops::Range<usize>) {
    let old = |line: &&Line<'_>| !matches!(line, Line::New(_));
    let new = |line: &&Line<'_>| !matches!(line, Line::Gone(_));
    let start = |is: &dyn Fn(&&Line<'_>) -> bool, count: usize| {
        let before = lines[..range.start].iter().filter(is).count();
        if count == 0 { before } else { before + 1 }
    };
    let inside = &lines[range.clone()];
    let (gone, came) = (inside.iter().filter(old).count(), inside.iter().filter(new).count());
    let _ = writeln!(out, "@@ -{},{gone} +{},{came} @@", start(&old, gone), start(&new, came));
    for line in inside {
        let (sign, text) = match line {
            Line::Same(text) => (' ', text),
            Line::Gone(text) => ('-', text),
            Line::New(text) => ('+', text),
        };
        let _ = write!(out, "{sign}{text}");
        if !text.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

fn compare<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<Line<'a>> {
    let head = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (rest, other) = (&before[head..], &after[head..]);
    let tail = rest.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, new) = (&rest[..rest.len() - tail], &other[..other.len() - tail]);
    let mut lines: Vec<Line<'a>> = before[..head].iter().map(|line| Line::Same(line)).collect();
    if old.len().saturating_mul(new.len()) > DIFF_CELLS_MAX {
        lines.extend(old.iter().map(|line| Line::Gone(line)));
        lines.extend(new.iter().map(|line| Line::New(line)));
    } else {
        lines.extend(common(old, new));
    }
    lines.extend(rest[rest.len() - tail..].iter().map(|line| Line::Same(line)));
    lines
}

/// The longest common subsequence, walked from its start.
fn common<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let width = new.len() + 1;
    let mut length = vec![0u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            length[i * width + j] = match old[i] == new[j] {
                true => length[(i + 1) * width + j + 1] + 1,
                false => length[(i + 1) * width + j].max(length[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len()
            && (j == new.len() || length[(i + 1) * width + j] >= length[i * width + j + 1])
        {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_have_context_and_counts() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16";
        let after = before.replace("\n2\n", "\ntwo\n").replace("\n16", "\n16\n17");
        assert_eq!(
            unified("a", before, &after),
            "--- a\n+++ a\n@@ -1,5 +1,5 @@\n 1\n-2\n+two\n 3\n 4\n 5\n@@ -13,4 +13,5 @@\n 13\n 14\n 15\n-16\n\
             \\ No newline at end of file\n+16\n+17\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("a", before, before), "");
        assert_eq!(unified("a", "", "x\n"), "--- a\n+++ a\n@@ -0,0 +1,1 @@\n+x\n");
        assert_eq!(unified("a", "x\n", ""), "--- a\n+++ a\n@@ -1,1 +0,0 @@\n-x\n");
    }

    #[test]
    fn changes_near_each_other_share_a_hunk() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let after = "A\nb\nc\nd\ne\nf\ng\nH\n";
        assert_eq!(unified("a", before, after).matches("@@ -").count(), 1);
    }

    #[test]
    fn long_texts_stay_within_the_bound() {
        let side = |letter: char, lines: usize| -> String {
            (0..lines)
                .map(|n| if n % 2 == 0 { format!("{letter}{n}\n") } else { "same\n".to_owned() })
                .collect()
        };
        let rows = DIFF_CELLS_MAX.isqrt();
        let within = unified("a", &side('a', rows), &side('b', rows));
        assert!(within.contains("\n same\n"));
        let beyond = unified("a", &side('a', rows + 2), &side('b', rows + 2));
        assert!(beyond.starts_with("--- a\n") && beyond.contains("\n-same\n"));
    }
}

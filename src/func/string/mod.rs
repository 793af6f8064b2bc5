//! Strings as texts of grapheme clusters, as Erlang's `string` module sees them.
//!
//! A cluster is what a reader takes for one character: a letter with its accents, a flag, CR LF. OTP 25 divides by
//! Unicode 14; later versions join Indic conjuncts, which is undone here.
//!
//! Invariant: a string that is not UTF-8 is an error wherever clusters count.

pub mod case;
pub mod escape;
pub mod join;
pub mod pad;
pub mod search;
pub mod split;
pub mod trim;

use unicode_segmentation::UnicodeSegmentation;

/// The clusters of a text.
pub(super) fn clusters(text: &str) -> Clusters<'_> {
    Clusters { rest: text }
}

/// Iterator over clusters, each found from where the last one ended.
pub(super) struct Clusters<'a> {
    rest: &'a str,
}

impl<'a> Clusters<'a> {
    /// What has not been given yet.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }
}

impl<'a> Iterator for Clusters<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (cluster, rest) = self.rest.split_at(first_len(self.rest)?);
        self.rest = rest;
        Some(cluster)
    }
}

/// Length in bytes of the first cluster; `None` for an empty text.
pub(super) fn first_len(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [] => return None,
        // Two ASCII characters never are one cluster, but for CR LF.
        [a, b, ..] if a.is_ascii() && b.is_ascii() => {
            return Some(if (*a, *b) == (b'\r', b'\n') { 2 } else { 1 });
        }
        [_] => return Some(1),
        _ => {}
    }
    let cluster = text.graphemes(true).next()?;
    Some(conjunct_end(cluster).unwrap_or(cluster.len()))
}

/// Where OTP 25 ends a cluster that holds an Indic conjunct: before the next consonant.
fn conjunct_end(cluster: &str) -> Option<usize> {
    let alone = |text: String| text.graphemes(true).count() == 2;
    let mut before = None;
    for (at, c) in cluster.char_indices() {
        let indic = matches!(u32::from(c), 0x0900..=0x1FFF | 0xA800..=0xABFF | 0x11000..=0x11FFF);
        if let Some(before) = before
            && indic
            && c.is_alphabetic()
            // Neither is the character one that clings to what it follows, nor does what it follows reach forward.
            && alone(format!("a{c}"))
            && alone(format!("{before}a"))
        {
            return Some(at);
        }
        before = Some(c);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_otp_25() {
        let of = |text| clusters(text).map(str::len).collect::<Vec<_>>();
        assert_eq!(of("abc"), [1, 1, 1]);
        assert_eq!(of("a\r\nb"), [1, 2, 1]);
        assert_eq!(of("\r"), [1]);
        assert_eq!(of("e\u{301}x"), [3, 1]);
        assert_eq!(of("🇩🇪🇫🇷"), [8, 8]);
        assert_eq!(of("👨\u{200d}👩\u{200d}👧"), [18]);
        assert_eq!(of("각"), [3]);
        assert_eq!(of("क\u{94d}षि"), [6, 6], "a conjunct is two clusters under Unicode 14");
        assert_eq!(of("\u{600}क"), [5], "what reaches forward still does");
        assert_eq!(of(""), [0usize; 0]);
    }
}

//! Date patterns: `%Y-%m-%d %H:%M:%S%:z`.
//!
//! Invariant: what is no directive is literal text, byte by byte, also a lone `%`.

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    /// `+0800`.
    Zone,
    /// `+08:00`.
    ZoneColon,
    /// `+08:00:00`.
    ZoneSeconds,
    Text(Vec<u8>),
}

const DIRECTIVES: [(&[u8], Piece); 12] = [
    (b"%Y", Piece::Year),
    (b"%m", Piece::Month),
    (b"%d", Piece::Day),
    (b"%H", Piece::Hour),
    (b"%M", Piece::Minute),
    (b"%S", Piece::Second),
    (b"%N", Piece::Nanosecond),
    (b"%3N", Piece::Millisecond),
    (b"%6N", Piece::Microsecond),
    (b"%z", Piece::Zone),
    (b"%:z", Piece::ZoneColon),
    (b"%::z", Piece::ZoneSeconds),
];

/// The pieces of a pattern; literal text that stands together is one piece.
pub(super) fn pieces(pattern: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some((first, tail)) = rest.split_first() {
        if let Some((directive, piece)) = DIRECTIVES.iter().find(|(directive, _)| rest.starts_with(directive))
        {
            pieces.push(piece.clone());
            rest = &rest[directive.len()..];
            continue;
        }
        match pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(*first),
            _ => pieces.push(Piece::Text(vec![*first])),
        }
        rest = tail;
    }
    pieces
}

impl Piece {
    /// How many bytes the piece takes in a text that is read.
    pub(super) fn width(&self) -> usize {
        match self {
            Piece::Year => 4,
            Piece::Month | Piece::Day | Piece::Hour | Piece::Minute | Piece::Second => 2,
            Piece::Millisecond => 3,
            Piece::Microsecond => 6,
            Piece::Nanosecond => 9,
            Piece::Zone => 5,
            Piece::ZoneColon => 6,
            Piece::ZoneSeconds => 9,
            Piece::Text(text) => text.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_directives_count() {
        let text = |t: &str| Piece::Text(t.as_bytes().to_vec());
        assert_eq!(pieces(b"%Y-%Q%%3N%"), [Piece::Year, text("-%Q%"), Piece::Millisecond, text("%")]);
        assert_eq!(pieces(b""), []);
    }
}

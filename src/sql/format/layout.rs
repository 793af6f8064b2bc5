//! Documents that fit a width: a group stands on one line where it fits and has no comment, else all its own breaks
//! are taken (after Wadler's "A prettier printer", without its search).
//!
//! Invariant: behind a comment nothing follows on its line.

/// A piece of a document.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// Text that is never broken.
    Text(String),
    /// A blank that nothing breaks; none at the start of a line.
    Blank,
    /// A blank, or a line's end in a group that is broken.
    Line,
    /// Nothing, or a line's end in a group that is broken.
    Break,
    /// Pieces that are broken together.
    Group(Group),
    /// Pieces whose lines are indented.
    Nest(Vec<Piece>),
    /// A comment; what follows it stands on the next line.
    Comment {
        text: String,
        /// It begins a line of its own.
        own_line: bool,
    },
}

/// Pieces that are broken together.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pieces: Vec<Piece>,
    /// Characters on one line; `None` with a comment inside.
    width: Option<usize>,
    breaks: Breaks,
}

/// When a group is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaks {
    /// When it does not fit.
    Needed,
    /// Whether it fits or not.
    Always,
    /// Never, nor is any group inside.
    Never,
}

impl Group {
    /// Pieces that are broken when they do not fit.
    pub fn of(pieces: Vec<Piece>) -> Piece {
        let width = flat_width(&pieces);
        Piece::Group(Group { pieces, width, breaks: Breaks::Needed })
    }

    /// Pieces whose breaks are taken whether they fit or not.
    pub fn broken(pieces: Vec<Piece>) -> Piece {
        Piece::Group(Group { pieces, width: None, breaks: Breaks::Always })
    }

    /// Pieces without comments that stand on one line.
    pub fn flat(pieces: Vec<Piece>) -> Piece {
        let width = flat_width(&pieces);
        Piece::Group(Group { pieces, width, breaks: Breaks::Never })
    }
}

/// Characters of the pieces on one line; `None` with a comment among them.
pub(super) fn flat_width(pieces: &[Piece]) -> Option<usize> {
    pieces.iter().try_fold(0usize, |sum, piece| Some(sum + piece.flat_width()?))
}

/// As [`flat_width`], comments left out.
pub(super) fn bare_width(pieces: &[Piece]) -> usize {
    let width = |piece: &Piece| match piece {
        Piece::Group(group) => group.width.unwrap_or_else(|| bare_width(&group.pieces)),
        Piece::Nest(pieces) => bare_width(pieces),
        Piece::Comment { .. } => 0,
        other => other.flat_width().unwrap_or(0),
    };
    pieces.iter().map(width).sum()
}

impl Piece {
    /// A text.
    pub fn text(text: impl Into<String>) -> Piece {
        Piece::Text(text.into())
    }

    fn flat_width(&self) -> Option<usize> {
        match self {
            Piece::Text(text) => Some(text.chars().count()),
            Piece::Blank | Piece::Line => Some(1),
            Piece::Break => Some(0),
            Piece::Group(group) => group.width,
            Piece::Nest(pieces) => flat_width(pieces),
            Piece::Comment { .. } => None,
        }
    }
}

/// Columns of one level.
const INDENT: usize = 2;

/// The text of a document.
pub(super) fn print(pieces: &[Piece], width: usize) -> String {
    let mut printer = Printer { out: String::new(), column: 0, width, comment: false, blank: false };
    printer.pieces(pieces, 0, true, 0);
    printer.out
}

struct Printer {
    out: String,
    column: usize,
    width: usize,
    /// The last thing written is a comment.
    comment: bool,
    /// A blank is due before the next text of the line.
    blank: bool,
}

impl Printer {
    /// `tail` is what follows the last piece without a break between.
    fn pieces(&mut self, pieces: &[Piece], indent: usize, broken: bool, tail: usize) {
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => self.text(text, indent),
                Piece::Blank => self.blank(),
                Piece::Line if broken => self.end_line(),
                Piece::Line => self.blank(),
                Piece::Break if broken => self.end_line(),
                Piece::Break => {}
                Piece::Nest(inner) => {
                    let tail = self.following(&pieces[at + 1..], broken, tail);
                    self.pieces(inner, indent + INDENT, broken, tail);
                }
                Piece::Group(group) => {
                    let tail = self.following(&pieces[at + 1..], broken, tail);
                    let column = self.column.max(indent) + usize::from(self.blank);
                    let fits = group.width.is_some_and(|own| column + own + tail <= self.width);
                    let width = self.width;
                    let broken = match group.breaks {
                        Breaks::Needed => !fits,
                        Breaks::Always => true,
                        Breaks::Never => {
                            self.width = usize::MAX;
                            false
                        }
                    };
                    self.pieces(&group.pieces, indent, broken, tail);
                    self.width = width;
                }
                Piece::Comment { text, own_line } => self.comment(text, *own_line, indent),
            }
        }
    }

    /// Characters up to the next break.
    fn following(&self, pieces: &[Piece], broken: bool, tail: usize) -> usize {
        let mut width = 0;
        for piece in pieces {
            match piece {
                Piece::Line | Piece::Break if broken => return width,
                // A comment may reach over the edge.
                Piece::Comment { .. } => return width,
                Piece::Nest(inner) => {
                    let inner_breaks =
                        broken && inner.iter().any(|p| matches!(p, Piece::Line | Piece::Break));
                    width += self.following(inner, broken, 0);
                    if inner_breaks {
                        return width;
                    }
                }
                other => width += other.flat_width().unwrap_or(0),
            }
            if width > self.width {
                return width;
            }
        }
        width + tail
    }

    fn at_line_start(&self) -> bool {
        self.column == 0
    }

    fn end_line(&mut self) {
        if !self.at_line_start() {
            self.out.push('\n');
            self.column = 0;
        }
        self.comment = false;
        self.blank = false;
    }

    fn blank(&mut self) {
        self.blank = true;
    }

    fn text(&mut self, text: &str, indent: usize) {
        if text.is_empty() {
            return;
        }
        if self.comment {
            self.end_line();
        }
        if self.at_line_start() {
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.column = indent;
        } else if self.blank {
            self.out.push(' ');
            self.column += 1;
        }
        self.blank = false;
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    fn comment(&mut self, text: &str, own_line: bool, indent: usize) {
        if own_line || self.comment {
            self.end_line();
        }
        self.blank = true;
        self.text(text, indent);
        self.comment = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Piece> {
        text.split(' ')
            .enumerate()
            .flat_map(|(at, word)| {
                let line = (at > 0).then_some(Piece::Line);
                line.into_iter().chain([Piece::text(word)])
            })
            .collect()
    }

    #[test]
    fn a_group_breaks_as_a_whole() {
        let group =
            |text| vec![Piece::text("f("), Group::of(vec![Piece::Nest(words(text))]), Piece::text(")")];
        assert_eq!(print(&group("a b c"), 8), "f(a b c)");
        assert_eq!(print(&group("a b c"), 7), "f(a\n  b\n  c)");
    }

    #[test]
    fn nothing_follows_a_comment() {
        let comment = |own_line| Piece::Comment { text: "-- c".to_owned(), own_line };
        let with = |own_line| {
            vec![
                Piece::text("a"),
                Group::of(vec![comment(own_line), Piece::Blank, Piece::text("b"), Piece::text(",")]),
            ]
        };
        assert_eq!(print(&with(false), 80), "a -- c\nb,");
        assert_eq!(print(&with(true), 80), "a\n-- c\nb,");
        let twice = vec![Piece::text("a"), comment(false), comment(true), Piece::Line, Piece::text("b")];
        assert_eq!(print(&twice, 80), "a -- c\n-- c\nb");
    }

    #[test]
    fn widths_are_characters() {
        assert_eq!(print(&[Group::of(words("äöü 日本"))], 6), "äöü 日本");
        assert_eq!(print(&[Group::of(words("äöü 日本"))], 5), "äöü\n日本");
    }
}

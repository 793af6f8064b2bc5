//! How reports for people look: their width, and their colours.
//!
//! Colours are ANSI sequences; who prints takes them out where nobody wants them, or asks for none.

/// Columns of a report that goes to no terminal.
pub const WIDTH: usize = 110;

/// Columns below which nothing is made narrower.
pub const WIDTH_MIN: usize = 60;

/// How a report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// With ANSI sequences.
    pub colour: bool,
}

impl Look {
    /// Text alone.
    pub fn plain(width: usize) -> Look {
        Look { width, colour: false }
    }

    /// What is not to catch the eye.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A value in an excerpt.
    pub fn value(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// A value that is probably not what was meant.
    pub fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// What is well, or was expected.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// What is wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// A heading.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Any text in any way, by the numbers of ANSI.
    pub fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

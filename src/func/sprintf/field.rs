//! Widths, precisions and padding, as io_lib_format's `string`, `term` and `char` apply them.
//!
//! Invariant: what is padded stays within the bound on texts.

use crate::func::FnError;
use crate::func::args;
use crate::value::Value;

/// Characters by their codes.
pub(super) type Codes = Vec<u32>;

/// What fills a field; `None` for a value that is no text, which counts only if it is needed.
#[derive(Clone, Debug)]
pub(super) struct Pad(Option<Vec<u8>>);

impl Pad {
    pub(super) fn byte(byte: u8) -> Pad {
        Pad(Some(vec![byte]))
    }

    /// A character code, or text.
    pub(super) fn of(value: &Value) -> Pad {
        match value {
            Value::Int(n) => Pad(u8::try_from(*n).ok().map(|b| vec![b])),
            other => Pad(args::iodata(other)),
        }
    }

    fn times(&self, count: i64) -> Result<Codes, FnError> {
        if count == 0 {
            return Ok(Codes::new());
        }
        let bytes =
            self.0.as_ref().ok_or_else(|| FnError::failed("the padding of a directive is no character"))?;
        let count = within(count, bytes.len().saturating_mul(CODE))?;
        Ok(bytes.repeat(count).into_iter().map(u32::from).collect())
    }
}

/// Bytes of a character while it is being formatted.
const CODE: usize = size_of::<u32>();

/// A count that is not negative and within the bound.
fn within(count: i64, size: usize) -> Result<usize, FnError> {
    let count = usize::try_from(count)
        .map_err(|_| FnError::failed("a width or precision of a directive is negative"))?;
    args::within_text(count.saturating_mul(size))?;
    Ok(count)
}

fn chars(code: u32, count: i64) -> Result<Codes, FnError> {
    Ok(vec![code; within(count, CODE)?])
}

/// The numbers of a directive.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) width: Option<i64>,
    pub(super) left: bool,
    pub(super) precision: Option<i64>,
    pub(super) pad: Pad,
}

impl Default for Field {
    fn default() -> Field {
        Field { width: None, left: false, precision: None, pad: Pad::byte(b' ') }
    }
}

fn narrow() -> FnError {
    FnError::failed("the width of a directive is less than its precision")
}

impl Field {
    fn adjust(&self, text: Codes, pad: Codes) -> Codes {
        if self.left { [text, pad].concat() } else { [pad, text].concat() }
    }

    /// Text in a field of so many characters: cut, or filled up.
    fn exactly(&self, text: Codes, width: i64, left: bool) -> Result<Codes, FnError> {
        let len = length(&text);
        if len > width {
            return truncated(text, width);
        }
        let pad = self.pad.times(width - len)?;
        Ok(Field { left, ..self.clone() }.adjust(text, pad))
    }

    /// `~s`.
    pub(super) fn string(&self, text: Codes) -> Result<Codes, FnError> {
        match (self.width, self.precision) {
            (None, None) => Ok(text),
            (Some(width), None) => self.exactly(text, width, self.left),
            (None, Some(precision)) => self.exactly(text, precision, true),
            (Some(width), Some(precision)) if width > precision => {
                let text = self.exactly(text, precision, true)?;
                Ok(self.adjust(text, self.pad.times(width - precision)?))
            }
            (Some(width), Some(precision)) if width == precision => self.exactly(text, width, self.left),
            _ => Err(narrow()),
        }
    }

    /// What must not be cut: numbers and terms become stars where they do not fit.
    pub(super) fn term(&self, text: Codes) -> Result<Codes, FnError> {
        let Some(width) = self.width.or(self.precision) else { return Ok(text) };
        let len = length(&text);
        let room = len.min(self.precision.map_or(width, |precision| precision.min(width)));
        if len > room {
            let stars = chars(u32::from(b'*'), room)?;
            return Ok(self.adjust(stars, self.pad.times(width - room)?));
        }
        if width < room {
            return Err(narrow());
        }
        Ok(self.adjust(text, self.pad.times(width - len)?))
    }

    /// `~c` and `~~`: a character as often as the width or precision says.
    pub(super) fn repeat(&self, code: u32) -> Result<Codes, FnError> {
        match (self.width, self.precision) {
            (None, None) => Ok(vec![code]),
            (Some(count), None) | (None, Some(count)) => chars(code, count),
            (Some(width), Some(precision)) if width >= precision => {
                Ok(self.adjust(chars(code, precision)?, self.pad.times(width - precision)?))
            }
            _ => Err(narrow()),
        }
    }

    /// `~n`.
    pub(super) fn newlines(&self) -> Result<Codes, FnError> {
        match self.width {
            None => Ok(vec![10]),
            Some(_) if self.left => Err(FnError::failed("~n takes no minus sign")),
            Some(count) => chars(10, count),
        }
    }
}

/// Characters as Erlang counts them: bytes, but clusters once there is anything past a byte (`io_lib:chars_length/1`).
fn length(text: &[u32]) -> i64 {
    if text.iter().all(|code| *code < 256) {
        return text.len() as i64;
    }
    crate::func::string::clusters(&spelled(text)).count() as i64
}

fn spelled(text: &[u32]) -> String {
    text.iter().map(|code| char::from_u32(*code).unwrap_or('\u{fffd}')).collect()
}

/// The first clusters: CR LF counts as one here.
fn truncated(text: Codes, len: i64) -> Result<Codes, FnError> {
    let len = within(len, 1)?;
    let spelled = spelled(&text);
    let kept: usize =
        crate::func::string::clusters(&spelled).take(len).map(|cluster| cluster.chars().count()).sum();
    Ok(text.into_iter().take(kept).collect())
}

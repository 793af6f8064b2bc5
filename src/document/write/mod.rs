//! A tree as YAML, JSON or HOCON text: SQL stays readable, keys keep their order, and comments stay where the format
//! has them.
//!
//! Invariant: a text that [`write`] gives was read again, and says the same as the tree ([`same`]).

mod comments;
pub(super) mod hocon;
mod json;
mod yaml;

use comments::Comments;

use super::{Data, Document, Format, NoIncludes, Node, Release};
use crate::diag::{Diagnostic, codes};
use crate::text::Source;

/// Columns that a list of scalars may take on one line.
const LINE_CHARS: usize = 100;

/// The document in another format.
pub fn write(document: &Document, format: Format) -> Result<String, Diagnostic> {
    let told = |problem: Diagnostic| match problem.source {
        Some(_) => problem,
        None => problem.in_source(&document.source),
    };
    let text = match format {
        Format::Json => json::write(&document.root),
        Format::Yaml => yaml::write(&document.root, Comments::of(document)),
        Format::Hocon => hocon::write(&document.root, Comments::of(document)),
    };
    let text = text.map_err(told)?;
    let releases: &[Release] = match format {
        Format::Hocon => &[Release::V0_44, Release::Newer],
        Format::Json | Format::Yaml => &[Release::V0_44],
    };
    for release in releases {
        verify(&document.root, &text, format, *release)?;
    }
    Ok(text)
}

/// A value to be put into a file that is there.
pub(super) enum Fragment {
    /// On the line of its key or dash.
    Line(String),
    /// On lines of its own, indented; `head` is what its key's line ends in.
    Lines { head: String, lines: String },
}

/// A value as it stands in a YAML or JSON file; `column` is that of the key or dash before it, none where it must stay
/// on its line; `used` says how much of that line is taken.
pub(super) fn fragment(
    node: &Node,
    format: Format,
    column: Option<usize>,
    used: usize,
) -> Result<Fragment, Diagnostic> {
    let line = yaml::on_line(node, format)?;
    match column {
        Some(column) if format == Format::Yaml => yaml::fragment(node, line, column, used),
        _ => Ok(Fragment::Line(line)),
    }
}

/// A key as it stands in a YAML or JSON file.
pub(super) fn key(key: &str, format: Format) -> String {
    yaml::key(key, format)
}

/// How many comments the document's own file has.
pub fn comments(document: &Document) -> usize {
    Comments::of(document).rest().len()
}

fn verify(root: &Node, text: &str, format: Format, release: Release) -> Result<(), Diagnostic> {
    let name = format.name();
    let read = Document::read_with(name, text.as_bytes(), format, release, &mut NoIncludes);
    let problem = match read {
        Ok(read) if same(root, &read.root) => return Ok(()),
        Ok(_) => "it would not say the same".to_owned(),
        Err(problems) => problems.first().map(ToString::to_string).unwrap_or_default(),
    };
    let message = format!("this cannot be written as {name}: {problem}");
    Err(Diagnostic::error(codes::UNWRITABLE, message).in_source(&Source::new(name, text)))
}

/// Do two trees say the same? Places, styles and the writing of numbers do not count; the order of keys does.
pub fn same(a: &Node, b: &Node) -> bool {
    match (&a.data, &b.data) {
        (Data::Null, Data::Null) => true,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Int(_, a), Data::Int(_, b)) => a == b,
        (Data::Float(_, a), Data::Float(_, b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
        (Data::Text(a), Data::Text(b)) => a == b,
        (Data::List(a), Data::List(b)) => a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| same(a, b)),
        (Data::Map(a), Data::Map(b)) => {
            let pairs = || a.iter().zip(&**b);
            a.len() == b.len() && pairs().all(|(a, b)| a.key == b.key && same(&a.value, &b.value))
        }
        _ => false,
    }
}

/// A finite float as all three formats read it: digits, a dot, digits, and perhaps an exponent.
fn float(raw: &str, f: f64) -> String {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let (whole, fraction) = digits.split_once('.').unwrap_or_default();
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if all_digits(whole) && all_digits(fraction) && (whole == "0" || !whole.starts_with('0')) {
        return raw.to_owned();
    }
    let shortest = format!("{f:?}");
    match shortest.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => shortest,
    }
}

/// A number that only YAML has.
fn no_number(node: &Node, raw: &str, format: Format) -> Diagnostic {
    let message = format!("{} has no number {raw}", format.name());
    Diagnostic::error(codes::UNWRITABLE, message).at(node.span, "")
}

/// A scalar without quotes; `None` for strings and collections.
fn bare(node: &Node, format: Format) -> Result<Option<String>, Diagnostic> {
    Ok(Some(match &node.data {
        Data::Null => "null".to_owned(),
        Data::Bool(b) => b.to_string(),
        Data::Int(_, n) => n.to_string(),
        Data::Float(raw, f) if f.is_finite() => float(raw, *f),
        Data::Float(raw, f) => match format {
            Format::Yaml if f.is_nan() => ".nan".to_owned(),
            Format::Yaml => if *f > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
            Format::Json | Format::Hocon => return Err(no_number(node, raw, format)),
        },
        Data::Text(_) | Data::List(_) | Data::Map(_) => return Ok(None),
    }))
}

fn is_collection(node: &Node) -> bool {
    match &node.data {
        Data::List(items) => !items.is_empty(),
        Data::Map(entries) => !entries.is_empty(),
        _ => false,
    }
}

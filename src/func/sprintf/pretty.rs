//! `~p`: terms for reading, strings as text, wrapped at the end of a line.
//!
//! Behaviour of OTP's io_lib_pretty. Left out is its search for an indentation of tagged tuples that would run past
//! half a line; no rule value but the error tuples of text conversion is one.
//!
//! Invariant: a line length of 0 never wraps.

use super::field::Codes;
use super::term::{escaped, plain, segments, write as write_plain};
use crate::value::{Bits, Value};

/// Where and how a term is printed.
#[derive(Clone, Copy)]
pub(super) struct Line {
    /// Characters of a line; 0 for one line only.
    pub(super) length: i64,
    /// Column of the first character, from 1.
    pub(super) column: i64,
    /// Strings are looked at as UTF-8 (`~tp`).
    pub(super) unicode: bool,
    /// Lists and binaries are shown as text where they can be (not `~lp`).
    pub(super) strings: bool,
}

/// A term taken apart, with its length on one line.
struct Node {
    form: Form,
    len: i64,
}

enum Form {
    /// Text that is never broken.
    Text(String),
    /// A binary of numbers.
    Binary(Vec<String>),
    List(Items),
    Tuple(Items),
    Map(Items),
    Pair(Box<(Node, Node)>),
}

/// Items, and whether more were left out.
struct Items {
    nodes: Vec<Node>,
    more: bool,
}

impl Items {
    /// Their length with separators, but for the brackets.
    fn len(&self) -> i64 {
        let inner: i64 = self.nodes.iter().map(|node| node.len + 1).sum();
        inner + if self.more { 3 } else { -1 }
    }

    /// Closing brackets that follow an item: those of all terms that end with it.
    fn last_depth(&self, at: usize, depth: i64) -> i64 {
        if at + 1 < self.nodes.len() { 0 } else { depth + 1 }
    }
}

/// A value to a depth, from a column on.
pub(super) fn print(value: &Value, depth: i64, line: Line) -> Codes {
    if depth == 0 {
        return write_plain(value, 0);
    }
    let node = node(value, depth, line);
    let (column, max) = (line.column.max(1), node.len);
    let mut out = String::new();
    let atomic =
        !matches!(value, Value::Str(_) | Value::Bits(_) | Value::List(_) | Value::Tuple(_) | Value::Map(_));
    if atomic || line.length == 0 || node.len < line.length - column {
        write(&mut out, &node);
    } else {
        let mut printer = Printer { out, length: line.length, max };
        printer.node(&node, At { column, indent: column - 1, depth: 0, width: 0 });
        out = printer.out;
    }
    out.chars().map(u32::from).collect()
}

fn text(text: String) -> Node {
    Node { len: text.chars().count() as i64, form: Form::Text(text) }
}

fn node(value: &Value, depth: i64, line: Line) -> Node {
    match value {
        Value::List(items) if items.is_empty() => text("[]".to_owned()),
        Value::Tuple(items) if items.is_empty() => text("{}".to_owned()),
        Value::Map(map) if map.is_empty() => text("#{}".to_owned()),
        Value::Str(bytes) if bytes.is_empty() => text("<<>>".to_owned()),
        Value::Str(_) | Value::Bits(_) if depth == 1 => text("<<...>>".to_owned()),
        Value::Tuple(_) if depth == 1 => text("{...}".to_owned()),
        Value::Map(_) if depth == 1 => text("#{...}".to_owned()),
        Value::Str(bytes) => {
            string(bytes, depth, line).unwrap_or_else(|| binary(segments(bytes, None, depth)))
        }
        Value::Bits(Bits { bytes, bits }) => binary(segments(bytes, Some(bits % 8), depth)),
        Value::List(items) => {
            let spelled = Some(items)
                .filter(|_| line.strings && depth != 1)
                .and_then(|i| crate::value::text::printable(i));
            if let Some(spelled) = spelled {
                return text(format!("\"{}\"", escaped(&spelled, '"')));
            }
            let items = items_of(items, depth, line);
            Node { len: items.len() + 2, form: Form::List(items) }
        }
        Value::Tuple(items) => {
            let items = items_of(items, depth, line);
            Node { len: items.len() + 2, form: Form::Tuple(items) }
        }
        Value::Map(map) => {
            let mut items = Items { nodes: Vec::new(), more: false };
            for (at, (key, value)) in map.entries().iter().enumerate() {
                if depth - at as i64 == 1 {
                    items.more = true;
                    break;
                }
                let pair = (node(key, depth - 1, line), node(value, depth - 1, line));
                items.nodes.push(Node { len: pair.0.len + 4 + pair.1.len, form: Form::Pair(Box::new(pair)) });
            }
            Node { len: items.len() + 3, form: Form::Map(items) }
        }
        other => text(plain(other)),
    }
}

fn items_of(values: &[Value], depth: i64, line: Line) -> Items {
    let mut items = Items { nodes: Vec::new(), more: false };
    let mut depth = depth;
    for value in values {
        if depth == 1 {
            items.more = true;
            break;
        }
        depth -= 1;
        items.nodes.push(node(value, depth, line));
    }
    items
}

fn binary(segments: Vec<String>) -> Node {
    let len = segments.iter().map(|s| s.len() as i64 + 1).sum::<i64>() - 1 + 4;
    Node { len, form: Form::Binary(segments) }
}

/// A binary as quoted text, if its characters can be printed; at a depth only the first of them.
fn string(bytes: &[u8], depth: i64, line: Line) -> Option<Node> {
    if !line.strings {
        return None;
    }
    // Four characters have a depth of one.
    let rest = depth - 1;
    let len = if rest >= 0 {
        usize::try_from(rest.saturating_mul(4)).unwrap_or(usize::MAX).min(bytes.len())
    } else {
        bytes.len()
    };
    let chars: Vec<(usize, char)> = match std::str::from_utf8(bytes).ok().filter(|_| line.unicode) {
        Some(text) => text.char_indices().map(|(at, c)| (at + c.len_utf8(), c)).take(len).collect(),
        None => bytes.iter().take(len).enumerate().map(|(at, b)| (at + 1, char::from(*b))).collect(),
    };
    let printed = chars.iter().take_while(|(_, c)| printable(*c)).count();
    let end = printed.checked_sub(1).map_or(0, |last| chars[last].0);
    if end < bytes.len() && !(rest > 0 && printed as i64 >= rest) {
        return None;
    }
    let shown: String = chars[..printed].iter().map(|(_, c)| *c).collect();
    let utf8 = if printed == end { "" } else { "/utf8" };
    let more = if end < bytes.len() { "..." } else { "" };
    Some(text(format!("<<\"{}\"{utf8}{more}>>", escaped(&shown, '"'))))
}

fn printable(c: char) -> bool {
    matches!(c, '\u{8}'..='\u{d}' | '\u{1b}' | ' '..='~' | '\u{a0}'..='\u{ff}')
}

/// On one line.
fn write(out: &mut String, node: &Node) {
    match &node.form {
        Form::Text(text) => out.push_str(text),
        Form::Binary(segments) => {
            out.push_str("<<");
            out.push_str(&segments.join(","));
            out.push_str(">>");
        }
        Form::List(items) => write_items(out, items, "[", "|", "]"),
        Form::Tuple(items) => write_items(out, items, "{", ",", "}"),
        Form::Map(items) => write_items(out, items, "#{", ",", "}"),
        Form::Pair(pair) => {
            write(out, &pair.0);
            out.push_str(" => ");
            write(out, &pair.1);
        }
    }
}

fn write_items(out: &mut String, items: &Items, open: &str, more: &str, close: &str) {
    out.push_str(open);
    for (at, node) in items.nodes.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, node);
    }
    if items.more {
        out.push_str(if items.nodes.is_empty() { "" } else { more });
        out.push_str("...");
    }
    out.push_str(close);
}

/// A place in the output.
#[derive(Clone, Copy)]
struct At {
    /// Column, from 1.
    column: i64,
    /// Blanks of a new line.
    indent: i64,
    /// Closing brackets that follow.
    depth: i64,
    /// Characters on this line that are not indentation.
    width: i64,
}

struct Printer {
    out: String,
    length: i64,
    /// Most characters of a line, without its indentation.
    max: i64,
}

impl Printer {
    fn fits(&self, len: i64, at: At) -> bool {
        len < self.length - at.column - at.depth && len + at.width + at.depth <= self.max
    }

    fn new_line(&mut self, indent: i64) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', usize::try_from(indent).unwrap_or(0)));
    }

    fn node(&mut self, node: &Node, at: At) {
        if self.fits(node.len, at) {
            return write(&mut self.out, node);
        }
        let inner =
            |by: i64| At { column: at.column + by, indent: at.indent + by, width: at.width + 1, ..at };
        match &node.form {
            Form::List(items) => {
                self.out.push('[');
                self.items(items, inner(1), '|');
                self.out.push(']');
            }
            Form::Tuple(items) => {
                self.out.push('{');
                self.tuple(items, at, inner(1));
                self.out.push('}');
            }
            Form::Map(items) => {
                self.out.push_str("#{");
                self.pairs(items, inner(2));
                self.out.push('}');
            }
            Form::Binary(segments) => {
                self.binary(segments, At { column: at.column + 2, indent: at.indent + 2, ..at })
            }
            Form::Text(_) | Form::Pair(_) => write(&mut self.out, node),
        }
    }

    /// A tuple that begins with an atom has its other items indented behind that.
    fn tuple(&mut self, items: &Items, at: At, inner: At) {
        let tag = match items.nodes.as_slice() {
            [Node { form: Form::Text(tag), len }, _, ..]
                if tag.starts_with(|c: char| c.is_alphabetic() || c == '\'') =>
            {
                Some((tag, *len))
            }
            _ => None,
        };
        let Some((tag, len)) = tag else { return self.items(items, inner, ',') };
        self.out.push_str(tag);
        self.out.push(',');
        let by = len + 2;
        let rest = At { column: at.column + by, indent: at.indent + by, width: inner.width + len + 1, ..at };
        self.items_from(items, 1, rest, ',');
    }

    fn items(&mut self, items: &Items, at: At, more: char) {
        self.items_from(items, 0, at, more);
    }

    fn items_from(&mut self, items: &Items, first: usize, start: At, more: char) {
        let (mut column, mut width) = (start.column, start.width);
        for (at, node) in items.nodes.iter().enumerate().skip(first) {
            let depth = items.last_depth(at, start.depth);
            let atomic = matches!(node.form, Form::Text(_));
            if at > first {
                let len = 1 + node.len;
                // One more where a separator follows.
                let room = if depth == 0 { 1 } else { depth };
                let fits = len + room < self.length - column && width + len + room <= self.max;
                self.out.push(',');
                if atomic && fits {
                    write(&mut self.out, node);
                    (column, width) = (column + len, width + len);
                    continue;
                }
                self.new_line(start.indent);
                (column, width) = (start.column, 0);
            }
            let place = At { column, depth, width, ..start };
            if atomic && self.fits(node.len, place) {
                write(&mut self.out, node);
                (column, width) = (column + node.len, width + node.len);
            } else {
                self.node(node, place);
                // What is no atom ends its line.
                (column, width) = (column + self.length, width + self.length);
            }
        }
        if items.more {
            if items.nodes.len() > first {
                self.out.push(more);
            }
            self.out.push_str("...");
        }
    }

    fn pairs(&mut self, items: &Items, start: At) {
        let (mut column, mut width) = (start.column, start.width);
        for (at, node) in items.nodes.iter().enumerate() {
            let Form::Pair(pair) = &node.form else { continue };
            let depth = items.last_depth(at, start.depth);
            let atomic = matches!((&pair.0.form, &pair.1.form), (Form::Text(_), Form::Text(_)));
            if at > 0 {
                let len = 1 + node.len;
                let room = if depth == 0 { 1 } else { depth };
                let fits = len + room < self.length - column && width + len + room <= self.max;
                self.out.push(',');
                if atomic && fits {
                    write(&mut self.out, node);
                    (column, width) = (column + len, width + len);
                    continue;
                }
                self.new_line(start.indent);
                (column, width) = (start.column, 0);
            }
            let used = self.pair(node, pair, atomic, At { column, depth, width, ..start });
            (column, width) = (column + used, used);
        }
        if items.more {
            self.out.push_str(",...");
        }
    }

    /// A pair, and how much of the line it takes: all of it, unless key and value are atoms.
    fn pair(&mut self, node: &Node, pair: &(Node, Node), atomic: bool, at: At) -> i64 {
        /// Blanks before a value that has a line of its own.
        const VALUE_INDENT: i64 = 4;
        if self.fits(node.len, at) {
            write(&mut self.out, node);
            return if atomic { node.len } else { self.length };
        }
        self.node(&pair.0, at);
        self.out.push_str(" =>");
        self.new_line(at.indent + VALUE_INDENT);
        let value = At { column: at.column + VALUE_INDENT, indent: at.indent + VALUE_INDENT, width: 0, ..at };
        self.node(&pair.1, value);
        self.length
    }

    fn binary(&mut self, segments: &[String], at: At) {
        let room = ((self.length - at.column).min(self.max - 4 - at.width) - at.depth).max(8);
        self.out.push_str("<<");
        let mut left = room;
        for (n, segment) in segments.iter().enumerate() {
            let last = n + 1 == segments.len();
            let len = segment.len() as i64 + i64::from(!last);
            if len > left {
                self.new_line(at.indent);
                left = room;
            }
            self.out.push_str(segment);
            if !last {
                self.out.push(',');
            }
            left -= len;
        }
        self.out.push_str(">>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    fn printed(value: &Value, length: i64, column: i64) -> String {
        let line = Line { length, column, unicode: false, strings: true };
        String::from_iter(print(value, -1, line).iter().filter_map(|c| char::from_u32(*c)))
    }

    #[test]
    fn one_line() {
        let map = Value::Map(Map::of([("a", Value::Int(1)), ("c", Value::Null)]));
        assert_eq!(printed(&map, 80, 1), "#{<<\"a\">> => 1,<<\"c\">> => null}");
        assert_eq!(printed(&Value::str("a\"\n"), 80, 1), "<<\"a\\\"\\n\">>");
        assert_eq!(printed(&Value::str([1, 2, 255]), 80, 1), "<<1,2,255>>");
        assert_eq!(printed(&Value::list(vec![Value::Int(97)]), 80, 1), "\"a\"");
        assert_eq!(printed(&Value::list(vec![Value::Int(1)]), 80, 1), "[1]");
        assert_eq!(printed(&Value::Float(1000.0), 80, 1), "1.0e3");
    }

    #[test]
    fn wraps() {
        let numbers = Value::list((100..112).map(Value::Int).chain([Value::Int(1)]).collect());
        assert_eq!(printed(&numbers, 20, 1), "[100,101,102,103,\n 104,105,106,107,\n 108,109,110,111,\n 1]");
        let nested =
            Value::list(vec![Value::Map(Map::of([("abcdef", Value::Int(1)), ("ghijkl", Value::Int(2))])); 2]);
        assert_eq!(
            printed(&nested, 30, 1),
            "[#{<<\"abcdef\">> => 1,\n   <<\"ghijkl\">> => 2},\n #{<<\"abcdef\">> => 1,\n   <<\"ghijkl\">> => 2}]"
        );
        assert_eq!(
            printed(&Value::str([1; 20]), 20, 1),
            "<<1,1,1,1,1,1,1,1,\n  1,1,1,1,1,1,1,1,\n  1,1,1,1>>"
        );
        assert_eq!(printed(&numbers, 0, 1).lines().count(), 1);
    }
}

//! JSON files to the same tree: RFC 8259 to the letter, with a sentence where YAML habits show.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Data, Entry, Node, Style, scalar};
use crate::diag::{Diagnostic, codes};
use crate::limits;
use crate::text::{Source, Span};

/// The tree of a file, or `None` for a file of blanks.
pub(super) fn read(source: &Source) -> std::result::Result<Option<Node>, Vec<Diagnostic>> {
    let mut reader =
        Reader { source, text: source.text(), at: 0, depth: 0, nodes: 0, duplicates: Vec::new() };
    reader.blanks();
    if reader.at == reader.text.len() {
        return Ok(None);
    }
    let result = reader.value().and_then(|node| {
        reader.blanks();
        match reader.at == reader.text.len() {
            true => Ok(node),
            false => Err(reader.fail("text after the value")),
        }
    });
    let mut problems = reader.duplicates;
    match result {
        Ok(node) if problems.is_empty() => Ok(Some(node)),
        Ok(_) => Err(problems),
        Err(problem) => {
            problems.push(problem.in_source(source));
            Err(problems)
        }
    }
}

struct Reader<'a> {
    source: &'a Source,
    text: &'a str,
    at: usize,
    depth: usize,
    nodes: usize,
    duplicates: Vec<Diagnostic>,
}

type Result<T> = std::result::Result<T, Diagnostic>;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn fail(&self, what: &str) -> Diagnostic {
        let end = self.at + self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        let what = if self.at == self.text.len() { "the file ends here, too early" } else { what };
        Diagnostic::error(codes::SYNTAX, format!("not valid JSON: {what}"))
            .at(Span::new(self.at, end), "here")
    }

    fn value(&mut self) -> Result<Node> {
        self.nodes += 1;
        if self.nodes > limits::DOCUMENT_NODES_MAX {
            let message = format!("more than {} values", limits::DOCUMENT_NODES_MAX);
            return Err(Diagnostic::error(codes::TOO_LARGE, message).at(Span::new(self.at, self.at), ""));
        }
        let start = self.at;
        let (style, data) = match self.peek() {
            Some(b'{') => (Style::Plain, self.object()?),
            Some(b'[') => (Style::Plain, self.array()?),
            Some(b'"') => (Style::Double, Data::Text(Arc::from(self.string()?))),
            Some(b'-' | b'0'..=b'9') => (Style::Plain, self.number()?),
            Some(b'\'') => return Err(self.fail("strings have double quotes")),
            Some(b'#' | b'/') => return Err(self.fail("JSON has no comments")),
            _ => (Style::Plain, self.word()?),
        };
        Ok(Node { span: Span::new(start, self.at), style, data })
    }

    fn word(&mut self) -> Result<Data> {
        let words = [("null", Data::Null), ("true", Data::Bool(true)), ("false", Data::Bool(false))];
        for (word, data) in words {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(data);
            }
        }
        Err(self.fail("no value begins like this"))
    }

    fn enter(&mut self) -> Result<()> {
        if self.depth == limits::DOCUMENT_DEPTH_MAX {
            let message = format!("nested deeper than {} levels", limits::DOCUMENT_DEPTH_MAX);
            return Err(Diagnostic::error(codes::TOO_LARGE, message).at(Span::new(self.at, self.at + 1), ""));
        }
        self.depth += 1;
        self.at += 1;
        self.blanks();
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    fn object(&mut self) -> Result<Data> {
        self.enter()?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<Arc<str>, Span> = BTreeMap::new();
        if self.peek() == Some(b'}') {
            self.leave();
            return Ok(Data::Map(Arc::new(entries)));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.fail("a key in double quotes must stand here"));
            }
            let start = self.at;
            let key: Arc<str> = Arc::from(self.string()?);
            let key_span = Span::new(start, self.at);
            if let Some(first) = seen.insert(key.clone(), key_span) {
                let problem = Diagnostic::error(codes::DUPLICATE_KEY, format!("key '{key}' is here twice"))
                    .at(key_span, "again here")
                    .at(first, "first here");
                self.duplicates.push(problem.in_source(self.source));
            }
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.fail("a colon must follow the key"));
            }
            self.at += 1;
            self.blanks();
            entries.push(Entry { key, key_span, value: self.value()? });
            if self.next(b'}', "a comma or '}' must stand here")? {
                return Ok(Data::Map(Arc::new(entries)));
            }
        }
    }

    fn array(&mut self) -> Result<Data> {
        self.enter()?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.leave();
            return Ok(Data::List(Arc::new(items)));
        }
        loop {
            items.push(self.value()?);
            if self.next(b']', "a comma or ']' must stand here")? {
                return Ok(Data::List(Arc::new(items)));
            }
        }
    }

    /// Behind an item: goes on to the next one, or closes the collection and says so.
    fn next(&mut self, close: u8, expected: &str) -> Result<bool> {
        self.blanks();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.blanks();
                match self.peek() == Some(close) {
                    true => Err(self.fail("no comma may stand before this")),
                    false => Ok(false),
                }
            }
            Some(c) if c == close => {
                self.leave();
                Ok(true)
            }
            _ => Err(self.fail(expected)),
        }
    }

    fn number(&mut self) -> Result<Data> {
        let rest = &self.text[self.at..];
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        let text = &rest[..end];
        let digits = text.strip_prefix('-').unwrap_or(text);
        let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        let leading_zero = leading_zero && digits.as_bytes()[1].is_ascii_digit();
        let bare_dot = text.ends_with('.') || text.contains(".e") || text.contains(".E");
        let starts_well = digits.starts_with(|c: char| c.is_ascii_digit());
        let prefixed = digits.starts_with("0x") || digits.starts_with("0o");
        if !starts_well || leading_zero || bare_dot || prefixed {
            return Err(self.fail("this is no JSON number"));
        }
        match scalar::number(text) {
            Ok(Some(data)) => {
                self.at += end;
                Ok(data)
            }
            Ok(None) => Err(self.fail("this is no JSON number")),
            Err(_) => {
                let message = format!("a number of more than {} characters", limits::DOCUMENT_DIGITS_MAX);
                Err(Diagnostic::error(codes::TOO_LARGE, message).at(Span::new(self.at, self.at + end), ""))
            }
        }
    }

    fn string(&mut self) -> Result<String> {
        let mut out = String::new();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let end = rest.find(|c: char| c == '"' || c == '\\' || c < ' ').unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            self.at += end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => {
                    return Err(self.fail("a control character in a string is written with a backslash"));
                }
                None => return Err(self.fail("")),
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let c = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.fail("JSON knows no such escape")),
        };
        self.at += 2;
        Ok(c)
    }

    fn unicode(&mut self) -> Result<char> {
        let unit = |at: usize| {
            let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
            digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
        };
        let Some(first) = unit(self.at) else { return Err(self.fail("\\u needs four hexadecimal digits")) };
        let (code, length) = match (first, unit(self.at + 6)) {
            (0xD800..=0xDBFF, Some(second @ 0xDC00..=0xDFFF)) => {
                (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12)
            }
            _ => (first, 6),
        };
        let Some(c) = char::from_u32(code) else { return Err(self.fail("half of a surrogate pair")) };
        self.at += length;
        Ok(c)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Document, Format};

    #[track_caller]
    fn fails(text: &str, expected: &str) {
        let problems = Document::read("t.json", text.as_bytes(), Format::Json).expect_err(text);
        assert_eq!(problems[0].to_string(), expected, "{text:?}");
    }

    #[test]
    fn only_json_is_json() {
        fails("", "t.json:1:1: error[E403]: the file is empty");
        fails("{a: 1}", "t.json:1:2: error[E402]: not valid JSON: a key in double quotes must stand here");
        fails("{'a': 1}", "t.json:1:2: error[E402]: not valid JSON: a key in double quotes must stand here");
        fails("['a']", "t.json:1:2: error[E402]: not valid JSON: strings have double quotes");
        fails("[1, ]", "t.json:1:5: error[E402]: not valid JSON: no comma may stand before this");
        fails("[1 2]", "t.json:1:4: error[E402]: not valid JSON: a comma or ']' must stand here");
        fails("{\"a\" 1}", "t.json:1:6: error[E402]: not valid JSON: a colon must follow the key");
        fails("[1] x", "t.json:1:5: error[E402]: not valid JSON: text after the value");
        fails("// x\n1", "t.json:1:1: error[E402]: not valid JSON: JSON has no comments");
        fails("{\"a\": 1,\n \"a\": 2}", "t.json:2:2: error[E404]: key 'a' is here twice");
        fails("{\"a\": [", "t.json:1:8: error[E402]: not valid JSON: the file ends here, too early");
        fails(
            "\"a\nb\"",
            "t.json:1:3: error[E402]: not valid JSON: a control character in a string is written with a backslash",
        );
        fails("\"\\ud800\"", "t.json:1:2: error[E402]: not valid JSON: half of a surrogate pair");
        for number in ["01", "1.", ".5", "+1", "0x1F", "-", "1.e3", "-.5", "1e", "NaN"] {
            let problems = Document::read("t.json", number.as_bytes(), Format::Json).expect_err(number);
            assert!(problems[0].message.starts_with("not valid JSON: "), "{number}: {}", problems[0]);
        }
    }

    #[test]
    fn strings_and_numbers_are_read_exactly() {
        let text = r#"{"é": "a\"\\\/\u00e9\ud83d\ude00\n", "n": 100000000000000000000, "f": 1e3}"#;
        let document = Document::read("t.json", text.as_bytes(), Format::Json).unwrap();
        assert_eq!(document.root.get("é").unwrap().as_text(), Some("a\"\\/é😀\n"));
        assert_eq!(document.source.slice(document.root.get("n").unwrap().span), "100000000000000000000");
        assert_eq!(document.root.get("f").unwrap().kind_name(), "a float");
    }
}

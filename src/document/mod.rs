//! YAML, JSON and HOCON files as one tree, in which every node knows its bytes in the file.
//!
//! Rule files and test files are read through here, so that an error in a SQL text inside a YAML block scalar can
//! be shown where the author wrote it. YAML is 1.2 with the core schema: `1` is an integer, `1.0` a float, `yes` a
//! string, a key twice an error. HOCON is EMQX's own dialect.
//!
//! Invariant: spans are byte ranges of [`Document::source`], whose text is the file without its byte-order mark, and
//! behind it the files that it includes.

mod fields;
mod hocon;
mod json;
mod place;
mod revise;
mod rewrite;
mod scalar;
mod write;
mod yaml;

use std::path::Path;
use std::sync::Arc;

use num_bigint::BigInt;

pub use fields::{Fields, Problems, unknown_key};
pub use hocon::Release;
pub use place::Embedded;
pub use revise::{Changes, new_entry, new_node};
pub use rewrite::{Edit, Form, same_but};
pub use write::{comments, same, write};

use crate::diag::{Diagnostic, codes};
use crate::limits;
use crate::text::{Source, Span};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.yaml`, `.yml`.
    Yaml,
    /// `.json`.
    Json,
    /// `.hocon`, `.conf`.
    Hocon,
}

impl Format {
    /// The format that a file's name tells.
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "yaml" | "yml" => Some(Format::Yaml),
            "json" => Some(Format::Json),
            "hocon" | "conf" => Some(Format::Hocon),
            _ => None,
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Format::Yaml => "YAML",
            Format::Json => "JSON",
            Format::Hocon => "HOCON",
        }
    }
}

/// A file that another one includes.
#[derive(Clone, Debug)]
pub struct Included {
    /// Its path, as messages show it.
    pub name: String,
    /// What is the same for all paths to it.
    pub identity: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Gives the files that HOCON files include: the core itself opens none.
pub trait Includes {
    /// The file `name`, as written in the file `from`; `None` when there is none. A refusal is a sentence.
    fn open(&mut self, from: &str, name: &str) -> Result<Option<Included>, String>;

    /// What [`Included::identity`] would be for the file `name` that includes begin at.
    fn identity(&mut self, name: &str) -> String {
        name.to_owned()
    }
}

/// Refuses all includes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoIncludes;

impl Includes for NoIncludes {
    fn open(&mut self, _: &str, name: &str) -> Result<Option<Included>, String> {
        Err(format!("the include of '{name}' cannot be followed here"))
    }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its text.
    pub source: Source,
    /// Its tree.
    pub root: Node,
    /// Findings that are no errors.
    pub notes: Vec<Diagnostic>,
}

/// One value of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands; empty where a value is missing, as after `key:`.
    pub span: Span,
    /// How it is written.
    pub style: Style,
    /// What it is.
    pub data: Data,
}

/// How a node is written, as far as it matters for finding a place inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes, or a collection.
    Plain,
    /// `'…'`.
    Single,
    /// `"…"`, of YAML or JSON.
    Double,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
    /// `"…"` of HOCON.
    Escaped,
    /// `"""…"""` of HOCON, or what it is with `~`.
    Triple,
}

/// What a node holds; clones are cheap.
#[derive(Clone, Debug)]
pub enum Data {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of any size, with its text.
    Int(Arc<str>, Arc<BigInt>),
    /// A float, with its text; `.inf` and `.nan` are possible.
    Float(Arc<str>, f64),
    /// A string.
    Text(Arc<str>),
    /// A list.
    List(Arc<Vec<Node>>),
    /// A map in written order, no key twice.
    Map(Arc<Vec<Entry>>),
}

/// One entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key; scalars that are no strings are keys under their text.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The text of a string.
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().find(|entry| &*entry.key == key)
    }

    /// Is it null, or missing?
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// The word for its kind in messages.
    pub fn kind_name(&self) -> &'static str {
        match self.data {
            Data::Null if self.span.start == self.span.end => "nothing",
            Data::Null => "null",
            Data::Bool(_) => "a boolean",
            Data::Int(..) => "an integer",
            Data::Float(..) => "a float",
            Data::Text(_) => "a string",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }
}

impl Document {
    /// Reads a file, or says everything that is wrong with it. Includes are refused.
    pub fn read(name: &str, bytes: &[u8], format: Format) -> Result<Document, Vec<Diagnostic>> {
        Document::read_with(name, bytes, format, Release::default(), &mut NoIncludes)
    }

    /// Reads a file and what it includes, by the rules of a release of EMQX's HOCON.
    pub fn read_with(
        name: &str,
        bytes: &[u8],
        format: Format,
        release: Release,
        includes: &mut dyn Includes,
    ) -> Result<Document, Vec<Diagnostic>> {
        let source = decode(name, bytes).map_err(|problem| vec![problem])?;
        let root = match format {
            Format::Yaml => yaml::read(&source)?,
            Format::Json => json::read(&source)?,
            Format::Hocon => {
                let read = hocon::read(&source, release, includes)?;
                let read = read.ok_or_else(|| vec![empty(&source)])?;
                return Ok(Document { source: read.source, root: read.root, notes: read.notes });
            }
        };
        match root {
            Some(root) => Ok(Document { source, root, notes: Vec::new() }),
            None => Err(vec![empty(&source)]),
        }
    }

    /// The map from places in a string's value to places in the file.
    pub fn embedded(&self, node: &Node) -> Embedded {
        Embedded::of(&self.source, node)
    }
}

/// The sentence for a file that holds nothing.
pub fn empty(source: &Source) -> Diagnostic {
    Diagnostic::error(codes::EMPTY_FILE, "the file is empty").at(Span::new(0, 0), "").in_source(source)
}

/// The text of a file: UTF-8, its byte-order mark taken off.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Source, Diagnostic> {
    if bytes.len() > limits::DOCUMENT_BYTES_MAX {
        let size = bytes.len();
        let message =
            format!("the file has {size} bytes; rulemill reads up to {}", limits::DOCUMENT_BYTES_MAX);
        return Err(Diagnostic::error(codes::TOO_LARGE, message).in_source(&Source::new(name, "")));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let problem = Diagnostic::error(codes::NOT_TEXT, "the file is UTF-16")
            .at(Span::new(0, 0), "")
            .help("save it as UTF-8");
        return Err(problem.in_source(&Source::new(name, "")));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(e) => {
            let at = e.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            let source = Source::new(name, String::from_utf8_lossy(bytes).as_ref());
            let message = format!("the file is not UTF-8 text: byte 0x{byte:02X} at offset {at}");
            let problem = Diagnostic::error(codes::NOT_TEXT, message)
                .at(Span::new(at, at + char::REPLACEMENT_CHARACTER.len_utf8()), "this byte")
                .help(
                    "save the file as UTF-8; binary payloads are written with `$hex`, `$base64` or `$file`",
                );
            Err(problem.in_source(&source))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Result<Document, Vec<Diagnostic>> {
        Document::read("t.yaml", text.as_bytes(), Format::Yaml)
    }

    #[track_caller]
    fn fails(text: &str, expected: &[&str]) {
        let problems = yaml(text).expect_err(text);
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(lines, expected, "{text:?}");
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        let document = yaml(concat!(
            "[1, 1.0, 0o17, 1e3, 18446744073709551616, -0, .inf, 0x1F, 017, +1, 1., 1_000, yes, no, ~, null, ",
            "Null, '1', \"true\", true, FALSE, 2022-05-05T10:00:00Z, 0b1, .5, -.5e-3, '', !!str 7]"
        ))
        .unwrap();
        let words: Vec<String> = document.root.as_list().unwrap().iter().map(word).collect();
        assert_eq!(
            words.join(" "),
            "int:1 float:1 int:15 float:1000 int:18446744073709551616 int:0 float:inf int:31 int:17 int:1 float:1 \
             str:1_000 str:yes str:no null null null str:1 str:true bool:true bool:false str:2022-05-05T10:00:00Z \
             str:0b1 float:0.5 float:-0.0005 str: str:7"
        );
    }

    fn word(node: &Node) -> String {
        match &node.data {
            Data::Null => "null".to_owned(),
            Data::Bool(b) => format!("bool:{b}"),
            Data::Int(_, n) => format!("int:{n}"),
            Data::Float(_, f) => format!("float:{f}"),
            Data::Text(t) => format!("str:{t}"),
            Data::List(_) => "list".to_owned(),
            Data::Map(_) => "map".to_owned(),
        }
    }

    #[test]
    fn spans_point_at_what_was_written() {
        let document = yaml("a: 1\nb:\n  - x # c\n  - {k: 'v', n: }\nü: \"q\"\n").unwrap();
        let source = &document.source;
        let b = document.root.entry("b").unwrap();
        assert_eq!(source.slice(b.key_span), "b");
        let items = b.value.as_list().unwrap();
        assert_eq!(source.slice(items[0].span), "x");
        assert_eq!(source.slice(items[1].span), "{k: 'v', n: }");
        assert_eq!(source.slice(items[1].get("k").unwrap().span), "'v'");
        assert!(items[1].get("n").unwrap().is_null());
        assert_eq!(source.locate(document.root.get("ü").unwrap().span), "t.yaml:5:4");
    }

    #[test]
    fn bad_files_have_their_sentences() {
        fails("", &["t.yaml:1:1: error[E403]: the file is empty"]);
        fails("# only a comment\n", &["t.yaml:1:1: error[E403]: the file is empty"]);
        fails(
            "a: 1\nb: 2\na: 3\nb: 4\n",
            &[
                "t.yaml:3:1: error[E404]: key 'a' is here twice",
                "t.yaml:4:1: error[E404]: key 'b' is here twice",
            ],
        );
        fails("{a: 1, \"a\": 2}\n", &["t.yaml:1:8: error[E404]: key 'a' is here twice"]);
        fails("a: [1\n", &["t.yaml:1:4: error[E402]: not valid YAML: unclosed bracket '['"]);
        fails(
            "%YAML 1.1\n---\na: 1\n",
            &["t.yaml:1:1: error[E402]: not valid YAML: YAML directives are disallowed"],
        );
        fails(
            "a: 1\n---\nb: 2\n",
            &["t.yaml:2:1: error[E402]: a second YAML document begins here; a file holds one"],
        );
        fails("? [a]\n: 1\n", &["t.yaml:1:3: error[E402]: a map's key is a list; keys are strings"]);
        fails("a: !thing x\n", &["t.yaml:1:4: error[E402]: the tag '!thing' has no meaning here"]);
        fails("a: !!int x\n", &["t.yaml:1:10: error[E402]: 'x' is no !!int"]);
        fails("a: &x [*x]\n", &["t.yaml:1:8: error[E405]: this alias stands inside its own anchor"]);
        fails(
            "a: *x\n",
            &["t.yaml:1:4: error[E402]: not valid YAML: while parsing node, found unknown anchor"],
        );
    }

    #[test]
    fn bombs_are_refused() {
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let alias = format!("*a{}", n - 1);
            laughs.push_str(&format!("a{n}: &a{n} [{}]\n", vec![alias; 10].join(", ")));
        }
        let problem = yaml(&laughs).unwrap_err().remove(0);
        assert_eq!(
            problem.to_string(),
            "t.yaml:6:10: error[E405]: more than 200000 values, aliases counted in full"
        );
        for deep in ["[".repeat(100_000), "- ".repeat(100_000), "? ".repeat(50_000), "{a: ".repeat(100_000)] {
            let problem = yaml(&deep).unwrap_err().remove(0);
            assert!(matches!(problem.code, "E402" | "E405"), "{problem}");
        }
    }

    #[test]
    fn nesting_stops_at_its_bound() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(yaml(&nested(limits::DOCUMENT_DEPTH_MAX)).is_ok());
        fails(
            &nested(limits::DOCUMENT_DEPTH_MAX + 1),
            &["t.yaml:1:65: error[E405]: nested deeper than 64 levels"],
        );
        let json = |n: usize| Document::read("t.json", nested(n).as_bytes(), Format::Json);
        assert!(json(limits::DOCUMENT_DEPTH_MAX).is_ok());
        let problem = json(limits::DOCUMENT_DEPTH_MAX + 1).unwrap_err().remove(0);
        assert_eq!(problem.to_string(), "t.json:1:65: error[E405]: nested deeper than 64 levels");
    }

    #[test]
    fn long_numbers_stop_at_their_bound() {
        let digits = |n: usize| "9".repeat(n);
        assert!(yaml(&digits(limits::DOCUMENT_DIGITS_MAX)).is_ok());
        fails(
            &digits(limits::DOCUMENT_DIGITS_MAX + 1),
            &["t.yaml:1:1: error[E405]: a number of more than 4096 characters"],
        );
    }

    #[test]
    fn file_size_stops_at_its_bound() {
        let padded = |n: usize| format!("a{}", " ".repeat(n - 1));
        assert!(yaml(&padded(limits::DOCUMENT_BYTES_MAX)).is_ok());
        let problem = yaml(&padded(limits::DOCUMENT_BYTES_MAX + 1)).unwrap_err().remove(0);
        assert_eq!(problem.message, "the file has 8388609 bytes; rulemill reads up to 8388608");
    }

    #[test]
    fn text_encodings() {
        let document = Document::read("t.yaml", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", Format::Yaml).unwrap();
        assert_eq!(document.source.locate(document.root.entry("b").unwrap().key_span), "t.yaml:2:1");
        let problem = Document::read("t.yaml", b"a: 1\nb: \xff\n", Format::Yaml).unwrap_err().remove(0);
        assert_eq!(
            problem.to_string(),
            "t.yaml:2:4: error[E401]: the file is not UTF-8 text: byte 0xFF at offset 8"
        );
        let problem = Document::read("t.yaml", b"\xff\xfea\0", Format::Yaml).unwrap_err().remove(0);
        assert_eq!(problem.to_string(), "t.yaml:1:1: error[E401]: the file is UTF-16");
    }

    #[test]
    fn anchors_work_and_merge_keys_do_not_merge() {
        let document = yaml("a: &x {k: 1}\nb: *x\nc: {<<: *x}\n").unwrap();
        assert!(document.root.get("b").unwrap().get("k").is_some());
        assert!(document.root.get("c").unwrap().get("k").is_none());
    }
}

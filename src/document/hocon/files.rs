//! A file and the files that it includes, as the fields that they hold together.
//!
//! The core opens no file: an include is asked of the [`Includes`] at hand. EMQX looks beside the including file,
//! passes over a missing file that is not `required(…)`, and refuses a circle (hocon_token:load_include/2).

use super::parser::Parser;
use super::scanner;
use super::tree::{Field, Variable};
use super::{Release, mark};
use crate::diag::{Diagnostic, codes};
use crate::document::{self, Includes};
use crate::limits;
use crate::text::{Source, Span};

/// What has been read so far.
pub(super) struct Files<'a> {
    pub(super) release: Release,
    includes: &'a mut dyn Includes,
    /// The files in the order of reading.
    pub(super) parts: Vec<Source>,
    /// Where the next file will lie among the texts of all.
    room: usize,
    /// Names and identities of the files that are being read, the outermost first.
    open: Vec<(String, String)>,
    pub(super) nodes: usize,
    pub(super) variables: Vec<Variable>,
    /// Findings that are no errors.
    pub(super) notes: Vec<Diagnostic>,
    /// Comments of the first file.
    pub(super) comments: Vec<Span>,
    /// Has the first file not a single word?
    pub(super) empty: bool,
}

impl<'a> Files<'a> {
    pub(super) fn new(release: Release, includes: &'a mut dyn Includes) -> Files<'a> {
        Files {
            release,
            includes,
            parts: Vec::new(),
            room: 0,
            open: Vec::new(),
            nodes: 0,
            variables: Vec::new(),
            notes: Vec::new(),
            comments: Vec::new(),
            empty: false,
        }
    }

    /// Reads the first file.
    pub(super) fn main(&mut self, source: &Source) -> Result<Vec<Field>, Diagnostic> {
        let identity = self.includes.identity(source.name());
        self.read(source.clone(), identity, 1, Vec::new())
    }

    fn read(
        &mut self,
        source: Source,
        identity: String,
        depth: usize,
        path: Vec<String>,
    ) -> Result<Vec<Field>, Diagnostic> {
        let base = self.room;
        self.room += source.room();
        self.parts.push(source.clone());
        self.open.push((source.name().to_owned(), identity));
        let fields = self.parse(&source, base, depth, path);
        self.open.pop();
        fields.map_err(|problem| match problem.source {
            Some(_) => problem,
            None => problem.in_source(&source),
        })
    }

    fn parse(
        &mut self,
        source: &Source,
        base: usize,
        depth: usize,
        path: Vec<String>,
    ) -> Result<Vec<Field>, Diagnostic> {
        let scanned = scanner::scan(source.text(), self.release)?;
        if self.parts.len() == 1 {
            self.comments = scanned.comments;
            self.empty = scanned.tokens.is_empty();
        }
        let (tokens, commas) = mark::mark(&scanned.tokens);
        if let Some(first) = commas.first() {
            let message =
                "a broker refuses a comma before a closing brace or bracket in its configuration files";
            let mut warning = Diagnostic::warning(codes::SYNTAX, message).at(*first, "remove it");
            for comma in commas.iter().skip(1).take(limits::LABELS_MAX) {
                warning = warning.at(*comma, "");
            }
            self.notes.push(warning.in_source(source));
        }
        let outer = path.len();
        Parser { files: self, text: source.text(), base, tokens, at: 0, depth, path, outer }.root()
    }

    /// The fields of an included file, for the object at `path`.
    pub(super) fn include(
        &mut self,
        name: &str,
        required: bool,
        at: Span,
        depth: usize,
        path: Vec<String>,
    ) -> Result<Vec<Field>, Diagnostic> {
        let from = self.open.last().map(|(name, _)| name.clone()).unwrap_or_default();
        let found = self.includes.open(&from, name);
        let found = found.map_err(|message| Diagnostic::error(codes::INCLUDE, message).at(at, ""))?;
        let Some(file) = found else {
            let message = format!("there is no file '{name}' beside {from}");
            if required {
                return Err(Diagnostic::error(codes::INCLUDE, message).at(at, ""));
            }
            let message = format!("{message}; EMQX passes over it in silence");
            let warning = Diagnostic::warning(codes::INCLUDE, message).at(at, "");
            let source = self.parts.iter().rev().find(|part| part.name() == from);
            self.notes.extend(source.map(|source| warning.in_source(source)));
            return Ok(Vec::new());
        };
        let refused = |message: String| Err(Diagnostic::error(codes::INCLUDE, message).at(at, ""));
        if self.open.iter().any(|(_, identity)| *identity == file.identity) {
            let round: Vec<&str> = self.open.iter().map(|(name, _)| name.as_str()).collect();
            return refused(format!(
                "files include each other in a circle: {} → {}",
                round.join(" → "),
                file.name
            ));
        }
        if self.open.len() >= limits::INCLUDE_DEPTH_MAX {
            return refused(format!("files include each other more than {} deep", limits::INCLUDE_DEPTH_MAX));
        }
        if self.parts.len() >= limits::INCLUDES_MAX {
            return refused(format!("more than {} included files", limits::INCLUDES_MAX));
        }
        let source = document::decode(&file.name, &file.bytes)?;
        if self.room + source.room() > limits::DOCUMENT_BYTES_MAX {
            let message = format!("the files together have more than {} bytes", limits::DOCUMENT_BYTES_MAX);
            return Err(Diagnostic::error(codes::TOO_LARGE, message).at(at, ""));
        }
        self.read(source, file.identity, depth, path)
    }
}

//! HOCON as EMQX reads it: a dialect with rules of its own, in which a line break ends no value, strings of several
//! lines lose their indentation behind `"""~`, and no environment variable is read.
//!
//! The steps are EMQX's: scanner, token passes, parser, includes, substitutions, joining, merging; what it answers
//! for a text is what rulemill answers (tests/data/hocon.txt), but for nesting and sizes beyond the bounds.

mod files;
mod join;
mod mark;
mod merge;
mod parser;
mod resolve;
mod scanner;
mod sentence;
mod string;
mod tree;

use files::Files;

use super::place::Trail;
use super::{Includes, Node, Style};
use crate::diag::{Diagnostic, codes};
use crate::limits;
use crate::text::{Source, Span};

/// Whose HOCON is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// The library's release 0.44.0, which EMQX 5.8 has: `\u00e9` in a string is six characters.
    #[default]
    V0_44,
    /// The library from 0.46.5 on: `\u00e9` is é, `5B` is a size, and a backslash in three quotes is only that.
    Newer,
}

/// A file that was read, with what it includes.
pub(super) struct Read {
    pub(super) source: Source,
    pub(super) root: Node,
    pub(super) notes: Vec<Diagnostic>,
}

/// The tree of a file, or `None` for a file without a word in it.
pub(super) fn read(
    source: &Source,
    release: Release,
    includes: &mut dyn Includes,
) -> Result<Option<Read>, Vec<Diagnostic>> {
    let mut files = Files::new(release, includes);
    let fields = files.main(source).map_err(|problem| vec![problem])?;
    if files.empty {
        return Ok(None);
    }
    let Files { parts, mut variables, nodes, mut notes, .. } = files;
    let joined = Source::joined(&parts);
    let told = |problem: Diagnostic| vec![problem.in_source(&joined)];
    resolve::resolve(&fields, &mut variables, nodes).map_err(told)?;
    let parts = join::join(&fields, &variables).map_err(told)?;
    let span = Span::new(0, source.text().trim_end().len());
    let (root, warnings) = merge::merge(parts, span, &joined).map_err(told)?;
    notes.extend(warnings.into_iter().map(|warning| warning.in_source(&joined)));
    Ok(Some(Read { source: joined, root, notes }))
}

/// A string read once more from its token, with the place of each character.
pub(super) fn decoded(source: &Source, node: &Node, value: &str) -> Option<Trail> {
    let kind = match node.style {
        Style::Triple => scanner::Kind::Triple,
        _ => scanner::Kind::Quoted,
    };
    let token = source.slice(node.span);
    let read = |release| string::decode(kind, token, node.span.start as usize, release).ok();
    let trails = [Release::V0_44, Release::Newer].into_iter().filter_map(read);
    trails.into_iter().find(|trail| trail.out == value)
}

/// The comments of a file.
pub(super) fn comments(source: &Source) -> Vec<Span> {
    scanner::scan(source.text(), Release::default()).map(|scanned| scanned.comments).unwrap_or_default()
}

/// Is a text one string in three quotes for every release, whatever stands on the lines behind it?
pub(super) fn is_one_string(text: &str, value: &str) -> bool {
    let body = text.trim_end_matches('"');
    let whole = |release| {
        let tokens = scanner::scan(text, release).map(|scanned| scanned.tokens).unwrap_or_default();
        let one = matches!(tokens.as_slice(), [token] if token.kind == scanner::Kind::Triple
            && token.span.range().len() == text.len());
        let read = string::decode(scanner::Kind::Triple, text, 0, release);
        one && read.is_ok_and(|trail| trail.out == value)
    };
    // Behind a backslash, a closing quote might be an escaped one.
    !body.ends_with('\\') && whole(Release::V0_44) && whole(Release::Newer)
}

fn too_deep(span: Span) -> Diagnostic {
    let message = format!("nested deeper than {} levels", limits::DOCUMENT_DEPTH_MAX);
    Diagnostic::error(codes::TOO_LARGE, message).at(span, "")
}

fn too_many(span: Span) -> Diagnostic {
    let message = format!("more than {} values", limits::DOCUMENT_NODES_MAX);
    Diagnostic::error(codes::TOO_LARGE, message).at(span, "")
}

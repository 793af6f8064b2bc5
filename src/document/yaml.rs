//! YAML events to the tree.
//!
//! The parser (granit) gives events with byte spans; scalars get their kinds here, keys are held against each
//! other, and aliases are counted as what they stand for.

use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag};

use super::{Data, Entry, Node, Style, scalar};
use crate::diag::{Diagnostic, codes};
use crate::limits;
use crate::text::{Source, Span};

/// The tree of a file, or `None` for a file without a value.
pub(super) fn read(source: &Source) -> Result<Option<Node>, Vec<Diagnostic>> {
    // One level beyond ours, so that the sentence about nesting is ours as well.
    let options = granit_parser::options! {
        strict_indentation: true,
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: limits::DOCUMENT_DEPTH_MAX + 1,
        block_nesting_limit: limits::DOCUMENT_DEPTH_MAX + 1,
    };
    let mut builder = Builder::new(source);
    for next in Parser::new_from_str_with_options(source.text(), options) {
        let (event, span) = next.map_err(|e| builder.stopped(&e))?;
        builder.event(event, span).map_err(|problem| {
            builder.duplicates.push(problem.in_source(source));
            std::mem::take(&mut builder.duplicates)
        })?;
    }
    match builder.duplicates.is_empty() {
        true => Ok(builder.root),
        false => Err(builder.duplicates),
    }
}

/// The comments of a file that can be read.
pub(super) fn comments(source: &Source) -> Vec<Span> {
    let options = granit_parser::options! { strict_indentation: true, emit_comments: true };
    let events = Parser::new_from_str_with_options(source.text(), options).map_while(Result::ok);
    let comments = events.filter(|(event, _)| matches!(event, Event::Comment(..)));
    comments.map(|(_, span)| place(span)).collect()
}

/// A collection that is still open.
struct Frame {
    start: usize,
    flow: bool,
    anchor: usize,
    cost: usize,
    height: usize,
    kind: FrameKind,
}

enum FrameKind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: BTreeMap<Arc<str>, Span>, key: Option<(Arc<str>, Span)> },
}

/// A finished node with what it weighs.
#[derive(Clone)]
struct Weighed {
    node: Node,
    cost: usize,
    height: usize,
}

struct Builder<'a> {
    source: &'a Source,
    open: Vec<Frame>,
    anchors: BTreeMap<usize, Weighed>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
    duplicates: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Source) -> Builder<'a> {
        Builder {
            source,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            documents: 0,
            root: None,
            duplicates: Vec::new(),
        }
    }

    /// The parser gave up: its sentence, and the duplicates found before.
    fn stopped(&mut self, error: &granit_parser::ScanError) -> Vec<Diagnostic> {
        use granit_parser::ErrorKind;
        let at = error.marker().byte_offset().unwrap_or(0).min(self.source.text().len());
        let too_deep = matches!(error.kind(), ErrorKind::RecursionLimitExceeded);
        let problem = match too_deep {
            true => too_deep_at(Span::new(at, at)),
            false => {
                let message = format!("not valid YAML: {}", error.info());
                Diagnostic::error(codes::SYNTAX, message).at(Span::new(at, at), "here")
            }
        };
        let mut problems = std::mem::take(&mut self.duplicates);
        problems.push(problem.in_source(self.source));
        problems
    }

    fn event(&mut self, event: Event<'_>, span: granit_parser::Span) -> Result<(), Diagnostic> {
        let at = place(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second YAML document begins here; a file holds one";
                    return Err(Diagnostic::error(codes::SYNTAX, message).at(at, ""));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), span)?;
                self.nodes += 1;
                self.finish(Weighed { node, cost: 1, height: 0 }, anchor)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                collection_tag(tag.as_deref(), "seq", span)?;
                self.begin(at, style, anchor, FrameKind::List(Vec::new()))?;
            }
            Event::MappingStart(style, anchor, tag) => {
                collection_tag(tag.as_deref(), "map", span)?;
                let kind = FrameKind::Map { entries: Vec::new(), seen: BTreeMap::new(), key: None };
                self.begin(at, style, anchor, kind)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at)?,
            Event::Alias(anchor) => self.alias(anchor, at)?,
            _ => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        at: Span,
        style: StructureStyle,
        anchor: usize,
        kind: FrameKind,
    ) -> Result<(), Diagnostic> {
        if self.open.len() >= limits::DOCUMENT_DEPTH_MAX {
            return Err(too_deep_at(at));
        }
        self.nodes += 1;
        let flow = style == StructureStyle::Flow;
        self.open.push(Frame { start: at.start as usize, flow, anchor, cost: 1, height: 1, kind });
        Ok(())
    }

    fn end(&mut self, at: Span) -> Result<(), Diagnostic> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let (data, last) = match frame.kind {
            FrameKind::List(items) => {
                let last = items.last().map(|node| node.span.end);
                (Data::List(Arc::new(items)), last)
            }
            FrameKind::Map { entries, .. } => {
                let last = entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end));
                (Data::Map(Arc::new(entries)), last)
            }
        };
        // The end event of a block collection lies at the next token; its last child ends where the eye sees it.
        let end = if frame.flow { at.end } else { last.unwrap_or(at.end) };
        let span = Span::new(frame.start, end as usize);
        let node = Node { span, style: Style::Plain, data };
        self.finish(Weighed { node, cost: frame.cost, height: frame.height }, frame.anchor)
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Result<(), Diagnostic> {
        let Some(target) = self.anchors.get(&anchor).cloned() else {
            let message = "this alias stands inside its own anchor";
            return Err(Diagnostic::error(codes::TOO_LARGE, message).at(at, ""));
        };
        self.nodes += target.cost;
        if self.nodes > limits::DOCUMENT_NODES_MAX {
            return Err(too_many_at(at));
        }
        if self.open.len() + target.height > limits::DOCUMENT_DEPTH_MAX {
            return Err(too_deep_at(at));
        }
        self.finish(target, 0)
    }

    /// Puts a finished node where it belongs.
    fn finish(&mut self, weighed: Weighed, anchor: usize) -> Result<(), Diagnostic> {
        if self.nodes > limits::DOCUMENT_NODES_MAX {
            return Err(too_many_at(weighed.node.span));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, weighed.clone());
        }
        let Weighed { node, cost, height } = weighed;
        let Some(frame) = self.open.last_mut() else {
            if node.span.start != node.span.end || !node.is_null() {
                self.root = Some(node);
            }
            return Ok(());
        };
        frame.cost += cost;
        frame.height = frame.height.max(height + 1);
        match &mut frame.kind {
            FrameKind::List(items) => items.push(node),
            FrameKind::Map { entries, seen, key } => match key.take() {
                Some((name, key_span)) => entries.push(Entry { key: name, key_span, value: node }),
                None => {
                    let name = key_text(&node)?;
                    if let Some(first) = seen.get(&name) {
                        let problem =
                            Diagnostic::error(codes::DUPLICATE_KEY, format!("key '{name}' is here twice"))
                                .at(node.span, "again here")
                                .at(*first, "first here");
                        self.duplicates.push(problem.in_source(self.source));
                    } else {
                        seen.insert(name.clone(), node.span);
                    }
                    *key = Some((name, node.span));
                }
            },
        }
        Ok(())
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: granit_parser::Span,
    ) -> Result<Node, Diagnostic> {
        // A missing value comes as "~" with an empty span, in front of the colon.
        let missing = span.start.byte_offset() == span.end.byte_offset() && style == ScalarStyle::Plain;
        let at = place(span);
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let at = match style {
            // A block scalar's span runs on to the next token.
            Style::Literal | Style::Folded => {
                let content = self.source.slice(at).trim_end();
                Span::new(at.start as usize, at.start as usize + content.len())
            }
            _ => at,
        };
        let too_long = |_| {
            let message = format!("a number of more than {} characters", limits::DOCUMENT_DIGITS_MAX);
            Diagnostic::error(codes::TOO_LARGE, message).at(at, "")
        };
        let data = match tag {
            _ if missing && tag.is_none() => Data::Null,
            Some(tag) => tagged(text, tag, at, span)?,
            None if style == Style::Plain => scalar::core(text).map_err(too_long)?,
            None => Data::Text(Arc::from(text)),
        };
        Ok(Node { span: at, style, data })
    }
}

/// The value of a scalar with a tag of the core schema.
fn tagged(text: &str, tag: &Tag, at: Span, span: granit_parser::Span) -> Result<Data, Diagnostic> {
    let Some(kind) = tag.core_suffix() else { return Err(unknown_tag(tag, span)) };
    let plain = scalar::core(text).ok();
    let data = match (kind, plain) {
        ("str", _) => Some(Data::Text(Arc::from(text))),
        ("int", Some(data @ Data::Int(..)))
        | ("float", Some(data @ Data::Float(..)))
        | ("bool", Some(data @ Data::Bool(_)))
        | ("null", Some(data @ Data::Null)) => Some(data),
        ("float", Some(Data::Int(raw, n))) => n.to_string().parse().ok().map(|f| Data::Float(raw, f)),
        _ => None,
    };
    data.ok_or_else(|| Diagnostic::error(codes::SYNTAX, format!("'{text}' is no !!{kind}")).at(at, ""))
}

fn collection_tag(tag: Option<&Tag>, kind: &str, span: granit_parser::Span) -> Result<(), Diagnostic> {
    match tag {
        Some(tag) if tag.core_suffix() != Some(kind) => Err(unknown_tag(tag, span)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, span: granit_parser::Span) -> Diagnostic {
    let message = format!("the tag '{}' has no meaning here", tag.original());
    Diagnostic::error(codes::SYNTAX, message).at(span.tag_span().map_or_else(|| place(span), place), "")
}

/// A key's text; scalars of other kinds are keys under their own text, collections are none.
fn key_text(node: &Node) -> Result<Arc<str>, Diagnostic> {
    match &node.data {
        Data::Text(text) | Data::Int(text, _) | Data::Float(text, _) => Ok(text.clone()),
        Data::Bool(b) => Ok(Arc::from(if *b { "true" } else { "false" })),
        Data::Null => Ok(Arc::from("null")),
        Data::List(_) | Data::Map(_) => {
            let message = format!("a map's key is {}; keys are strings", node.kind_name());
            Err(Diagnostic::error(codes::SYNTAX, message).at(node.span, ""))
        }
    }
}

fn too_deep_at(at: Span) -> Diagnostic {
    let message = format!("nested deeper than {} levels", limits::DOCUMENT_DEPTH_MAX);
    Diagnostic::error(codes::TOO_LARGE, message).at(at, "")
}

fn too_many_at(at: Span) -> Diagnostic {
    let message = format!("more than {} values, aliases counted in full", limits::DOCUMENT_NODES_MAX);
    Diagnostic::error(codes::TOO_LARGE, message).at(at, "")
}

fn place(span: granit_parser::Span) -> Span {
    let range = span.byte_range().unwrap_or(0..0);
    Span::new(range.start, range.end)
}

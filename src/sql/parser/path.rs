//! Names, paths, indexes, aliases.

use super::super::ast::{At, Name, Path, PathIndex, PathStep, Style};
use super::super::token::Kind;
use super::{Parsed, Parser};
use crate::diag::Diagnostic;
use crate::profile::Profile;

/// Strips the quotes of a name or string. All leading and trailing quotes go, not just one pair; rulesql before 0.1.5
/// strips the other kind of quote as well (`unquote/1`).
pub(super) fn unquote(text: &str, style: Style, profile: Profile) -> String {
    match (profile, style) {
        (Profile::V4_3, _) => text.trim_matches('\'').trim_matches('"').to_owned(),
        (Profile::V5_8, Style::Bare) => text.to_owned(),
        (Profile::V5_8, Style::Single) => text.trim_matches('\'').to_owned(),
        (Profile::V5_8, Style::Double) => text.trim_matches('"').to_owned(),
    }
}

impl Parser<'_> {
    pub(super) fn starts_path(&self) -> bool {
        matches!(self.peek(), Kind::Name(_) | Kind::Quoted(_))
    }

    pub(super) fn name(&mut self, style: Style, text: &str) -> Name {
        let at = At(self.span());
        self.advance();
        Name { text: unquote(text, style, self.profile), style, at }
    }

    pub(super) fn path(&mut self) -> Parsed<Path> {
        let start = self.span();
        let head = match self.peek().clone() {
            Kind::Name(text) => self.name(Style::Bare, &text),
            Kind::Quoted(text) => self.name(Style::Double, &text),
            _ => return self.unexpected("a name"),
        };
        let mut steps = Vec::new();
        loop {
            if self.is("[") {
                steps.push(self.index()?);
            } else if self.is(".") {
                self.advance();
                steps.push(PathStep::Key(self.key()?));
            } else {
                break;
            }
        }
        self.refuse_constants(&head, &steps)?;
        Ok(Path { head, steps, at: At(start.to(self.last_span())) })
    }

    /// `true` and `false` are constants wherever a name may stand, and no path can be made of a constant
    /// (rulesql merge_path).
    fn refuse_constants(&mut self, head: &Name, steps: &[PathStep]) -> Parsed<()> {
        if steps.is_empty() {
            return Ok(());
        }
        let keys = steps.iter().filter_map(|step| match step {
            PathStep::Key(name) => Some(name),
            PathStep::Index(..) => None,
        });
        let constant = std::iter::once(head).chain(keys).find(|n| n.style == Style::Bare && is_bool(&n.text));
        let Some(name) = constant else { return Ok(()) };
        let message = format!("`{}` is a constant and cannot be part of a path", name.text);
        let problem = Diagnostic::error("E005", message).at(name.at.0, "");
        self.problems.push(problem.help(format!("quote it: `'{}'`", name.text)));
        Err(super::Reported)
    }

    fn key(&mut self) -> Parsed<Name> {
        match self.peek().clone() {
            Kind::Name(text) => Ok(self.name(Style::Bare, &text)),
            Kind::Int(text) => Ok(self.name(Style::Bare, &text)),
            Kind::Quoted(text) => Ok(self.name(Style::Double, &text)),
            Kind::Str(text) => Ok(self.name(Style::Single, &text)),
            _ => match self.wrong_name("a key after `.`", true) {
                Some(name) => Ok(name),
                None => self.unexpected("a key after `.`"),
            },
        }
    }

    fn index(&mut self) -> Parsed<PathStep> {
        let start = self.span();
        self.expect("[")?;
        let index = match self.peek().clone() {
            Kind::Name(_) | Kind::Quoted(_) => {
                let path = self.nested(Self::path)?;
                PathIndex::Path(path)
            }
            Kind::Int(_) => self.index_number(false)?,
            Kind::Punctuation(sign @ ("+" | "-")) => {
                self.advance();
                self.index_number(sign == "-")?
            }
            _ => return self.unexpected("a position: a number or a variable"),
        };
        self.expect("]")?;
        Ok(PathStep::Index(index, At(start.to(self.last_span()))))
    }

    fn index_number(&mut self, negative: bool) -> Parsed<PathIndex> {
        let Kind::Int(digits) = self.peek().clone() else { return self.unexpected("a number") };
        self.advance();
        // Only `0` itself is head or tail; `00` is position 0, which no list has.
        Ok(match (digits.as_str(), negative) {
            ("0", false) => PathIndex::Head,
            ("0", true) => PathIndex::Tail,
            (digits, negative) => {
                let n = digits.parse::<i64>().unwrap_or(i64::MAX);
                PathIndex::Const(if negative { -n } else { n })
            }
        })
    }

    /// `AS name`, a bare name, or nothing.
    pub(super) fn alias(&mut self) -> Parsed<Option<Path>> {
        if self.starts_path() { self.path().map(Some) } else { self.alias_after_as() }
    }

    /// `AS name`, or nothing.
    pub(super) fn alias_after_as(&mut self) -> Parsed<Option<Path>> {
        if !self.eat_keyword("AS") {
            return Ok(None);
        }
        if self.starts_path() {
            return self.path().map(Some);
        }
        match self.wrong_name("a name after `AS`", false) {
            Some(head) => Ok(Some(Path { at: head.at, head, steps: Vec::new() })),
            None => self.unexpected("a name after `AS`"),
        }
    }
}

pub(super) fn is_bool(text: &str) -> bool {
    text == "true" || text == "false"
}

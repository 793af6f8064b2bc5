//! Tokens to a document: clauses, lists, conditions, calls, CASE.
//!
//! The tokens are those of a statement that parses, so only what follows what needs to be told, not whether it may.
//! Tokens are printed as they were written; keywords in upper case, and `AS` where an alias stands without it.

use super::Lines;
use super::layout::{Group, Piece, bare_width, flat_width};
use crate::sql::lexer::Comment;
use crate::sql::token::{Kind, Token};

/// A token with the comments before it.
struct Item {
    kind: Kind,
    text: String,
    comments: Vec<Comment>,
}

/// The document of a statement.
pub(super) fn document(tokens: Vec<Token>, comments: Vec<Comment>, lines: Lines, width: usize) -> Vec<Piece> {
    let mut items: Vec<Item> = tokens.into_iter().map(item).collect();
    for comment in comments {
        if let Some(item) = items.get_mut(comment.before) {
            item.comments.push(comment);
        }
    }
    let mut shaper = Shaper { items, at: 0 };
    let clauses = shaper.clauses();
    let pieces = |spread: bool| {
        let mut pieces = Vec::new();
        for (at, clause) in clauses.iter().enumerate() {
            pieces.extend(clause.comments.iter().cloned());
            if at > 0 {
                pieces.push(Piece::Line);
            }
            pieces.push(clause.body(spread));
        }
        pieces
    };
    let on_one_line = pieces(false);
    match (lines, flat_width(&on_one_line)) {
        (Lines::OneIfFits, Some(own)) if own <= width => return vec![Group::flat(on_one_line)],
        (Lines::One, Some(_)) => return vec![Group::flat(on_one_line)],
        _ => {}
    }
    let spread = bare_width(&on_one_line) > width;
    if spread { pieces(true) } else { on_one_line }
}

fn item(token: Token) -> Item {
    let text = match &token.kind {
        Kind::Str(text) | Kind::Name(text) | Kind::Quoted(text) | Kind::Int(text) | Kind::Float(text) => {
            text.clone()
        }
        Kind::Range(first, last) => format!("[{first}..{last}]"),
        Kind::Comparison(text) | Kind::Punctuation(text) | Kind::Keyword(text) => (*text).to_owned(),
        Kind::Wrong | Kind::End => String::new(),
    };
    Item { kind: token.kind, text, comments: Vec::new() }
}

/// One clause: its keyword and what follows.
struct Clause {
    comments: Vec<Piece>,
    keyword: String,
    comments_inside: Vec<Piece>,
    /// The fields of a list, or one condition; each with its comma.
    fields: Vec<Vec<Piece>>,
    /// Fields stand one a line in a long statement, topics only where they do not fit.
    has_fields: bool,
    /// A condition begins beside its keyword.
    is_condition: bool,
}

impl Clause {
    fn body(&self, spread: bool) -> Piece {
        let mut inner = self.comments_inside.clone();
        let gap = if self.is_condition { Piece::Blank } else { Piece::Line };
        for field in &self.fields {
            inner.push(gap.clone());
            inner.extend(field.iter().cloned());
        }
        let body = vec![Piece::text(self.keyword.as_str()), Piece::Nest(inner)];
        let spread = spread && self.has_fields && self.fields.len() > 1;
        if spread { Group::broken(body) } else { Group::of(body) }
    }
}

struct Shaper {
    items: Vec<Item>,
    at: usize,
}

impl Shaper {
    fn kind(&self) -> &Kind {
        self.items.get(self.at).map_or(&Kind::End, |item| &item.kind)
    }

    fn is(&self, text: &str) -> bool {
        matches!(self.kind(), Kind::Punctuation(p) if *p == text)
    }

    fn is_word(&self, words: &[&str]) -> bool {
        matches!(self.kind(), Kind::Keyword(k) if words.contains(k))
    }

    fn at_clause(&self) -> bool {
        *self.kind() == Kind::End || self.is_word(&["SELECT", "FOREACH", "DO", "INCASE", "FROM", "WHERE"])
    }

    /// The comments before the token at hand, once.
    fn comments(&mut self) -> Vec<Piece> {
        let Some(item) = self.items.get_mut(self.at) else { return Vec::new() };
        let comments = std::mem::take(&mut item.comments);
        comments.into_iter().map(|c| Piece::Comment { text: c.text, own_line: c.own_line }).collect()
    }

    /// The token at hand with its comments.
    fn leaf(&mut self, out: &mut Vec<Piece>) {
        out.extend(self.comments());
        if let Some(item) = self.items.get(self.at) {
            out.push(Piece::text(item.text.as_str()));
        }
        self.at += 1;
    }

    fn clauses(&mut self) -> Vec<Clause> {
        let mut clauses = Vec::new();
        while *self.kind() != Kind::End {
            // A comment that stood further right than the keyword belongs to the list before it.
            let deeper = |item: &Item| item.comments.iter().map(|c| c.deeper).collect::<Vec<_>>();
            let deeper = self.items.get(self.at).map(deeper).unwrap_or_default();
            let comments = self.comments().into_iter().zip(deeper);
            let comments = comments.map(|(comment, deeper)| match deeper {
                true if !clauses.is_empty() => Piece::Nest(vec![comment]),
                _ => comment,
            });
            let comments = comments.collect();
            let is_condition = self.is_word(&["INCASE", "WHERE"]);
            let has_fields = !is_condition && !self.is_word(&["FROM"]);
            let keyword = self.items[self.at].text.clone();
            self.at += 1;
            let comments_inside = if self.at_clause() { Vec::new() } else { self.comments() };
            let fields = self.list(Shaper::at_clause);
            clauses.push(Clause { comments, keyword, comments_inside, fields, has_fields, is_condition });
        }
        clauses
    }

    /// What stands between commas, each with the comma and the comments around it.
    fn list(&mut self, ends: impl Fn(&Shaper) -> bool) -> Vec<Vec<Piece>> {
        let mut fields = Vec::new();
        while !ends(self) {
            let before = self.at;
            let mut field = self.expression();
            if self.is(",") {
                let comments = self.comments();
                self.leaf(&mut field);
                field.extend(comments);
                field.extend(self.comments());
            } else if self.at == before {
                // No token of a statement that parses gets here; a loop must end all the same.
                self.leaf(&mut field);
            }
            fields.push(field);
        }
        fields
    }

    /// `OR` over `AND` over the rest; each breaks before its words.
    fn expression(&mut self) -> Vec<Piece> {
        let mut parts = self.chain("OR", |shaper| {
            let parts = shaper.chain("AND", Shaper::run);
            // Under OR, what AND joins stands further right.
            if parts.len() == 1 { parts.concat() } else { vec![Piece::Nest(vec![joined(parts)])] }
        });
        match parts.as_mut_slice() {
            [only] => match only.as_mut_slice() {
                [Piece::Nest(alone)] => std::mem::take(alone),
                _ => std::mem::take(only),
            },
            _ => vec![joined(parts)],
        }
    }

    /// The parts that a word joins; the word stands at the start of the later ones.
    fn chain(&mut self, word: &str, part: impl Fn(&mut Shaper) -> Vec<Piece>) -> Vec<Vec<Piece>> {
        let mut parts = vec![part(self)];
        while self.is_word(&[word]) {
            let mut pieces = self.comments();
            pieces.push(Piece::Line);
            self.leaf(&mut pieces);
            pieces.push(Piece::Blank);
            pieces.extend(part(self));
            parts.push(pieces);
        }
        parts
    }

    /// Operands and operators up to what ends them. A sum that is too long is broken before its signs.
    fn run(&mut self) -> Vec<Piece> {
        let mut first = Vec::new();
        let mut rest: Vec<Piece> = Vec::new();
        let mut before = Before::Nothing;
        while !self.ends_run() {
            let additive = (self.is("+") || self.is("-")) && before == Before::Operand;
            let out = if additive || !rest.is_empty() { &mut rest } else { &mut first };
            if additive {
                out.extend(self.comments());
                out.push(Piece::Line);
            } else {
                self.gap(before, out);
            }
            before = self.step(before, out);
        }
        if rest.is_empty() {
            return first;
        }
        first.push(Piece::Nest(rest));
        vec![Group::of(first)]
    }

    fn ends_run(&self) -> bool {
        self.at_clause()
            || self.is(",")
            || self.is(")")
            || self.is("]")
            || self.is_word(&["AND", "OR", "WHEN", "THEN", "ELSE", "END"])
    }

    /// The blank before the token at hand, and the `AS` that is not written.
    fn gap(&mut self, before: Before, out: &mut Vec<Piece>) {
        let blank = match (before, self.kind()) {
            (Before::Nothing, _) | (Before::Tight, _) | (_, Kind::Punctuation(".")) => false,
            (Before::Sign(sign), Kind::Punctuation(next)) => sign == *next,
            (Before::Sign(_), _) => false,
            (Before::Operand | Before::Callable, Kind::Punctuation("(" | "[") | Kind::Range(..)) => false,
            _ => true,
        };
        let comments = self.comments();
        let commented = !comments.is_empty();
        out.extend(comments);
        if blank || (commented && before != Before::Nothing) {
            out.push(Piece::Blank);
        }
        if before == Before::Operand && matches!(self.kind(), Kind::Name(_) | Kind::Quoted(_)) {
            out.push(Piece::text("AS"));
            out.push(Piece::Blank);
        }
    }

    /// One token, bracket or CASE; what it is to the next one.
    fn step(&mut self, before: Before, out: &mut Vec<Piece>) -> Before {
        let operand = before == Before::Operand;
        let next = match self.kind() {
            Kind::Punctuation("(" | "[") => {
                self.brackets(out);
                return Before::Operand;
            }
            Kind::Keyword("CASE") => {
                self.case(out);
                return Before::Operand;
            }
            Kind::Punctuation(".") => Before::Tight,
            Kind::Punctuation("+") if !operand => Before::Sign("+"),
            Kind::Punctuation("-") if !operand => Before::Sign("-"),
            Kind::Punctuation("div" | "mod") if !operand => Before::Callable,
            Kind::Punctuation(_) | Kind::Comparison(_) | Kind::Keyword(_) | Kind::Wrong | Kind::End => {
                Before::Operator
            }
            _ => Before::Operand,
        };
        self.leaf(out);
        next
    }

    /// `(…)` and `[…]` with their commas.
    fn brackets(&mut self, out: &mut Vec<Piece>) {
        let mut pieces = Vec::new();
        self.leaf(&mut pieces);
        let mut inner = self.comments();
        inner.push(Piece::Break);
        let items = self.list(|shaper| shaper.is(")") || shaper.is("]") || shaper.at_clause());
        let empty = items.is_empty();
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                inner.push(Piece::Line);
            }
            inner.extend(item);
        }
        let closing = self.comments();
        let commented = !closing.is_empty();
        inner.extend(closing);
        if !empty || commented {
            pieces.push(Piece::Nest(inner));
            pieces.push(Piece::Break);
        }
        self.leaf(&mut pieces);
        out.push(Group::of(pieces));
    }

    /// `CASE … END`, an arm a line where it does not fit.
    fn case(&mut self, out: &mut Vec<Piece>) {
        let mut pieces = Vec::new();
        self.leaf(&mut pieces);
        let on = self.expression();
        if !on.is_empty() {
            pieces.push(Piece::Blank);
            pieces.extend(on);
        }
        let mut arms = Vec::new();
        while self.is_word(&["WHEN", "ELSE"]) {
            arms.extend(self.comments());
            arms.push(Piece::Line);
            self.leaf(&mut arms);
            let mut arm = vec![Piece::Blank];
            arm.extend(self.expression());
            if self.is_word(&["THEN"]) {
                arm.extend(self.comments());
                arm.push(Piece::Blank);
                self.leaf(&mut arm);
                arm.push(Piece::Blank);
                arm.extend(self.expression());
            }
            arms.push(Piece::Nest(arm));
        }
        arms.extend(self.comments());
        pieces.push(Piece::Nest(arms));
        pieces.push(Piece::Line);
        self.leaf(&mut pieces);
        out.push(Group::of(pieces));
    }
}

/// Parts that break together.
fn joined(parts: Vec<Vec<Piece>>) -> Piece {
    Group::of(parts.concat())
}

/// What a token is to the one behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// There is none.
    Nothing,
    /// A dot: nothing between.
    Tight,
    /// A sign of the operand behind it.
    Sign(&'static str),
    /// The end of a value: an alias, a bracket of its own or an operator may follow.
    Operand,
    /// `div` and `mod` as names of functions.
    Callable,
    /// Anything else.
    Operator,
}

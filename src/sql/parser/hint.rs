//! What to write instead, for the mistakes that people make.

use super::super::ast::Name;
use super::super::token::{Kind, is_name_char, is_plain_name};
use super::Parser;
use crate::diag::{Diagnostic, nearest};
use crate::text::Span;

/// Words that begin a statement of other SQLs.
const OTHER_STATEMENTS: [&str; 8] =
    ["INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "MERGE", "REPLACE", "WITH"];

const LEAST: &str = "the least that EMQX takes is `SELECT * FROM \"t/#\"`";

impl Parser<'_> {
    /// The report for the token at hand, which is not `wanted`.
    pub(super) fn mistake(&self, wanted: &str) -> Diagnostic {
        if let Some((span, word, help)) = self.foreign_operator().or_else(|| self.foreign_clause()) {
            return Diagnostic::error("E004", format!("rule SQL has no {word}")).at(span, "").help(help);
        }
        let message = format!("expected {wanted}, found {}", self.peek().describe());
        let found = Diagnostic::error("E004", message).at(self.span(), format!("expected {wanted}"));
        let found = match self.open_parenthesis().filter(|_| wanted.contains("`)`")) {
            Some(open) => found.at(open, "to close this one"),
            None => found,
        };
        match self.hint(wanted) {
            Some(help) => found.help(help),
            None => found,
        }
    }

    /// Advice where something is missing, or there twice.
    fn missing_hint(&self, wanted: &str) -> Option<String> {
        let before = self.kind_back(1);
        let advice = match (before, self.peek()) {
            (_, Kind::Keyword("NOT" | "AND" | "OR")) if matches!(before, Kind::Keyword("AND" | "OR")) => {
                "leave one of the two out"
            }
            (Kind::Keyword("FROM"), Kind::Keyword(_) | Kind::End) => {
                "write the topics that are read: `FROM \"t/#\"`"
            }
            (Kind::Keyword("WHERE" | "INCASE"), Kind::End | Kind::Keyword("FROM")) => {
                "write a condition, such as `payload.x > 1`, or leave the clause out"
            }
            (Kind::Keyword("SELECT"), Kind::Keyword("FROM" | "WHERE") | Kind::End) => {
                "write what is selected, or `*` for all columns"
            }
            _ if wanted == "`FROM`" => "every statement says which topics it reads: `FROM \"t/#\"`",
            _ if self.in_topics() => return Some(self.topic_hint()),
            (_, Kind::Keyword("FROM" | "AS" | "ELSE" | "THEN" | "WHEN" | "END") | Kind::End)
                if wanted.contains("`THEN`") || wanted.contains("`END`") || wanted == "`WHEN`" =>
            {
                "write `CASE WHEN condition THEN a ELSE b END`"
            }
            (
                Kind::Keyword(word @ ("AND" | "OR" | "NOT")),
                Kind::Keyword(_) | Kind::End | Kind::Punctuation(")"),
            ) => {
                return Some(format!("a condition is missing behind {word}"));
            }
            (Kind::Keyword(word @ ("THEN" | "ELSE" | "CASE")), Kind::Keyword(_) | Kind::End) => {
                return Some(format!("a value is missing behind {word}"));
            }
            (
                Kind::Punctuation(operator @ ("+" | "-" | "*" | "/" | "div" | "mod"))
                | Kind::Comparison(operator),
                Kind::Keyword(
                    "FROM" | "WHERE" | "DO" | "INCASE" | "AND" | "OR" | "AS" | "THEN" | "WHEN" | "ELSE"
                    | "END",
                )
                | Kind::End
                | Kind::Punctuation(")" | "," | "]"),
            ) => return Some(format!("a value is missing behind `{operator}`")),
            (Kind::Punctuation("("), Kind::Punctuation(")")) => "write at least one value: `IN (1, 2)`",
            _ => return None,
        };
        Some(advice.to_owned())
    }

    /// Advice for the token that could not be read.
    fn hint(&self, wanted: &str) -> Option<String> {
        if let Some(advice) = self.missing_hint(wanted) {
            return Some(advice);
        }
        let advice = match (self.kind_back(1), self.peek()) {
            (_, Kind::Keyword("AND" | "OR" | "NOT" | "IN")) => {
                "a condition stands in WHERE, INCASE or WHEN only; as a value write \
                 `CASE WHEN … THEN true ELSE false END`"
            }
            (_, Kind::Keyword("CASE")) => {
                "CASE is a field of its own or an argument of a function, no part of arithmetic"
            }
            (_, Kind::Keyword("IF" | "ELSIF")) => "write `CASE WHEN condition THEN a ELSE b END`",
            (_, Kind::Keyword("SELECT")) if wanted.contains("FROM") => {
                "write `FOREACH list DO fields FROM topics`"
            }
            (_, Kind::Keyword("SELECT")) => "there are no statements within statements",
            (_, Kind::Comparison(_)) if wanted == "`)`" => {
                "a comparison as a value takes no parentheses: `a = 1 AS x`"
            }
            (Kind::Keyword("IN"), Kind::Punctuation("[")) => {
                "the list of IN stands in parentheses: `IN (1, 2)`"
            }
            (Kind::Keyword("IN"), Kind::Name(_) | Kind::Quoted(_)) => {
                "IN wants its values written out: `x IN (1, 2)`; for a list of the message write \
                 `contains(x, list) = true`"
            }
            (Kind::Punctuation("["), Kind::Str(text)) => {
                return Some(format!("a key stands behind a dot: `.{}`", key(text.trim_matches('\''))));
            }
            (Kind::Punctuation("."), Kind::Punctuation("*")) => {
                "name the map alone to have all of it: `payload`"
            }
            (Kind::Punctuation("("), Kind::Punctuation("*")) => {
                "a rule sees one message at a time, and counts none: there is no `count(*)`"
            }
            (_, Kind::Punctuation("*")) => "`*` stands alone, as a field",
            (Kind::Punctuation("."), Kind::Punctuation("[")) => "a position stands without a dot: `list[1]`",
            (Kind::Punctuation(","), Kind::Punctuation(",")) => "leave one comma out",
            (Kind::Punctuation(","), Kind::Keyword("FROM" | "DO" | "INCASE" | "WHERE")) => {
                "leave out the comma before it"
            }
            (_, Kind::Punctuation(")")) if self.open_parenthesis().is_none() => {
                "no `(` stands before it; leave it out"
            }
            (_, Kind::Punctuation("=" | ".")) => return self.number_hint(),
            (_, Kind::Punctuation("-")) => return self.dashed_name(),
            (_, Kind::Keyword("AS")) if wanted.contains("`)`") => return Some(self.alias_inside()),
            (_, Kind::Quoted(text)) if text.len() > 2 => {
                return Some(format!(
                    "double quotes make a name; for a string write `'{}'`",
                    text.trim_matches('"')
                ));
            }
            _ => return self.number_hint().or_else(|| self.joint_hint(wanted)),
        };
        Some(advice.to_owned())
    }

    /// What stands between two fields or two conditions.
    fn joint_hint(&self, wanted: &str) -> Option<String> {
        let between = self.last_span().end as usize..self.span().start as usize;
        if self.text.get(between).is_some_and(|between| between.contains("\n/")) {
            return Some("the `/` before it is not there for EMQX; end the line before with it".to_owned());
        }
        let value = matches!(self.peek(), Kind::Name(_) | Kind::Str(_) | Kind::Int(_) | Kind::Float(_));
        let advice = match self.peek() {
            Kind::Punctuation(",") if wanted.contains("`AND`") => "conditions are joined by AND and OR",
            _ if value && wanted.contains("`AND`") => "join conditions by AND or OR",
            _ if value && wanted.contains("`FROM`") => {
                "fields are separated by commas, and a name with blanks is written in double quotes"
            }
            _ => return None,
        };
        Some(advice.to_owned())
    }

    fn topic_hint(&self) -> String {
        match self.peek() {
            Kind::Keyword("AS") => "a topic takes no alias".to_owned(),
            Kind::Str(text) => {
                format!("EMQX 4.3 takes double quotes only: `\"{}\"`", text.trim_matches('\''))
            }
            _ => "topics are separated by commas: `FROM \"a\", \"b\"`".to_owned(),
        }
    }

    /// Numbers as others write them: `1e3`, `0x1F` (an integer and a name for EMQX), `.5`, `5.`.
    fn number_hint(&self) -> Option<String> {
        if self.is(".") {
            if let (Kind::Int(digits), true) = (self.peek_after(1), self.touches(self.at + 1)) {
                return Some(format!("write `0.{digits}`"));
            }
            let (Kind::Int(digits), true) = (self.kind_back(1), self.touches(self.at)) else { return None };
            return Some(format!("write `{digits}.0`"));
        }
        // The name may have been taken for an alias, or be the token at hand.
        let name = (self.at.saturating_sub(1)..=self.at).find(|at| {
            matches!(self.tokens.get(*at).map(|t| &t.kind), Some(Kind::Name(_))) && self.touches(*at)
        })?;
        let (Kind::Int(digits), Kind::Name(rest)) =
            (&self.tokens.get(name.checked_sub(1)?)?.kind, &self.tokens.get(name)?.kind)
        else {
            return None;
        };
        let read = format!("`{digits}{rest}` is read as `{digits} AS {rest}`");
        let hexadecimal = rest.strip_prefix(['x', 'X']).filter(|_| digits == "0");
        if let Some(value) = hexadecimal.and_then(|hex| u64::from_str_radix(hex, 16).ok()) {
            return Some(format!("{read}; write `{value}`"));
        }
        if matches!(self.tokens.get(name.checked_sub(2)?)?.kind, Kind::Keyword("AS")) {
            return Some(format!("write the name in double quotes: `AS \"{digits}{rest}\"`"));
        }
        let f: f64 = format!("{digits}{rest}").parse().ok()?;
        Some(format!("{read}; write `{}`", float_text(f)))
    }

    /// `AS my-name`.
    fn dashed_name(&self) -> Option<String> {
        let first = self.at.checked_sub(1)?;
        if !matches!(self.tokens[..first].last()?.kind, Kind::Keyword("AS")) || !self.touches(self.at) {
            return None;
        }
        let rest = self.text.get(self.tokens[first].span.start as usize..)?;
        let end = rest.find(|c: char| !is_name_char(c) && c != '-').unwrap_or(rest.len());
        Some(format!("write the name in double quotes: `AS \"{}\"`", &rest[..end]))
    }

    /// `lower(x AS y)`, `cast(x AS int)`.
    fn alias_inside(&self) -> String {
        let cast = self.tokens[..self.at].iter().rev().find_map(|token| match &token.kind {
            Kind::Name(name) => Some(name.eq_ignore_ascii_case("cast")),
            _ => None,
        });
        let called = self.open_parenthesis().and_then(|open| {
            let at = self.tokens.iter().position(|token| token.span == open)?;
            self.tokens.get(at.checked_sub(1)?).map(|token| token.kind.clone())
        });
        match (called, cast) {
            (Some(Kind::Name(name)), _) if name.eq_ignore_ascii_case("cast") => {
                "write `int(x)`, `float(x)`, `str(x)` or `bool(x)`".to_owned()
            }
            _ => "`AS` stands behind the parenthesis".to_owned(),
        }
    }

    /// An operator of other SQLs: taken for an alias, or behind one that was.
    fn foreign_operator(&self) -> Option<(Span, String, String)> {
        let word = |at: usize| match &self.tokens.get(at)?.kind {
            Kind::Name(word) if self.is_operand(at.checked_sub(1)?) => Some(word.to_ascii_uppercase()),
            _ => None,
        };
        let negated = |at: usize| match self.tokens.get(at)?.kind {
            Kind::Keyword("NOT") if self.is_operand(at.checked_sub(1)?) => {
                let Kind::Name(word) = &self.tokens.get(at + 1)?.kind else { return None };
                Some(format!("NOT {}", word.to_ascii_uppercase()))
            }
            _ => None,
        };
        let before = self.at.checked_sub(1)?;
        let (start, name) = [before, self.at]
            .into_iter()
            .find_map(|at| negated(at).or_else(|| word(at)).map(|name| (at, name)))?;
        let end = if name.starts_with("NOT ") { start + 1 } else { start };
        let x = self.operand_before(start);
        let not = if name.starts_with("NOT ") { " = false" } else { "" };
        let (name, help) = match name.trim_start_matches("NOT ") {
            "IS" if matches!(self.tokens.get(start + 1)?.kind, Kind::Keyword("NOT")) => {
                ("IS NOT NULL".to_owned(), format!("write `is_not_null({x})`"))
            }
            "IS" => ("IS NULL".to_owned(), format!("write `is_null({x})`")),
            "LIKE" | "ILIKE" | "RLIKE" | "REGEXP" | "MATCHES" | "SIMILAR" | "GLOB" => {
                (name, format!("write `regex_match({x}, '…'){not}`; a topic is matched by `topic =~ 'a/+'`"))
            }
            "CONTAINS" => (name, format!("write `contains(item, {x})`, or `regex_match({x}, '…')` for text")),
            "BETWEEN" => {
                let (low, high) = (self.word(end + 1, "1"), self.word(end + 3, "9"));
                let help = match not.is_empty() {
                    true => format!("write `{x} >= {low} AND {x} <= {high}`"),
                    false => format!("write `{x} < {low} OR {x} > {high}`"),
                };
                (name, help)
            }
            "MOD" => (name, "write `mod(a, b)`".to_owned()),
            "DIV" => (name, "write `a div b`, in small letters".to_owned()),
            "XOR" => (name, "write `a = true AND b = false OR a = false AND b = true`".to_owned()),
            _ => return None,
        };
        Some((self.tokens.get(start)?.span.to(self.tokens.get(end)?.span), format!("`{name}`"), help))
    }

    /// Clauses of other SQLs.
    fn foreign_clause(&self) -> Option<(Span, String, String)> {
        // INTO may have been taken for an alias.
        let into = self.at.checked_sub(1).filter(|at| {
            matches!(&self.tokens[*at].kind, Kind::Name(word) if word.eq_ignore_ascii_case("INTO"))
                && at.checked_sub(1).is_some_and(|before| self.is_operand(before))
        });
        let token = &self.tokens[into.unwrap_or(self.at)];
        let Kind::Name(word) = &token.kind else { return None };
        let word = word.to_ascii_uppercase();
        let one = "a rule sees one message at a time";
        let help = match word.as_str() {
            "GROUP" | "HAVING" | "WINDOW" => {
                format!("{one}; what spans several is done where they are stored")
            }
            "ORDER" | "LIMIT" | "OFFSET" | "FETCH" => format!("{one}: there is nothing to sort or to cut"),
            "JOIN" | "INNER" | "LEFT" | "RIGHT" | "FULL" | "CROSS" | "NATURAL" | "OUTER" => {
                format!("{one}; several topics are read by `FROM \"a\", \"b\"`")
            }
            "UNION" | "INTERSECT" | "EXCEPT" => format!("{one}; write two rules"),
            "EMIT" => "this is HStreamDB's SQL; leave `EMIT CHANGES` out".to_owned(),
            "INTO" => "where the result goes is said by the rule's actions".to_owned(),
            "USING" | "ON" => format!("{one}; a condition stands in WHERE"),
            _ => return None,
        };
        let name = if matches!(word.as_str(), "GROUP" | "ORDER") { format!("{word} BY") } else { word };
        Some((token.span, format!("`{name}`"), help))
    }

    /// The report for a statement that begins otherwise.
    pub(super) fn no_statement(&self) -> Diagnostic {
        let message = format!("expected `SELECT` or `FOREACH`, found {}", self.peek().describe());
        let help = match self.peek() {
            Kind::Name(word) if is_other_statement(word) => {
                "rule SQL only selects; what happens to the result is said by the rule's actions".to_owned()
            }
            Kind::Name(word) => match nearest(&word.to_ascii_uppercase(), ["SELECT", "FOREACH"]) {
                Some(near) => format!("did you mean `{near}`?"),
                None => LEAST.to_owned(),
            },
            _ => LEAST.to_owned(),
        };
        Diagnostic::error("E004", message).at(self.span(), "").help(help)
    }

    /// The parenthesis that is open here.
    fn open_parenthesis(&self) -> Option<Span> {
        let mut open = Vec::new();
        for token in &self.tokens[..self.at] {
            match token.kind {
                Kind::Punctuation("(") => open.push(token.span),
                Kind::Punctuation(")") => drop(open.pop()),
                _ => {}
            }
        }
        open.pop()
    }

    /// Does the token end an operand?
    fn is_operand(&self, at: usize) -> bool {
        matches!(
            self.tokens.get(at).map(|token| &token.kind),
            Some(
                Kind::Name(_) | Kind::Quoted(_) | Kind::Str(_) | Kind::Int(_) | Kind::Punctuation(")" | "]")
            )
        )
    }

    /// A number or string as it is written, or else another in its place.
    fn word<'t>(&'t self, at: usize, other: &'t str) -> &'t str {
        match self.tokens.get(at) {
            Some(token) if matches!(token.kind, Kind::Int(_) | Kind::Float(_) | Kind::Str(_)) => {
                self.text.get(token.span.range()).unwrap_or(other)
            }
            _ => other,
        }
    }

    /// The path before a token as it is written, or `x`.
    fn operand_before(&self, at: usize) -> &str {
        let dot = |at: usize| matches!(self.tokens.get(at).map(|t| &t.kind), Some(Kind::Punctuation(".")));
        let Some(last) = at.checked_sub(1) else { return "x" };
        let mut first = last;
        while first >= 2 && dot(first - 1) {
            first -= 2;
        }
        let (start, end) = (self.tokens[first].span.start as usize, self.tokens[last].span.end as usize);
        match &self.tokens[first].kind {
            Kind::Name(_) | Kind::Quoted(_) => self.text.get(start..end).unwrap_or("x"),
            _ => "x",
        }
    }

    /// Does a token follow the one before it without a blank?
    fn touches(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.zip(self.tokens.get(at)).is_some_and(|(a, b)| a.span.end == b.span.start)
    }

    fn kind_back(&self, back: usize) -> &Kind {
        &self.tokens[self.at.saturating_sub(back)].kind
    }

    fn in_topics(&self) -> bool {
        let clause = self.tokens[..self.at].iter().rev().find_map(|token| match token.kind {
            Kind::Keyword(word @ ("SELECT" | "FOREACH" | "DO" | "INCASE" | "FROM" | "WHERE")) => Some(word),
            _ => None,
        });
        clause == Some("FROM")
    }

    /// Reports a reserved word, a string or a number where a name must stand, and reads it as one.
    pub(super) fn wrong_name(&mut self, wanted: &str, as_key: bool) -> Option<Name> {
        let start = self.span();
        let topic = matches!(self.peek_after(1), Kind::Quoted(_) | Kind::Str(_) | Kind::Name(_));
        let missing = self.is_keyword("FROM") && topic && !(as_key && self.touches(self.at));
        let tokens = match self.peek() {
            Kind::Keyword(_) if !missing => 1,
            Kind::Str(_) if !as_key => 1,
            Kind::Int(_) if !as_key => match self.peek_after(1) {
                Kind::Name(_) if self.touches(self.at + 1) => 2,
                _ => 1,
            },
            _ => return None,
        };
        let end = self.tokens[self.at + tokens - 1].span;
        let word = self.text.get(start.to(end).range()).unwrap_or("").trim_matches('\'').to_owned();
        let message = format!("expected {wanted}, found {}", self.peek().describe());
        let help = if as_key {
            format!("a reserved word as a key needs quotes: `.'{word}'`")
        } else {
            format!("write the name in double quotes: `AS \"{word}\"`")
        };
        let problem = Diagnostic::error("E004", message).at(start.to(end), format!("expected {wanted}"));
        self.problems.push(problem.help(help));
        self.at += tokens - 1;
        Some(self.name(super::super::ast::Style::Double, &word))
    }
}

/// Is the word a statement of other SQLs?
pub(super) fn is_other_statement(word: &str) -> bool {
    OTHER_STATEMENTS.iter().any(|other| other.eq_ignore_ascii_case(word))
}

/// A float as rule SQL writes it.
pub(super) fn float_text(f: f64) -> String {
    let text = format!("{f:?}");
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

/// A key as it is written behind a dot.
fn key(text: &str) -> String {
    if is_plain_name(text) { text.to_owned() } else { format!("'{text}'") }
}

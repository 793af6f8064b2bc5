//! What to write instead, for the mistakes that people make.

use super::super::token::Kind;
use super::Parser;

impl Parser<'_> {
    /// Advice for the token that could not be read.
    pub(super) fn hint(&self) -> Option<String> {
        let before = &self.tokens[self.at.saturating_sub(1)].kind;
        match (before, self.peek()) {
            (Kind::Punctuation("."), Kind::Keyword(_)) => {
                let word = self.text.get(self.span().range()).unwrap_or("");
                Some(format!("a reserved word as a key needs quotes: `.'{word}'`"))
            }
            (Kind::Keyword("AS"), Kind::Keyword(_) | Kind::Str(_)) => {
                let word = self.text.get(self.span().range()).unwrap_or("").trim_matches('\'');
                Some(format!("write the name in double quotes: `AS \"{word}\"`"))
            }
            (_, Kind::Keyword("AND" | "OR" | "NOT" | "IN")) => Some(
                "a condition stands in WHERE, INCASE or WHEN only; as a value write \
                 `CASE WHEN … THEN true ELSE false END`"
                    .to_owned(),
            ),
            (_, Kind::Keyword("CASE")) => Some(
                "CASE is a field of its own or an argument of a function, no part of arithmetic".to_owned(),
            ),
            (_, Kind::Comparison(_)) => {
                Some("a comparison as a value takes no parentheses: `a = 1 AS x`".to_owned())
            }
            (_, Kind::Quoted(text)) if text.len() > 2 => {
                Some(format!("double quotes make a name; for a string write `'{}'`", text.trim_matches('"')))
            }
            (_, Kind::Punctuation("*")) => {
                Some("`*` stands alone, as a field: there is no `count(*)`".to_owned())
            }
            (_, Kind::Name(word)) => foreign_clause(word),
            (_, Kind::Keyword("AS")) => self.exponent_hint(),
            _ => None,
        }
    }

    /// `1e3 AS x`: an integer, a name, and then one alias too many.
    fn exponent_hint(&self) -> Option<String> {
        let [number, exponent] = self.tokens.get(self.at.checked_sub(2)?..self.at)? else { return None };
        let (Kind::Int(digits), Kind::Name(name)) = (&number.kind, &exponent.kind) else { return None };
        if number.span.end != exponent.span.start {
            return None;
        }
        let f: f64 = format!("{digits}{name}").parse().ok()?;
        Some(format!("`{digits}{name}` is read as `{digits} AS {name}`; write `{f:?}`"))
    }
}

/// Clauses of other SQLs.
fn foreign_clause(word: &str) -> Option<String> {
    let advice = match word.to_ascii_uppercase().as_str() {
        "GROUP" | "ORDER" | "LIMIT" | "HAVING" | "JOIN" | "UNION" => {
            return Some(format!(
                "rule SQL has no {}: a rule sees one message at a time",
                word.to_ascii_uppercase()
            ));
        }
        "IS" => "write `is_null(x)` or `is_not_null(x)`",
        "LIKE" => "write `regex_match(x, '…')`, or `topic =~ 'a/+'` for topics",
        "BETWEEN" => "write `x >= 1 AND x <= 9`",
        "DISTINCT" => "rule SQL has no DISTINCT: a rule sees one message at a time",
        _ => return None,
    };
    Some(advice.to_owned())
}

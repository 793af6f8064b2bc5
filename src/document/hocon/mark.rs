//! EMQX's passes over tokens, after which its grammar is unambiguous (hocon_token:rm_trailing_comma/1,
//! trans_key/1): separators go, what stands before one is a key; commas before a closing brace or bracket go; an
//! object that begins on another line than the one before ends gets a comma; and what nothing can be joined with is
//! marked.

use super::scanner::{Kind, Token};
use crate::text::Span;

/// The tokens for the parser, and the commas that were left out.
pub(super) fn mark(raw: &[Token]) -> (Vec<Token>, Vec<Span>) {
    let mut tokens: Vec<Token> = Vec::with_capacity(raw.len());
    let mut commas = Vec::new();
    for (at, token) in raw.iter().enumerate() {
        let closes = |next: &Token| matches!(next.kind, Kind::RightBrace | Kind::RightBracket);
        match token.kind {
            Kind::Comma if raw.get(at + 1).is_some_and(closes) => {
                commas.push(token.span);
                continue;
            }
            Kind::Separator | Kind::LeftBrace => {
                let key = tokens.last_mut().filter(|last| last.kind.is_string());
                key.into_iter().for_each(|last| last.key = true);
            }
            _ => {}
        }
        if token.kind == Kind::Separator {
            continue;
        }
        if token.kind == Kind::LeftBrace
            && let Some(last) = tokens.last().copied()
            && last.kind == Kind::RightBrace
            && last.line != token.line
        {
            let span = Span { start: last.span.end, end: last.span.end };
            tokens.push(Token { kind: Kind::Comma, span, ..last });
        }
        tokens.push(*token);
    }
    for at in 0..tokens.len() {
        let ends = tokens.get(at + 1).is_none_or(|next| {
            use Kind::{Comma, Include, RightBrace, RightBracket};
            next.key || matches!(next.kind, Comma | Include | RightBrace | RightBracket)
        });
        let token = &mut tokens[at];
        token.end = ends && !token.key && token.kind.joins();
    }
    (tokens, commas)
}

//! What makes sqlparser's tokens and expressions HStreamDB's.
//!
//! Invariant: token positions are those of the text as the user wrote it.

use sqlparser::dialect::Dialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// HStreamDB v0.6.1: strings in double quotes, JSON in single ones, raw column names in backquotes.
#[derive(Debug)]
pub(super) struct HStream;

impl Dialect for HStream {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '\''
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn supports_double_ampersand_operator(&self) -> bool {
        true
    }

    /// `||` and `&&` are boolean there, and bind weaker than `+` and stronger than a comparison.
    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        match parser.peek_token_ref().token {
            Token::StringConcat => Some(Ok(24)),
            Token::Overlap => Some(Ok(25)),
            _ => None,
        }
    }
}

/// The text with its comments (`/* … */` and `// …`) blanked out, each line and column where it was.
pub(super) fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut quote = None;
    while let Some(character) = characters.next() {
        match (quote, character, characters.peek()) {
            (Some(end), _, _) if character == end => quote = None,
            (Some(_), _, _) => {}
            (None, '"' | '\'' | '`', _) => quote = Some(character),
            (None, '/', Some('/')) => {
                out.push(' ');
                while let Some(next) = characters.next_if(|c| *c != '\n') {
                    out.push(if next == '\t' { '\t' } else { ' ' });
                }
                continue;
            }
            (None, '/', Some('*')) => {
                out.push(' ');
                blank_block(&mut characters, &mut out);
                continue;
            }
            (None, _, _) => {}
        }
        out.push(character);
    }
    out
}

fn blank_block(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    // The star of the opening must not be taken for that of the end.
    characters.next();
    out.push(' ');
    let mut before = ' ';
    for character in characters.by_ref() {
        out.push(if matches!(character, '\n' | '\t') { character } else { ' ' });
        if before == '*' && character == '/' {
            return;
        }
        before = character;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_blanks_outside_quotes_only() {
        let cases = [
            ("a /* b */ c", "a         c"),
            ("a // b\nc", "a     \nc"),
            ("'/* x */' \"//\" `/*`", "'/* x */' \"//\" `/*`"),
            ("/*/ x */y", "        y"),
            ("a /* é\n", "a     \n"),
        ];
        for (text, blanked) in cases {
            assert_eq!(without_comments(text), blanked);
        }
    }
}

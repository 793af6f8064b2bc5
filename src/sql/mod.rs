//! EMQX's rule SQL: lexer, parser, syntax tree, printer.
//!
//! The grammar is rulesql's (`rulesql.yrl`, `sql_lex.xrl`): versions 0.1.2 to 0.1.4 for EMQX 4.3, 0.2.1 for 5.8.
//! Parsing never panics and reports every mistake it can find in one pass.
//!
//! Invariant: spans point into the text as it was written.

pub mod ast;
mod foreign;
pub mod format;
#[cfg(test)]
mod generate;
mod lexer;
mod parser;
mod print;
mod token;

pub use lexer::comments;
pub use parser::parse;
pub use token::{KEYWORDS, is_keyword, is_plain_name};

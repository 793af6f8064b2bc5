//! SQL on streams, as HStreamDB v0.6.1 has it (`hstream-sql/etc/SQL.cf` there).
//!
//! Answered: `CREATE STREAM`, `SHOW STREAMS|QUERIES`, `DROP STREAM`, `INSERT INTO` in its three forms,
//! `TERMINATE`, and `SELECT … EMIT CHANGES` over one stream with columns, `+ - *`, `|| &&`, scalar functions
//! and `WHERE`. What else v0.6.1 has (aggregates, windows, joins, views, connectors) is refused with a sentence.
//!
//! A query sees JSON objects in records of flag 0. A record that is something else, that lacks a field the query
//! names, or whose values do not fit an operator is passed by, and the query lives on: so does HStreamDB.
//!
//! Deliberately other than v0.6.1: keys of a row keep the order they were written in (there: hash order), and a
//! column written `stream.column` in a query on one stream is refused (there it silently finds nothing).
//!
//! Invariant: evaluating a query never panics and never fails as a whole; each record has its own outcome.

mod convert;
mod decimal;
mod dialect;
mod error;
mod eval;
mod function;
mod parse;
mod print;

pub use decimal::Decimal;
pub use error::SqlError;
pub use eval::{Expr, Passed, Query};
pub use function::function_names;
pub use parse::{InsertBody, Statement, Termination, parse};
pub use print::{NumberText, row_text};

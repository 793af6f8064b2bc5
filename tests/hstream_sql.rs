//! SQL on streams: statements, records and rows as data.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use rulemill::hstream::sql::{NumberText, Statement, parse, row_text};
use rulemill::limits::{SQL_BYTES_MAX, STREAM_SQL_DEPTH_MAX, STREAM_SQL_OPERATORS_MAX};

#[test]
fn statements_give_what_the_cases_say() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in include_str!("data/hstream_sql.txt").split("\n### ").skip(1) {
        let (title, rest) = case.split_once('\n').unwrap();
        let (expected, got) = run(rest);
        if expected.trim_end() != got.trim_end() {
            wrong.push(format!("### {title}\nexpected\n{expected}\ngot\n{got}\n"));
        }
        count += 1;
    }
    assert!(wrong.is_empty() && count > 70, "{count} cases\n{}", wrong.join("\n"));
}

/// What a case expects, and what there is.
fn run(case: &str) -> (String, String) {
    let query = |case: &str| case.find("\njson").map(|at| (case[..at].to_owned(), case[at + 1..].to_owned()));
    if let Some((statement, rest)) = query(case) {
        let (records, rows) = rest.split_once("=>\n").unwrap();
        let query = match parse(&statement) {
            Ok(Statement::Select(query)) => query,
            other => return (rows.to_owned(), format!("{other:?}")),
        };
        let payloads = records.lines().map(|line| line.strip_prefix("json").unwrap().trim_start());
        let got = payloads.filter_map(|payload| query.row(payload.as_bytes()).ok().flatten());
        return (rows.to_owned(), got.map(|row| row_text(&row, NumberText::CommandLine) + "\n").collect());
    }
    let (statement, expected) = match case.split_once("\nerror ") {
        Some((statement, error)) => (statement, error),
        None => case.split_once('\n').unwrap(),
    };
    let got = match parse(statement) {
        Ok(statement) => format!("{statement:?}"),
        Err(error) => error.to_string(),
    };
    (expected.to_owned(), got)
}

#[test]
fn statements_have_bounds() {
    let nested = |n: usize| format!("SELECT {}1{} FROM s EMIT CHANGES;", "(".repeat(n), ")".repeat(n));
    assert!(parse(&nested(STREAM_SQL_DEPTH_MAX / 4)).is_ok());
    let error = parse(&nested(STREAM_SQL_DEPTH_MAX + 1)).unwrap_err().to_string();
    assert_eq!(error, "an expression is nested deeper than 50");
    let long = |bytes: usize| format!("SHOW STREAMS{};", " ".repeat(bytes - "SHOW STREAMS;".len()));
    assert_eq!(parse(&long(SQL_BYTES_MAX)), Ok(Statement::ShowStreams));
    let error = parse(&long(SQL_BYTES_MAX + 1)).unwrap_err().to_string();
    assert_eq!(error, "a statement of 65537 bytes is above the bound of 65536");
}

#[test]
fn a_long_chain_of_operators_neither_overflows_nor_hangs() {
    let chain = |operator: &str, n: usize| {
        format!("SELECT a{} AS x FROM s EMIT CHANGES;", format!("{operator}a").repeat(n))
    };
    for operator in ["+", "*", "||"] {
        let Ok(Statement::Select(query)) = parse(&chain(operator, STREAM_SQL_OPERATORS_MAX)) else {
            panic!("{operator}")
        };
        let row = query.row(br#"{"a":1.0000001}"#);
        assert_eq!(row.is_ok(), operator != "||", "{operator}");
        let error = parse(&chain(operator, STREAM_SQL_OPERATORS_MAX + 1)).unwrap_err().to_string();
        assert_eq!(error, "a statement of 257 operators is above the bound of 256");
    }
}

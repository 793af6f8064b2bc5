//! Coverage as lcov's tracefile, which editors and forges show beside the lines of rule files.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::summary::{Coverage, RuleCoverage};

/// What is known of one line: how often its least reached place was reached, and its branches.
#[derive(Default)]
struct Record {
    count: Option<u64>,
    branches: Vec<(usize, usize, Option<u64>)>,
}

impl Record {
    fn lower(&mut self, count: u64) {
        self.count = Some(self.count.map_or(count, |known| known.min(count)));
    }
}

/// The tracefile. A place is a block of branches, one for each of its ways that count.
pub fn lcov(coverage: &Coverage) -> String {
    let mut files: BTreeMap<&str, BTreeMap<usize, Record>> = BTreeMap::new();
    for rule in &coverage.rules {
        add_sql(rule, &mut files);
        for (block, covered) in rule.places.iter().enumerate() {
            let file = files.entry(covered.place.file()).or_default();
            let record = file.entry(covered.place.line()).or_default();
            let ways: Vec<u64> = covered.ways.iter().filter(|w| !w.advisory).map(|w| w.count).collect();
            record.lower(ways.iter().sum());
            let ran = rule.runs > 0;
            let branches = ways.iter().enumerate();
            record.branches.extend(branches.map(|(at, count)| (block, at, ran.then_some(*count))));
        }
    }
    let mut out = String::new();
    for (name, lines) in &files {
        write_file(&mut out, name, lines);
    }
    out
}

/// Every line of the statement ran as often as the rule.
fn add_sql<'a>(rule: &'a RuleCoverage, files: &mut BTreeMap<&'a str, BTreeMap<usize, Record>>) {
    if rule.places.is_empty() {
        return;
    }
    let sql = &rule.rule.sql;
    let file = files.entry(sql.file.name()).or_default();
    let mut offset = sql.span.start as usize;
    for text in sql.file.slice(sql.span).split_inclusive('\n') {
        if !text.trim().is_empty() {
            file.entry(sql.file.position(offset).line).or_default().lower(rule.runs);
        }
        offset += text.len();
    }
}

fn write_file(out: &mut String, name: &str, lines: &BTreeMap<usize, Record>) {
    let _ = writeln!(out, "TN:\nSF:{name}");
    let branches = || lines.values().flat_map(|record| &record.branches);
    for (line, record) in lines {
        for (block, branch, count) in &record.branches {
            let taken = count.map_or("-".to_owned(), |count| count.to_string());
            let _ = writeln!(out, "BRDA:{line},{block},{branch},{taken}");
        }
    }
    let hit = branches().filter(|(.., count)| count.is_some_and(|count| count > 0)).count();
    let _ = writeln!(out, "BRF:{}\nBRH:{hit}", branches().count());
    for (line, record) in lines {
        let _ = writeln!(out, "DA:{line},{}", record.count.unwrap_or(0));
    }
    let hit = lines.values().filter(|record| record.count.is_some_and(|count| count > 0)).count();
    let _ = writeln!(out, "LF:{}\nLH:{hit}\nend_of_record", lines.len());
}

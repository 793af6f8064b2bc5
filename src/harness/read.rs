//! A test file's text to its model; strict about every key.

use std::collections::BTreeMap;

use super::faults::Faults;
use super::model::{Name, Step, Test, TestFile, When, World};
use super::{Fixtures, Reading, capture, clock, expect, faults, given, payload, table};
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Document, Entry, Fields, Format, Node, Problems};
use crate::profile::Profile;
use crate::rule::units;
use crate::value::{Map, Value};

pub(super) const FILE: &[&str] = &["rule", "emqx", "clock", "zone", "seed", "env", "kv", "tests", "$schema"];
pub(super) const TEST: &[&str] = &[
    "name",
    "given",
    "faults",
    "expect",
    "steps",
    "chain",
    "each",
    "rule",
    "emqx",
    "clock",
    "zone",
    "seed",
    "env",
    "kv",
    "each_line",
    "snapshot",
];
pub(super) const STEP: &[&str] = &["at", "advance", "given", "faults", "expect"];

/// Reads a test file; fixtures are read with it, so that a missing one is told where it is named.
pub fn parse(path: &str, bytes: &[u8], fixtures: &mut dyn Fixtures) -> Result<TestFile, Vec<Diagnostic>> {
    let format = Format::of(path.as_ref()).unwrap_or(Format::Yaml);
    let document = Document::read(path, bytes, format)?;
    let mut problems = Problems::new(&document);
    let mut reading = Reading { problems: &mut problems, fixtures };
    let tests = read_file(&document, &mut reading).unwrap_or_default();
    match problems.errors() {
        0 => Ok(TestFile { source: document.source, tests }),
        _ => Err(problems.into_list()),
    }
}

/// What holds for a file or test unless something closer to the test says otherwise.
#[derive(Clone, Default)]
struct Common {
    rules: Option<Vec<Name>>,
    profiles: Option<Vec<Profile>>,
    world: World,
}

fn read_file(document: &Document, reading: &mut Reading<'_>) -> Option<Vec<Test>> {
    let fields = Fields::read("the test file", &document.root, FILE, reading.problems)?;
    let common = common(&fields, Common::default(), reading);
    let no_tests = |reading: &mut Reading<'_>, node: &Node| {
        let problem = Diagnostic::error(codes::NO_TESTS, "the file has no tests").at(node.span, "");
        reading.problems.push(problem.help("add one under `tests:`, or remove the file"));
    };
    let Some(node) = fields.get("tests") else {
        no_tests(reading, &document.root);
        return None;
    };
    let Some(items) = node.as_list() else {
        reading.problems.wrong_kind("'tests'", "a list", node);
        return None;
    };
    if items.is_empty() {
        no_tests(reading, node);
    }
    let mut tests = Vec::new();
    for item in items {
        match item.get("each").map(|rows| (rows, rows.as_list())) {
            None => {
                table::check_none(item, reading.problems);
                tests.extend(read_test(item, &common, None, reading));
            }
            Some((rows, Some([]))) => no_tests(reading, rows),
            Some((_, Some(rows))) => {
                let before = reading.problems.errors();
                rows.iter().for_each(|row| tests.extend(row_test(item, row, &common, reading)));
                if reading.problems.errors() == before {
                    table::check_used(item, rows, reading.problems);
                }
            }
            Some((rows, None)) => reading.problems.wrong_kind("'each'", "a list of maps", rows),
        }
    }
    Some(tests)
}

/// The tests of a file that could be read, as its text has them; the rows of tables filled in.
pub(super) fn test_nodes(document: &Document) -> Vec<Node> {
    let mut problems = Problems::new(document);
    let mut tests = Vec::new();
    for item in document.root.get("tests").and_then(Node::as_list).unwrap_or_default() {
        match item.get("each").and_then(Node::as_list) {
            None => tests.push(item.clone()),
            Some(rows) => {
                let entries = rows.iter().filter_map(Node::as_map);
                tests.extend(entries.map(|row| table::filled(item, row, &mut problems)));
            }
        }
    }
    tests
}

/// The test that one row of a table makes.
fn row_test(item: &Node, row: &Node, common: &Common, reading: &mut Reading<'_>) -> Option<Test> {
    let Some(entries) = row.as_map() else {
        reading.problems.wrong_kind("a row of 'each'", "a map", row);
        return None;
    };
    let before = reading.problems.errors();
    let test = table::filled(item, entries, reading.problems);
    let named = item.get("name").and_then(Node::as_text).is_some_and(|name| name.contains("$("));
    let suffix = (!named).then(|| table::plain_text(row));
    if reading.problems.errors() > before {
        return None;
    }
    read_test(&test, common, suffix.as_deref(), reading)
}

fn common(fields: &Fields<'_>, mut common: Common, reading: &mut Reading<'_>) -> Common {
    if let Some(node) = fields.get("rule") {
        common.rules = names(node, reading);
    }
    if let Some(node) = fields.get("emqx") {
        common.profiles = profiles(node, reading);
    }
    if let Some(node) = fields.get("clock") {
        common.world.clock_ns = clock_ns(node, reading).unwrap_or(common.world.clock_ns);
    }
    if let Some(node) = fields.get("zone") {
        match node.as_text().and_then(clock::parse_zone) {
            Some(seconds) => common.world.zone_offset_seconds = seconds,
            None => reading.problems.bad_value(node, "'zone' must be an offset such as UTC or \"+08:00\""),
        }
    }
    if let Some(node) = fields.get("seed") {
        match &node.data {
            Data::Int(raw, _) if raw.parse::<u64>().is_ok() => {
                common.world.seed = raw.parse().unwrap_or_default();
            }
            _ => reading.problems.bad_value(node, "'seed' must be an integer from 0 to 2^64 - 1"),
        }
    }
    if let Some(node) = fields.get("env")
        && let Some(entries) = Fields::open("env", node, reading.problems)
    {
        common.world.env = env(&entries, reading);
    }
    if let Some(node) = fields.get("kv")
        && let Some(entries) = Fields::open("kv", node, reading.problems)
    {
        let pair = |entry: &Entry| Some((Value::str(&*entry.key), payload::value(&entry.value, reading)?));
        common.world.kv = Map::from_entries(entries.entries().iter().filter_map(pair).collect());
    }
    common
}

fn names(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<Name>> {
    let name = |node: &Node| node.as_text().map(|name| Name { name: name.to_owned(), span: node.span });
    if node.as_list().is_some_and(<[Node]>::is_empty) {
        reading.problems.bad_value(node, "'rule' names no rule");
        return None;
    }
    let names: Option<Vec<Name>> = match node.as_list() {
        Some(items) => items.iter().map(name).collect(),
        None => name(node).map(|name| vec![name]),
    };
    let Some(names) = names else {
        reading.problems.wrong_kind("'rule'", "a rule's id, or a list of ids", node);
        return None;
    };
    let again = |at: &usize| names[..*at].iter().any(|before| before.name == names[*at].name);
    if let Some(twice) = (0..names.len()).find(again).map(|at| &names[at]) {
        let message = format!("'rule' names '{}' twice", twice.name);
        reading.problems.error(codes::BAD_VALUE, twice.span, message);
        return None;
    }
    Some(names)
}

fn profiles(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<Profile>> {
    let mut profiles = Vec::new();
    for item in node.as_list().unwrap_or(std::slice::from_ref(node)) {
        // 5.8 without quotes is a float in YAML; its text is what was meant.
        match table::plain_text(item).parse::<Profile>() {
            Ok(profile) if profiles.contains(&profile) => {}
            Ok(profile) => profiles.push(profile),
            Err(message) => {
                reading.problems.bad_value(item, message);
                return None;
            }
        }
    }
    if profiles.is_empty() {
        reading.problems.bad_value(node, "'emqx' names no profile");
        return None;
    }
    Some(profiles)
}

fn clock_ns(node: &Node, reading: &mut Reading<'_>) -> Option<i128> {
    let ns = match &node.data {
        Data::Text(text) => clock::parse_time(text),
        Data::Int(raw, _) => raw.parse::<i64>().ok().map(|ms| i128::from(ms) * 1_000_000),
        _ => None,
    };
    if ns.is_none() {
        reading
            .problems
            .bad_value(node, "'clock' must be a time such as 2022-05-05T10:00:00Z, or milliseconds");
    }
    ns
}

fn env(entries: &Fields<'_>, reading: &mut Reading<'_>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for entry in entries.entries() {
        match &entry.value.data {
            Data::Text(text) => {
                // getenv('X') reads EMQXVAR_X; both spellings name it here.
                let name = match entry.key.starts_with("EMQXVAR_") {
                    true => entry.key.to_string(),
                    false => format!("EMQXVAR_{}", entry.key),
                };
                env.insert(name, text.to_string());
            }
            _ => reading.problems.wrong_kind(&format!("'{}'", entry.key), "a string", &entry.value),
        }
    }
    env
}

fn read_test(node: &Node, base: &Common, suffix: Option<&str>, reading: &mut Reading<'_>) -> Option<Test> {
    let before = reading.problems.errors();
    let fields = Fields::read("the test", node, TEST, reading.problems)?;
    fields.required("name", reading.problems);
    let name = fields.text("name", reading.problems).unwrap_or_default();
    if let Some(node) = fields.get("name").filter(|node| node.as_text().is_some_and(|n| n.trim().is_empty()))
    {
        reading.problems.bad_value(node, "the name of a test says what it is about; this one is empty");
    }
    let common = common(&fields, base.clone(), reading);
    let chain = fields.boolean("chain", reading.problems).unwrap_or(false);
    let capture = capture::read(&fields, reading);
    let steps = match (fields.get("each_line"), fields.get("steps")) {
        (Some(_), _) => {
            refuse(&fields, &["given", "faults", "steps"], "beside 'each_line'", reading);
            Vec::new()
        }
        (None, None) => vec![single_step(&fields, node, reading)],
        (None, Some(steps)) => {
            refuse(&fields, &["given", "faults", "expect"], "beside 'steps', but in each of them", reading);
            read_steps(steps, reading)
        }
    };
    if let Some(node) = fields.get("steps").filter(|_| reading.problems.errors() == before) {
        check_steps(node, &steps, reading);
    }
    if capture.is_none() {
        refuse(&fields, &["snapshot"], "without 'each_line'", reading);
    }
    let name = suffix.map_or(name.to_owned(), |suffix| format!("{name} {suffix}"));
    let span = node.span;
    let Common { rules, profiles, world } = common;
    let test = Test { name, span, rules, profiles, world, chain, steps, capture };
    (reading.problems.errors() == before).then_some(test)
}

/// Keys that have no meaning where they stand.
fn refuse(fields: &Fields<'_>, keys: &[&str], place: &str, reading: &mut Reading<'_>) {
    for entry in fields.entries().iter().filter(|entry| keys.contains(&&*entry.key)) {
        let message = format!("'{}' does not stand {place}", entry.key);
        reading.problems.error(codes::BAD_EXPECTATION, entry.key_span, message);
    }
}

/// A test without steps is one step.
fn single_step(fields: &Fields<'_>, node: &Node, reading: &mut Reading<'_>) -> Step {
    let given = fields.required("given", reading.problems).and_then(|node| given::read(node, reading));
    let expect = fields.required("expect", reading.problems).and_then(|node| expect::read(node, reading));
    let faults = faults(fields, reading).unwrap_or_default();
    Step { span: node.span, when: When::Now, given, faults, expect }
}

fn faults(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Vec<Faults>> {
    match fields.get("faults") {
        Some(node) => faults::read(node, reading),
        None => Some(Vec::new()),
    }
}

fn read_steps(node: &Node, reading: &mut Reading<'_>) -> Vec<Step> {
    let Some(items) = node.as_list() else {
        reading.problems.wrong_kind("'steps'", "a list", node);
        return Vec::new();
    };
    if items.is_empty() {
        reading.problems.error(codes::NO_TESTS, node.span, "the test has no steps");
    }
    items.iter().filter_map(|item| read_step(item, reading)).collect()
}

/// Steps that expect nothing would pass for ever, and time does not run backwards.
fn check_steps(node: &Node, steps: &[Step], reading: &mut Reading<'_>) {
    if steps.iter().all(|step| step.expect.is_none()) {
        let problem = Diagnostic::error(codes::BAD_EXPECTATION, "no step of the test expects anything");
        reading.problems.push(problem.at(node.span, "").help("write `expect` in at least one of them"));
    }
    let mut now: u64 = 0;
    for step in steps {
        now = match step.when {
            When::Now => now,
            When::Advance(ms) => now.saturating_add(ms),
            When::At(ms) => {
                if ms < now {
                    let message =
                        format!("the step is {ms} ms after the start, but the one before it {now} ms");
                    let problem = Diagnostic::error(codes::BAD_GIVEN, message).at(step.span, "");
                    let help = "steps come in order of time; `at` counts from the start of the test, `advance` from the last step";
                    reading.problems.push(problem.help(help));
                }
                ms
            }
        };
    }
}

fn read_step(node: &Node, reading: &mut Reading<'_>) -> Option<Step> {
    let fields = Fields::read("the step", node, STEP, reading.problems)?;
    let at = fields.get("at").map(|node| milliseconds(node, reading));
    let advance = fields.get("advance").map(|node| milliseconds(node, reading));
    let when = match (at, advance) {
        (Some(_), Some(_)) => {
            reading.problems.error(codes::BAD_GIVEN, node.span, "a step has 'at' or 'advance', not both");
            return None;
        }
        (Some(at), None) => When::At(at?),
        (None, Some(advance)) => When::Advance(advance?),
        (None, None) => When::Now,
    };
    let given = match fields.get("given") {
        Some(node) => Some(given::read(node, reading)?),
        None => None,
    };
    let expect = match fields.get("expect") {
        Some(node) => Some(expect::read(node, reading)?),
        None => None,
    };
    if given.is_none() && expect.is_none() && when == When::Now {
        reading.problems.error(codes::BAD_EXPECTATION, node.span, "the step does nothing");
    }
    let faults = faults(&fields, reading)?;
    if given.is_none() && !faults.is_empty() {
        refuse(&fields, &["faults"], "without 'given'", reading);
    }
    Some(Step { span: node.span, when, given, faults, expect })
}

fn milliseconds(node: &Node, reading: &mut Reading<'_>) -> Option<u64> {
    let text = table::plain_text(node);
    let parsed = units::duration_ms(&text);
    if parsed.is_none() {
        reading.problems.bad_value(node, format!("'{text}' is no duration such as 10s or 500ms"));
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_keys_are_known_to_files_and_tests() {
        let common = ["rule", "emqx", "clock", "zone", "seed", "env", "kv"];
        assert!(common.iter().all(|key| FILE.contains(key) && TEST.contains(key)));
    }
}

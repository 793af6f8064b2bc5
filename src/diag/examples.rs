//! An example for each error code: something that raises it, and the same put right. `rulemill explain` shows them,
//! and the tests run them all.

use super::codes;

/// Something that may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// A rule's SQL.
    Sql(&'static str),
    /// A rule's SQL for EMQX 4.3.
    OldSql(&'static str),
    /// A rule's SQL and the payload of a message that it meets.
    Run(&'static str, &'static str),
    /// A rule file.
    Rules(&'static str),
    /// The bytes of a rule file.
    Bytes(&'static [u8]),
    /// A file of this name.
    Named(&'static str, &'static str),
    /// A rule file that `rulemill fmt` reads.
    Formatted(&'static str),
    /// A rule file that `rulemill convert --to json` reads.
    ToJson(&'static str),
    /// The test file of the rule `SELECT payload FROM "t/1"`, whose id is `r`.
    Tests(&'static str),
}

/// The examples of a code: wrong and right. None for what no text can show.
pub fn find(code: &str) -> Option<(Example, Example)> {
    EXAMPLES.iter().find(|(known, ..)| *known == code).map(|(_, bad, good)| (*bad, *good))
}

/// Codes without an example, and why.
pub const WITHOUT: &[(&str, &str)] =
    &[(codes::NOT_BUILT, "this rulemill has all functions"), (codes::UNREADABLE, "a file that is not there")];

use Example::{Bytes, Formatted, Named, OldSql, Rules, Run, Sql, Tests, ToJson};

/// A file of one rule without anything else.
const PLAIN: &str = "rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"' } } }\n";
/// The same in HOCON.
const HOCON: &str = "rule_engine { rules { r { sql = \"SELECT * FROM \\\"t/1\\\"\" } } }\n";
/// A test that passes.
const PASSES: &str = "tests:\n  - { name: all of it, given: { topic: t/1, payload: x }, expect: { output: { payload: x }, actions: $any } }\n";

/// Parentheses deeper than the parser goes.
const DEEP: &str = concat!(
    "SELECT ",
    "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
    "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
    "1",
    ")))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))",
    ")))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))",
    " AS x FROM \"t/1\"",
);

#[rustfmt::skip]
const EXAMPLES: &[(&str, Example, Example)] = &[
    (codes::CHARACTER, Sql("SELECT payload._id AS id FROM \"t/1\""), Sql("SELECT payload.'_id' AS id FROM \"t/1\"")),
    (codes::OPEN_COMMENT, Sql("SELECT * FROM \"t/1\" -- all of it"), Sql("-- all of it\nSELECT * FROM \"t/1\"")),
    (codes::EMPTY_STATEMENT, Rules("rule_engine: { rules: { r: { sql: ' ' } } }\n"), Rules(PLAIN)),
    (codes::UNEXPECTED, Sql("SELECT a AND b AS both FROM \"t/1\""), Sql("SELECT CASE WHEN a = true AND b = true THEN true ELSE false END AS both FROM \"t/1\"")),
    (codes::CONSTANT_PATH, Sql("SELECT payload.true AS yes FROM \"t/1\""), Sql("SELECT payload.'true' AS yes FROM \"t/1\"")),
    (codes::BAD_NUMBER, Sql("SELECT 10e3 AS x FROM \"t/1\""), Sql("SELECT 1.0e4 AS x FROM \"t/1\"")),
    (codes::LIST_ITEM, OldSql("SELECT [1, upper(clientid)] AS list FROM \"t/1\""), OldSql("SELECT upper(clientid) AS id, [1, id] AS list FROM \"t/1\"")),
    (codes::SQL_TOO_LARGE, Sql(DEEP), Sql("SELECT 1 AS x FROM \"t/1\"")),
    (codes::UNKNOWN_FUNCTION, Sql("SELECT uper(clientid) AS id FROM \"t/1\""), Sql("SELECT upper(clientid) AS id FROM \"t/1\"")),
    (codes::ARGUMENT_COUNT, Sql("SELECT upper(clientid, topic) AS id FROM \"t/1\""), Sql("SELECT upper(clientid) AS id FROM \"t/1\"")),
    (codes::OTHER_PROFILE, OldSql("SELECT uuid_v4() AS id FROM \"t/1\""), OldSql("SELECT id FROM \"t/1\"")),
    (codes::OUTSIDE_REGISTRY, Sql("SELECT avro_decode('registry', payload) AS reading FROM \"t/1\""), Sql("SELECT sparkplug_decode(payload) AS reading FROM \"t/1\"")),
    (codes::PAYLOAD_NOT_JSON, Run("SELECT payload.x AS x FROM \"t/1\"", "hello"), Run("SELECT payload.x AS x FROM \"t/1\"", "{\"x\": 1}")),
    (codes::STAR, Run("FOREACH * FROM \"t/1\"", "{\"items\": [1]}"), Run("FOREACH payload.items AS item FROM \"t/1\"", "{\"items\": [1]}")),
    (codes::NO_NAME, Run("SELECT -1 FROM \"t/1\"", "{}"), Run("SELECT -1 AS x FROM \"t/1\"", "{}")),
    (codes::CONDITION_AS_VALUE, Run("SELECT * FROM \"t/1\" WHERE qos NOT IN (1, 2)", "{}"), Run("SELECT * FROM \"t/1\" WHERE qos != 1 AND qos != 2", "{}")),
    (codes::ALIAS_AS_VALUE, Run("SELECT * FROM \"t/1\" WHERE qos IN (0 AS zero)", "{}"), Run("SELECT * FROM \"t/1\" WHERE qos IN (0)", "{}")),
    (codes::VALUE_AS_CONDITION, Run("SELECT * FROM \"t/1\" WHERE payload.on", "{\"on\": true}"), Run("SELECT * FROM \"t/1\" WHERE payload.on = true", "{\"on\": true}")),
    (codes::STRING_AS_NUMBER, Run("SELECT * FROM \"t/1\" WHERE payload.v > 5", "{\"v\": \"much\"}"), Run("SELECT * FROM \"t/1\" WHERE payload.v > 5", "{\"v\": \"6\"}")),
    (codes::COMPARISON, Run("SELECT * FROM \"t/1\" WHERE qos ~= 1", "{}"), Run("SELECT * FROM \"t/1\" WHERE topic =~ 'a/+'", "{}")),
    (codes::NO_BOOLEAN, Run("SELECT * FROM \"t/1\" WHERE strlen(topic)", "{}"), Run("SELECT * FROM \"t/1\" WHERE strlen(topic) > 1", "{}")),
    (codes::OPERATOR, Run("SELECT payload.v * 2 AS x FROM \"t/1\"", "{\"v\": \"2\"}"), Run("SELECT payload.v * 2 AS x FROM \"t/1\"", "{\"v\": 2}")),
    (codes::FUNCTION, Run("SELECT abs(payload.v) AS x FROM \"t/1\"", "{\"v\": \"-2\"}"), Run("SELECT abs(payload.v) AS x FROM \"t/1\"", "{\"v\": -2}")),
    (codes::RANGE, Run("SELECT [3..1] AS x FROM \"t/1\"", "{}"), Run("SELECT [1..3] AS x FROM \"t/1\"", "{}")),
    (codes::BEYOND_LIMIT, Run("SELECT [1..2000000000] AS x FROM \"t/1\"", "{}"), Run("SELECT [1..20] AS x FROM \"t/1\"", "{}")),
    (codes::SLICE, Run("SELECT payload.list[0..2] AS x FROM \"t/1\"", "{\"list\": [1, 2]}"), Run("SELECT payload.list[1..2] AS x FROM \"t/1\"", "{\"list\": [1, 2]}")),
    (codes::NOT_TEXT, Bytes(b"# caf\xe9\nrule_engine: { rules: { r: { sql: 'SELECT * FROM t' } } }\n"), Bytes(b"# caf\xc3\xa9\nrule_engine: { rules: { r: { sql: 'SELECT * FROM t' } } }\n")),
    (codes::SYNTAX, Rules("rule_engine: { rules: [\n"), Rules("rule_engine: { rules: {} }\n")),
    (codes::EMPTY_FILE, Rules("# nothing yet\n"), Rules(PLAIN)),
    (codes::DUPLICATE_KEY, Rules("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', sql: 'SELECT qos FROM \"t/1\"' } } }\n"), Rules(PLAIN)),
    (codes::TOO_LARGE, Rules("rule_engine: &all { rules: { r: *all } }\n"), Rules(PLAIN)),
    (codes::UNKNOWN_KEY, Rules("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', enabled: false } } }\n"), Rules("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', enable: false } } }\n")),
    (codes::WRONG_KIND, Rules("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', description: 5 } } }\n"), Rules("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', description: \"5\" } } }\n")),
    (codes::MISSING_KEY, Rules("rule_engine: { rules: { r: { actions: [] } } }\n"), Rules(PLAIN)),
    (codes::BAD_VALUE, Rules("connectors: { http: { main: { url: \"http://127.0.0.1:80\", connect_timeout: 5 sec } } }\n"), Rules("connectors: { http: { main: { url: \"http://127.0.0.1:80\", connect_timeout: 5s } } }\n")),
    (codes::DUPLICATE_ID, Rules("actions: { http: { a: { connector: c, parameters: {} } }, webhook: { a: { connector: c, parameters: {} } } }\nconnectors: { http: { c: { url: \"http://127.0.0.1:80\" } } }\n"), Rules("actions: { http: { a: { connector: c, parameters: {} } }, webhook: { b: { connector: c, parameters: {} } } }\nconnectors: { http: { c: { url: \"http://127.0.0.1:80\" } } }\n")),
    (codes::UNKNOWN_ACTION, Rules("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', actions: [console] } } }\n"), Rules("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', actions: [{ function: console }] } } }\n")),
    (codes::UNKNOWN_CONNECTOR, Rules("actions: { http: { a: { connector: mian, parameters: {} } } }\nconnectors: { http: { main: { url: \"http://127.0.0.1:80\" } } }\n"), Rules("actions: { http: { a: { connector: main, parameters: {} } } }\nconnectors: { http: { main: { url: \"http://127.0.0.1:80\" } } }\n")),
    (codes::UNKNOWN_TYPE, Rules("connectors: { htpp: { main: { url: \"http://127.0.0.1:80\" } } }\n"), Rules("connectors: { http: { main: { url: \"http://127.0.0.1:80\" } } }\n")),
    (codes::NO_RULES, Rules("name: something else\n"), Rules(PLAIN)),
    (codes::SKIPPED_KEY, Rules("node: { name: emqx@127.0.0.1 }\nrule_engine: { rules: {} }\n"), Rules("rule_engine: { rules: {} }\n")),
    (codes::UNKNOWN_FORMAT, Named("rule.txt", "SELECT * FROM \"t/1\"\n"), Named("rule.sql", "SELECT * FROM \"t/1\"\n")),
    (codes::BAD_SCHEMA, Rules("schema_registry: { schemas: { car: { type: protobuf, source: 'message Car { required int33 id = 1; }' } } }\n"), Rules("schema_registry: { schemas: { car: { type: protobuf, source: 'message Car { required int32 id = 1; }' } } }\n")),
    (codes::UNKNOWN_SCHEMA, Rules("schema_registry: { schemas: { car: { type: avro, source: '\"int\"' } } }\nrule_engine: { rules: { r: { sql: \"SELECT schema_decode('cra', payload) AS car FROM t\" } } }\n"), Rules("schema_registry: { schemas: { car: { type: avro, source: '\"int\"' } } }\nrule_engine: { rules: { r: { sql: \"SELECT schema_decode('car', payload) AS car FROM t\" } } }\n")),
    (codes::UNKNOWN_LINT, Rules("rulemill: { lints: { double-quotd-string: warn } }\n"), Rules("rulemill: { lints: { double-quoted-string: warn } }\n")),
    (codes::INCLUDE, Named("r.conf", "include required(\"missing.conf\")\n"), Named("r.conf", HOCON)),
    (codes::SUBSTITUTION, Named("r.conf", "rule_engine { rules { r { sql = ${sql} } } }\n"), Named("r.conf", HOCON)),
    (codes::UNWRITABLE, ToJson("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', metadata: { limit: .inf } } } }\n"), ToJson("rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t/1\"', metadata: { limit: 1.0e308 } } } }\n")),
    (codes::NOT_FORMATTED, Formatted("rule_engine: { rules: { r: { description: &shared 'select * from \"t/1\"', sql: *shared } } }\n"), Formatted("rule_engine: { rules: { r: { description: 'select * from \"t/1\"', sql: 'SELECT * FROM \"t/1\"' } } }\n")),
    (codes::NO_TESTS, Tests("clock: 2022-05-05T10:00:00Z\n"), Tests(PASSES)),
    (codes::UNKNOWN_RULE, Tests("rule: s\ntests:\n  - { name: x, given: { topic: t/1, payload: x }, expect: no_match }\n"), Tests("rule: r\ntests:\n  - { name: x, given: { topic: t/2, payload: x }, expect: not_selected }\n")),
    (codes::UNKNOWN_WORD, Tests("tests:\n  - { name: x, given: { topic: t/1, payload: x }, expect: { output: { payload: { $starts: x } } } }\n"), Tests("tests:\n  - { name: x, given: { topic: t/1, payload: x }, expect: { output: { payload: { $regex: '^x' } }, actions: $any } }\n")),
    (codes::BAD_MATCHER, Tests("tests:\n  - { name: x, given: { topic: t/1, payload: x }, expect: { output: { payload: { $regex: '(' } } } }\n"), Tests("tests:\n  - { name: x, given: { topic: t/1, payload: x }, expect: { output: { payload: { $regex: '(x)' } }, actions: $any } }\n")),
    (codes::BAD_EXPECTATION, Tests("tests:\n  - { name: x, given: { topic: t/1, payload: x }, expect: nothing }\n"), Tests("tests:\n  - { name: x, given: { topic: t/2, payload: x }, expect: not_selected }\n")),
    (codes::BAD_GIVEN, Tests("tests:\n  - { name: x, given: { topic: t/+, payload: x }, expect: not_selected }\n"), Tests("tests:\n  - { name: x, given: { topic: t/2, payload: x }, expect: not_selected }\n")),
    (codes::FIXTURE, Tests("tests:\n  - { name: x, given: { topic: t/1, payload: { $file: missing.json } }, expect: no_match }\n"), Tests(PASSES)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_example_or_a_reason() {
        for page in codes::CODES {
            let without = WITHOUT.iter().any(|(code, _)| *code == page.code);
            assert_ne!(find(page.code).is_some(), without, "{}", page.code);
        }
        assert!(EXAMPLES.is_sorted_by(|a, b| a.0 < b.0));
    }
}

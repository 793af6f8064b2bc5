//! The statements that are measured, and the yardstick that they are held against.

use rulemill::ctx::Ctx;
use rulemill::eval::{self, Verdict};
use rulemill::profile::Profile;
use rulemill::program::Program;
use rulemill::text::Source;
use rulemill::value::{Bytes, Map, Value, decode};

/// Name, statement, payload, and the bound of its time as a multiple of the yardstick's.
pub const SCENARIOS: [(&str, &str, &str, f64); 9] = [
    ("seed", "SELECT payload, str(payload) as payload, 0 as flag FROM \"#\"", LOCATION, 0.35),
    ("project", "SELECT payload.temp as temp, clientid FROM \"t/#\" WHERE payload.temp > 30", SMALL, 0.8),
    ("reject", "SELECT payload.temp as temp, clientid FROM \"t/#\" WHERE payload.temp > 90", SMALL, 0.5),
    ("columns", "SELECT clientid, topic, qos FROM \"t/#\"", SMALL, 0.8),
    ("star", "SELECT * FROM \"t/#\"", SMALL, 1.5),
    (
        "arith",
        "SELECT upper(clientid) as c, payload.temp * 1.8 + 32 as f, concat(topic, '/x') as t2 FROM \"t/#\" WHERE \
         payload.temp > 20 and payload.hum < 80",
        NESTED,
        0.3,
    ),
    (
        "case",
        "SELECT CASE WHEN payload.temp > 30 THEN 'hot' WHEN payload.temp > 20 THEN 'warm' ELSE 'cold' END as c FROM \
         \"t/#\"",
        NESTED,
        0.2,
    ),
    (
        "foreach",
        "FOREACH payload.list as e DO e.k as k, e.v * 2 as v, clientid INCASE e.k > 2 FROM \"t/#\"",
        NESTED,
        0.8,
    ),
    (
        "nested",
        "SELECT payload.dev.id as id, payload.dev.loc[2] as y, payload.dev as out.device FROM \"t/#\"",
        NESTED,
        0.28,
    ),
];

const SMALL: &str = r#"{"temp":35.5,"humidity":40,"site":"plant-7","seq":123456}"#;
const LOCATION: &str = include_str!("location.json");
const NESTED: &str = include_str!("nested.json");

/// A message's columns.
pub fn columns(payload: &str) -> Map {
    Map::of_columns([
        ("topic", "t/1/2".into()),
        ("clientid", "c1".into()),
        ("username", "u1".into()),
        ("qos", 1.into()),
        ("timestamp", 1_700_000_000_000.into()),
        ("id", "0005".into()),
        ("peerhost", "1.2.3.4".into()),
        ("flags", decode::decode(&Bytes::from_static(b"{\"retain\":false}")).unwrap()),
        ("payload", Value::Str(Bytes::copy_from_slice(payload.as_bytes()))),
    ])
}

/// A statement, compiled.
pub fn compile(sql: &str) -> Program {
    Program::compile(&Source::new("bench", sql), Profile::V5_8).unwrap()
}

/// A statement over a message, its outputs written as JSON.
pub fn evaluate(program: &Program, columns: &Map, ctx: &mut Ctx, out: &mut Vec<u8>) {
    out.clear();
    if let Ok(Verdict::Outputs(outputs)) = eval::run(program, columns, ctx) {
        for at in 0..outputs.len() {
            outputs.write_json(at, out).unwrap();
        }
    }
}

/// What everything is a multiple of: the payload into a tree, and out again.
pub fn yardstick(payload: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(payload).unwrap();
    serde_json::to_string(&value).unwrap()
}

//! One recorded case, and whether an answer agrees with it.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::{DeflateDecoder, GzDecoder, ZlibDecoder};

use super::json::Json;

/// Functions whose last digits depend on the C library.
const LIBRARY: [&str; 20] = [
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "fmod", "log", "log10", "log2",
    "power", "sin", "sinh", "sqrt", "tan", "tanh", "random",
];

/// A request and what the engine answered.
pub struct Case {
    pub id: String,
    pub group: String,
    pub request: String,
    pub expect: String,
}

/// All cases of a folder of `*.ndjson.gz`.
pub fn load(folder: &Path) -> Vec<Case> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let mut text = String::new();
        GzDecoder::new(fs::File::open(&file).unwrap()).read_to_string(&mut text).unwrap();
        cases.extend(text.lines().map(|line| {
            let case = Json::parse(line).unwrap_or_else(|| panic!("{}: {line}", file.display()));
            let text = |key| case.get(key).and_then(Json::text).unwrap_or_default().to_owned();
            let expect = case.get("expect").map(Json::to_text).unwrap_or_default();
            Case { id: text("id"), group: text("group"), request: line.to_owned(), expect }
        }));
    }
    cases
}

impl Case {
    /// Is the answer the engine's, as far as an answer of the engine is settled?
    pub fn agrees(&self, answer: &[u8]) -> bool {
        let answer = std::str::from_utf8(answer).ok().and_then(Json::parse);
        let (Some(want), Some(got)) = (Json::parse(&self.expect), answer) else { return false };
        if got.get("id").and_then(Json::text) != Some(self.id.as_str()) {
            return false;
        }
        let flag = |json: &Json, key| json.get(key).map(Json::to_text);
        if let Some(value) = want.get("ok").and_then(Json::text).and_then(Json::parse) {
            return got.get("ok").is_some_and(|got| self.same_value(&value, got));
        }
        if let Some(class) = want.get("error").and_then(Json::text) {
            return got.get("error").and_then(|e| e.get("class")).and_then(Json::text) == Some(class);
        }
        if let Some(text) = want.get("text") {
            return got.get("text").is_some_and(|got| text.same(got, false));
        }
        if want.get("parse_error").is_some() {
            return got.get("parse_error").is_some();
        }
        let plain = ["nomatch", "match", "invalid", "accept"];
        plain.into_iter().any(|key| want.get(key).is_some() && flag(&want, key) == flag(&got, key))
    }

    fn same_value(&self, want: &Json, got: &Json) -> bool {
        let function = self.group.split(':').nth(1).unwrap_or_default();
        if want.same(got, LIBRARY.contains(&function)) {
            return true;
        }
        // Compressed bytes are compared by what they unpack to.
        let unpack = |json: &Json| json.get("r").and_then(Json::text).and_then(|hex| unpack(function, hex));
        matches!((unpack(want), unpack(got)), (Some(want), Some(got)) if want == got)
    }
}

fn unpack(function: &str, hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let mut out = Vec::new();
    match function {
        "gzip" => GzDecoder::new(bytes.as_slice()).read_to_end(&mut out),
        "zip" => DeflateDecoder::new(bytes.as_slice()).read_to_end(&mut out),
        "zip_compress" => ZlibDecoder::new(bytes.as_slice()).read_to_end(&mut out),
        _ => return None,
    }
    .ok()
    .map(|_| out)
}

//! The `console` action: a line for each output.

use crate::value::{Value, encode};

/// Takes lines; the command line prints them.
pub type Console = Box<dyn Fn(String) + Send + Sync>;

/// `[rule action] RULE` and the output as JSON, or as text where it holds what JSON cannot.
pub fn line(rule: &str, data: &Value) -> String {
    let data = match encode::to_json(data) {
        Ok(json) => String::from_utf8_lossy(&json).into_owned(),
        Err(_) => encode::to_display(data),
    };
    format!("[rule action] {rule} {data}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    #[test]
    fn a_line_names_the_rule_and_shows_the_output() {
        let data = Value::Map(Map::of_columns([("n", Value::Int(1))]));
        assert_eq!(line("r", &data), r#"[rule action] r {"n":1}"#);
    }
}

//! The box in which `SHOW QUERIES` is printed.
//!
//! Invariant: columns stand under each other for text of one cell a character.

use serde_json::Value;

/// Objects as a table, titles from the keys of the first, sorted.
pub(super) fn table(rows: &[Value]) -> String {
    let mut titles: Vec<&str> = match rows.first() {
        Some(Value::Object(first)) => first.keys().map(String::as_str).collect(),
        _ => return String::new(),
    };
    titles.sort_unstable();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| titles.iter().map(|title| text(&row[*title])).collect()).collect();
    let width =
        |i: usize| cells.iter().map(|row| row[i].chars().count()).chain([titles[i].chars().count()]).max();
    let widths: Vec<usize> = (0..titles.len()).map(|i| width(i).unwrap_or(0)).collect();
    let rule = |left: &str, middle: &str, right: &str| {
        let bars: Vec<String> = widths.iter().map(|w| "─".repeat(w + 2)).collect();
        format!("{left}{}{right}\n", bars.join(middle))
    };
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> =
            cells.zip(&widths).map(|(cell, width)| format!(" {cell:<width$} ")).collect();
        format!("│{}│\n", padded.join("│"))
    };
    let mut out = rule("╭", "┬", "╮") + &line(&mut titles.iter().copied());
    for row in &cells {
        out += &rule("├", "┼", "┤");
        out += &line(&mut row.iter().map(String::as_str));
    }
    out + &rule("╰", "┴", "╯")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn titles_are_sorted_keys() {
        let shown = table(&[json!({"status": "RUNNING", "id": "1"}), json!({"id": 22, "status": "é"})]);
        let expected = "╭────┬─────────╮\n│ id │ status  │\n├────┼─────────┤\n│ 1  │ RUNNING │\n├────┼─────────┤\n│ 22 │ é       │\n╰────┴─────────╯\n";
        assert_eq!(shown, expected);
        assert_eq!(table(&[]), "");
    }
}

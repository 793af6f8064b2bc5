//! Statements for the property tests of the printer and the formatter.

use proptest::prelude::*;

/// Expressions of the whole grammar, as text.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-c]",
        "[a-c]\\.[x-z]",
        "[a-c]\\.'k v'",
        "[a-c]\\[[0-3]\\]",
        "[a-c]\\[-[0-3]\\]\\.x",
        "\"q d\"",
        "[0-9]{1,3}",
        "[0-9]\\.[0-9]{1,3}",
        "1\\.5e[+-]?[0-9]{1,2}",
        "'[a-z ]{0,3}'",
        "'it''s'",
        "true",
        "\\[1\\.\\.3\\]",
        "a\\[1\\.\\.-1\\]",
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let pair = || (inner.clone(), inner.clone());
        prop_oneof![
            (pair(), "[-+*/]| div | mod ").prop_map(|((a, b), op)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("- {a}")),
            inner.clone().prop_map(|a| format!("+{a}")),
            pair().prop_map(|(a, b)| format!("f({a}, {b})")),
            pair().prop_map(|(a, b)| format!("g({a} >= {b})")),
            pair().prop_map(|(a, b)| format!("[{a}, {b}]")),
            pair().prop_map(|(a, b)| format!("h(CASE {a} WHEN 1 THEN {b} ELSE 2 END)")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let leaf =
        (expression(), "=|!=|<>|<|>|<=|>=|=~", expression()).prop_map(|(a, op, b)| format!("{a} {op} {b}"));
    leaf.prop_recursive(3, 12, 2, |inner| {
        let pair = || (inner.clone(), inner.clone());
        prop_oneof![
            pair().prop_map(|(a, b)| format!("{a} AND {b}")),
            pair().prop_map(|(a, b)| format!("{a} or {b}")),
            inner.clone().prop_map(|a| format!("NOT {a}")),
            inner.clone().prop_map(|a| format!("({a})")),
            (expression(), expression()).prop_map(|(a, b)| format!("{a} NOT IN ({b}, 2)")),
        ]
    })
}

/// Statements of the whole grammar, as text.
pub fn statement() -> impl Strategy<Value = String> {
    (expression(), condition(), expression(), "[a-c](\\.d\\[0\\])?", any::<bool>()).prop_map(
        |(a, c, b, alias, foreach)| match foreach {
            false => {
                format!("SELECT {a} AS {alias}, *, CASE WHEN {c} THEN {b} END FROM \"t/#\", u WHERE {c}")
            }
            true => format!("FOREACH {a} AS {alias} DO {b}, {a} x INCASE {c} FROM \"$events/x\""),
        },
    )
}

//! `rulemill fn`.

use serde_json::Value;

use super::support::{folder, rulemill};
use super::transcript;

#[test]
fn functions_are_shown_found_and_guessed() {
    transcript::check("fn.txt", folder(&[]).path());
}

#[test]
fn the_list_has_every_function_of_each_profile() {
    let here = folder(&[]);
    let listed = |args: &[&str]| {
        let ran = rulemill(here.path(), args);
        assert_eq!(ran.exit, 0, "{}", ran.err);
        ran.out.lines().filter(|line| line.starts_with("  ")).count()
    };
    for (args, profile) in [
        (&["fn"][..], None),
        (&["fn", "--emqx", "4.3"], Some("4.3")),
        (&["fn", "--emqx", "5.8"], Some("5.8")),
    ] {
        let has = |row: &&rulemill::func::Builtin| {
            profile.is_none_or(|name| row.profiles.list().any(|profile| profile.name() == name))
        };
        assert_eq!(listed(args), rulemill::func::table::all().filter(has).count(), "{args:?}");
    }
}

#[test]
fn the_json_table_is_whole() {
    let ran = rulemill(folder(&[]).path(), &["fn", "--format", "json"]);
    let rows: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), rulemill::func::table::all().count());
    for row in rows {
        for key in ["name", "family", "signature", "doc", "purity"] {
            assert!(row[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {row}");
        }
        assert!(!row["emqx"].as_array().unwrap().is_empty(), "{row}");
        assert!(!row["returns"].as_array().unwrap().is_empty(), "{row}");
        let answers = |example: &Value| example["result"].is_string();
        let built = rulemill::schema::BUILT || row["family"] != "schema";
        let one_answers = row["examples"].as_array().unwrap().iter().any(answers);
        assert!(one_answers || !built, "no example of {} answers", row["name"]);
        for example in row["examples"].as_array().unwrap() {
            assert!(example["result"].is_string() != example["error"].is_string(), "{example}");
        }
    }
}

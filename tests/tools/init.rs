//! `rulemill init`.

use std::fs;

use super::support::{folder, rulemill};
use super::transcript;

#[test]
fn a_new_project_is_checked_and_tested_by_its_own_workflow() {
    let here = folder(&[]);
    transcript::check("init.txt", here.path());
    let project = here.path().join("team/rules-of-ours");
    let workflow = fs::read_to_string(project.join(".github/workflows/rules.yml")).unwrap();
    let readme = fs::read_to_string(project.join("README.md")).unwrap();
    let steps = workflow.lines().filter_map(|line| line.trim_start().strip_prefix("- run: rulemill "));
    let commands = readme.lines().filter_map(|line| line.strip_prefix("rulemill "));
    let mut ran = 0;
    for command in steps.chain(commands) {
        let words: Vec<&str> = command.split('#').next().unwrap().split_whitespace().collect();
        let words: Vec<&str> = words.into_iter().map(|w| if w == "NAME" { "abs" } else { w }).collect();
        let result = rulemill(&project, &words);
        assert_eq!((result.exit, result.err.as_str()), (0, ""), "{command}: {}", result.out);
        ran += 1;
    }
    assert_eq!(ran, 7);
    let tests = rulemill(&project, &["test", "--quiet"]);
    assert!(tests.out.starts_with("5 tests, all passed"), "{}", tests.out);
}

#[test]
fn what_is_there_stays() {
    let here = folder(&[
        ("README.md", b"ours"),
        ("full/rules/hot_room.yaml", b"ours"),
        ("full/fixtures/hot_room.json", b"ours"),
        ("file", b"ours"),
    ]);
    transcript::check("init-again.txt", here.path());
    for name in ["README.md", "full/rules/hot_room.yaml", "full/fixtures/hot_room.json", "file"] {
        assert_eq!(fs::read(here.path().join(name)).unwrap(), b"ours", "{name}");
    }
    assert_eq!(fs::read_dir(here.path().join("full")).unwrap().count(), 2);
}

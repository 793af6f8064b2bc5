//! `rulemill fmt`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::support::{Ran, folder, rulemill};
use super::transcript;

/// The files `NAME.before.EXTENSION` with what stands in `NAME.after.EXTENSION`.
fn pairs() -> Vec<(PathBuf, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/fmt");
    let mut pairs: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains(".before."))
        .map(|path| (path.clone(), PathBuf::from(path.to_str().unwrap().replace(".before.", ".after."))))
        .collect();
    pairs.sort();
    assert!(pairs.len() > 4);
    pairs
}

fn piped(args: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rulemill"))
        .args(args)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        exit: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn files_are_formatted_in_place_once() {
    for (before, after) in pairs() {
        let name = before.file_name().unwrap().to_str().unwrap();
        let (given, expected) = (fs::read(&before).unwrap(), fs::read(&after).unwrap());
        let here = folder(&[(name, &given)]);
        let file = here.path().join(name);
        let check = rulemill(here.path(), &["fmt", "--check", name]);
        assert_eq!((check.exit, check.err.as_str()), (1, ""), "{name}");
        assert_eq!(fs::read(&file).unwrap(), given, "{name}: --check writes nothing");
        let ran = rulemill(here.path(), &["fmt", name]);
        let line = format!("formatted {name}\n1 file: 1 formatted\n");
        assert_eq!((ran.exit, ran.out, ran.err.as_str()), (0, line, ""), "{name}");
        let got = fs::read(&file).unwrap();
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(&expected), "{name}");
        let again = rulemill(here.path(), &["fmt", "--check", name]);
        assert_eq!((again.exit, again.out.as_str()), (0, "1 file: 1 unchanged\n"), "{name}");
        // Nothing is left beside the file.
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 1);
    }
}

#[test]
fn standard_input_is_any_file() {
    for (before, after) in pairs() {
        let name = before.file_name().unwrap().to_str().unwrap();
        let (given, expected) = (fs::read(&before).unwrap(), fs::read_to_string(&after).unwrap());
        let ran = piped(&["fmt", "--stdin", "--stdin-path", name], &given);
        assert_eq!((ran.exit, ran.out.as_str(), ran.err.as_str()), (0, expected.as_str(), ""), "{name}");
        let again = piped(&["fmt", "--stdin", "--stdin-path", name, "--check"], expected.as_bytes());
        assert_eq!((again.exit, again.out.as_str()), (0, ""), "{name}");
    }
    let ran = piped(&["fmt", "--stdin"], b"select a from t");
    assert_eq!((ran.exit, ran.out.as_str()), (0, "SELECT a\nFROM t\n"));
    let ran = piped(&["fmt", "--stdin", "--check"], b"select a from t");
    assert_eq!(ran.exit, 1);
    assert_eq!(
        ran.out,
        "--- a/<stdin>.sql\n+++ b/<stdin>.sql\n@@ -1 +1,2 @@\n-select a from t\n\\ No newline at end of file\n+SELECT a\n+FROM t\n"
    );
    let ran = piped(&["fmt", "--stdin"], b"select a");
    assert_eq!((ran.exit, ran.out.as_str()), (3, ""));
    assert!(ran.err.starts_with("error[E004]: expected `FROM`"), "{}", ran.err);
}

#[test]
fn the_projects_rules_are_formatted() {
    let ran = rulemill(Path::new(env!("CARGO_MANIFEST_DIR")), &["fmt", "--check"]);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{}", ran.out);
}

#[test]
fn folders_and_what_cannot_be_formatted() {
    let shared = "x-sql: &s select a from t\nrule_engine: { rules: { a: { sql: *s } } }\n";
    let twice = "rule_engine:\n  rules:\n    a: { sql: &s select  a from t }\n    b: { sql: *s }\n";
    let here = folder(&[
        ("rules/a.yaml", b"rule_engine: { rules: { a: { sql: 'select a from t' } } }\n"),
        ("rules/sub/b.sql", b"SELECT a\nFROM t\n"),
        ("rules/a.test.yaml", b"tests: []\n"),
        ("rules/other.yaml", b"a: 1\n"),
        (
            "broken/one.yaml",
            b"rule_engine:\n  rules:\n    a: { sql: select a }\n    b: { sql: 'select  1 from t' }\n",
        ),
        ("broken/two.yaml", b"rule_engine: [\n"),
        ("broken/three.sql", b"select  a from t"),
        ("broken/empty.sql", b"\n"),
        ("broken/latin.sql", b"select '\xe9' from t"),
        ("shared.yaml", shared.as_bytes()),
        ("twice.yaml", twice.as_bytes()),
        ("fragile.sql", b"SELECT 'a\n\n//b' AS  x FROM t\n"),
        ("number.yaml", b"rule_engine: { rules: { a: { sql: 1 }, b: {}, c: 1 } }\n"),
        ("notes.txt", b"select a from t"),
    ]);
    transcript::check("fmt.txt", here.path());
    let read = |name: &str| fs::read_to_string(here.path().join(name)).unwrap();
    assert_eq!(read("rules/a.yaml"), "rule_engine: { rules: { a: { sql: 'SELECT a FROM t' } } }\n");
    assert_eq!(read("broken/three.sql"), "SELECT a\nFROM t\n");
    assert_eq!(read("shared.yaml"), shared);
    assert_eq!(read("twice.yaml"), twice.replace("select  a from", "SELECT a FROM"));
    assert_eq!(read("notes.txt"), "select a from t");
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let here = folder(&[("real.sql", b"select a from t")]);
    let (real, link) = (here.path().join("real.sql"), here.path().join("link.sql"));
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.sql", &link).unwrap();
    assert_eq!(rulemill(here.path(), &["fmt", "-q", "link.sql"]).exit, 0);
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "SELECT a\nFROM t\n");
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

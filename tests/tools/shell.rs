//! `rulemill completions` and `rulemill man`.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use super::support::{folder, rulemill};
use super::transcript;

/// The subcommands that `--help` lists.
fn commands() -> Vec<String> {
    let help = rulemill(folder(&[]).path(), &["--help"]).out;
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<String> =
        list.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(commands.contains(&"fmt".to_owned()), "{help}");
    commands
}

#[test]
fn every_shell_completes_every_command() {
    let here = folder(&[]);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = rulemill(here.path(), &["completions", shell]);
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{shell}");
        for command in commands() {
            assert!(ran.out.contains(&command), "{shell} does not know {command}");
        }
        assert!(ran.out.contains("--check") || ran.out.contains("-l check"), "{shell}");
    }
}

#[test]
fn bash_reads_its_script() {
    let script = rulemill(folder(&[]).path(), &["completions", "bash"]).out;
    let spawned = Command::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    // Where there is no bash, there is nobody to read it.
    let Ok(mut bash) = spawned else { return };
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_command_has_its_page() {
    let here = folder(&[]);
    let ran = rulemill(here.path(), &["man", "--dir", "pages/man1"]);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let commands = commands();
    for command in commands.iter().filter(|command| *command != "help") {
        let page = fs::read_to_string(here.path().join(format!("pages/man1/rulemill-{command}.1"))).unwrap();
        assert!(page.contains(&format!(".TH rulemill-{command} 1")), "{page}");
        assert!(page.contains(concat!("rulemill ", env!("CARGO_PKG_VERSION"))), "{page}");
        let printed = rulemill(here.path(), &["man", command]);
        assert_eq!((printed.exit, printed.out), (0, page));
    }
    let main = rulemill(here.path(), &["man"]);
    assert!(main.out.contains(".TH rulemill 1") && main.out.contains("rulemill\\-fmt(1)"), "{}", main.out);
}

#[test]
fn unknown_shells_and_pages_are_guessed() {
    let here = folder(&[("file", b"x")]);
    transcript::check("shell.txt", here.path());
}

//! The rulemill binary at work.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// A folder with a rule file and a data folder, both gone afterwards.
pub struct Workplace {
    folder: tempfile::TempDir,
}

impl Workplace {
    /// With these rules.
    pub fn new(rules: &str) -> Workplace {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.yaml"), rules).unwrap();
        Workplace { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `rulemill run` over the rules, every port free.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulemill"));
        command.arg("run").arg(self.path("rules.yaml")).arg("--data-dir").arg(self.path("data"));
        command.args(args).env_remove("RULEMILL_LOG").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts it and waits until all listens.
    pub fn start(&self, args: &[&str]) -> Running {
        let ready = self.path("ready");
        let _ = std::fs::remove_file(&ready);
        let mut command = self.command(args);
        if !args.contains(&"--broker") {
            command.args(["--mqtt-port", "0", "--ws-port", "0"]);
        }
        if !args.contains(&"--no-hstream") {
            command.args(["--hstream-port", "0"]);
        }
        let child = command.arg("--ready-file").arg(&ready).spawn().unwrap();
        Running::wait_for(child, &ready)
    }

    /// Runs to an end that comes by itself: exit code, standard output, standard error.
    pub fn run(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.command(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }
}

/// A running rulemill; killed when dropped.
pub struct Running {
    child: Child,
    ready: serde_json::Value,
    stdout: Reader,
    stderr: Reader,
}

impl Running {
    /// Waits until a process says in its ready file that it can be used.
    pub fn wait_for(mut child: Child, ready: &Path) -> Running {
        let stdout = Reader::start(child.stdout.take().unwrap());
        let stderr = Reader::start(child.stderr.take().unwrap());
        let start = Instant::now();
        // The file is written whole, by a rename: it is the event itself.
        while !ready.exists() {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("ended with {status} before it was ready: {}{}", stdout.all(), stderr.all());
            }
            assert!(start.elapsed() < PATIENCE, "never ready");
            std::thread::sleep(Duration::from_millis(5));
        }
        let ready = serde_json::from_str(&std::fs::read_to_string(ready).unwrap()).unwrap();
        Running { child, ready, stdout, stderr }
    }

    /// What the ready file says.
    pub fn ready(&self) -> &serde_json::Value {
        &self.ready
    }

    /// A port out of the ready file.
    pub fn port(&self, name: &str) -> u16 {
        self.ready[name].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// A mosquitto client for its broker.
    pub fn mosquitto(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &self.port("mqtt").to_string()]).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Publishes with QoS 1, until it is acknowledged.
    pub fn publish(&self, topic: &str, payload: &str) {
        let output = self.mosquitto("mosquitto_pub", &["-q", "1", "-t", topic, "-m", payload]).output();
        assert!(output.expect("mosquitto-clients is installed").status.success());
    }

    /// Waits for a text on standard error.
    pub fn log(&self, text: &str) {
        self.stderr.wait_for(text);
    }

    /// Waits for a text on standard output.
    pub fn said(&self, text: &str) {
        self.stdout.wait_for(text);
    }

    /// Waits for the line on standard output that starts like this, and gives what follows.
    pub fn line(&self, start: &str) -> String {
        self.stdout.line(start)
    }

    /// Sends a signal by its name: TERM, INT, KILL.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end: exit code (none after a signal that kills), standard output, standard error.
    pub fn end(mut self) -> (Option<i32>, String, String) {
        let status = wait(&mut self.child);
        (status.code(), self.stdout.all(), self.stderr.all())
    }

    /// Asks it to end, and waits.
    pub fn stop(self) -> (Option<i32>, String, String) {
        self.signal("TERM");
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Collects an output while the process runs, so that it never waits for us.
struct Reader {
    text: std::sync::Arc<(std::sync::Mutex<(String, bool)>, std::sync::Condvar)>,
}

impl Reader {
    fn start(mut from: impl Read + Send + 'static) -> Reader {
        let text =
            std::sync::Arc::new((std::sync::Mutex::new((String::new(), false)), std::sync::Condvar::new()));
        let shared = std::sync::Arc::clone(&text);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                let length = from.read(&mut chunk).unwrap_or(0);
                let mut text = shared.0.lock().unwrap();
                text.0.push_str(&String::from_utf8_lossy(&chunk[..length]));
                text.1 = length == 0;
                shared.1.notify_all();
                if length == 0 {
                    return;
                }
            }
        });
        Reader { text }
    }

    fn wait_for(&self, wanted: &str) {
        let text = self.text.0.lock().unwrap();
        let waiting =
            self.text.1.wait_timeout_while(text, PATIENCE, |(text, end)| !text.contains(wanted) && !*end);
        let text = &waiting.unwrap().0.0;
        assert!(text.contains(wanted), "never said {wanted:?}: {text}");
    }

    fn line(&self, start: &str) -> String {
        let find = |text: &str| {
            let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
            whole.lines().find_map(|line| line.strip_prefix(start).map(str::to_owned))
        };
        let text = self.text.0.lock().unwrap();
        let waiting =
            self.text.1.wait_timeout_while(text, PATIENCE, |(text, end)| find(text).is_none() && !*end);
        let text = &waiting.unwrap().0.0;
        find(text).unwrap_or_else(|| panic!("no line starts with {start:?}: {text}"))
    }

    /// All of it, once it has ended.
    fn all(&self) -> String {
        let text = self.text.0.lock().unwrap();
        self.text.1.wait_timeout_while(text, PATIENCE, |(_, end)| !*end).unwrap().0.0.clone()
    }
}

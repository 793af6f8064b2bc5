//! The real `rulemill hstream server` as a child process, and raw HTTP to it.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

/// No test waits longer for anything; a test that gets there has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn rulemill() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulemill"));
    command.arg("hstream").env_remove("NO_COLOR");
    command
}

/// A server that is killed when dropped.
pub struct Server {
    pub child: Child,
    pub port: u16,
}

impl Server {
    pub fn start(data_dir: &Path) -> Server {
        let mut command = rulemill();
        command.args(["server", "--hstream-port", "0", "--data-dir"]).arg(data_dir);
        Server::spawn(command)
    }

    /// Waits for the line that says where it listens.
    pub fn spawn(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let port = line.split("http://127.0.0.1:").nth(1).and_then(|rest| rest.split(',').next());
        let Some(port) = port.and_then(|port| port.parse().ok()) else {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("the server did not start: {line}{error}");
        };
        Server { child, port }
    }

    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// As a crash ends it.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.stderr()
    }

    /// As its user ends it.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        let stderr = self.stderr();
        (status, stderr)
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    pub fn connect(&self) -> Connection {
        Connection::new(self.port)
    }

    pub fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.connect().ask(method, path, &[], body.as_bytes())
    }

    pub fn create(&self, stream: &str) {
        let answer = self.ask("POST", "/streams", &format!("{{\"streamName\":\"{stream}\"}}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub fn publish(&self, stream: &str, payload: &str) -> Answer {
        self.connect().publish(stream, payload)
    }

    /// A client subcommand to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = rulemill();
        command.args(args).args(["--port", &self.port.to_string()]).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// All records of a stream, as `hstream read` prints them.
    pub fn read(&self, stream: &str) -> Vec<serde_json::Value> {
        let output = self.run(&["read", stream]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One connection, kept alive.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        text(&self.body)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The batch id that a `:publish` was answered with.
    pub fn batch_id(&self) -> u64 {
        assert_eq!(self.status, 200, "{}", self.text());
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["recordIds"][0]["batchId"].as_str().unwrap().parse().unwrap()
    }
}

impl Connection {
    pub fn new(port: u16) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream: BufReader::new(stream) }
    }

    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<()> {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\ncontent-length: {}\r\n", body.len()).into_bytes();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request.extend(b"host: 127.0.0.1\r\n");
        }
        for (name, value) in headers {
            request.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        request.extend(b"\r\n");
        request.extend(body);
        self.stream.get_mut().write_all(&request)
    }

    /// Status line and headers.
    pub fn head(&mut self) -> std::io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|s| s.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::UnexpectedEof))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        Ok(Answer { status, headers, body: Vec::new() })
    }

    /// One chunk of a body; empty at its end.
    pub fn chunk(&mut self) -> std::io::Result<Vec<u8>> {
        let size = usize::from_str_radix(&self.line()?, 16).map_err(std::io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk)?;
        chunk.truncate(size);
        Ok(chunk)
    }

    pub fn try_ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Answer> {
        self.send(method, path, headers, body)?;
        let mut answer = self.head()?;
        if answer.header("transfer-encoding") == "chunked" {
            loop {
                let chunk = self.chunk()?;
                if chunk.is_empty() {
                    break;
                }
                answer.body.extend(chunk);
            }
        } else if method != "HEAD" {
            answer.body = vec![0; answer.header("content-length").parse().unwrap_or(0)];
            self.stream.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_ask(method, path, headers, body).unwrap()
    }

    pub fn try_publish(&mut self, stream: &str, payload: &str) -> std::io::Result<Answer> {
        let body = serde_json::json!({"payload": payload, "flag": 0}).to_string();
        self.try_ask("POST", &format!("/streams/{stream}:publish"), &[], body.as_bytes())
    }

    pub fn publish(&mut self, stream: &str, payload: &str) -> Answer {
        self.try_publish(stream, payload).unwrap()
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

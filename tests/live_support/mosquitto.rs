//! A mosquitto broker of our own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A mosquitto of our own.
pub struct Mosquitto {
    child: Child,
    pub port: u16,
    _config: tempfile::TempDir,
}

impl Mosquitto {
    pub fn start() -> Mosquitto {
        // Free a moment ago; nothing else here asks for fixed ports.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Mosquitto::at(port)
    }

    pub fn at(port: u16) -> Mosquitto {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mosquitto.conf");
        std::fs::write(
            &path,
            format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"),
        )
        .unwrap();
        let program = if std::path::Path::new("/usr/sbin/mosquitto").exists() {
            "/usr/sbin/mosquitto"
        } else {
            "mosquitto"
        };
        let mut child = Command::new(program)
            .args(["-v", "-c", path.to_str().unwrap()])
            .stderr(Stdio::piped())
            .spawn()
            .expect("mosquitto is installed");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let running = lines.any(|line| line.unwrap().contains("running"));
        assert!(running, "mosquitto did not start");
        // It must not block on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Mosquitto { child, port, _config: folder }
    }

    pub async fn publish(&self, topic: &str, payload: &str, more: &[&str]) {
        let mut command = Command::new("mosquitto_pub");
        command
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-t", topic, "-m", payload])
            .args(more);
        let status = tokio::task::spawn_blocking(move || command.status()).await.unwrap();
        assert!(status.expect("mosquitto-clients is installed").success());
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

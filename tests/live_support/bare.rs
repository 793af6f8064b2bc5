//! MQTT byte by byte, for what mosquitto's clients cannot say.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use super::PATIENCE;
use super::process::Running;

/// A bare connection.
pub struct Bare(TcpStream);

impl Bare {
    /// Connects and sends this packet; nothing is read yet.
    pub fn asked(running: &Running, packet: &[u8]) -> Bare {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, running.port("mqtt"))).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(packet).unwrap();
        Bare(stream)
    }

    fn connect(running: &Running, packet: &[u8]) -> Bare {
        let mut bare = Bare::asked(running, packet);
        assert_eq!(bare.read()[0], 0x20);
        bare
    }

    /// CONNECT of MQTT 3.1.1.
    pub fn v4(running: &Running, id: &str, clean: bool, keepalive: u8) -> Bare {
        let variable = [0, 4, b'M', b'Q', b'T', b'T', 4, if clean { 2 } else { 0 }, 0, keepalive];
        Bare::connect(running, &packet(0x10, &[&variable, &*text(id)]))
    }

    /// CONNECT of MQTT 5 that keeps its session for 100 s, with a user property.
    pub fn v5(running: &Running, id: &str) -> Bare {
        let user = [&[0x26][..], &text("k"), &text("v")].concat();
        let properties = [&[0x11, 0, 0, 0, 100, 0x21, 0, 9], &*user].concat();
        let variable = [0, 4, b'M', b'Q', b'T', b'T', 5, 0, 0, 30, properties.len() as u8];
        Bare::connect(running, &packet(0x10, &[&variable, &*properties, &*text(id)]))
    }

    /// Sends a packet.
    pub fn send(&mut self, packet: &[u8]) {
        self.0.write_all(packet).unwrap();
    }

    /// The next packet, whole.
    pub fn read(&mut self) -> Vec<u8> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        assert!(head[1] < 0x80, "a longer packet than expected");
        let mut rest = vec![0; head[1].into()];
        self.0.read_exact(&mut rest).unwrap();
        [&head, &*rest].concat()
    }
}

/// A text with its length.
pub fn text(text: &str) -> Vec<u8> {
    [&[0, text.len() as u8], text.as_bytes()].concat()
}

/// A packet of fewer than 128 bytes.
pub fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[kind, body.len() as u8], &*body].concat()
}

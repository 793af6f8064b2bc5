//! Properties that a client sends and rmqtt does not pass on: of SUBSCRIBE, UNSUBSCRIBE, PUBACK and PUBREC.
//!
//! The door reads them off the bytes on their way in, so they are here before rmqtt has seen the packet.
//!
//! Invariant: of one connection at most three times [`limits::OVERHEARD_BYTES_MAX`] is kept; the oldest goes first.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use rmqtt::codec::v5::{Codec, Packet};
use tokio_util::codec::Decoder;

use super::packet;
use super::peers::Peer;
use crate::event::occurrence::PacketProperties;
use crate::limits;

/// What an entry costs besides its texts.
const ENTRY_BYTES: usize = 128;

/// What one client said and no event has told yet.
#[derive(Debug, Default)]
pub(super) struct Overheard {
    subscribed: Queue<String>,
    unsubscribed: Queue<String>,
    acknowledged: Queue<u16>,
}

impl Overheard {
    /// Properties of the SUBSCRIBE that named this filter.
    pub(super) fn subscribed(&mut self, filter: &str) -> Option<PacketProperties> {
        self.subscribed.take_in_order(filter)
    }

    /// Properties of the UNSUBSCRIBE that named this filter.
    pub(super) fn unsubscribed(&mut self, filter: &str) -> Option<PacketProperties> {
        self.unsubscribed.take_in_order(filter)
    }

    /// Properties of the PUBACK or PUBREC for this packet.
    pub(super) fn acknowledged(&mut self, packet_id: u16) -> Option<PacketProperties> {
        self.acknowledged.take(&packet_id)
    }

    fn hear(&mut self, packet: Packet, bytes: usize) {
        match packet {
            Packet::Subscribe(packet) => {
                let properties = Arc::new(packet::of_user(&packet.user_properties));
                let filters = packet.topic_filters.into_iter().map(|(filter, _)| filter.to_string());
                self.subscribed.extend(filters.collect(), &properties, bytes);
            }
            Packet::Unsubscribe(packet) => {
                let properties = Arc::new(packet::of_user(&packet.user_properties));
                let filters = packet.topic_filters.into_iter().map(|filter| filter.to_string());
                self.unsubscribed.extend(filters.collect(), &properties, bytes);
            }
            Packet::PublishAck(packet) | Packet::PublishReceived(packet) => {
                let id = packet.packet_id.get();
                // The same id is used again and again; its last acknowledgement counts.
                self.acknowledged.take(&id);
                let properties = packet::of_ack(&packet);
                if properties != PacketProperties::default() {
                    self.acknowledged.extend(vec![id], &Arc::new(properties), bytes);
                }
            }
            _ => {}
        }
    }
}

/// Properties by what they came with, in order.
#[derive(Debug)]
struct Queue<K> {
    entries: VecDeque<Entry<K>>,
    bytes: usize,
}

impl<K> Default for Queue<K> {
    fn default() -> Queue<K> {
        Queue { entries: VecDeque::new(), bytes: 0 }
    }
}

#[derive(Debug)]
struct Entry<K> {
    key: K,
    properties: Arc<PacketProperties>,
    bytes: usize,
}

impl<K> Queue<K> {
    /// A packet of this many bytes named these.
    fn extend(&mut self, keys: Vec<K>, properties: &Arc<PacketProperties>, bytes: usize) {
        let bytes = ENTRY_BYTES + bytes / keys.len().max(1);
        for key in keys {
            self.bytes += bytes;
            self.entries.push_back(Entry { key, properties: Arc::clone(properties), bytes });
            while self.bytes > limits::OVERHEARD_BYTES_MAX {
                let oldest = self.entries.pop_front().map_or(self.bytes, |oldest| oldest.bytes);
                self.bytes -= oldest;
            }
        }
    }

    fn take<Q: PartialEq + ?Sized>(&mut self, key: &Q) -> Option<PacketProperties>
    where
        K: std::borrow::Borrow<Q>,
    {
        let at = self.entries.iter().position(|entry| entry.key.borrow() == key)?;
        let entry = self.entries.remove(at)?;
        self.bytes -= entry.bytes;
        Some(Arc::unwrap_or_clone(entry.properties))
    }

    /// Forgets those before it as well: rmqtt refused them without a word, or it would have asked for them first.
    fn take_in_order<Q: PartialEq + ?Sized>(&mut self, key: &Q) -> Option<PacketProperties>
    where
        K: std::borrow::Borrow<Q>,
    {
        let at = self.entries.iter().position(|entry| entry.key.borrow() == key)?;
        self.bytes -= self.entries.drain(..at).map(|entry| entry.bytes).sum::<usize>();
        self.take(key)
    }
}

/// Listens to the bytes of one client.
pub(super) struct Ear {
    peer: Arc<Peer>,
    codec: Codec,
    /// The packet so far, where it is one that we want; its head otherwise.
    packet: BytesMut,
    due: Due,
}

/// What comes next.
enum Due {
    /// A packet's type and length.
    Head,
    /// So many bytes of a packet that is `wanted` or not.
    Body { left: usize, wanted: bool },
    /// What is no MQTT; the broker will end it.
    Nothing,
}

impl Ear {
    /// For a client whose CONNECT says MQTT 5; earlier ones have no properties.
    pub(super) fn new(connect: &[u8], peer: &Arc<Peer>) -> Option<Ear> {
        peer.overheard.as_ref()?;
        let length = connect.iter().skip(1).take_while(|byte| **byte >= 0x80).count() + 1;
        let body = connect.get(1 + length..)?;
        let due = Due::Head;
        let ear = || Ear { peer: Arc::clone(peer), codec: Codec::default(), packet: BytesMut::new(), due };
        body.starts_with(b"\0\x04MQTT\x05").then(ear)
    }

    /// These bytes are on their way to the broker.
    pub(super) fn hear(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            match &mut self.due {
                Due::Nothing => return,
                Due::Head => {
                    self.packet.extend_from_slice(&[*first]);
                    bytes = rest;
                    self.due = body(&self.packet);
                }
                Due::Body { left, wanted } => {
                    let (part, rest) = bytes.split_at((*left).min(bytes.len()));
                    if *wanted {
                        self.packet.extend_from_slice(part);
                    }
                    *left -= part.len();
                    bytes = rest;
                }
            }
            if let Due::Body { left: 0, wanted } = self.due {
                self.end(wanted);
            }
        }
    }

    fn end(&mut self, wanted: bool) {
        self.due = Due::Head;
        let mut packet = mem::take(&mut self.packet);
        if !wanted {
            return;
        }
        let length = packet.len();
        // One that does not decode, the broker refuses as well.
        if let (Ok(Some((packet, _))), Some(overheard)) =
            (self.codec.decode(&mut packet), &self.peer.overheard)
        {
            overheard.lock().unwrap_or_else(PoisonError::into_inner).hear(packet, length);
        }
    }
}

/// What follows on a head, maybe more of it.
fn body(head: &[u8]) -> Due {
    let [kind, length @ ..] = head else { return Due::Head };
    match length.last() {
        None => Due::Head,
        Some(last) if *last >= 0x80 && length.len() < 4 => Due::Head,
        Some(last) if *last >= 0x80 => Due::Nothing,
        Some(_) => {
            let left = length.iter().rev().fold(0, |sum, byte| (sum << 7) | usize::from(byte & 0x7F));
            let wanted = matches!(kind >> 4, 4 | 5 | 8 | 10) && left <= limits::OVERHEARD_BYTES_MAX;
            Due::Body { left, wanted }
        }
    }
}

/// The properties that a client's packet had, once.
pub(super) fn take(
    peer: Option<Arc<Peer>>,
    take: impl FnOnce(&mut Overheard) -> Option<PacketProperties>,
) -> PacketProperties {
    let taken = peer.as_ref().and_then(|peer| {
        let mut overheard = peer.overheard.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        take(&mut overheard)
    });
    taken.unwrap_or_default()
}

/// Where what one client said is kept, while events ask for it.
pub(super) type Store = Option<Mutex<Overheard>>;

#[cfg(test)]
mod tests {
    use super::super::peers::Peers;
    use super::*;

    const CONNECT: &[u8] = b"\x10\x0F\0\x04MQTT\x05\x02\0\x3C\0\0\x02me";

    fn peer() -> Arc<Peer> {
        let peers = Peers::new(true);
        let _entry = peers.enter(7, "192.0.2.1:4000".parse().unwrap(), None);
        peers.find(7).unwrap()
    }

    fn subscribe(filter: &str, user: &str) -> Vec<u8> {
        let text = |text: &str| [&[0, text.len() as u8], text.as_bytes()].concat();
        let user = if user.is_empty() { vec![] } else { [&[0x26][..], &text("k"), &text(user)].concat() };
        let body = [&[0, 1, user.len() as u8], &*user, &text(filter), &[1]].concat();
        [&[0x82, body.len() as u8], &*body].concat()
    }

    fn user(value: &str) -> PacketProperties {
        PacketProperties { named: vec![], user: vec![("k".to_owned(), value.to_owned())] }
    }

    #[test]
    fn packets_are_heard_however_the_bytes_are_cut() {
        let publish = [&b"\x30\x88\x01\0\x01t\0"[..], &[b'x'; 132]].concat();
        let puback = b"\x40\x0A\0\x05\0\x06\x1F\0\x03bye";
        let pubrec = b"\x50\x0C\0\x06\0\x08\x1F\0\x05never";
        // The id is used again, now without properties.
        let bytes =
            [&subscribe("a", "1"), &publish, &b"\xC0\0"[..], puback, pubrec, b"\x40\x02\0\x06"].concat();
        let bytes = [bytes, subscribe("a", "2"), subscribe("b", "")].concat();
        for cut in 1..bytes.len() {
            let peer = peer();
            let mut ear = Ear::new(CONNECT, &peer).unwrap();
            bytes.chunks(cut).for_each(|chunk| ear.hear(chunk));
            let heard = |take: fn(&mut Overheard) -> Option<PacketProperties>| {
                super::take(Some(Arc::clone(&peer)), take)
            };
            assert_eq!(heard(|all| all.subscribed("a")), user("1"), "cut at {cut}");
            let named = vec![("Reason-String".to_owned(), crate::value::Value::str("bye"))];
            assert_eq!(heard(|all| all.acknowledged(5)), PacketProperties { named, user: vec![] });
            assert_eq!(heard(|all| all.acknowledged(6)), PacketProperties::default());
            // The second one about `a` came before it: rmqtt has refused that.
            assert_eq!(heard(|all| all.subscribed("b")), PacketProperties::default());
            assert_eq!(heard(|all| all.subscribed("a")), PacketProperties::default());
        }
    }

    #[test]
    fn only_mqtt_5_is_heard_and_only_where_somebody_asks() {
        assert!(Ear::new(b"\x10\x0E\0\x04MQTT\x04\x02\0\x3C\0\x02me", &peer()).is_none());
        assert!(Ear::new(b"G", &peer()).is_none());
        let peers = Peers::default();
        let _entry = peers.enter(7, "192.0.2.1:4000".parse().unwrap(), None);
        assert!(Ear::new(CONNECT, &peers.find(7).unwrap()).is_none());
        let mut ear = Ear::new(CONNECT, &peer()).unwrap();
        ear.hear(b"\x82\xFF\xFF\xFF\xFF\x01 and so on");
        assert!(matches!(ear.due, Due::Nothing));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let peer = peer();
        let mut ear = Ear::new(CONNECT, &peer).unwrap();
        let packet = subscribe("first", "x");
        let room = limits::OVERHEARD_BYTES_MAX / (ENTRY_BYTES + subscribe("later", "x").len());
        ear.hear(&packet);
        (1..room).for_each(|_| ear.hear(&subscribe("later", "x")));
        let mut heard = peer.overheard.as_ref().unwrap().lock().unwrap();
        assert_eq!(heard.subscribed.entries[0].key, "first");
        drop(heard);
        ear.hear(&subscribe("later", "x"));
        heard = peer.overheard.as_ref().unwrap().lock().unwrap();
        assert_eq!(heard.subscribed.entries[0].key, "later");
        assert!(heard.subscribed.bytes <= limits::OVERHEARD_BYTES_MAX);
    }
}

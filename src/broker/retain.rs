//! Retained messages, in memory.
//!
//! Invariant: never more than [`limits::RETAINED_MESSAGES_MAX`] messages or [`limits::RETAINED_BYTES_MAX`] payload
//! bytes; what comes beyond is refused with a warning, and what is there stays.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rmqtt::Result;
use rmqtt::retain::RetainStorage;
use rmqtt::types::{Retain, TopicFilter, TopicName};
use tokio::sync::RwLock;

use crate::{limits, topic};

#[derive(Default)]
pub(super) struct Retained {
    store: RwLock<Store>,
}

#[derive(Default)]
struct Store {
    by_topic: BTreeMap<TopicName, (Retain, Option<Instant>)>,
    bytes: usize,
}

impl Store {
    fn remove(&mut self, topic: &TopicName) {
        if let Some((old, _)) = self.by_topic.remove(topic) {
            self.bytes -= old.publish.payload.len();
        }
    }

    fn drop_expired(&mut self, now: Instant) {
        let expired = |expiry: &Option<Instant>| expiry.is_some_and(|at| at <= now);
        self.by_topic.retain(|_, (_, expiry)| !expired(expiry));
        self.bytes = self.by_topic.values().map(|(retain, _)| retain.publish.payload.len()).sum();
    }

    fn full(&self, more: usize) -> bool {
        self.by_topic.len() >= limits::RETAINED_MESSAGES_MAX || self.bytes + more > limits::RETAINED_BYTES_MAX
    }
}

#[async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        true
    }

    /// The interval that rmqtt hands in is the listener's where the message has none; only the message's counts.
    async fn set(&self, topic: &TopicName, retain: Retain, _interval: Option<Duration>) -> Result<()> {
        let mut store = self.store.write().await;
        store.remove(topic);
        let bytes = retain.publish.payload.len();
        if bytes == 0 {
            return Ok(());
        }
        let now = Instant::now();
        if store.full(bytes) {
            store.drop_expired(now);
        }
        if store.full(bytes) {
            tracing::warn!(
                "the message on '{topic}' is not retained: the store of retained messages is full"
            );
            return Ok(());
        }
        let properties = retain.publish.properties.as_ref();
        let seconds = properties.and_then(|properties| properties.message_expiry_interval);
        let expiry = seconds.and_then(|seconds| now.checked_add(Duration::from_secs(seconds.get().into())));
        store.bytes += bytes;
        store.by_topic.insert(topic.clone(), (retain, expiry));
        Ok(())
    }

    async fn get(&self, filter: &TopicFilter) -> Result<Vec<(TopicName, Retain)>> {
        let now = Instant::now();
        let store = self.store.read().await;
        let alive = |expiry: &Option<Instant>| expiry.is_none_or(|at| at > now);
        let found = store.by_topic.iter().filter(|(name, (_, expiry))| {
            alive(expiry) && topic::matches(name.as_bytes(), filter.as_bytes())
        });
        Ok(found.map(|(topic, (retain, _))| (topic.clone(), retain.clone())).collect())
    }

    async fn count(&self) -> isize {
        isize::try_from(self.store.read().await.by_topic.len()).unwrap_or(isize::MAX)
    }

    async fn max(&self) -> isize {
        self.count().await
    }
}

#[cfg(test)]
mod tests {
    use rmqtt::codec::types::{Publish as Packet, QoS};
    use rmqtt::types::{From as Origin, Id, Publish};

    use super::*;

    fn retain(payload: Vec<u8>) -> Retain {
        let packet = Packet {
            dup: false,
            retain: true,
            qos: QoS::AtMostOnce,
            topic: "t".into(),
            packet_id: None,
            payload: payload.into(),
            properties: None,
        };
        let from = Origin::from_bridge(Id::from(1, "c".into()));
        Retain { msg_id: None, from, publish: Publish::from(packet) }
    }

    async fn set(store: &Retained, topic: String, payload: Vec<u8>) {
        store.set(&topic.into(), retain(payload), None).await.unwrap();
    }

    #[tokio::test]
    async fn the_store_has_a_bound_on_messages() {
        let store = Retained::default();
        for n in 0..=limits::RETAINED_MESSAGES_MAX {
            set(&store, n.to_string(), vec![b'x']).await;
        }
        assert_eq!(store.count().await, limits::RETAINED_MESSAGES_MAX as isize);
        assert!(store.get(&limits::RETAINED_MESSAGES_MAX.to_string().into()).await.unwrap().is_empty());
        // An empty payload makes room, and one that is there may change.
        set(&store, "0".to_owned(), Vec::new()).await;
        set(&store, "new".to_owned(), vec![b'y']).await;
        set(&store, "new".to_owned(), vec![b'z']).await;
        let found = store.get(&"new".into()).await.unwrap();
        assert_eq!(found[0].1.publish.payload, "z");
    }

    #[tokio::test]
    async fn the_store_has_a_bound_on_bytes() {
        let store = Retained::default();
        set(&store, "a".to_owned(), vec![0; limits::RETAINED_BYTES_MAX]).await;
        set(&store, "b".to_owned(), vec![0; 1]).await;
        assert_eq!(store.count().await, 1);
        set(&store, "a".to_owned(), vec![0; limits::RETAINED_BYTES_MAX - 1]).await;
        set(&store, "b".to_owned(), vec![0; 1]).await;
        assert_eq!(store.get(&"#".into()).await.unwrap().len(), 2);
    }
}

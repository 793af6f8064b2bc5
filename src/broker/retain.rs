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

//! The `republish` action.
//!
//! That a rule does not republish what it has republished itself is the engine's business; we tell it where a message
//! comes from. Rules that feed one another go round in EMQX for ever, here until `limits::REPUBLISH_DEPTH_MAX`.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{Attempt, Job, Sink, unexpected};
use crate::delivery::Publish;
use crate::engine::Origin;
use crate::event::Message;
use crate::rule::Request;
use crate::{limits, topic};

/// The message that a request asks for: it comes from the rule, as in EMQX.
pub fn message(request: &Request, rule: &str, now_ms: i64) -> Option<Message> {
    let Request::Republish { topic, qos, retain, payload, properties, user_properties, .. } = request else {
        return None;
    };
    Some(Message {
        qos: *qos,
        retain: *retain,
        clientid: rule.to_owned(),
        peerhost: None,
        properties: properties.clone(),
        user_properties: user_properties.clone(),
        timestamp_ms: now_ms,
        publish_received_at_ms: now_ms,
        ..Message::new(topic.clone(), payload.clone())
    })
}

/// Republishes to a broker elsewhere, out of a lane.
pub struct Remote<P>(pub P);

#[async_trait]
impl<P: Publish> Sink for Remote<P> {
    async fn attempt(&self, job: &Job, time: Duration) -> Attempt {
        let Some(message) = message(&job.request, &job.rule, 0) else { return unexpected(&job.request) };
        if let Err(why) = topic::validate_name(message.topic.as_bytes()) {
            return Attempt::Failed(format!("cannot publish to '{}': {why}", message.topic));
        }
        let how = format!("published to '{}'", message.topic);
        match tokio::time::timeout(time, self.0.publish(message)).await {
            Ok(Ok(())) => Attempt::Delivered(how),
            Ok(Err(why)) => Attempt::Retry(why),
            Err(_) => Attempt::Retry("the broker did not acknowledge in time".to_owned()),
        }
    }
}

/// A message of ours that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// The action that republished it.
    pub origin: Origin,
    /// Was it meant for no rule?
    pub direct: bool,
}

/// Republished messages that a broker elsewhere will send back to us, since we have subscribed to their topics.
/// EMQX marks a message inside the broker; over MQTT nothing can be marked, so we remember what we sent.
#[derive(Debug)]
pub struct Echoes {
    filters: Vec<String>,
    expected: Mutex<VecDeque<(Instant, u64, Echo)>>,
}

/// An echo that did not come in this time will not.
const ECHO_TIME: Duration = Duration::from_secs(60);

impl Echoes {
    /// For a client that has subscribed to these filters.
    pub fn new(filters: Vec<String>) -> Echoes {
        Echoes { filters, expected: Mutex::new(VecDeque::new()) }
    }

    /// Remembers a message that is about to be sent.
    pub fn expect(&self, request: &Request, origin: Origin, direct: bool) {
        let Request::Republish { topic, payload, .. } = request else { return };
        let subscribed = |filter: &String| topic::matches(topic.as_bytes(), filter.as_bytes());
        if !self.filters.iter().any(subscribed) {
            return;
        }
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        if expected.len() >= limits::ECHOES_MAX {
            expected.pop_front();
        }
        expected.push_back((Instant::now(), digest(topic, payload), Echo { origin, direct }));
    }

    /// Is this message one of ours?
    pub fn take(&self, message: &Message) -> Option<Echo> {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        while expected.front().is_some_and(|(since, ..)| since.elapsed() > ECHO_TIME) {
            expected.pop_front();
        }
        if expected.is_empty() {
            return None;
        }
        let wanted = digest(&message.topic, &message.payload);
        let at = expected.iter().position(|(_, digest, _)| *digest == wanted)?;
        expected.remove(at).map(|(.., echo)| echo)
    }
}

fn digest(topic: &str, payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (topic, payload).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_recognised_once_and_only_where_we_listen() {
        let echoes = Echoes::new(vec!["out/#".to_owned()]);
        let request = |topic: &str| Request::Republish {
            topic: topic.to_owned(),
            qos: 1,
            retain: false,
            payload: "x".into(),
            properties: Vec::new(),
            user_properties: Vec::new(),
            direct_dispatch: false,
        };
        let origin = Origin { rule: "r".into(), position: 0 };
        echoes.expect(&request("out/1"), origin.clone(), false);
        echoes.expect(&request("elsewhere"), origin.clone(), false);
        assert_eq!(echoes.take(&Message::new("out/1", "y")), None);
        assert_eq!(echoes.take(&Message::new("out/1", "x")), Some(Echo { origin, direct: false }));
        assert_eq!(echoes.take(&Message::new("out/1", "x")), None);
        assert_eq!(echoes.take(&Message::new("elsewhere", "x")), None);
    }

    #[test]
    fn no_more_echoes_are_remembered_than_the_bound() {
        let echoes = Echoes::new(vec!["#".to_owned()]);
        for n in 0..=limits::ECHOES_MAX {
            let request = Request::Republish {
                topic: n.to_string(),
                qos: 0,
                retain: false,
                payload: "".into(),
                properties: Vec::new(),
                user_properties: Vec::new(),
                direct_dispatch: true,
            };
            echoes.expect(&request, Origin { rule: "r".into(), position: 0 }, true);
        }
        assert_eq!(echoes.take(&Message::new("0", "")), None);
        assert!(echoes.take(&Message::new("1", "")).is_some_and(|echo| echo.direct));
    }
}

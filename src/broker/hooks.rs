//! What rmqtt asks and tells us: may this client connect, may it publish there, here is a message.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::FutureExt;
use rmqtt::codec::types::{Publish as Packet, QoS};
use rmqtt::codec::v5::{PublishAckReason, PublishProperties};
use rmqtt::context::ServerContext;
use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType, Type};
use rmqtt::session::SessionState;
use rmqtt::types::{
    AuthResult, ConnectInfo, From as Origin, Id, LastWill, NodeId, Publish, PublishAclResult, PublishResult,
};

use super::Events;
use super::peers::Peers;
use super::users::{Access, Refusal};
use crate::event::{Ids, Message, Properties};
use crate::topic;
use crate::value::Value;

/// Our end of rmqtt's hooks.
#[derive(Clone)]
pub(super) struct Hooks {
    events: Arc<dyn Events>,
    peers: Arc<Peers>,
    access: Access,
    ids: Arc<Mutex<Ids>>,
}

impl Hooks {
    pub(super) fn new(events: Arc<dyn Events>, peers: Arc<Peers>, access: Access) -> Hooks {
        let node = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), "node");
        Hooks { events, peers, access, ids: Arc::new(Mutex::new(Ids::new(node))) }
    }

    /// Must be done before anybody connects: rmqtt holds a lock over every hook that runs.
    pub(super) async fn register(self, scx: &ServerContext) {
        let register = scx.extends.hook_mgr().register();
        for kind in [Type::ClientAuthenticate, Type::MessagePublish, Type::MessagePublishCheckAcl] {
            register.add(kind, Box::new(self.clone())).await;
        }
        register.start().await;
    }

    fn authenticate(&self, client: &ConnectInfo) -> AuthResult {
        let id = client.id();
        if !id.remote_addr.is_some_and(|addr| self.peers.is_open(addr.port())) {
            tracing::warn!("refused client '{}': it came around the door", id.client_id);
            return AuthResult::NotAuthorized;
        }
        let will_topic = client.last_will().map(|will| match will {
            LastWill::V3(will) => will.topic.to_string(),
            LastWill::V5(will) => will.topic.to_string(),
        });
        if let Some(Err(why)) = will_topic.as_deref().map(check_topic_name) {
            tracing::warn!("refused client '{}': the last will's {why}", id.client_id);
            return AuthResult::NotAuthorized;
        }
        let name = client.username().map(|name| &**name);
        let why = match self.access.check(name, client.password().map(|password| &**password)) {
            Ok(()) => return AuthResult::Allow(false, None),
            Err(why) => why,
        };
        let name = name.unwrap_or_default();
        match why {
            Refusal::NoName => {
                tracing::warn!("refused client '{}': it gave no user name", id.client_id);
                AuthResult::NotAuthorized
            }
            Refusal::BadPassword => {
                tracing::warn!("refused client '{}': bad user name or password of '{name}'", id.client_id);
                AuthResult::BadUsernameOrPassword
            }
        }
    }

    async fn published(&self, from: &Origin, publish: &Publish) {
        // A packet with a bad topic is refused by `check`, which comes after.
        if check_topic_name(&publish.topic).is_err() {
            return;
        }
        let message = self.message(from, publish);
        let topic = message.topic.clone();
        // A panic here would end the connection without a word, and the client would send the message again.
        let done = AssertUnwindSafe(self.events.published(message)).catch_unwind().await;
        if done.is_err() {
            tracing::error!("a rule panicked on the message on '{topic}'; please report this bug");
        }
    }

    fn message(&self, from: &Id, publish: &Publish) -> Message {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let peer = from.remote_addr.and_then(|addr| self.peers.find(addr.port()));
        let peer = peer.map(|peer| SocketAddr::new(peer.addr.ip().to_canonical(), peer.addr.port()));
        let (properties, user_properties) = match &publish.properties {
            Some(properties) => (named(properties), pairs(properties)),
            None => (Vec::new(), Vec::new()),
        };
        Message {
            id: self.ids.lock().unwrap_or_else(PoisonError::into_inner).next(now_us),
            topic: publish.topic.to_string(),
            payload: publish.payload.clone(),
            qos: publish.qos.value(),
            retain: publish.retain,
            dup: publish.dup,
            clientid: from.client_id.to_string(),
            username: from.username.as_ref().map(ToString::to_string),
            peerhost: peer.map(|peer| peer.ip().to_string()),
            peername: peer.map(|peer| peer.to_string()),
            properties,
            user_properties,
            timestamp_ms: now_ms,
            publish_received_at_ms: publish.create_time.unwrap_or(now_ms),
            ..Message::new("", "")
        }
    }
}

#[async_trait]
impl Handler for Hooks {
    async fn hook(&self, param: &Parameter, acc: Option<HookResult>) -> ReturnType {
        match param {
            Parameter::ClientAuthenticate(client) => {
                (false, Some(HookResult::AuthResult(self.authenticate(client))))
            }
            Parameter::MessagePublish(_, from, publish) => {
                self.published(from, publish).await;
                (true, acc)
            }
            Parameter::MessagePublishCheckAcl(session, publish) => match check_topic_name(&publish.topic) {
                Ok(()) => (true, acc),
                Err(why) => {
                    tracing::warn!("disconnected client '{}': the {why}", session.id.client_id);
                    (false, Some(HookResult::PublishAclResult(refuse(why))))
                }
            },
            _ => (true, acc),
        }
    }
}

/// A malformed packet: the connection ends [MQTT-3.3.2-2].
fn refuse(why: String) -> PublishAclResult {
    let reason = PublishAckReason::TopicNameInvalid;
    PublishAclResult(PublishResult::reason_code(reason, Some(why.into()), true))
}

/// May a message be published on this topic?
pub(super) fn check_topic_name(topic: &str) -> Result<(), String> {
    topic::validate_name(topic.as_bytes()).map_err(|why| format!("topic {topic:?} is none: {why}"))
}

/// MQTT 5 properties under MQTT's names.
fn named(properties: &PublishProperties) -> Properties {
    let text = |text: &bytestring::ByteString| Value::str(text.as_bytes());
    let mut named: Vec<(&str, Value)> = Vec::new();
    if properties.is_utf8_payload {
        named.push(("Payload-Format-Indicator", Value::Int(1)));
    }
    if let Some(seconds) = properties.message_expiry_interval {
        named.push(("Message-Expiry-Interval", Value::Int(seconds.get().into())));
    }
    if let Some(content_type) = &properties.content_type {
        named.push(("Content-Type", text(content_type)));
    }
    if let Some(topic) = &properties.response_topic {
        named.push(("Response-Topic", text(topic)));
    }
    if let Some(data) = &properties.correlation_data {
        named.push(("Correlation-Data", Value::Str(data.clone())));
    }
    if let Some(alias) = properties.topic_alias {
        named.push(("Topic-Alias", Value::Int(alias.get().into())));
    }
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn pairs(properties: &PublishProperties) -> Vec<(String, String)> {
    properties.user_properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// Hands a message of our own to the subscribers.
pub(super) async fn forward(scx: &ServerContext, node: NodeId, message: &Message) -> Result<(), String> {
    let id = Id::new(node, 0, None, None, message.clientid.as_str().into(), None);
    let publish = Publish::from(packet(message)).create_time(message.timestamp_ms);
    let sent = SessionState::forwards(scx, Origin::from_bridge(id), publish, false, None).await;
    sent.map_err(|e| e.to_string())
}

fn packet(message: &Message) -> Packet {
    let find = |name: &str| message.properties.iter().find(|(n, _)| n == name).map(|(_, value)| value);
    let integer = |name: &str| match find(name) {
        Some(Value::Int(n)) => u32::try_from(*n).ok(),
        _ => None,
    };
    let text = |name: &str| find(name).and_then(Value::as_text).map(bytestring::ByteString::from);
    let properties = PublishProperties {
        topic_alias: None,
        correlation_data: find("Correlation-Data").and_then(Value::as_bytes).cloned(),
        message_expiry_interval: integer("Message-Expiry-Interval").and_then(NonZeroU32::new),
        content_type: text("Content-Type"),
        user_properties: message
            .user_properties
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect(),
        is_utf8_payload: integer("Payload-Format-Indicator") == Some(1),
        response_topic: text("Response-Topic"),
        subscription_ids: Vec::new(),
    };
    Packet {
        dup: false,
        retain: message.retain,
        qos: match message.qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        },
        topic: message.topic.as_str().into(),
        packet_id: None,
        payload: message.payload.clone(),
        properties: Some(properties),
    }
}

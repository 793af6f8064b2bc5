//! What rmqtt asks and tells us: may this client connect, may it publish there, here is a message.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::FutureExt;
use rmqtt::codec::v5::PublishAckReason;
use rmqtt::context::ServerContext;
use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType, Type};
use rmqtt::session::SessionState;
use rmqtt::types::{
    AuthResult, ConnectInfo, From as Origin, FromType, Id, LastWill, NodeId, Publish, PublishAclResult,
    PublishResult,
};

use super::observed::{self, Observed};
use super::peers::Peers;
use super::users::{Access, Refusal};
use super::{Config, Events, packet};
use crate::event::occurrence::{host, name_of};
use crate::event::{Ids, Message, Occurrence, Republished};
use crate::topic;

/// Our end of rmqtt's hooks.
#[derive(Clone)]
pub(super) struct Hooks {
    events: Arc<dyn Events>,
    pub(super) peers: Arc<Peers>,
    access: Access,
    node: u64,
    ids: Arc<Mutex<Ids>>,
    pub(super) observed: Arc<Observed>,
}

impl Hooks {
    pub(super) fn new(events: Arc<dyn Events>, peers: Arc<Peers>, config: Config) -> Hooks {
        let Config { access, node, events: wanted, .. } = config;
        let (ids, observed) = (Arc::new(Mutex::new(Ids::new(node))), Arc::new(Observed::new(wanted)));
        Hooks { events, peers, access, node, ids, observed }
    }

    /// Must be done before anybody connects: rmqtt holds a lock over every hook that runs.
    pub(super) async fn register(self, scx: &ServerContext) {
        let register = scx.extends.hook_mgr().register();
        let always = [Type::ClientAuthenticate, Type::MessagePublish, Type::MessagePublishCheckAcl];
        for kind in always.into_iter().chain(self.observed.hooks()) {
            register.add(kind, Box::new(self.clone())).await;
        }
        register.start().await;
    }

    /// Is this no client that name and password could let in?
    fn is_no_client(&self, client: &ConnectInfo) -> bool {
        let id = client.id();
        if !id.remote_addr.is_some_and(|addr| self.peers.is_open(addr.port())) {
            tracing::warn!("refused client '{}': it came around the door", id.client_id);
            return true;
        }
        let will_topic = client.last_will().map(|will| match will {
            LastWill::V3(will) => will.topic.to_string(),
            LastWill::V5(will) => will.topic.to_string(),
        });
        if let Some(Err(why)) = will_topic.as_deref().map(check_topic_name) {
            tracing::warn!("refused client '{}': the last will's {why}", id.client_id);
            return true;
        }
        false
    }

    fn authenticate(&self, client: &ConnectInfo) -> AuthResult {
        let id = client.id();
        let name = client.username().map(|name| &**name);
        let why = match self.access.check(name, client.password().map(|password| &**password)) {
            Ok(()) => {
                self.observed.let_in(client);
                return AuthResult::Allow(false, None);
            }
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

    /// Gives the packet back where it has to carry its id on.
    async fn published(&self, from: &Origin, publish: &Publish) -> Option<Publish> {
        // A packet with a bad topic is refused by `check`, which comes after.
        if check_topic_name(&publish.topic).is_err() {
            return None;
        }
        self.tell(self.authorized(&from.id, "publish", &publish.topic)).await;
        let (now_ms, now_us) = now();
        let message = Message {
            id: self.ids.lock().unwrap_or_else(PoisonError::into_inner).next(now_us),
            timestamp_ms: now_ms,
            publish_received_at_ms: now_ms,
            ..self.message(from, publish)
        };
        let marked = self.observed.wants_ids().then(|| packet::marked(publish.clone(), &message));
        let kept = self.observed.wants_last().then(|| message.clone());
        guarded(&publish.topic, self.events.published(message)).await;
        // Rules may have published meanwhile.
        self.observed.published(from, kept);
        marked
    }

    /// A message as a subscriber gets it.
    pub(super) fn delivered(&self, from: &Origin, publish: &Publish) -> Message {
        let own = matches!(from.typ(), FromType::Bridge);
        let [depth, position] = from.lid.to_be_bytes().map(usize::from);
        Message {
            id: packet::marked_id(publish, if own { self.node ^ 1 } else { self.node }).unwrap_or_default(),
            republished: own.then_some(Republished { position, depth }),
            ..self.message(from, publish)
        }
    }

    fn message(&self, from: &Id, publish: &Publish) -> Message {
        let peer = from.remote_addr.and_then(|addr| self.peers.find(addr.port())).map(|peer| peer.addr);
        let properties = packet::of_publish(publish);
        let created_ms = publish.create_time.unwrap_or_default();
        Message {
            topic: publish.topic.to_string(),
            payload: publish.payload.clone(),
            qos: publish.qos.value(),
            retain: publish.retain,
            dup: publish.dup,
            clientid: from.client_id.to_string(),
            username: from.username.as_ref().map(ToString::to_string),
            peerhost: peer.map(host),
            peername: peer.map(name_of),
            properties: properties.named,
            user_properties: properties.user,
            timestamp_ms: created_ms,
            publish_received_at_ms: created_ms,
            ..Message::new("", "")
        }
    }

    /// Tells rules what happened, if anything did.
    async fn tell(&self, occurrence: Option<Occurrence>) {
        if let Some(occurrence) = occurrence {
            guarded(occurrence.event, self.events.happened(occurrence)).await;
        }
    }
}

/// A panic in a hook would end the connection without a word, and the client would send the message again.
async fn guarded(about: &str, rules: impl Future<Output = ()>) {
    if AssertUnwindSafe(rules).catch_unwind().await.is_err() {
        tracing::error!("a rule panicked on '{about}'; please report this bug");
    }
}

#[async_trait]
impl Handler for Hooks {
    async fn hook(&self, param: &Parameter, acc: Option<HookResult>) -> ReturnType {
        match param {
            Parameter::ClientAuthenticate(client) => {
                let answer = if self.is_no_client(client) {
                    AuthResult::NotAuthorized
                } else {
                    let answer = self.authenticate(client);
                    let anonymous = matches!(self.access, Access::Anonymous);
                    self.tell(self.authenticated(client, &answer, anonymous)).await;
                    answer
                };
                self.tell(self.refused(client, &answer)).await;
                (false, Some(HookResult::AuthResult(answer)))
            }
            Parameter::MessagePublish(_, from, publish) => {
                let marked = self.published(from, publish).await;
                (true, marked.map(HookResult::Publish).or(acc))
            }
            Parameter::MessagePublishCheckAcl(session, publish) => match check_topic_name(&publish.topic) {
                Ok(()) => (true, acc),
                Err(why) => {
                    tracing::warn!("disconnected client '{}': the {why}", session.id.client_id);
                    (false, Some(HookResult::PublishAclResult(refuse(why))))
                }
            },
            _ => {
                self.tell(self.observe(param).await).await;
                (true, acc)
            }
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

/// Hands a message of our own to the subscribers.
pub(super) async fn forward(scx: &ServerContext, node: NodeId, message: &Message) -> Result<(), String> {
    // An id of no connection: its listener says which action of the rule it was.
    let id = Id::new(node, origin_mark(message), None, None, message.clientid.as_str().into(), None);
    let publish = packet::publish(message);
    let forwards = SessionState::forwards(scx, Origin::from_bridge(id), publish, false, None);
    observed::publishing(message.clone(), forwards).await.map_err(|e| e.to_string())
}

/// Position and depth of a republished message in one number; both are small.
fn origin_mark(message: &Message) -> u16 {
    let byte = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
    message.republished.map_or(0, |of| u16::from_be_bytes([byte(of.depth), byte(of.position)]))
}

/// Milliseconds and microseconds since the Unix epoch.
pub(super) fn now() -> (i64, u64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(now.as_millis()).unwrap_or(i64::MAX), u64::try_from(now.as_micros()).unwrap_or(u64::MAX))
}

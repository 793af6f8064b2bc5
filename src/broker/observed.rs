//! Events out of rmqtt's hooks, for rules that ask for them.
//!
//! Invariant: an event that no rule names has no hook, and nothing is remembered for it.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use rmqtt::hook::{Parameter, Type};
use rmqtt::session::Session;
use rmqtt::types::{
    AuthResult, ClientId, ConnectInfo, From as Origin, FromType, Id, Publish, Reason, Subscribe,
    SubscriptionOptions, Unsubscribe,
};

use super::hooks::{Hooks, now};
use super::overheard::{self, Overheard};
use super::peers::Peer;
use super::{SESSION_EXPIRY, packet, reason};
use crate::event::occurrence::{Check, Client, Connection, PacketProperties, Subscription};
use crate::event::{Message, Occurrence};
use crate::limits;
use crate::value::Value;

/// The events that the embedded broker can tell, besides published messages.
pub const EVENTS: [&str; 11] = [
    "client.connected",
    "client.disconnected",
    "client.connack",
    "client.check_authn_complete",
    "client.check_authz_complete",
    "session.subscribed",
    "session.unsubscribed",
    "message.delivered",
    "message.acked",
    "message.dropped",
    "delivery.dropped",
];

/// Those of them that tell properties which only the door sees.
pub(super) const OVERHEARD: [&str; 3] = ["session.subscribed", "session.unsubscribed", "message.acked"];

tokio::task_local! {
    /// The message that we are publishing ourselves: rmqtt says only that nobody took one.
    static OWN: Message;
}

/// Publishes a message of our own, known to the hooks that run meanwhile.
pub(super) async fn publishing<T>(message: Message, publish: impl Future<Output = T>) -> T {
    OWN.scope(message, publish).await
}

/// What is remembered from one hook to the next.
#[derive(Default)]
pub(super) struct Observed {
    events: BTreeSet<&'static str>,
    /// The last message of each connection: rmqtt says only that nobody took one.
    last: Mutex<HashMap<Id, Message>>,
    /// Whether the client of this id that came last asked for a clean start: the one before it is told by that.
    clean: Mutex<HashMap<ClientId, bool>>,
}

impl Observed {
    pub(super) fn new(events: BTreeSet<&'static str>) -> Observed {
        Observed { events, ..Observed::default() }
    }

    fn wants(&self, event: &str) -> bool {
        self.events.contains(event)
    }

    /// Does a later event tell the message's id?
    pub(super) fn wants_ids(&self) -> bool {
        ["message.delivered", "message.acked", "delivery.dropped"].iter().any(|event| self.wants(event))
    }

    /// The hooks that it needs, each once.
    pub(super) fn hooks(&self) -> Vec<Type> {
        let table: [(&str, &[Type]); 10] = [
            ("client.connected", &[Type::ClientConnected]),
            ("client.disconnected", &[Type::ClientDisconnected]),
            ("client.connack", &[Type::ClientConnack]),
            // Of messages, [`Hooks::published`] tells: rmqtt asks about them only after it.
            ("client.check_authz_complete", &[Type::ClientSubscribeCheckAcl]),
            ("session.subscribed", &[Type::SessionSubscribed]),
            // Before the fact: afterwards nobody knows the subscription's QoS.
            ("session.unsubscribed", &[Type::ClientUnsubscribe]),
            ("message.delivered", &[Type::MessageDelivered]),
            ("message.acked", &[Type::MessageAcked]),
            (
                "message.dropped",
                &[Type::MessageNonsubscribed, Type::ClientDisconnected, Type::SessionTerminated],
            ),
            ("delivery.dropped", &[Type::MessageDropped]),
        ];
        let wanted = table.iter().filter(|(event, _)| self.wants(event)).flat_map(|(_, types)| *types);
        let mut hooks = Vec::new();
        for hook in wanted {
            if !hooks.contains(hook) {
                hooks.push(*hook);
            }
        }
        hooks
    }

    /// A client was let in.
    pub(super) fn let_in(&self, client: &ConnectInfo) {
        if self.wants("client.disconnected") {
            remember(&self.clean, client.client_id().clone(), client.clean_start());
        }
    }

    /// Does a later event tell a message that nobody took?
    pub(super) fn wants_last(&self) -> bool {
        self.wants("message.dropped")
    }

    /// A client's message is on its way to subscribers.
    pub(super) fn published(&self, from: &Origin, message: Option<Message>) {
        if let Some(message) = message {
            remember(&self.last, from.id.clone(), message);
        }
    }

    /// Did a client come in the place of this one, and ask for a clean start?
    fn discarded(&self, id: &Id, takeover: bool) -> bool {
        let mut clean = self.clean.lock().unwrap_or_else(PoisonError::into_inner);
        match takeover {
            true => clean.get(&id.client_id).copied().unwrap_or(false),
            false => {
                clean.remove(&id.client_id);
                false
            }
        }
    }

    fn left(&self, id: &Id) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Keeps a value while there is room; every connection has one at most.
fn remember<K: Eq + Hash, V>(store: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
    if store.len() < limits::CONNECTIONS_MAX || store.contains_key(&key) {
        store.insert(key, value);
    }
}

fn subscription(filter: &str, options: &SubscriptionOptions) -> Subscription {
    let group = options.shared_group().map(ToString::to_string);
    Subscription { filter: filter.to_owned(), group, qos: options.qos_value() }
}

impl Hooks {
    /// The event that a hook means, if it means one that rules want.
    pub(super) async fn observe(&self, parameter: &Parameter<'_>) -> Option<Occurrence> {
        match parameter {
            Parameter::ClientConnected(session) => self.connected(session).await,
            Parameter::ClientDisconnected(session, reason) => self.disconnected(session, reason).await,
            Parameter::SessionTerminated(session, _) => {
                self.observed.left(&session.id);
                None
            }
            Parameter::ClientConnack(client, _) => Some(self.connack(client, "success")),
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                self.authorized(&session.id, "subscribe", &subscribe.topic_filter)
            }
            Parameter::SessionSubscribed(session, subscribe) => Some(self.subscribed(session, subscribe)),
            Parameter::ClientUnsubscribe(session, unsubscribe) => {
                self.unsubscribed(session, unsubscribe).await
            }
            Parameter::MessageDelivered(session, from, publish) => {
                Some(self.delivery("message.delivered", &session.id, from, publish))
            }
            Parameter::MessageAcked(session, from, publish) => {
                let properties = publish
                    .packet_id
                    .map(|id| self.overheard(&session.id, |heard| heard.acknowledged(id.get())));
                let acked = self.delivery("message.acked", &session.id, from, publish);
                Some(Occurrence { properties: properties.unwrap_or_default(), ..acked })
            }
            Parameter::MessageDropped(Some(to), from, publish, why) => {
                let why = reason::delivery_dropped(why)?;
                let dropped = self.delivery("delivery.dropped", to, from, publish);
                Some(Occurrence { reason: Some(why), ..dropped })
            }
            Parameter::MessageNonsubscribed(from) => self.nonsubscribed(from),
            _ => None,
        }
    }

    fn peer(&self, id: &Id) -> Option<Arc<Peer>> {
        id.remote_addr.and_then(|addr| self.peers.find(addr.port()))
    }

    fn overheard(
        &self,
        id: &Id,
        take: impl FnOnce(&mut Overheard) -> Option<PacketProperties>,
    ) -> PacketProperties {
        overheard::take(self.peer(id), take)
    }

    fn client(&self, id: &Id) -> Client {
        Client {
            clientid: id.client_id.to_string(),
            username: id.username.as_ref().map(ToString::to_string),
            peer: self.peer(id).map(|peer| peer.addr),
        }
    }

    fn occurrence(&self, event: &'static str, id: &Id) -> Occurrence {
        Occurrence::new(event, self.client(id), now().0)
    }

    fn connection(&self, client: &ConnectInfo, connected_at_ms: i64) -> Connection {
        let (proto_name, asked, expiry_interval_s, properties) = match client {
            ConnectInfo::V3(_, connect) => {
                let outlives = !connect.clean_session;
                let expiry = if outlives { SESSION_EXPIRY.as_secs() } else { 0 };
                let expiry = u32::try_from(expiry).unwrap_or(u32::MAX);
                (connect.protocol.name(), None, expiry, PacketProperties::default())
            }
            ConnectInfo::V5(_, connect) => (
                "MQTT",
                connect.receive_max,
                connect.session_expiry_interval_secs,
                packet::of_connect(connect),
            ),
        };
        Connection {
            local: self.peer(client.id()).and_then(|peer| peer.local),
            proto_name,
            proto_ver: client.proto_ver(),
            keepalive: client.keep_alive(),
            clean_start: client.clean_start(),
            expiry_interval_s,
            receive_maximum: asked
                .map_or(limits::INFLIGHT_MAX, |asked| asked.get().min(limits::INFLIGHT_MAX)),
            properties,
            connected_at_ms,
            disconnected_at_ms: None,
        }
    }

    async fn connected(&self, session: &Session) -> Option<Occurrence> {
        let client = session.connect_info().await.ok()?;
        let at = session.connected_at().await.ok()?;
        let connection = Some(self.connection(&client, at));
        Some(Occurrence { connection, ..self.occurrence("client.connected", &session.id) })
    }

    async fn disconnected(&self, session: &Session, why: &Reason) -> Option<Occurrence> {
        self.observed.left(&session.id);
        if !self.observed.wants("client.disconnected") {
            return None;
        }
        let discarded = self.observed.discarded(&session.id, reason::is_takeover(why));
        let client = session.connect_info().await.ok()?;
        let connected_at = session.connected_at().await.ok()?;
        let occurrence = self.occurrence("client.disconnected", &session.id);
        let at = session.disconnected_at().await.ok().filter(|at| *at > 0).unwrap_or(occurrence.at_ms);
        let connection =
            Connection { disconnected_at_ms: Some(at), ..self.connection(&client, connected_at) };
        Some(Occurrence {
            connection: Some(connection),
            reason: Some(reason::disconnected(why, discarded)),
            properties: reason::packet(why).map(packet::of_disconnect).unwrap_or_default(),
            ..occurrence
        })
    }

    /// A CONNACK that says no. rmqtt has no hook for it, but it is we who refuse; a client that rmqtt refuses before
    /// it asks us, for its client id or its protocol, is not told.
    pub(super) fn refused(&self, client: &ConnectInfo, answer: &AuthResult) -> Option<Occurrence> {
        let wanted = self.observed.wants("client.connack") && !matches!(answer, AuthResult::Allow(..));
        wanted.then(|| self.connack(client, reason::authenticated(answer)))
    }

    /// Name and password of a client were looked at; `anonymous` says that they need not be. Of one CONNECT this is
    /// told once, though the door may have to show it to rmqtt several times.
    pub(super) fn authenticated(
        &self,
        client: &ConnectInfo,
        answer: &AuthResult,
        anonymous: bool,
    ) -> Option<Occurrence> {
        let event = "client.check_authn_complete";
        let check = Check::Authentication { reason: reason::authenticated(answer), anonymous };
        let occurrence = || Occurrence { check: Some(check), ..self.occurrence(event, client.id()) };
        let again = || self.peer(client.id()).is_some_and(|peer| peer.is_again());
        (self.observed.wants(event) && !again()).then(occurrence)
    }

    /// A client may publish or subscribe.
    pub(super) fn authorized(&self, id: &Id, action: &'static str, topic: &str) -> Option<Occurrence> {
        let event = "client.check_authz_complete";
        let check = || Check::Authorization { action, topic: topic.to_owned() };
        let occurrence = || Occurrence { check: Some(check()), ..self.occurrence(event, id) };
        self.observed.wants(event).then(occurrence)
    }

    fn connack(&self, client: &ConnectInfo, why: &'static str) -> Occurrence {
        let connection = Some(self.connection(client, 0));
        Occurrence { connection, reason: Some(why), ..self.occurrence("client.connack", client.id()) }
    }

    fn subscribed(&self, session: &Session, subscribe: &Subscribe) -> Occurrence {
        let options = &subscribe.opts;
        let subscription = subscription(&subscribe.topic_filter, options);
        let written = subscription.written();
        let mut properties = self.overheard(&session.id, |heard| heard.subscribed(&written));
        if let Some(id) = options.subscription_identifier() {
            properties.named.push(("Subscription-Identifier".to_owned(), Value::Int(id.get().into())));
        }
        let occurrence = self.occurrence("session.subscribed", &session.id);
        Occurrence { subscription: Some(subscription), properties, ..occurrence }
    }

    async fn unsubscribed(&self, session: &Session, unsubscribe: &Unsubscribe) -> Option<Occurrence> {
        let subscriptions = session.subscriptions().await.ok()?;
        let subscriptions = subscriptions.read().await;
        let subscription =
            subscription(&unsubscribe.topic_filter, subscriptions.get(&unsubscribe.topic_filter)?);
        let written = subscription.written();
        let properties = self.overheard(&session.id, |heard| heard.unsubscribed(&written));
        let occurrence = self.occurrence("session.unsubscribed", &session.id);
        Some(Occurrence { subscription: Some(subscription), properties, ..occurrence })
    }

    fn delivery(&self, event: &'static str, to: &Id, from: &Origin, publish: &Publish) -> Occurrence {
        Occurrence { message: Some(self.delivered(from, publish)), ..self.occurrence(event, to) }
    }

    fn nonsubscribed(&self, from: &Origin) -> Option<Occurrence> {
        let message = match from.typ() {
            FromType::Bridge => OWN.try_with(Clone::clone).ok()?,
            _ => self.observed.last.lock().unwrap_or_else(PoisonError::into_inner).remove(&from.id)?,
        };
        let occurrence = self.occurrence("message.dropped", &from.id);
        Some(Occurrence { message: Some(message), reason: Some("no_subscribers"), ..occurrence })
    }
}

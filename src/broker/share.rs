//! Shared subscriptions: whose turn it is in a group.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use rmqtt::context::ServerContext;
use rmqtt::subscribe::SharedSubscription;
use rmqtt::types::{
    ClientId, Id, IsOnline, NodeId, SharedGroup, SubscriptionIdentifier, SubscriptionOptions, TopicName,
};

/// Each message goes to the next member; members that are away are passed over while another is there.
#[derive(Default)]
pub(super) struct RoundRobin {
    turn: AtomicUsize,
}

#[async_trait]
impl SharedSubscription for RoundRobin {
    fn is_supported(&self) -> bool {
        true
    }

    async fn choice(
        &self,
        scx: &ServerContext,
        _group: &SharedGroup,
        _publisher: &Id,
        _topic: &TopicName,
        members: &[(
            NodeId,
            ClientId,
            SubscriptionOptions,
            Option<Vec<SubscriptionIdentifier>>,
            Option<IsOnline>,
        )],
    ) -> Option<(usize, IsOnline)> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        for step in 0..members.len() {
            let index = (first + step) % members.len();
            let (node, client, _, _, online) = &members[index];
            let online = match online {
                Some(online) => *online,
                None => scx.extends.router().await.is_online(*node, client).await,
            };
            if online {
                return Some((index, true));
            }
        }
        (!members.is_empty()).then(|| (first % members.len(), false))
    }
}

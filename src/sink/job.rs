//! One delivery on its way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::tally::Tally;
use crate::delivery::Ticket;
use crate::engine::{Counter, Counters};
use crate::rule::Request;

/// A rendered action, with what the log says about it.
#[derive(Debug)]
pub struct Job {
    /// The rule.
    pub rule: Arc<str>,
    /// The action's id.
    pub action: Arc<str>,
    /// The topic of the message that led here.
    pub topic: Arc<str>,
    /// Jobs of one key keep their order: the publisher's client id, or the topic where nobody knows the publisher.
    pub key: Arc<str>,
    /// What to do.
    pub request: Request,
    /// When it entered.
    pub since: Instant,
    /// Room in the queue, given back when it ends.
    pub(super) room: Option<OwnedSemaphorePermit>,
    ticket: Option<Ticket>,
    tally: Arc<Tally>,
    /// The rule's; what EMQX's buffer workers report back to it.
    counters: Arc<Counters>,
}

impl Job {
    /// A delivery that starts now.
    pub fn new(
        rule: Arc<str>,
        action: Arc<str>,
        topic: Arc<str>,
        key: Arc<str>,
        request: Request,
        ticket: Ticket,
        tally: Arc<Tally>,
    ) -> Job {
        let (since, counters) = (Instant::now(), Arc::default());
        Job { rule, action, topic, key, request, since, room: None, ticket: Some(ticket), tally, counters }
    }

    /// Tells its rule's counters how it ends.
    pub fn counted(mut self, counters: Arc<Counters>) -> Job {
        self.counters = counters;
        self
    }

    /// The other side has it.
    pub fn delivered(mut self, how: &str) {
        self.tally.delivered.add();
        self.counters.add(Counter::ActionsSuccess);
        let time = shown(self.since.elapsed());
        tracing::info!(topic = %self.topic, rule = %self.rule, action = %self.action, time = %time, "delivered: {how}");
        self.settle();
    }

    /// It failed for good.
    pub fn failed(mut self, why: &str) {
        self.tally.failed.add();
        // An expired or refused request is no `out_of_service` (emqx_rule_runtime:do_inc_action_metrics).
        self.counters.add(Counter::ActionsFailedUnknown);
        let time = shown(self.since.elapsed());
        tracing::error!(topic = %self.topic, rule = %self.rule, action = %self.action, time = %time, "failed: {why}");
        self.settle();
    }

    /// It was not meant to be delivered.
    pub fn skipped(mut self, why: &str) {
        self.tally.skipped.add();
        self.counters.add(Counter::ActionsDiscarded);
        tracing::warn!(topic = %self.topic, rule = %self.rule, action = %self.action, "skipped: {why}");
        self.settle();
    }

    fn settle(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            ticket.settle();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.tally.abandoned.add();
            tracing::error!(
                topic = %self.topic, rule = %self.rule, action = %self.action,
                "given up: rulemill ended before it was delivered"
            );
        }
    }
}

/// A duration as people read it.
pub(super) fn shown(time: Duration) -> String {
    match time.as_millis() {
        0..10_000 => format!("{}ms", time.as_millis()),
        _ => format!("{}s", time.as_secs()),
    }
}

//! Runs the rules on each message and sends their actions on their way.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::SetOnce;

use super::console::{self, Console};
use super::republish::{self, Echo, Echoes};
use super::tally::Tally;
use super::{Job, Lanes};
use crate::delivery::{Publish, Receipt, Ticket};
use crate::engine::{Counter, Counters, Origin, Outcome, RenderedAction};
use crate::eval::Verdict;
use crate::event::{Ids, Message, Occurrence, Republished};
use crate::limits;
use crate::rule::Request;

/// The rules at work; a function of a message is enough of them for a test.
pub trait Rules: Send + 'static {
    /// What each matching rule did with a message, given the action that republished it.
    fn message(&mut self, message: &Message, origin: Option<&Origin>) -> Vec<Outcome>;

    /// What each rule did whose FROM names this event.
    fn event(&mut self, occurrence: &Occurrence, origin: Option<&Origin>) -> Vec<Outcome> {
        let _ = (occurrence, origin);
        Vec::new()
    }

    /// The counters of a rule.
    fn counters(&self, rule: &str) -> Option<Arc<Counters>> {
        let _ = rule;
        None
    }
}

impl<F: FnMut(&Message, Option<&Origin>) -> Vec<Outcome> + Send + 'static> Rules for F {
    fn message(&mut self, message: &Message, origin: Option<&Origin>) -> Vec<Outcome> {
        self(message, origin)
    }
}

/// How an action is delivered.
pub enum Route {
    /// Through lanes.
    Lanes(Lanes),
    /// Not at all, as the user asked.
    Skip,
}

/// Where republished messages go.
pub enum Republish {
    /// Into the embedded broker, at once. The broker starts after the dispatcher, so it is set later.
    Embedded(Arc<SetOnce<Arc<dyn Publish>>>),
    /// To a broker elsewhere, which sends them back to us when we have subscribed to them.
    Remote(Lanes, Arc<Echoes>),
}

/// An outcome with the counters of its rule.
type Counted = (Outcome, Arc<Counters>);

/// Takes messages, runs the rules, hands out what they ask for.
pub struct Dispatcher {
    /// The engine keeps no state between messages but its stores; one at a time keeps those in order.
    rules: Mutex<Box<dyn Rules>>,
    routes: BTreeMap<Arc<str>, Route>,
    republish: Republish,
    console: Console,
    tally: Arc<Tally>,
    ids: Mutex<Ids>,
}

/// A message or event on its way through the rules.
struct Turn<'a> {
    /// The topic of the message, or that of the event.
    topic: Arc<str>,
    dup: bool,
    /// Whose order is kept: the first publisher's, also for what rules republished.
    key: Arc<str>,
    depth: usize,
    ticket: &'a Ticket,
}

impl Dispatcher {
    /// A dispatcher over these rules; `routes` by action id.
    pub fn new(
        rules: Box<dyn Rules>,
        routes: BTreeMap<Arc<str>, Route>,
        republish: Republish,
        console: Console,
        tally: Arc<Tally>,
        node: u64,
    ) -> Dispatcher {
        let ids = Mutex::new(Ids::new(node));
        Dispatcher { rules: Mutex::new(rules), routes, republish, console, tally, ids }
    }

    /// Runs the rules on a message. Comes back when all its deliveries are in their lanes; the receipt answers when
    /// they are done.
    pub async fn message(&self, message: Message) -> Receipt {
        self.tally.messages.add();
        let (ticket, receipt) = Ticket::new();
        let (echo, key) = match &self.republish {
            Republish::Remote(_, echoes) => (echoes.take(&message), &message.topic),
            Republish::Embedded(_) => (None, &message.clientid),
        };
        let key = Arc::from(key.as_str());
        match echo {
            // Dispatched directly: no rule sees it.
            Some(Echo { direct: true, .. }) => {}
            Some(Echo { origin, .. }) => self.turn(&message, Some(&origin), key, 0, &ticket).await,
            None => self.turn(&message, None, key, 0, &ticket).await,
        }
        ticket.settle();
        receipt
    }

    /// Runs the rules on an event, as [`Dispatcher::message`] does on a message.
    pub async fn event(&self, occurrence: Occurrence) -> Receipt {
        self.tally.events.add();
        let (ticket, receipt) = Ticket::new();
        let republished =
            occurrence.message.as_ref().and_then(|m| Some((m.republished?, m.clientid.as_str())));
        let origin = republished.map(|(of, rule)| Origin { rule: Arc::from(rule), position: of.position });
        let turn = Turn {
            topic: Arc::from(occurrence.topic().unwrap_or(occurrence.event)),
            dup: false,
            key: Arc::from(occurrence.client.clientid.as_str()),
            depth: republished.map_or(0, |(of, _)| of.depth),
            ticket: &ticket,
        };
        let outcomes = self.evaluate(&turn.topic, |rules| rules.event(&occurrence, origin.as_ref()));
        self.deliver(&turn, outcomes).await;
        ticket.settle();
        receipt
    }

    /// Lets all lanes run empty, at most until `deadline`.
    pub async fn drain(&self, deadline: Instant) {
        let lanes = self.routes.values().filter_map(|route| match route {
            Route::Lanes(lanes) => Some(lanes),
            Route::Skip => None,
        });
        let republish = match &self.republish {
            Republish::Remote(lanes, _) => Some(lanes),
            Republish::Embedded(_) => None,
        };
        futures_util::future::join_all(lanes.chain(republish).map(|lanes| lanes.drain(deadline))).await;
    }

    async fn turn(
        &self,
        message: &Message,
        origin: Option<&Origin>,
        key: Arc<str>,
        depth: usize,
        ticket: &Ticket,
    ) {
        let turn = Turn { topic: Arc::from(message.topic.as_str()), dup: message.dup, key, depth, ticket };
        let outcomes = self.evaluate(&turn.topic, |rules| rules.message(message, origin));
        self.deliver(&turn, outcomes).await;
    }

    async fn deliver(&self, turn: &Turn<'_>, outcomes: Vec<Counted>) {
        for (outcome, counters) in outcomes {
            let (topic, rule) = (&turn.topic, &outcome.rule);
            match &outcome.result {
                Ok(Verdict::NoMatch) => tracing::debug!(%topic, %rule, "WHERE is false"),
                Ok(Verdict::Outputs(outputs)) if outcome.actions.is_empty() => {
                    tracing::info!(%topic, %rule, outputs = outputs.len(), "selected; the rule has no actions");
                }
                Ok(Verdict::Outputs(_)) => {}
                Err(e) => {
                    self.tally.rule_errors.add();
                    tracing::warn!(%topic, %rule, "the {} failed: {}", e.clause.name(), e.diagnostic);
                }
            }
            for action in outcome.actions {
                self.act(turn, &outcome.rule, &counters, action).await;
            }
        }
    }

    fn evaluate(&self, topic: &str, run: impl FnOnce(&mut dyn Rules) -> Vec<Outcome>) -> Vec<Counted> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let outcomes = catch_unwind(AssertUnwindSafe(|| run(&mut **rules))).unwrap_or_else(|_| {
            self.tally.rule_errors.add();
            tracing::error!(%topic, "a rule panicked; please report this bug");
            Vec::new()
        });
        let counted = |outcome: Outcome| {
            let counters = rules.counters(&outcome.rule).unwrap_or_default();
            (outcome, counters)
        };
        outcomes.into_iter().map(counted).collect()
    }

    async fn act(&self, turn: &Turn<'_>, rule: &Arc<str>, counters: &Arc<Counters>, action: RenderedAction) {
        let request = match action.request {
            Ok(request) => request,
            Err(why) => {
                self.tally.failed.add();
                tracing::error!(topic = %turn.topic, %rule, action = %action.id, "failed: {why}");
                return;
            }
        };
        let job = |request| {
            let (topic, key) = (Arc::clone(&turn.topic), Arc::clone(&turn.key));
            let (ticket, tally) = (turn.ticket.another(), Arc::clone(&self.tally));
            Job::new(Arc::clone(rule), Arc::clone(&action.id), topic, key, request, ticket, tally)
                .counted(Arc::clone(counters))
        };
        match &request {
            Request::Console { data } => {
                (self.console)(console::line(rule, data));
                self.tally.delivered.add();
                counters.add(Counter::ActionsSuccess);
            }
            Request::Republish { .. } => {
                let origin = Origin { rule: Arc::clone(rule), position: action.position };
                self.republish(turn, origin, job(request)).await;
            }
            Request::Http { .. } | Request::Hstreamdb { .. } | Request::Params { .. } => {
                match self.routes.get(&action.id) {
                    Some(Route::Lanes(lanes)) => lanes.push(job(request)).await,
                    Some(Route::Skip) => {
                        job(request).skipped("rulemill does not deliver actions of this type");
                    }
                    None => job(request)
                        .failed("rulemill does not know how to deliver it; please report this bug"),
                }
            }
        }
    }

    async fn republish(&self, turn: &Turn<'_>, origin: Origin, job: Job) {
        let Request::Republish { direct_dispatch, .. } = &job.request else { return };
        let direct = *direct_dispatch;
        if turn.depth >= limits::REPUBLISH_DEPTH_MAX {
            return job.failed(&format!(
                "republished {} times in a chain; rules that feed one another would go on for ever",
                limits::REPUBLISH_DEPTH_MAX
            ));
        }
        match &self.republish {
            Republish::Remote(lanes, echoes) => {
                echoes.expect(&job.request, origin, direct);
                lanes.push(job).await;
            }
            Republish::Embedded(broker) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
                let Some(mut message) = republish::message(&job.request, &origin.rule, now_ms) else {
                    return;
                };
                let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
                message.id = self.ids.lock().unwrap_or_else(PoisonError::into_inner).next(now_us);
                message.dup = turn.dup;
                message.republished = Some(Republished { position: origin.position, depth: turn.depth + 1 });
                match broker.wait().await.publish(message.clone()).await {
                    Ok(()) => job.delivered(&format!("published to '{}'", message.topic)),
                    Err(why) => return job.failed(&why),
                }
                if !direct {
                    self.again(message, origin, turn).await;
                }
            }
        }
    }

    /// The rules on a republished message; a future of its own, since it leads back here.
    fn again<'a>(
        &'a self,
        message: Message,
        origin: Origin,
        turn: &'a Turn<'_>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let key = Arc::clone(&turn.key);
        Box::pin(async move { self.turn(&message, Some(&origin), key, turn.depth + 1, turn.ticket).await })
    }
}

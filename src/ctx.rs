//! What a rule may see besides its columns: clock, zone, random numbers, environment, stores, jq, schemas.
//!
//! Invariant: nothing in the core reads the outside but through here, so a test can freeze all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::jq::Jq;
use crate::limits;
use crate::schema::Schemas;
use crate::text::Span;
use crate::value::{Map, Store, Value};

/// Where the time comes from, in nanoseconds since the Unix epoch.
pub type Clock = Box<dyn FnMut() -> i128 + Send>;

/// What was evaluated, in order, for those who want to see or count it.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    steps: Vec<Step>,
    item: Option<usize>,
    runs: Vec<Run>,
    /// The first step of the rule that ran last, whether it is still told apart or not.
    last: usize,
}

/// One rule over one message.
#[derive(Clone, Debug)]
pub struct Run {
    /// The rule's id.
    pub rule: Arc<str>,
    /// What it was given.
    pub columns: Map,
    /// The first of its steps.
    first: usize,
}

/// One sub-expression that got a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where it stands in the statement.
    pub span: Span,
    /// Position of the FOREACH item it was evaluated for, from 0.
    pub item: Option<usize>,
    /// Its value.
    pub value: Value,
}

impl Trace {
    /// The steps so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Says that a rule begins.
    pub fn begin(&mut self, rule: &Arc<str>, columns: &Map) {
        if self.runs.len() < limits::TRACE_RUNS_MAX {
            self.runs.push(Run { rule: rule.clone(), columns: columns.clone(), first: self.steps.len() });
        }
        self.last = self.steps.len();
        self.item = None;
    }

    /// The rules that ran, each with its steps.
    pub fn runs(&self) -> impl Iterator<Item = (&Run, &[Step])> {
        let end = |at: usize| self.runs.get(at + 1).map_or(self.steps.len(), |next| next.first);
        self.runs.iter().enumerate().map(move |(at, run)| (run, &self.steps[run.first..end(at)]))
    }

    /// Notes a value; past the bound the trace goes on without it.
    pub fn record(&mut self, span: Span, value: &Value) {
        if self.steps.len() < limits::TRACE_STEPS_MAX {
            self.steps.push(Step { span, item: self.item, value: value.clone() });
        }
    }

    /// The steps of the rule that ran last.
    pub fn last_run(&self) -> &[Step] {
        &self.steps[self.last..]
    }

    /// Says which FOREACH item comes next, or that none does.
    pub fn at_item(&mut self, item: Option<usize>) {
        self.item = item;
    }
}

/// Emptied buffers, kept for their capacity.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Values of the fields of a plain list.
    pub values: Vec<Value>,
    /// Parts of the payload.
    pub parts: Vec<Value>,
}

/// The world of a rule.
pub struct Ctx {
    clock: Clock,
    /// Offset of the zone called `local`, in seconds east of UTC.
    pub zone_offset_seconds: i32,
    random: u64,
    /// The variables that `getenv` can see, under their names with the prefix `EMQXVAR_`.
    pub env: BTreeMap<String, String>,
    /// `kv_store_*`: one table for all rules of a node.
    pub kv_store: Store,
    /// `proc_dict_*`: a table of the process that runs the rules.
    pub proc_dict: Store,
    /// The statement runs in EMQX's SQL tester, where 5.8 shows dates of MongoDB as text.
    pub sql_tester: bool,
    /// The jq programs that the rules have run.
    pub jq: Jq,
    /// The schemas of the rule files.
    pub schemas: Arc<Schemas>,
    /// Where evaluation notes its steps, when someone watches.
    pub trace: Option<Trace>,
    /// Buffers that one evaluation leaves to the next.
    pub(crate) scratch: Scratch,
    /// Bytes that the rule may still make for its message.
    pub(crate) room: u64,
    /// Default time limit of a jq program (`rule_engine.jq_function_default_timeout`).
    pub jq_timeout_ms: u64,
}

impl Ctx {
    /// A world in which time stands still, the zone is UTC, and random numbers follow from the seed.
    pub fn frozen(now_ns: i128, seed: u64) -> Ctx {
        Ctx::new(Box::new(move || now_ns), seed)
    }

    /// A world with this clock; the rest as in [`Ctx::frozen`].
    pub fn new(clock: Clock, seed: u64) -> Ctx {
        Ctx {
            clock,
            zone_offset_seconds: 0,
            random: seed,
            env: BTreeMap::new(),
            kv_store: Store::default(),
            proc_dict: Store::default(),
            sql_tester: false,
            jq: Jq::default(),
            schemas: Arc::default(),
            trace: None,
            scratch: Scratch::default(),
            room: limits::MADE_BYTES_MAX as u64,
            jq_timeout_ms: 10_000,
        }
    }

    /// The time, in nanoseconds since the Unix epoch.
    pub fn now_ns(&mut self) -> i128 {
        (self.clock)()
    }

    /// The time, in milliseconds since the Unix epoch.
    pub fn now_ms(&mut self) -> i64 {
        i64::try_from(self.now_ns().div_euclid(1_000_000)).unwrap_or(i64::MAX)
    }

    /// Replaces the clock, for tests whose steps advance it.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// The next random number (splitmix64: small, seedable, evenly spread; no secrets are made of it).
    pub fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ctx")
            .field("env", &self.env)
            .field("kv_store", &self.kv_store)
            .finish_non_exhaustive()
    }
}

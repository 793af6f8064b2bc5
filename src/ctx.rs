//! What a rule may see besides its columns: clock, zone, random numbers, environment, stores, jq.
//!
//! Invariant: nothing in the core reads the outside but through here, so a test can freeze all of it.

use std::collections::BTreeMap;

use crate::jq::Jq;
use crate::value::{Map, Value};

/// Where the time comes from, in nanoseconds since the Unix epoch.
pub type Clock = Box<dyn FnMut() -> i128 + Send>;

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
    pub kv_store: Map,
    /// `proc_dict_*`: a table of the process that runs the rules.
    pub proc_dict: Map,
    /// The jq programs that the rules have run.
    pub jq: Jq,
    /// Buffers that one evaluation leaves to the next.
    pub(crate) scratch: Scratch,
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
            kv_store: Map::new(),
            proc_dict: Map::new(),
            jq: Jq::default(),
            scratch: Scratch::default(),
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

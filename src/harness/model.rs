//! A test file in hand: everything checked that can be checked without running it.

use std::collections::BTreeMap;

use super::capture::Capture;
use super::expect::Expect;
use super::faults::Faults;
use super::given::Given;
use crate::profile::Profile;
use crate::text::{Source, Span};
use crate::value::Map;

/// A test file.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// Its text.
    pub source: Source,
    /// Its tests in order.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// The rules it runs; `None`: those of the rule file of the same name.
    pub rules: Option<Vec<Name>>,
    /// The profiles it runs under; `None`: the command line's.
    pub profiles: Option<Vec<Profile>>,
    /// What its rules see of the world.
    pub world: World,
    /// Are republished messages fed back?
    pub chain: bool,
    /// What happens, and what must come of it.
    pub steps: Vec<Step>,
    /// A capture that is replayed instead of steps.
    pub capture: Option<Capture>,
}

/// A rule's name and where it is written.
#[derive(Clone, Debug)]
pub struct Name {
    /// The rule's id.
    pub name: String,
    /// Where.
    pub span: Span,
}

/// The world of a test.
#[derive(Clone, Debug)]
pub struct World {
    /// The time at which it starts, in nanoseconds since the Unix epoch.
    pub clock_ns: i128,
    /// Offset of the zone `local`, in seconds.
    pub zone_offset_seconds: i32,
    /// Seed of random numbers and message ids.
    pub seed: u64,
    /// What `getenv` sees.
    pub env: BTreeMap<String, String>,
    /// What `kv_store_get` sees.
    pub kv: Map,
}

/// When tests happen unless they say: 2026-01-01T00:00:00Z, a time that looks like one.
pub const DEFAULT_CLOCK_NS: i128 = 1_767_225_600_000_000_000;

impl Default for World {
    fn default() -> World {
        World {
            clock_ns: DEFAULT_CLOCK_NS,
            zone_offset_seconds: 0,
            seed: 0,
            env: BTreeMap::new(),
            kv: Map::new(),
        }
    }
}

/// One step of a test.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it stands.
    pub span: Span,
    /// When.
    pub when: When,
    /// What comes; `None` for a step that only looks.
    pub given: Option<Given>,
    /// How servers answer.
    pub faults: Vec<Faults>,
    /// What must come of it.
    pub expect: Option<Expect>,
}

/// When a step happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At once.
    Now,
    /// So many milliseconds after the test's start.
    At(u64),
    /// So many milliseconds after the last step.
    Advance(u64),
}

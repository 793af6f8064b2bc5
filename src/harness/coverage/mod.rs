//! Coverage of rules by tests: which ways of a rule no test goes.
//!
//! A rule's [`Entry`]s are the places where it can go one way or another, made from its syntax tree and its actions'
//! templates: each FROM filter; each atom of WHERE and INCASE, which may be true, false, or look at something
//! undefined; WHERE and INCASE as a whole, where they are more than one atom; each arm of CASE; FOREACH over nothing,
//! one item and more; each action, and each `${…}` of its templates. [`Hits`] are what the traces of a run say.
//!
//! Invariant: a way that counts can be gone. What the message always has (`topic`, `qos`) is never asked to be
//! undefined, a constant is never asked to change, and a disabled rule or action is not asked for anything.

mod action;
mod condition;
mod excerpt;
mod hits;
mod html;
mod json;
mod lcov;
mod presence;
mod sample;
mod spot;
mod summary;
mod text;

pub use hits::Hits;
pub use html::html;
pub use json::json;
pub use lcov::lcov;
pub use sample::Sample;
pub use spot::{Entry, Spot, Way};
pub use summary::{Count, Coverage, Covered, RuleCoverage, Taken};
pub use text::{blocks, table};

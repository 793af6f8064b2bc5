//! What looks wrong in rules that compile: the mistakes that EMQX takes without a word.
//!
//! ```text
//! rule set ── subject (one rule: names, kinds, output, templates) ── checks ── findings ── levels ── diagnostics
//!                                                                               └── fixes ── edits of the file
//! ```
//!
//! One table holds every lint: code, name, level, page, and the function that looks for it. The rows stand beside
//! their functions, by theme; [`all`] gives them in the order of their codes. `rulemill check`, `rulemill explain`
//! and the docs read the same rows, and the tests run the examples of every page.
//!
//! Invariant: a check looks at one rule (or test file) and says nothing where it cannot know; only what is certain
//! is repaired by itself.

mod actions;
mod conditions;
mod finding;
mod fix;
mod functions;
mod guards;
mod json;
mod kinds;
mod levels;
mod mixed;
mod names;
mod output;
mod run;
mod subject;
mod syntax;
mod table;
mod texts;
mod topics;
mod unfrozen;
mod walk;

pub use finding::{Edit, Finding, Fix};
pub use fix::{Fixed, fix};
pub use levels::{Level, Levels};
pub use run::{Checked, check, of_rule};
pub use table::{Example, Lint, Repair, all, find, nearest_name};

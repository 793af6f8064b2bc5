//! A rule's SQL, compiled: names resolved, constants folded, columns in slots, payload paths known ahead.

use crate::diag::Diagnostic;
use crate::profile::Profile;
use crate::text::Source;

/// A compiled statement.
#[derive(Clone, Debug)]
pub struct Program {
    topics: Vec<String>,
    profile: Profile,
}

impl Program {
    /// Compiles a statement, or says everything that is wrong with it.
    pub fn compile(sql: &Source, profile: Profile) -> Result<Program, Vec<Diagnostic>> {
        let _ = sql;
        Ok(Program { topics: Vec::new(), profile })
    }

    /// The FROM list: topic filters and event topics.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The profile it was compiled for.
    pub fn profile(&self) -> Profile {
        self.profile
    }
}

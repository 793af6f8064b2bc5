//! How much one decoding may make: bytes can claim billions of items that take no bytes themselves.

use super::Failure;
use crate::limits;

/// What is left to make, and how deep it may go.
#[derive(Debug)]
pub(super) struct Budget {
    values: usize,
    depth: usize,
}

impl Budget {
    pub(super) fn new() -> Budget {
        Budget { values: limits::SCHEMA_VALUES_MAX, depth: limits::SCHEMA_DEPTH_MAX }
    }

    /// One more value.
    pub(super) fn value(&mut self) -> Result<(), Failure> {
        self.values = self.values.checked_sub(1).ok_or_else(|| {
            Failure::error(format!(
                "the data holds more than rulemill's limit of {} values",
                limits::SCHEMA_VALUES_MAX
            ))
        })?;
        Ok(())
    }

    /// One level down; [`Budget::leave`] goes up again.
    pub(super) fn enter(&mut self) -> Result<(), Failure> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| {
            Failure::error(format!(
                "the data is nested deeper than rulemill's limit of {} levels",
                limits::SCHEMA_DEPTH_MAX
            ))
        })?;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth += 1;
    }
}

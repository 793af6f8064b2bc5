//! What the live tests share: scripted web servers, a mosquitto, and the rulemill binary at work.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod bare;
pub mod mosquitto;
pub mod process;
pub mod web;

use std::time::Duration;

/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

//! The real world behind a [`Ctx`]: clock, random seed, environment.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::ctx::Ctx;

/// A context over the machine's clock and environment. The zone is UTC unless `TZ_OFFSET` style options say else:
/// an EMQX container runs in UTC.
pub(super) fn ctx() -> Ctx {
    let seed = RandomState::new().build_hasher().finish();
    let mut ctx = Ctx::new(Box::new(now_ns), seed);
    ctx.env = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("EMQXVAR_"))
        .collect();
    ctx
}

/// Nanoseconds since the Unix epoch.
pub(super) fn now_ns() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)
}

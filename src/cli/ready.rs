//! The ready file.

use std::path::Path;

use anyhow::Context;
use serde_json::Value as Json;

/// Writes the file beside its place first, so that nobody reads half of it.
pub(super) fn write(path: &Path, ready: &Json) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let written = std::fs::write(&beside, format!("{ready}\n")).and_then(|()| std::fs::rename(&beside, path));
    written.with_context(|| format!("cannot write the ready file {}", path.display()))
}

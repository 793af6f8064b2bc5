//! The builtins of jq 1.6 that are not jq themselves: one row each, bodies by family.
//!
//! Invariant: a body spends steps for what it reads and refuses what would grow past the bounds.

mod arithmetic;
mod collection;
mod convert;
mod date;
mod format;
mod math;
pub(super) mod regex;
mod strftime;
mod string;
mod strptime;
mod system;

use super::throw::Answer;
use super::value::{List, Val};
use regex::Patterns;

/// A builtin: the input comes first, then the arguments.
pub(super) type Body = fn(&mut Host, &mut [Val]) -> Answer;

/// A builtin by name.
pub(super) struct Row {
    pub name: &'static str,
    /// Arguments besides the input.
    pub args: usize,
    pub body: Body,
}

const fn row(name: &'static str, args: usize, body: Body) -> Row {
    Row { name, args, body }
}

/// All families.
const FAMILIES: [&[Row]; 8] = [
    arithmetic::ROWS,
    collection::ROWS,
    convert::ROWS,
    date::ROWS,
    math::ROWS,
    regex::ROWS,
    string::ROWS,
    system::ROWS,
];

/// All rows.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.into_iter().flatten()
}

/// The builtin of this name and number of arguments.
pub(super) fn find(name: &str, args: usize) -> Option<&'static Row> {
    rows().find(|row| row.name == name && row.args == args)
}

/// What the builtins see besides their arguments: the world, and the path that is being followed.
pub(super) struct Host {
    /// Seconds since the Unix epoch.
    pub now: f64,
    /// Seconds east of UTC.
    pub zone_offset: i32,
    /// The path so far, an array; null where none is followed.
    pub path: Val,
    /// The value at that path.
    pub value_at_path: Val,
    /// How many expressions beside the path are running.
    pub below: u32,
    /// Compiled patterns.
    pub patterns: Patterns,
}

impl Host {
    /// A world at this time.
    pub(super) fn new(now: f64, zone_offset: i32, patterns: Patterns) -> Host {
        Host { now, zone_offset, path: Val::Null, value_at_path: Val::Null, below: 0, patterns }
    }

    fn following(&self) -> bool {
        self.below == 0 && matches!(self.path, Val::Arr(_))
    }

    /// Is this the value at the end of the path, where one is followed?
    pub(super) fn on_path(&self, value: &Val) -> bool {
        !self.following() || value.identical(&self.value_at_path)
    }

    /// Follows the path one key on.
    pub(super) fn follow(&mut self, key: Val, value: &Val) {
        if self.following() {
            self.extend([key], value);
        }
    }

    /// Follows the path by many keys, if the value they start from is at its end.
    fn follow_all(&mut self, from: &Val, keys: &[Val], value: &Val) {
        if self.following() && from.identical(&self.value_at_path) {
            self.extend(keys.iter().cloned(), value);
        }
    }

    fn extend(&mut self, keys: impl IntoIterator<Item = Val>, value: &Val) {
        if let Val::Arr(path) = std::mem::replace(&mut self.path, Val::Null) {
            self.path = Val::Arr(List::edit(path, |path| path.extend(keys)));
        }
        self.value_at_path = value.clone();
    }

    /// How long the path is.
    pub(super) fn path_length(&self) -> usize {
        self.path.as_list().map_or(0, <[Val]>::len)
    }

    /// Goes back to a path of this length.
    pub(super) fn cut_path(&mut self, length: usize) {
        if self.path_length() > length
            && let Val::Arr(path) = std::mem::replace(&mut self.path, Val::Null)
        {
            self.path = Val::Arr(List::edit(path, |path| path.truncate(length)));
        }
    }
}

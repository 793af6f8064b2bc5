//! Which EMQX is emulated.

use std::fmt;
use std::str::FromStr;

/// The engine whose behaviour counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// EMQX 4.3.22.
    V4_3,
    /// EMQX 5.8.9.
    #[default]
    V5_8,
}

impl Profile {
    /// All profiles, oldest first.
    pub const ALL: [Profile; 2] = [Profile::V4_3, Profile::V5_8];

    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Profile::V4_3 => "4.3",
            Profile::V5_8 => "5.8",
        }
    }

    /// Is it 5.8?
    pub fn is_5_8(self) -> bool {
        self == Profile::V5_8
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Profile, String> {
        let found = Profile::ALL.into_iter().find(|p| p.name() == name);
        found.ok_or_else(|| format!("unknown EMQX profile '{name}'; write 5.8 or 4.3"))
    }
}

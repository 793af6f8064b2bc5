//! What a table row is, and how rows are found.

use std::collections::HashMap;
use std::sync::LazyLock;

use thiserror::Error;

use super::args;
use crate::ctx::Ctx;
use crate::profile::Profile;
use crate::value::{Map, Value};

/// What a call sees besides its arguments.
pub struct Call<'a> {
    /// The outer world.
    pub ctx: &'a mut Ctx,
    /// The columns, where the engine hands them to column functions (`topic()`, `qos()`, …): always under 4.3, only
    /// in conditions under 5.8 (emqx_rule_runtime:do_apply_func).
    pub columns: Option<&'a Map>,
    /// Whose behaviour counts.
    pub profile: Profile,
}

/// The body of a function.
pub type Body = fn(&mut Call<'_>, &[Value]) -> Result<Value, FnError>;

/// Why a call failed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum FnError {
    /// An argument (counted from 1) is not what the function takes.
    #[error("argument {index} must be {wanted}, not {got}")]
    Argument {
        /// Position from 1.
        index: usize,
        /// What would do.
        wanted: String,
        /// What it was, shortened.
        got: String,
    },
    /// Anything else, as a sentence fragment.
    #[error("{0}")]
    Failed(String),
}

impl FnError {
    /// A failure with this reason.
    pub fn failed(reason: impl Into<String>) -> FnError {
        FnError::Failed(reason.into())
    }

    /// Argument `index` (from 1) is `got` instead of `wanted`.
    pub fn argument(index: usize, wanted: impl Into<String>, got: &Value) -> FnError {
        FnError::Argument { index, wanted: wanted.into(), got: args::show(got) }
    }
}

/// A set of value kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(pub u16);

impl Kinds {
    /// The atom undefined.
    pub const UNDEFINED: Kinds = Kinds(1);
    /// The atom null.
    pub const NULL: Kinds = Kinds(2);
    /// true and false.
    pub const BOOL: Kinds = Kinds(4);
    /// Integers.
    pub const INT: Kinds = Kinds(8);
    /// Floats.
    pub const FLOAT: Kinds = Kinds(16);
    /// Other atoms.
    pub const OTHER_ATOM: Kinds = Kinds(32);
    /// Strings.
    pub const STR: Kinds = Kinds(64);
    /// Bit strings that are no whole bytes.
    pub const BITS: Kinds = Kinds(128);
    /// Lists.
    pub const LIST: Kinds = Kinds(256);
    /// Maps.
    pub const MAP: Kinds = Kinds(512);
    /// Tuples.
    pub const TUPLE: Kinds = Kinds(1024);
    /// Integers and floats.
    pub const NUM: Kinds = Kinds(8 | 16);
    /// Any atom.
    pub const ATOM: Kinds = Kinds(1 | 2 | 4 | 32);
    /// Strings and bit strings.
    pub const BITSTRING: Kinds = Kinds(64 | 128);
    /// Anything.
    pub const ANY: Kinds = Kinds(2047);

    /// Either.
    pub const fn or(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// Does the set hold the kind of this value?
    pub fn holds(self, value: &Value) -> bool {
        self.0 & Kinds::of(value).0 != 0
    }

    /// The kind of a value.
    pub fn of(value: &Value) -> Kinds {
        match value {
            Value::Undefined => Kinds::UNDEFINED,
            Value::Null => Kinds::NULL,
            Value::Bool(_) => Kinds::BOOL,
            Value::Int(_) | Value::Big(_) => Kinds::INT,
            Value::Float(_) => Kinds::FLOAT,
            Value::Atom(_) => Kinds::OTHER_ATOM,
            Value::Str(_) => Kinds::STR,
            Value::Bits(_) => Kinds::BITS,
            Value::Tuple(_) => Kinds::TUPLE,
            Value::List(_) => Kinds::LIST,
            Value::Map(_) => Kinds::MAP,
        }
    }

    /// The kinds of the set by their names, for programs.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (Kinds::UNDEFINED, "undefined"),
            (Kinds::NULL, "null"),
            (Kinds::BOOL, "boolean"),
            (Kinds::INT, "integer"),
            (Kinds::FLOAT, "float"),
            (Kinds::OTHER_ATOM, "atom"),
            (Kinds::STR, "string"),
            (Kinds::BITS, "bits"),
            (Kinds::LIST, "list"),
            (Kinds::MAP, "map"),
            (Kinds::TUPLE, "tuple"),
        ];
        all.into_iter().filter(|(kind, _)| self.0 & kind.0 != 0).map(|(_, name)| name).collect()
    }

    /// The words for the set: "a string or a list".
    pub fn describe(self) -> String {
        if self == Kinds::ANY {
            return "any value".to_owned();
        }
        let groups = [
            (Kinds::NUM, "a number"),
            (Kinds::ATOM, "an atom"),
            (Kinds::BITSTRING, "a bit string"),
            (Kinds::INT, "an integer"),
            (Kinds::FLOAT, "a float"),
            (Kinds::STR, "a string"),
            (Kinds::BITS, "a bit string"),
            (Kinds::BOOL, "a boolean"),
            (Kinds::NULL, "null"),
            (Kinds::UNDEFINED, "undefined"),
            (Kinds::OTHER_ATOM, "an atom"),
            (Kinds::LIST, "a list"),
            (Kinds::MAP, "a map"),
            (Kinds::TUPLE, "a tuple"),
        ];
        let mut left = self.0;
        let mut words = Vec::new();
        for (kinds, word) in groups {
            if left & kinds.0 == kinds.0 {
                left &= !kinds.0;
                words.push(word);
            }
        }
        match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => "nothing".to_owned(),
        }
    }
}

/// Where a function's answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purity {
    /// Only from its arguments.
    Pure,
    /// From the message.
    ReadsMessage,
    /// From the clock or the zone.
    ReadsClock,
    /// From random numbers.
    ReadsRandom,
    /// From the environment.
    ReadsEnvironment,
    /// From a store that outlives the message.
    KeepsState,
    /// From the schemas of the rule files.
    ReadsSchemas,
}

impl Purity {
    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Purity::Pure => "pure",
            Purity::ReadsMessage => "reads_message",
            Purity::ReadsClock => "reads_clock",
            Purity::ReadsRandom => "reads_random",
            Purity::ReadsEnvironment => "reads_environment",
            Purity::KeepsState => "keeps_state",
            Purity::ReadsSchemas => "reads_schemas",
        }
    }

    /// What it means, behind "its answer comes".
    pub fn describe(self) -> &'static str {
        match self {
            Purity::Pure => "from its arguments alone",
            Purity::ReadsMessage => "from the message",
            Purity::ReadsClock => "from the clock or the zone",
            Purity::ReadsRandom => "from random numbers",
            Purity::ReadsEnvironment => "from the environment",
            Purity::KeepsState => "from a store that outlives the message",
            Purity::ReadsSchemas => "from its arguments and the schemas of the rule files",
        }
    }
}

/// Which profiles have a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profiles {
    /// Both.
    Both,
    /// EMQX 5.8 only.
    Only5,
    /// EMQX 4.3 only.
    Only4,
}

impl Profiles {
    /// The profiles, oldest first.
    pub fn list(self) -> impl Iterator<Item = Profile> {
        Profile::ALL.into_iter().filter(move |profile| self.has(*profile))
    }

    /// Is this profile one of them?
    pub fn has(self, profile: Profile) -> bool {
        match self {
            Profiles::Both => true,
            Profiles::Only5 => profile == Profile::V5_8,
            Profiles::Only4 => profile == Profile::V4_3,
        }
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name in signatures.
    pub name: &'static str,
    /// What it takes. A call with another kind fails before the body runs.
    pub kinds: Kinds,
}

/// One example, run by the tests: an expression and its value as JSON, or a part of its failure.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The SQL expression.
    pub sql: &'static str,
    /// `Ok(json)` or `Err(part of the message)`.
    pub gives: Result<&'static str, &'static str>,
}

/// One row: a function of one name and arity.
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Its family, as EMQX's documentation groups functions.
    pub family: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Takes any number of further arguments of the last parameter's kinds (only `sprintf`).
    pub variadic: bool,
    /// What it gives.
    pub ret: Kinds,
    /// What it does; the first line is the summary.
    pub doc: &'static str,
    /// Runnable examples, one of them a failure where one is possible.
    pub examples: &'static [Example],
    /// Where the answer comes from.
    pub purity: Purity,
    /// Who has it.
    pub profiles: Profiles,
    /// The body.
    pub call: Body,
}

impl Builtin {
    /// `abs(x)`; an operator between its operands, `a + b`.
    pub fn short_signature(&self) -> String {
        let params: Vec<&str> = self.params.iter().map(|p| p.name).collect();
        if self.is_operator() {
            return params.join(&format!(" {} ", self.name));
        }
        let more = if self.variadic { ", …" } else { "" };
        format!("{}({}{more})", self.name, params.join(", "))
    }

    /// What it does, in a sentence.
    pub fn summary(&self) -> &'static str {
        let line = self.doc.lines().next().unwrap_or_default();
        let next = line.match_indices(". ").find(|(at, _)| line[at + 2..].starts_with(char::is_uppercase));
        next.map_or(line, |(at, _)| &line[..=at])
    }

    /// Is it written between its operands?
    pub fn is_operator(&self) -> bool {
        !self.name.starts_with(|c: char| c.is_ascii_alphabetic())
    }

    /// `abs(x: an integer) -> an integer`; `a + b -> a number, a: a number, b: a number`.
    pub fn signature(&self) -> String {
        let params: Vec<String> =
            self.params.iter().map(|p| format!("{}: {}", p.name, p.kinds.describe())).collect();
        if self.is_operator() {
            return format!("{} -> {}, {}", self.short_signature(), self.ret.describe(), params.join(", "));
        }
        let more = if self.variadic { ", …" } else { "" };
        format!("{}({}{more}) -> {}", self.name, params.join(", "), self.ret.describe())
    }

    /// Checks the kinds of the arguments and runs the body.
    pub fn run(&self, call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
        let last = self.params.last();
        for (at, arg) in args.iter().enumerate() {
            let Some(param) = self.params.get(at).or(last) else { continue };
            if !param.kinds.holds(arg) {
                return Err(FnError::argument(at + 1, param.kinds.describe(), arg));
            }
        }
        let answer = (self.call)(call, args)?;
        if let Value::Str(text) = &answer {
            args::within_text(text.len())?;
        }
        Ok(answer)
    }

    fn takes(&self, arity: usize) -> bool {
        self.params.len() == arity || (self.variadic && arity > self.params.len())
    }
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.name, self.params.len())
    }
}

/// Writes the rows of a family: name, parameters with their kinds, the answer's kinds, purity, profiles, body,
/// documentation and examples.
///
/// ```text
/// builtins! { pub(super) ROWS, "math":
///     "abs"(x: INT) -> INT, Pure, Both => abs,
///         "The absolute value of an integer.",
///         ["abs(-12)" => Ok("12"), "abs(-1.2)" => Err("an integer")];
/// }
/// ```
///
/// A parameter list that ends in `...` makes the row variadic.
macro_rules! builtins {
    ($vis:vis $rows:ident, $family:literal: $($name:literal ($($param:ident: $($kind:ident)|+),* $(; $variadic:tt)?)
        -> $($ret:ident)|+, $purity:ident, $profiles:ident => $body:expr, $doc:literal,
        [$($sql:literal => $gives:expr),+ $(,)?];)+) => {
        #[doc = concat!("The rows of family ", $family, ".")]
        $vis const $rows: &[$crate::func::Builtin] = &[$($crate::func::Builtin {
            name: $name,
            family: $family,
            params: &[$($crate::func::Param {
                name: stringify!($param),
                kinds: $crate::func::Kinds(0 $(| $crate::func::Kinds::$kind.0)+),
            }),*],
            variadic: $crate::func::table::builtins!(@variadic $($variadic)?),
            ret: $crate::func::Kinds(0 $(| $crate::func::Kinds::$ret.0)+),
            doc: $doc,
            examples: &[$($crate::func::Example { sql: $sql, gives: $gives }),+],
            purity: $crate::func::Purity::$purity,
            profiles: $crate::func::Profiles::$profiles,
            call: $body,
        }),+];
    };
    (@variadic) => { false };
    (@variadic $more:tt) => { true };
}
pub(crate) use builtins;

/// All families, in the order the documentation shows them.
pub const FAMILIES: &[&[Builtin]] = &[
    super::message::ROWS,
    super::arith::ROWS,
    super::math::ROWS,
    super::bits::ROWS,
    super::bitseq::ROWS,
    super::convert::ROWS,
    super::types::ROWS,
    super::string::case::ROWS,
    super::string::trim::ROWS,
    super::string::pad::ROWS,
    super::string::search::ROWS,
    super::string::split::ROWS,
    super::string::join::ROWS,
    super::regex::ROWS,
    super::sprintf::ROWS,
    super::string::escape::ROWS,
    super::map::ROWS,
    super::array::ROWS,
    super::hash::ROWS,
    super::zip::ROWS,
    super::encode::ROWS,
    super::date::ROWS,
    super::mongo::ROWS,
    super::random::ROWS,
    super::kv::ROWS,
    super::jq::ROWS,
    super::schema::ROWS,
];

/// The rows by name, so that a lookup costs one hash whatever the size of the table.
static BY_NAME: LazyLock<HashMap<&'static str, Vec<&'static Builtin>>> = LazyLock::new(|| {
    let mut index: HashMap<_, Vec<_>> = HashMap::with_capacity(256);
    for row in all() {
        index.entry(row.name).or_default().push(row);
    }
    index
});

/// Every row.
pub fn all() -> impl Iterator<Item = &'static Builtin> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The row of a name and arity in a profile.
pub fn find(name: &str, arity: usize, profile: Profile) -> Option<&'static Builtin> {
    named(name).find(|f| f.takes(arity) && f.profiles.has(profile))
}

/// The rows of a name, of any arity and profile.
pub fn named(name: &str) -> impl Iterator<Item = &'static Builtin> {
    BY_NAME.get(name).into_iter().flatten().copied()
}

//! A rule's SQL, compiled: names resolved, columns in slots, payload paths known ahead.
//!
//! What a name stands for depends on the clause and the profile (aliases seen by later fields, by WHERE, by DO). All
//! of that is settled here as far as it can be known from the statement; what depends on the message is left to
//! `Kind::Var` and `Kind::Path`, which look the name up as EMQX does.
//!
//! Invariant: running a program never fails because of its form; what EMQX refuses only at run time is a
//! `Kind::Fails` that fails at run time.

mod compile;
mod lean;
mod node;
mod resolve;
mod unknown;

use std::sync::Arc;

use crate::diag::{Diagnostic, Severity};
use crate::func::Builtin;
use crate::profile::Profile;
use crate::sql::ast::{ArithOp, CompareOp, Statement};
use crate::text::{Source, Span};
use crate::value::decode::Want;
use crate::value::path::Step;
use crate::value::{Bytes, Value};

/// A compiled statement.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) inner: Arc<Compiled>,
}

/// What a [`Program`] shares between its clones.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub source: Source,
    pub statement: Statement,
    pub profile: Profile,
    pub topics: Vec<String>,
    /// Names of the columns that are read through slots.
    pub columns: Vec<Bytes>,
    /// The parts of the payload that are read, when all of them are known.
    pub want: Want,
    pub payload_slots: usize,
    pub body: Body,
    /// What will fail whenever it is reached, and what looks wrong.
    pub problems: Vec<Diagnostic>,
}

#[derive(Debug)]
pub(crate) enum Body {
    Select {
        list: SelectList,
        filter: Node,
        /// WHERE looks at the output as a map.
        filter_reads_output: bool,
    },
    Foreach {
        fields: Vec<(Node, Alias)>,
        collection: Collection,
        doeach: Option<SelectList>,
        incase: Node,
        filter: Node,
        /// The items are rows of the parts that are read.
        lean: bool,
    },
}

/// The name under which FOREACH items stand in DO and INCASE.
#[derive(Debug)]
pub(crate) enum Collection {
    /// No alias: the atom `item`.
    Item,
    /// The alias of the last field.
    Named(Bytes),
    /// The last alias is a path: EMQX uses the path term as key, which no name reaches and no JSON holds.
    Unreachable,
}

/// A SELECT or DO list.
#[derive(Debug)]
pub(crate) enum SelectList {
    /// Every field has a name of its own, known ahead.
    Plain(Arc<PlainList>),
    /// Anything else: the output is built field by field, as EMQX does it.
    General(Vec<General>),
}

/// A list whose names are all known ahead.
#[derive(Debug)]
pub(crate) struct PlainList {
    pub fields: Vec<Node>,
    /// Sorted by name.
    pub output: Vec<Output>,
}

/// One name of a plain output.
#[derive(Debug)]
pub(crate) struct Output {
    pub field: usize,
    pub key: Value,
    /// Keys below it, for `AS a.b.c`.
    pub below: Vec<Bytes>,
    /// The keys as JSON: `"a":{"b":`.
    pub json_key: Vec<u8>,
}

#[derive(Debug)]
pub(crate) enum General {
    Star,
    Field(Node, Alias),
}

/// Where a field's value is put.
#[derive(Clone, Debug)]
pub(crate) enum Alias {
    /// A path of at least one key; `steps` is the rest.
    Path { head: Bytes, steps: Vec<Step> },
    /// An unaliased `payload.…` path: under the atom `payload` when there is such a column, else under the string
    /// (emqx_rule_runtime:handle_path_alias).
    PayloadPath { steps: Vec<Step> },
    /// A name that EMQX makes up from kind, detail and time: `_v_op_'+'_1650000000000000000`.
    Ephemeral { kind: &'static str, detail: String },
    /// EMQX has no name for it and fails.
    Fails(Box<Failure>),
}

/// A failure that is certain when it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
}

/// An expression or condition.
#[derive(Debug)]
pub(crate) struct Node {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Const(Value),
    /// A column that nothing shadows.
    Column(usize),
    /// A part of the payload, decoded on the way to it.
    Payload(usize),
    /// The value of a field of the plain list at hand.
    Selected(usize),
    /// The FOREACH item.
    Item,
    /// A part of the item, where only parts are made.
    ItemPart(usize),
    /// The first, or the second where the first is undefined.
    OrElse(Box<Node>, Box<Node>),
    /// Constant steps from a value.
    Walk(Box<Node>, Vec<Step>),
    /// A name, looked up in all that the clause sees.
    Var(Bytes),
    /// A path, looked up in all that the clause sees.
    Path(Bytes, Vec<Step>),
    Range(Value, Value),
    Slice(Box<Node>, Value, Value),
    List(Vec<Node>),
    Negate(Box<Node>),
    Arith(ArithOp, Box<Node>, Box<Node>),
    Compare(CompareOp, Box<Node>, Box<Node>),
    Case {
        arms: Vec<(Node, Node)>,
        otherwise: Option<Box<Node>>,
    },
    Switch {
        on: Box<Node>,
        arms: Vec<(Node, Node)>,
        otherwise: Option<Box<Node>>,
    },
    Call {
        builtin: &'static Builtin,
        args: Vec<Node>,
    },
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    In(Box<Node>, Vec<Node>),
    Fails(Box<Failure>),
}

impl Program {
    /// Compiles a statement, or says everything that is wrong with its syntax.
    pub fn compile(sql: &Source, profile: Profile) -> Result<Program, Vec<Diagnostic>> {
        let (statement, problems) = crate::sql::parse(sql.text(), profile);
        let problems: Vec<Diagnostic> = problems.into_iter().map(|p| p.in_source(sql)).collect();
        match statement {
            Some(statement) => {
                let inner = Arc::new(compile::compile(sql.clone(), statement, profile, problems));
                Ok(Program { inner })
            }
            None => Err(problems),
        }
    }

    /// The FROM list: topic filters and event topics.
    pub fn topics(&self) -> &[String] {
        &self.inner.topics
    }

    /// The profile it was compiled for.
    pub fn profile(&self) -> Profile {
        self.inner.profile
    }

    /// The statement as parsed.
    pub fn statement(&self) -> &Statement {
        &self.inner.statement
    }

    /// The statement's text.
    pub fn source(&self) -> &Source {
        &self.inner.source
    }

    /// What fails whenever it is reached (errors: EMQX would take the rule all the same), and what looks wrong.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.inner.problems
    }

    /// Is anything certain to fail when it is reached?
    pub fn has_errors(&self) -> bool {
        self.problems().iter().any(|p| p.severity == Severity::Error)
    }
}

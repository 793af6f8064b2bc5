//! The syntax tree of a jq program.
//!
//! Invariant: its depth is bounded by the parser; chains of operators and of path parts are flat.

use super::literal::Literal;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ast {
    /// `.`
    Identity,
    /// `..`
    Recurse,
    Literal(Literal),
    /// `$name`
    Var(String),
    /// `break $name`
    Break(String),
    /// `name(a; b)`
    Call(String, Vec<Ast>),
    /// `@base64`
    Format(String),
    /// `"a\(b)c"`, with the name of its format.
    Interpolated(String, Vec<Piece>),
    /// `[f]`
    Collect(Box<Ast>),
    /// `{…}`
    Object(Vec<Entry>),
    /// A term and what is taken out of it: `.a[0][]?`.
    Path(Box<Ast>, Vec<Part>),
    /// `-f`
    Negate(Box<Ast>),
    /// `f | g | …`
    Pipe(Vec<Ast>),
    /// Operators of one rank that bind to the left: `1 + 2 - 3`, `a, b`, `a or b`.
    Chain(Box<Ast>, Vec<(Operator, Ast)>),
    /// `f // g`
    Alternative(Box<Ast>, Box<Ast>),
    /// `f = g`, `f |= g`, `f += g`, `f //= g`
    Assign(Box<Ast>, Assign, Box<Ast>),
    /// `try f catch g`, `f?`
    Try(Box<Ast>, Option<Box<Ast>>),
    /// `if f then g else h end`
    If(Box<Ast>, Box<Ast>, Box<Ast>),
    /// `f as $x ?// [$y] | g`
    Bind(Box<Ast>, Vec<Pattern>, Box<Ast>),
    /// `reduce f as $x (init; update)`
    Reduce(Box<Ast>, Vec<Pattern>, Box<Ast>, Box<Ast>),
    /// `foreach f as $x (init; update; extract)`
    Foreach(Box<Ast>, Vec<Pattern>, Box<Ast>, Box<Ast>, Box<Ast>),
    /// `label $x | f`
    Label(String, Box<Ast>),
    /// `def f: g; h`
    Def(Box<Def>, Box<Ast>),
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Value(Ast),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub key: Ast,
    /// Nothing for `{"name"}`: the input's member of that name.
    pub value: Option<Ast>,
}

/// One step of a path; the flag is the `?` behind it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Index(Ast, bool),
    Slice(Ast, Ast, bool),
    Each(bool),
}

/// An operator of a [`Ast::Chain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Comma,
    Or,
    And,
    /// One that a builtin does.
    Math(Math),
}

/// An operator that a builtin does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Math {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Math {
    /// The builtin's name.
    pub(super) fn builtin(self) -> &'static str {
        match self {
            Math::Add => "_plus",
            Math::Sub => "_minus",
            Math::Mul => "_multiply",
            Math::Div => "_divide",
            Math::Rem => "_mod",
            Math::Equal => "_equal",
            Math::NotEqual => "_notequal",
            Math::Less => "_less",
            Math::LessEqual => "_lesseq",
            Math::Greater => "_greater",
            Math::GreaterEqual => "_greatereq",
        }
    }
}

/// An assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assign {
    Set,
    Update,
    Math(Math),
    Alternative,
}

/// What a value is bound to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pattern {
    Var(String),
    Array(Vec<Pattern>),
    Object(Vec<Member>),
}

/// `$name`, `$name: pattern` or `key: pattern` of an object pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub key: Ast,
    /// The variable that `$name` binds as well.
    pub var: Option<String>,
    pub pattern: Option<Pattern>,
}

/// A definition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Def {
    pub name: String,
    pub params: Vec<Param>,
    pub body: Ast,
}

/// A parameter: `f`, or `$x`, which is a function and a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Param {
    pub name: String,
    pub var: bool,
}

//! The syntax tree.
//!
//! Two trees are equal when they mean the same text, wherever it stands: spans do not count.

use crate::text::Span;
use crate::value::Value;

/// A span that does not count when trees are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct At(pub Span);

impl PartialEq for At {
    fn eq(&self, _: &At) -> bool {
        true
    }
}

/// A whole statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// `FOREACH` instead of `SELECT`.
    pub foreach: bool,
    /// The list after SELECT or FOREACH.
    pub fields: Vec<Field>,
    /// The list after DO.
    pub doeach: Option<Vec<Field>>,
    /// The condition after INCASE.
    pub incase: Option<Expr>,
    /// The list after FROM.
    pub from: Vec<Topic>,
    /// The condition after WHERE.
    pub filter: Option<Expr>,
}

/// One item of a SELECT, FOREACH or DO list.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all items are the large one")]
pub enum Field {
    /// `*`.
    Star(At),
    /// `expr [AS alias]`.
    Expr(Expr, Option<Path>),
}

/// One item of the FROM list.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// The topic filter or event topic, without quotes.
    pub name: String,
    /// How it was written.
    pub style: Style,
    /// Where.
    pub at: At,
}

/// How a name was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Bare,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
}

/// A name in a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The name, without quotes.
    pub text: String,
    /// How it was written.
    pub style: Style,
    /// Where.
    pub at: At,
}

/// `a.b[1].'c d'`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The first name.
    pub head: Name,
    /// What follows.
    pub steps: Vec<PathStep>,
    /// Where the whole path stands.
    pub at: At,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum PathStep {
    /// `.name`.
    Key(Name),
    /// `[…]`.
    Index(PathIndex, At),
}

/// What stands between the brackets.
#[derive(Clone, Debug, PartialEq)]
pub enum PathIndex {
    /// A number; `[0]` is [`PathIndex::Head`].
    Const(i64),
    /// `[0]`.
    Head,
    /// `[-0]`.
    Tail,
    /// A variable.
    Path(Path),
}

/// An expression or condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub at: At,
}

impl Expr {
    /// An expression at a place.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr { kind, at: At(span) }
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        self.at.0
    }

    /// The expressions directly below.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Const(_) | ExprKind::Path(_) | ExprKind::Range(..) | ExprKind::Slice(..) => Vec::new(),
            ExprKind::List(items) | ExprKind::Call(_, items) => items.iter().collect(),
            ExprKind::Unary(_, inner) | ExprKind::Not(inner) | ExprKind::Aliased(inner, _) => vec![inner],
            ExprKind::Arith(_, left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right) => vec![left, right],
            ExprKind::In { value, list, .. } => std::iter::once(&**value).chain(list).collect(),
            ExprKind::Case { on, arms, otherwise } => {
                let arms = arms.iter().flat_map(|(when, then)| [when, then]);
                on.as_deref().into_iter().chain(arms).chain(otherwise.as_deref()).collect()
            }
        }
    }

    /// Calls `see` with the expression and every one below it, outer ones first. Recursion is bounded by the
    /// parser's bound on nesting.
    pub fn each<'a>(&'a self, see: &mut dyn FnMut(&'a Expr)) {
        see(self);
        self.children().into_iter().for_each(|child| child.each(see));
    }
}

impl Statement {
    /// Calls `see` with every expression.
    pub fn each<'a>(&'a self, see: &mut dyn FnMut(&'a Expr)) {
        let lists = self.fields.iter().chain(self.doeach.iter().flatten());
        let listed = lists.filter_map(|field| match field {
            Field::Star(_) => None,
            Field::Expr(expr, _) => Some(expr),
        });
        listed.chain(&self.incase).chain(&self.filter).for_each(|expr| expr.each(see));
    }
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A string, number, `true` or `false`.
    Const(Value),
    /// A variable or path.
    Path(Path),
    /// `[1..3]`: the list of these integers.
    Range(Value, Value),
    /// `a[1..3]`.
    Slice(Path, Value, Value),
    /// `[a, 1, 'x']`.
    List(Vec<Expr>),
    /// Unary `+` (false) or `-` (true).
    Unary(bool, Box<Expr>),
    /// `+ - * / div mod`.
    Arith(ArithOp, Box<Expr>, Box<Expr>),
    /// A comparison.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `a AND b`.
    And(Box<Expr>, Box<Expr>),
    /// `a OR b`.
    Or(Box<Expr>, Box<Expr>),
    /// `NOT a`.
    Not(Box<Expr>),
    /// `a IN (…)`, negated by `NOT IN`.
    In {
        /// The left side.
        value: Box<Expr>,
        /// The list.
        list: Vec<Expr>,
        /// `NOT IN`.
        negated: bool,
    },
    /// `CASE`.
    Case {
        /// `CASE x WHEN …`.
        on: Option<Box<Expr>>,
        /// `WHEN a THEN b`.
        arms: Vec<(Expr, Expr)>,
        /// `ELSE c`.
        otherwise: Option<Box<Expr>>,
    },
    /// `f(a, b)` or `module.f(a)`.
    Call(Path, Vec<Expr>),
    /// `expr AS name` where only an expression makes sense: the grammar has it, no evaluator does.
    Aliased(Box<Expr>, Path),
}

/// Arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `div`
    IntDivide,
    /// `mod`
    Modulo,
}

impl ArithOp {
    /// All, with their text.
    pub const ALL: [(ArithOp, &'static str); 6] = [
        (ArithOp::Add, "+"),
        (ArithOp::Subtract, "-"),
        (ArithOp::Multiply, "*"),
        (ArithOp::Divide, "/"),
        (ArithOp::IntDivide, "div"),
        (ArithOp::Modulo, "mod"),
    ];

    /// Its text.
    pub fn text(self) -> &'static str {
        ArithOp::ALL.iter().find(|(op, _)| *op == self).map_or("", |(_, text)| text)
    }

    /// Does it bind like `+`?
    pub fn is_additive(self) -> bool {
        matches!(self, ArithOp::Add | ArithOp::Subtract)
    }
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `!=` and `<>`
    NotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    LessOrEqual,
    /// `>=`
    GreaterOrEqual,
    /// `=~`: the topic on the left matches the filter on the right.
    TopicMatch,
    /// `~=`: the grammar has it, no evaluator does.
    Unsupported,
}

impl CompareOp {
    /// All, with their text.
    pub const ALL: [(CompareOp, &'static str); 9] = [
        (CompareOp::Equal, "="),
        (CompareOp::NotEqual, "!="),
        (CompareOp::NotEqual, "<>"),
        (CompareOp::Less, "<"),
        (CompareOp::Greater, ">"),
        (CompareOp::LessOrEqual, "<="),
        (CompareOp::GreaterOrEqual, ">="),
        (CompareOp::TopicMatch, "=~"),
        (CompareOp::Unsupported, "~="),
    ];

    /// Its text.
    pub fn text(self) -> &'static str {
        CompareOp::ALL.iter().find(|(op, _)| *op == self).map_or("", |(_, text)| text)
    }
}

//! Syntax trees to programs.

use std::sync::Arc;

use super::lean::lean;
use super::resolve::{Scope, Slots};
use super::unknown;
use super::{Alias, Body, Collection, Compiled, Failure, General, Kind, Node, Output, PlainList, SelectList};
use crate::diag::Diagnostic;
use crate::func::{self, Purity};
use crate::profile::Profile;
use crate::sql::ast::{Expr, ExprKind, Field, Path, PathIndex, PathStep, Statement, Style};
use crate::text::{Source, Span};
use crate::value::path::{Index, Step};
use crate::value::{Bytes, Value, encode};

pub(super) fn compile(
    source: Source,
    statement: Statement,
    profile: Profile,
    mut problems: Vec<Diagnostic>,
) -> Compiled {
    let mut compiler = Compiler { profile, slots: Slots::default(), problems: Vec::new() };
    let mut body = compiler.body(&statement);
    if compiler.slots.payload_dynamic && compiler.slots.payload > 0 {
        // One way of decoding serves the whole statement: with a path that only the message settles, all are.
        compiler.slots = Slots { payload_dynamic: true, ..Slots::default() };
        compiler.problems.clear();
        body = compiler.body(&statement);
    }
    problems.extend(compiler.problems.into_iter().map(|p| p.in_source(&source)));
    Compiled {
        topics: statement.from.iter().map(|topic| topic.name.clone()).collect(),
        source,
        statement,
        profile,
        columns: compiler.slots.columns,
        want: compiler.slots.want,
        payload_slots: compiler.slots.payload,
        body,
        problems,
    }
}

struct Compiler {
    profile: Profile,
    slots: Slots,
    problems: Vec<Diagnostic>,
}

/// A list compiled, and what WHERE sees above the columns once it has run.
struct List {
    list: SelectList,
    after: Scope,
}

impl Compiler {
    fn body(&mut self, statement: &Statement) -> Body {
        if statement.foreach {
            return self.foreach(statement);
        }
        let List { list, after } = self.list(&statement.fields, &Scope::default());
        let filter = self.filter(statement.filter.as_ref(), &after);
        let filter_reads_output = filter.reads_columns_as_map();
        Body::Select { list, filter, filter_reads_output }
    }

    fn filter(&mut self, condition: Option<&Expr>, scope: &Scope) -> Node {
        match condition {
            Some(condition) => self.condition(condition, scope),
            None => Node { kind: Kind::Const(Value::Bool(true)), span: Span::default() },
        }
    }

    fn foreach(&mut self, statement: &Statement) -> Body {
        let mut scope = Scope::default();
        let mut fields = Vec::new();
        let mut collection = Collection::Item;
        for (at, field) in statement.fields.iter().enumerate() {
            let last = at + 1 == statement.fields.len();
            let Field::Expr(expr, alias) = field else {
                // A star is a term without a name here: eval has no clause for it.
                let span = field_span(field);
                fields.push((fails(span, "E302", "`*` cannot be walked by FOREACH"), Alias::star()));
                scope.all_dynamic = true;
                continue;
            };
            let node = self.expr(expr, &scope);
            let alias_key = self.alias(expr, alias.as_ref());
            if last {
                collection = match alias {
                    None => Collection::Item,
                    Some(path) if path.steps.is_empty() => Collection::Named(bytes(&path.head.text)),
                    Some(_) => Collection::Unreachable,
                };
            }
            match alias_key.head() {
                Some(head) => scope.dynamic.push(head),
                None => scope.all_dynamic |= matches!(alias_key, Alias::Fails(_)),
            }
            fields.push((node, alias_key));
        }
        let filter = self.filter(statement.filter.as_ref(), &scope);
        let mut inner = if self.profile.is_5_8() { scope } else { Scope::default() };
        match &collection {
            Collection::Item => {
                let item = Bytes::from_static(b"item");
                if !inner.dynamic.contains(&item) {
                    inner.item = Some(item);
                }
            }
            Collection::Named(name) => {
                inner.dynamic.retain(|n| n != name);
                inner.item = Some(name.clone());
            }
            Collection::Unreachable => {}
        }
        let mut incase = self.filter(statement.incase.as_ref(), &inner);
        let mut doeach = statement.doeach.as_ref().map(|fields| self.list(fields, &inner).list);
        let lean = match (fields.as_slice(), &mut doeach, &collection) {
            ([(node, _)], Some(SelectList::Plain(list)), Collection::Item | Collection::Named(_))
                if !self.slots.payload_dynamic =>
            {
                Arc::get_mut(list)
                    .is_some_and(|list| lean(node, &filter, &mut incase, list, &mut self.slots.want))
            }
            _ => false,
        };
        Body::Foreach { fields, collection, doeach, incase, filter, lean }
    }

    /// Tries the plain form; a name that only the run can settle makes it general.
    fn list(&mut self, fields: &[Field], outer: &Scope) -> List {
        let (problems, used) = (self.problems.len(), std::mem::take(&mut self.slots.used_dynamic));
        let outer_dynamic = outer.all_dynamic || !outer.dynamic.is_empty();
        if let Some(list) = self.plain_list(fields, outer)
            && (!self.slots.used_dynamic || (outer_dynamic && fields.len() == 1))
        {
            self.slots.used_dynamic |= used;
            return list;
        }
        self.problems.truncate(problems);
        self.slots.used_dynamic = true;
        self.general_list(fields, outer)
    }

    fn plain_list(&mut self, fields: &[Field], outer: &Scope) -> Option<List> {
        let mut scope = Scope { falls_back: self.profile.is_5_8(), ..outer.clone() };
        let mut nodes = Vec::with_capacity(fields.len());
        let mut names: Vec<(Bytes, Vec<Bytes>, usize)> = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let Field::Expr(expr, alias) = field else { return None };
            let Alias::Path { head, steps } = self.alias(expr, alias.as_ref()) else { return None };
            let below: Option<Vec<Bytes>> = steps
                .iter()
                .map(|step| match step {
                    Step::Key(key) => Some(key.clone()),
                    Step::At(_) => None,
                })
                .collect();
            let below = below?;
            let taken = names.iter().any(|(h, b, _)| *h == head && !(b.is_empty() && below.is_empty()));
            if taken || (!below.is_empty() && head.as_ref() == b"payload") {
                return None;
            }
            nodes.push(self.expr(expr, &scope));
            names.retain(|(h, ..)| *h != head);
            if below.is_empty() {
                scope.selected.push((head.clone(), at));
            } else {
                scope.dynamic.push(head.clone());
            }
            names.push((head, below, at));
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let output = names
            .into_iter()
            .map(|(head, below, field)| {
                Some(Output { field, json_key: json_key(&head, &below)?, key: Value::Str(head), below })
            })
            .collect::<Option<Vec<Output>>>()?;
        // WHERE finds a selected name even when it is undefined: the maps are merged.
        let after = Scope { falls_back: false, ..scope };
        Some(List { list: SelectList::Plain(Arc::new(PlainList { fields: nodes, output })), after })
    }

    fn general_list(&mut self, fields: &[Field], outer: &Scope) -> List {
        let mut scope = outer.clone();
        let mut list = Vec::with_capacity(fields.len());
        for field in fields {
            match field {
                Field::Star(_) => list.push(General::Star),
                Field::Expr(expr, alias) => {
                    let node = self.expr(expr, &scope);
                    let alias = self.alias(expr, alias.as_ref());
                    if let Some(head) = alias.head() {
                        scope.dynamic.push(head);
                    }
                    list.push(General::Field(node, alias));
                }
            }
        }
        List { list: SelectList::General(list), after: scope }
    }

    fn alias(&mut self, expr: &Expr, alias: Option<&Path>) -> Alias {
        let path = match (alias, &expr.kind) {
            (Some(path), _) => path,
            (None, ExprKind::Path(path)) => path,
            (None, ExprKind::Slice(path, ..)) => path,
            (None, kind) => return ephemeral(kind),
        };
        let head = bytes(&path.head.text);
        if path.head.style == Style::Bare && is_bool(&path.head.text) {
            let message = format!("`{}` is a constant and cannot name a field", path.head.text);
            return Alias::Fails(Box::new(Failure::new("E303", message).help("quote it: `AS \"true\"`")));
        }
        let steps: Vec<Step> = path.steps.iter().map(step).collect();
        if steps.is_empty() {
            return Alias::Path { head, steps };
        }
        if head.as_ref() == b"payload" {
            self.slots.payload_dynamic = true;
            if alias.is_none() && self.profile.is_5_8() {
                return Alias::PayloadPath { steps };
            }
        }
        Alias::Path { head, steps }
    }

    fn expr(&mut self, expr: &Expr, scope: &Scope) -> Node {
        let span = expr.span();
        let kind = match &expr.kind {
            ExprKind::Const(value) => Kind::Const(value.clone()),
            ExprKind::Path(path) => return self.path(path, scope, span),
            ExprKind::Range(first, last) => Kind::Range(first.clone(), last.clone()),
            ExprKind::Slice(path, first, last) => {
                let base = self.path(path, scope, path.at.0);
                Kind::Slice(Box::new(base), first.clone(), last.clone())
            }
            ExprKind::List(items) => Kind::List(self.exprs(items, scope)),
            ExprKind::Unary(false, inner) => return Node { span, ..self.expr(inner, scope) },
            ExprKind::Unary(true, inner) => Kind::Negate(Box::new(self.expr(inner, scope))),
            ExprKind::Arith(op, left, right) => {
                Kind::Arith(*op, Box::new(self.expr(left, scope)), Box::new(self.expr(right, scope)))
            }
            ExprKind::Compare(op, left, right) => {
                Kind::Compare(*op, Box::new(self.expr(left, scope)), Box::new(self.expr(right, scope)))
            }
            ExprKind::Case { on, arms, otherwise } => {
                return self.case(on.as_deref(), arms, otherwise.as_deref(), scope, span);
            }
            ExprKind::Call(name, args) => return self.call(name, args, scope, span),
            ExprKind::And(..) | ExprKind::Or(..) | ExprKind::Not(_) | ExprKind::In { .. } => {
                return fails(span, "E304", "a condition stands where EMQX evaluates a value, and fails").advise(
                    "EMQX evaluates what follows NOT as a value: write `a != 1 AND b != 2` for `NOT (a = 1 OR b = 2)`, \
                     and `x != 1 AND x != 2` for `x NOT IN (1, 2)`",
                );
            }
            ExprKind::Aliased(..) => {
                return fails(span, "E305", "a name with AS stands where EMQX evaluates a value, and fails")
                    .advise("leave the alias out");
            }
        };
        Node { kind, span }
    }

    fn exprs(&mut self, exprs: &[Expr], scope: &Scope) -> Vec<Node> {
        exprs.iter().map(|expr| self.expr(expr, scope)).collect()
    }

    fn path(&mut self, path: &Path, scope: &Scope, span: Span) -> Node {
        let steps = path.steps.iter().map(step).collect();
        scope.node(&bytes(&path.head.text), steps, span, &mut self.slots)
    }

    fn case(
        &mut self,
        on: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
        scope: &Scope,
        span: Span,
    ) -> Node {
        let otherwise_node = |c: &mut Self| otherwise.map(|expr| Box::new(c.expr(expr, scope)));
        let kind = match on {
            None => {
                let arms =
                    arms.iter().map(|(w, t)| (self.condition(w, scope), self.expr(t, scope))).collect();
                Kind::Case { arms, otherwise: otherwise_node(self) }
            }
            Some(on) => {
                let on = Box::new(self.expr(on, scope));
                let arms = arms.iter().map(|(w, t)| (self.expr(w, scope), self.expr(t, scope))).collect();
                Kind::Switch { on, arms, otherwise: otherwise_node(self) }
            }
        };
        Node { kind, span }
    }

    /// What `match_conditions` has clauses for; anything else fails when it is reached.
    fn condition(&mut self, expr: &Expr, scope: &Scope) -> Node {
        let span = expr.span();
        let kind = match &expr.kind {
            ExprKind::And(left, right) => {
                Kind::And(Box::new(self.condition(left, scope)), Box::new(self.condition(right, scope)))
            }
            ExprKind::Or(left, right) => {
                Kind::Or(Box::new(self.condition(left, scope)), Box::new(self.condition(right, scope)))
            }
            ExprKind::Not(inner) => Kind::Not(Box::new(self.expr(inner, scope))),
            ExprKind::In { value, list, negated: false } => {
                Kind::In(Box::new(self.expr(value, scope)), self.exprs(list, scope))
            }
            ExprKind::In { negated: true, .. } => {
                return fails(span, "E304", "NOT IN always fails in EMQX")
                    .advise("write `x != 1 AND x != 2` for `x NOT IN (1, 2)`");
            }
            ExprKind::Call(..) | ExprKind::Compare(..) => return self.expr(expr, scope),
            ExprKind::Const(Value::Bool(b)) if self.profile.is_5_8() => Kind::Const(Value::Bool(*b)),
            _ => {
                let text = expr.to_string();
                return fails(span, "E306", "a value alone is no condition in EMQX, and fails")
                    .advise(&format!("compare it: `{text} = true`"));
            }
        };
        Node { kind, span }
    }

    fn call(&mut self, path: &Path, args: &[Expr], scope: &Scope, span: Span) -> Node {
        let nodes = self.exprs(args, scope);
        let name = &path.head.text;
        if path.steps.is_empty()
            && let Some(builtin) = func::find(name, args.len(), self.profile)
        {
            if builtin.purity == Purity::ReadsSchemas && !func::schema::BUILT {
                let problem = Diagnostic::error("E105", func::schema::NOT_BUILT);
                self.problems.push(problem.at(path.at.0, ""));
            }
            return Node { kind: Kind::Call { builtin, args: nodes }, span };
        }
        let (failure, problem) = unknown::function(path, args.len(), self.profile);
        self.problems.push(problem.at(path.at.0, ""));
        // The arguments are evaluated first in EMQX; their failure is the same failure of the clause.
        Node { kind: Kind::Fails(Box::new(failure)), span }
    }
}

impl Alias {
    fn star() -> Alias {
        Alias::Fails(Box::new(Failure::new("E302", "`*` has no name here")))
    }

    /// The top-level name it writes, where that is known.
    fn head(&self) -> Option<Bytes> {
        match self {
            Alias::Path { head, .. } => Some(head.clone()),
            Alias::PayloadPath { .. } => Some(Bytes::from_static(b"payload")),
            Alias::Ephemeral { .. } | Alias::Fails(_) => None,
        }
    }
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
}

impl Node {
    fn advise(mut self, help: &str) -> Node {
        if let Kind::Fails(failure) = &mut self.kind {
            failure.help = Some(help.to_owned());
        }
        self
    }
}

fn fails(span: Span, code: &'static str, message: &str) -> Node {
    Node { kind: Kind::Fails(Box::new(Failure::new(code, message))), span }
}

/// `"a":{"b":`; none for a name that no JSON can hold.
fn json_key(head: &Bytes, below: &[Bytes]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for (at, key) in std::iter::once(head).chain(below).enumerate() {
        if at > 0 {
            out.push(b'{');
        }
        encode::write_string(&mut out, key).ok()?;
        out.push(b':');
    }
    Some(out)
}

fn field_span(field: &Field) -> Span {
    match field {
        Field::Star(at) => at.0,
        Field::Expr(expr, _) => expr.span(),
    }
}

/// The names that EMQX makes for fields without one (emqx_rule_runtime:alias).
fn ephemeral(kind: &ExprKind) -> Alias {
    let (kind, detail) = match kind {
        ExprKind::Const(Value::Str(text)) => return Alias::Path { head: text.clone(), steps: Vec::new() },
        ExprKind::Const(value) => ("const", encode::to_display(value)),
        ExprKind::List(items) => ("list", items.len().to_string()),
        ExprKind::Range(first, last) => {
            let text = encode::to_display;
            ("range", format!("{{{},{}}}", text(first), text(last)))
        }
        ExprKind::Arith(op, ..) => ("op", format!("'{}'", op.text())),
        ExprKind::Compare(op, ..) => ("op", format!("'{}'", op.text())),
        ExprKind::Case { .. } => ("case", "<<>>".to_owned()),
        ExprKind::Call(name, _) => ("fun", format!("{{var,<<\"{name}\">>}}")),
        _ => {
            let failure = Failure::new("E303", "EMQX has no name for this field, and fails");
            return Alias::Fails(Box::new(failure.help("give it one: `AS x`")));
        }
    };
    Alias::Ephemeral { kind, detail }
}

fn step(step: &PathStep) -> Step {
    match step {
        PathStep::Key(name) => Step::Key(bytes(&name.text)),
        PathStep::Index(index, _) => Step::At(match index {
            PathIndex::Const(n) => Index::Const(*n),
            PathIndex::Head => Index::Head,
            PathIndex::Tail => Index::Tail,
            PathIndex::Path(path) => {
                let mut steps = vec![Step::Key(bytes(&path.head.text))];
                steps.extend(path.steps.iter().map(self::step));
                Index::Path(steps)
            }
        }),
    }
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn is_bool(text: &str) -> bool {
    text == "true" || text == "false"
}

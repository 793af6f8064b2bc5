//! Why a rule answered as it did: the value of each expression of its SQL, and the keys that were not there.
//!
//! Values come from the trace of a run; the syntax tree says which of them a reader wants to see.

use super::compare::is_secret;
use super::excerpt::Mark;
use super::show;
use crate::ctx::{Run, Step};
use crate::diag::nearest;
use crate::limits;
use crate::rule::Rule;
use crate::sql::ast::{Expr, ExprKind, Field, Path, PathIndex, PathStep, Statement};
use crate::text::Span;
use crate::value::{Map, Value, decode, path};

/// What one run of a rule came to, value by value.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Which message: `steps[1]`, `line 7`; empty where there is one.
    pub label: String,
    /// Values outside of any FOREACH item.
    pub marks: Vec<Mark>,
    /// Values for items, by position.
    pub items: Vec<(usize, Vec<Mark>)>,
    /// Items that are not shown.
    pub items_left_out: usize,
    /// A sentence for each path that led nowhere.
    pub misses: Vec<String>,
}

/// Explains a run; `outputs` are the positions of the outputs that differ, none for all.
pub fn explain(label: &str, rule: &Rule, run: &Run, steps: &[Step], outputs: &[usize]) -> Explanation {
    let statement = rule.program.statement();
    let view = View { rule, statement, columns: &run.columns, steps };
    let mut outer = Walk::default();
    statement.fields.iter().for_each(|field| outer.field(&view, field, None));
    statement.filter.iter().for_each(|filter| outer.expr(&view, filter, None));
    let all = view.items();
    let wanted: Vec<usize> = match outputs {
        [] => all.clone(),
        some => some.iter().filter_map(|output| view.item_of(*output, &all)).collect(),
    };
    let mut items = Vec::new();
    let mut misses = outer.misses;
    for item in wanted.iter().take(limits::REPORT_ITEMS_MAX) {
        let mut walk = Walk::default();
        statement.doeach.iter().flatten().for_each(|field| walk.field(&view, field, Some(*item)));
        statement.incase.iter().for_each(|incase| walk.expr(&view, incase, Some(*item)));
        let sql = rule.program.source();
        walk.marks.sort_by_key(|mark| mark.span);
        // INCASE and DO often read the same; said once is enough.
        let mut said: Vec<(&str, String)> = Vec::new();
        walk.marks.retain(|mark| {
            let pair = (sql.slice(mark.span), mark.text.clone());
            !said.contains(&pair) && {
                said.push(pair);
                true
            }
        });
        items.push((*item, walk.marks));
        misses.extend(walk.misses);
    }
    let mut seen = Vec::new();
    misses.retain(|miss| {
        !seen.contains(miss) && {
            seen.push(miss.clone());
            true
        }
    });
    Explanation {
        label: label.to_owned(),
        marks: outer.marks,
        items,
        items_left_out: wanted.len().saturating_sub(limits::REPORT_ITEMS_MAX),
        misses,
    }
}

/// What a run saw.
struct View<'a> {
    rule: &'a Rule,
    statement: &'a Statement,
    columns: &'a Map,
    steps: &'a [Step],
}

/// Values gathered so far.
#[derive(Default)]
struct Walk {
    marks: Vec<Mark>,
    misses: Vec<String>,
}

impl Walk {
    fn field(&mut self, view: &View<'_>, field: &Field, item: Option<usize>) {
        if let Field::Expr(expr, _) = field {
            self.expr(view, expr, item);
        }
    }

    /// An expression's value and those of its parts; constants are their own value.
    fn expr(&mut self, view: &View<'_>, expr: &Expr, item: Option<usize>) {
        let anchor = match &expr.kind {
            ExprKind::Const(_) | ExprKind::Range(..) => return,
            ExprKind::Arith(_, left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::And(left, right)
            | ExprKind::Or(left, right) => {
                self.expr(view, left, item);
                self.expr(view, right, item);
                view.operator(left.span(), right.span())
            }
            ExprKind::In { value, list, .. } => {
                self.expr(view, value, item);
                list.iter().for_each(|one| self.expr(view, one, item));
                view.operator(value.span(), expr.span())
            }
            ExprKind::Not(inner) | ExprKind::Unary(_, inner) => {
                self.expr(view, inner, item);
                expr.span().start
            }
            ExprKind::Aliased(inner, _) => return self.expr(view, inner, item),
            ExprKind::List(all) | ExprKind::Call(_, all) => {
                all.iter().for_each(|one| self.expr(view, one, item));
                expr.span().start
            }
            ExprKind::Case { on, arms, otherwise } => {
                let parts = arms.iter().flat_map(|(when, then)| [when, then]);
                let parts = on.as_deref().into_iter().chain(parts).chain(otherwise.as_deref());
                parts.for_each(|part| self.expr(view, part, item));
                expr.span().start
            }
            ExprKind::Path(_) | ExprKind::Slice(..) => expr.span().start,
        };
        let Some(value) = view.value(expr.span(), item).cloned().or_else(|| view.walked(expr, item)) else {
            return;
        };
        let text = match &expr.kind {
            ExprKind::Path(path) if is_secret(&path_text(path)) => "******".to_owned(),
            _ => show::value(&value),
        };
        if let (ExprKind::Path(path), true) = (&expr.kind, value.is_undefined()) {
            self.misses.extend(view.miss(path, item));
        }
        if self.marks.len() < limits::REPORT_MARKS_MAX {
            self.marks.push(Mark { span: expr.span(), anchor, text, odd: value.is_undefined() });
        }
    }
}

/// A path as a difference would name its last key.
fn path_text(path: &Path) -> String {
    match path.steps.last() {
        Some(PathStep::Key(name)) => name.text.clone(),
        Some(PathStep::Index(..)) => String::new(),
        None => path.head.text.clone(),
    }
}

impl View<'_> {
    /// The value that an expression had last.
    fn value(&self, span: Span, item: Option<usize>) -> Option<&Value> {
        self.steps.iter().rev().find(|step| step.span == span && step.item == item).map(|step| &step.value)
    }

    /// The list that FOREACH walks, when this is it.
    fn walked(&self, expr: &Expr, item: Option<usize>) -> Option<Value> {
        let is_it = self.statement.foreach
            && matches!(self.statement.fields.last(), Some(Field::Expr(last, _)) if last.at.0 == expr.at.0);
        if is_it && item.is_none() { self.collection(expr) } else { None }
    }

    /// Where the operator between two operands stands.
    fn operator(&self, left: Span, right: Span) -> u32 {
        let text = self.rule.program.source().text();
        let between = text.get(left.end as usize..right.end as usize).unwrap_or_default();
        let blanks = between.find(|c: char| !c.is_whitespace() && c != ')').unwrap_or(0);
        left.end + u32::try_from(blanks).unwrap_or(0)
    }

    /// The items that anything was evaluated for.
    fn items(&self) -> Vec<usize> {
        let mut items: Vec<usize> = self.steps.iter().filter_map(|step| step.item).collect();
        items.dedup();
        items
    }

    /// The item that made an output: INCASE leaves some out.
    fn item_of(&self, output: usize, items: &[usize]) -> Option<usize> {
        let kept = |item: &&usize| match &self.statement.incase {
            Some(incase) => self.value(incase.span(), Some(**item)) == Some(&Value::Bool(true)),
            None => true,
        };
        items.iter().filter(kept).nth(output).copied()
    }

    /// Where a path led nowhere, and what may have been meant.
    fn miss(&self, path: &Path, item: Option<usize>) -> Option<String> {
        let Some(head) = self.head(&path.head.text, item) else {
            let name = &path.head.text;
            let columns = names(self.columns);
            let aliases = self.aliases();
            let known: Vec<&str> = columns.iter().chain(&aliases).map(String::as_str).collect();
            return Some(no_key("there is no column", name, name, &known));
        };
        let mut value = head;
        let mut written = path.head.text.clone();
        for step in &path.steps {
            let next = match step {
                PathStep::Key(name) => match &value {
                    Value::Map(map) => match map.get_named(name.text.as_bytes()) {
                        Some(next) => next.clone(),
                        None => {
                            let keys = names(map);
                            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                            return Some(no_key(
                                &format!("{written} has no key"),
                                &name.text,
                                &name.text,
                                &keys,
                            ));
                        }
                    },
                    other => {
                        let kind = other.kind_name();
                        return Some(format!(
                            "{written} has no key '{}': it is {} ({kind})",
                            name.text,
                            short(other)
                        ));
                    }
                },
                PathStep::Index(PathIndex::Const(n), _) => match path::find_item(&value, *n) {
                    Some(next) => next.into_owned(),
                    None => return Some(no_item(&written, *n, &value)),
                },
                // Heads, tails and variables: the values beside them say enough.
                PathStep::Index(..) => return None,
            };
            written = match step {
                PathStep::Key(name) => format!("{written}.{}", name.text),
                PathStep::Index(PathIndex::Const(n), _) => format!("{written}[{n}]"),
                PathStep::Index(..) => written,
            };
            value = next;
        }
        value.is_undefined().then(|| format!("{written} is a column that this message does not have"))
    }

    /// What a path starts from: the item, an earlier field, or a column; payloads are decoded.
    fn head(&self, name: &str, item: Option<usize>) -> Option<Value> {
        if let (Some(item), Some(Field::Expr(expr, alias))) = (item, self.statement.fields.last())
            && self.statement.foreach
            && alias.as_ref().map_or("item", |alias| alias.head.text.as_str()) == name
        {
            return self.collection(expr)?.as_list()?.get(item).cloned();
        }
        if let Some(value) = self.columns.get_named(name.as_bytes()) {
            return Some(match (name, value) {
                ("payload", Value::Str(text)) => decode::decode(text).unwrap_or_else(|_| value.clone()),
                _ => value.clone(),
            });
        }
        self.statement.fields.iter().find_map(|field| match field {
            Field::Expr(expr, Some(alias)) if alias.steps.is_empty() && alias.head.text == name => {
                self.value(expr.span(), None).cloned()
            }
            _ => None,
        })
    }

    /// The list that FOREACH walks; where only parts of the items were made, it is found once more.
    fn collection(&self, expr: &Expr) -> Option<Value> {
        if let Some(value) = self.value(expr.span(), None) {
            return Some(value.clone());
        }
        let ExprKind::Path(path) = &expr.kind else { return None };
        path.steps.iter().try_fold(self.head(&path.head.text, None)?, |value, step| match step {
            PathStep::Key(name) => value.as_map()?.get_named(name.text.as_bytes()).cloned(),
            PathStep::Index(PathIndex::Const(n), _) => path::find_item(&value, *n).map(|v| v.into_owned()),
            PathStep::Index(..) => None,
        })
    }

    fn aliases(&self) -> Vec<String> {
        let alias = |field: &Field| match field {
            Field::Expr(_, Some(alias)) if alias.steps.is_empty() => Some(alias.head.text.clone()),
            _ => None,
        };
        self.statement.fields.iter().filter_map(alias).collect()
    }
}

/// The keys of a map as text.
fn names(map: &Map) -> Vec<String> {
    let name =
        |key: &Value| key.atom_name().or_else(|| key.as_bytes().map(|b| b.as_ref())).map(<[u8]>::to_vec);
    let mut names: Vec<String> = map
        .entries()
        .iter()
        .filter(|(_, value)| !value.is_undefined())
        .filter_map(|(key, _)| String::from_utf8(name(key)?).ok())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn no_key(what: &str, name: &str, wanted: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(wanted, known.iter().copied()) {
        return format!("{what} '{name}': did you mean '{near}'?");
    }
    let more = known.len().saturating_sub(limits::REPORT_KEYS_MAX);
    let shown: Vec<&str> = known.iter().take(limits::REPORT_KEYS_MAX).copied().collect();
    match (shown.is_empty(), more) {
        (true, _) => format!("{what} '{name}': it has none"),
        (_, 0) => format!("{what} '{name}': it has {}", shown.join(", ")),
        _ => format!("{what} '{name}': it has {} and {more} more", shown.join(", ")),
    }
    .replacen("': it has", if what.starts_with("there") { "': there are" } else { "': it has" }, 1)
}

fn no_item(written: &str, n: i64, value: &Value) -> String {
    match value.as_list() {
        Some(items) if n == 0 => {
            format!("{written}[0]: positions count from 1, and there are {}", items.len())
        }
        Some(items) => format!("{written} has no item {n}: it has {}", items.len()),
        None => format!("{written} has no item {n}: it is {} ({})", short(value), value.kind_name()),
    }
}

/// A value in a sentence.
fn short(value: &Value) -> String {
    let text = show::value(value);
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

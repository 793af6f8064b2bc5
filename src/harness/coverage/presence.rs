//! Whether a name can be undefined, as far as statement and event table tell.

use crate::event::{self, Event};
use crate::func;
use crate::profile::Profile;
use crate::sql::ast::{Expr, ExprKind, Field, Path, PathStep, Statement};
use crate::value::Bytes;

/// Columns of an event that are undefined now and then: the client gave none, or no client sent it.
const SOMETIMES: [&str; 5] = ["from_username", "mountpoint", "peerhost", "peername", "username"];

/// What every message has below a column.
const ALWAYS_BELOW: [(&str, &str); 3] = [("flags", "retain"), ("flags", "dup"), ("metadata", "rule_id")];

/// The names of a statement.
pub(super) struct Names<'a> {
    profile: Profile,
    /// The events that FROM names; `None` for one that the table does not have.
    events: Vec<Option<&'static Event>>,
    /// What WHERE sees above the columns.
    after_fields: Layer<'a>,
    /// What INCASE and DO see above the columns.
    inside: Layer<'a>,
    /// What the outputs have, above the columns or alone.
    output: Layer<'a>,
    output_has_columns: bool,
}

/// Names in the order they are given, and whether what they stand for can be undefined: the last one counts. Each is
/// settled once, from those before it.
type Layer<'a> = Vec<(&'a str, bool)>;

impl<'a> Names<'a> {
    /// Those of a statement.
    pub fn new(statement: &'a Statement, profile: Profile) -> Names<'a> {
        let event = |topic: &str| match event::is_event_topic(topic) {
            true => event::by_topic(topic, profile),
            false => event::by_name("message.publish"),
        };
        let events = statement.from.iter().map(|topic| event(&topic.name)).collect();
        let mut names = Names {
            profile,
            events,
            after_fields: Vec::new(),
            inside: Vec::new(),
            output: Vec::new(),
            output_has_columns: true,
        };
        names.after_fields = names.layer(&statement.fields, Vec::new());
        names.output = names.after_fields.clone();
        if statement.foreach {
            // 4.3 hands DO and INCASE nothing of what FOREACH selected.
            names.inside = if profile.is_5_8() { names.after_fields.clone() } else { Vec::new() };
            // What JSON holds is never undefined.
            names.inside.extend(item(statement).map(|name| (name, false)));
            names.output.clone_from(&names.inside);
        } else {
            names.output_has_columns = has_star(&statement.fields);
        }
        if let Some(fields) = &statement.doeach {
            names.output = names.layer(fields, names.inside.clone());
            names.output_has_columns = has_star(fields);
            if !names.output_has_columns {
                names.output.drain(..names.inside.len());
            }
        }
        names
    }

    /// Can a path in WHERE be undefined?
    pub fn in_where(&self, path: &Path) -> bool {
        self.path(path, &self.after_fields)
    }

    /// Can a path in INCASE or DO be undefined?
    pub fn in_item(&self, path: &Path) -> bool {
        self.path(path, &self.inside)
    }

    /// Can what these keys lead to in an output be undefined?
    pub fn in_output(&self, keys: &[Bytes]) -> bool {
        let [key] = keys else { return !keys.is_empty() };
        let name = String::from_utf8_lossy(key);
        match named(&name, &self.output) {
            Some(may) => may,
            None => !self.output_has_columns || self.column(&name),
        }
    }

    fn layer(&self, fields: &'a [Field], mut layer: Layer<'a>) -> Layer<'a> {
        for field in fields {
            if let (Field::Expr(expr, _), Some(name)) = (field, named_by(field)) {
                let may = self.expr(expr, &layer);
                layer.push((name, may));
            }
        }
        layer
    }

    fn path(&self, path: &Path, layer: &Layer<'_>) -> bool {
        let head = path.head.text.as_str();
        match path.steps.as_slice() {
            [] => named(head, layer).unwrap_or_else(|| self.column(head)),
            [PathStep::Key(key)] if named(head, layer).is_none() => {
                let always = ALWAYS_BELOW.iter().any(|(column, below)| *column == head && *below == key.text);
                !always || self.column(head)
            }
            _ => true,
        }
    }

    fn expr(&self, expr: &Expr, layer: &Layer<'_>) -> bool {
        match &expr.kind {
            ExprKind::Path(path) => self.path(path, layer),
            ExprKind::Unary(false, inner) => self.expr(inner, layer),
            ExprKind::Case { arms, otherwise, .. } => {
                let may_be = |expr: &Expr| self.expr(expr, layer);
                arms.iter().any(|(_, then)| may_be(then)) || otherwise.as_deref().is_none_or(may_be)
            }
            ExprKind::Call(path, args) => {
                let builtin = func::find(&path.head.text, args.len(), self.profile);
                builtin.is_none_or(|f| f.ret.0 & func::Kinds::UNDEFINED.0 != 0)
            }
            // Operators answer a value or fail.
            _ => false,
        }
    }

    fn column(&self, name: &str) -> bool {
        let always = |event: &Option<&Event>| event.is_some_and(|e| e.columns(self.profile).contains(&name));
        name != "metadata" && (SOMETIMES.contains(&name) || !self.events.iter().all(always))
    }
}

/// The name of the FOREACH item.
fn item(statement: &Statement) -> Option<&str> {
    match statement.fields.last() {
        Some(Field::Expr(_, Some(alias))) => alias.steps.is_empty().then_some(alias.head.text.as_str()),
        _ => Some("item"),
    }
}

fn named(name: &str, layer: &Layer<'_>) -> Option<bool> {
    layer.iter().rfind(|(known, _)| *known == name).map(|(_, may)| *may)
}

fn has_star(fields: &[Field]) -> bool {
    fields.iter().any(|field| matches!(field, Field::Star(_)))
}

/// The name that a field gives its whole value.
fn named_by(field: &Field) -> Option<&str> {
    let path = match field {
        Field::Star(_) => return None,
        Field::Expr(_, Some(alias)) => alias,
        Field::Expr(Expr { kind: ExprKind::Path(path), .. }, None) => path,
        Field::Expr(..) => return None,
    };
    path.steps.is_empty().then_some(path.head.text.as_str())
}

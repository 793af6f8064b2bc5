//! What a rule hands to its actions: which names, and what they hold.

use super::subject::{self, Subject};
use super::walk::{Clause, Root};
use crate::profile::Profile;
use crate::sql::ast::{Field, Path, PathStep};
use crate::value::Bytes;

/// The names of an output.
pub(super) struct Output<'a> {
    fields: Vec<Named<'a>>,
    /// All columns are there as well.
    columns: bool,
    /// The names are not all known.
    open: bool,
    /// The name of the FOREACH item where it is part of the output.
    item: Option<&'a str>,
}

/// A field and the keys that lead to its value.
struct Named<'a> {
    keys: Vec<&'a str>,
    /// The rest of its path is known only when it runs.
    more: bool,
    root: Root<'a>,
}

/// What a template's keys lead to.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    /// Nothing: it renders as `undefined`.
    Missing,
    /// Something of which no more is known.
    Something,
    /// A column.
    Column,
    /// The value of a field.
    Value(Root<'a>),
    /// Something inside the value of a field.
    Inside(Root<'a>),
    /// The FOREACH item, or something in it.
    Item,
}

/// The output of a rule.
pub(super) fn of<'a>(subject: &Subject<'a>) -> Output<'a> {
    let statement = subject.statement;
    let mut output = Output { fields: Vec::new(), columns: false, open: subject.open, item: None };
    let (list, wanted): (&[Field], fn(Clause) -> bool) = match (statement.foreach, &statement.doeach) {
        (true, Some(list)) => (list, |clause| matches!(clause, Clause::Do(_))),
        (true, None) => {
            // EMQX 4.3 gives columns and item, 5.8 also what FOREACH selected.
            output.columns = true;
            output.item = Some(subject.item());
            (&statement.fields, |clause| matches!(clause, Clause::Fields(_)))
        }
        (false, _) => (&statement.fields, |clause| matches!(clause, Clause::Fields(_))),
    };
    output.columns |= list.iter().any(|field| matches!(field, Field::Star(_)));
    if statement.foreach && statement.doeach.is_none() && subject.profile == Profile::V4_3 {
        return output;
    }
    for root in subject.roots.iter().filter(|root| wanted(root.clause)) {
        if let Some(path) = root.alias.or_else(|| subject::own_name(root.expr)) {
            let (keys, more) = keys(path);
            output.fields.push(Named { keys, more, root: *root });
        }
    }
    output
}

/// The keys of a path up to its first index.
fn keys(path: &Path) -> (Vec<&str>, bool) {
    let mut keys = vec![path.head.text.as_str()];
    for step in &path.steps {
        match step {
            PathStep::Key(name) => keys.push(&name.text),
            PathStep::Index(..) => return (keys, true),
        }
    }
    (keys, false)
}

impl<'a> Output<'a> {
    /// Where the keys of a placeholder lead.
    pub fn find(&self, subject: &Subject<'_>, wanted: &[Bytes]) -> Found<'a> {
        let texts: Vec<&str> = wanted.iter().map(|key| std::str::from_utf8(key).unwrap_or("")).collect();
        let Some(head) = texts.first() else { return Found::Something };
        // What was put last under a name is what stands there.
        for field in self.fields.iter().rev() {
            let common = field.keys.iter().zip(&texts).take_while(|(a, b)| a == b).count();
            if common == field.keys.len() {
                return match texts.len() > common {
                    _ if field.more => Found::Something,
                    true => Found::Inside(field.root),
                    false => Found::Value(field.root),
                };
            }
            if common == texts.len() {
                return Found::Something;
            }
        }
        if self.item == Some(*head) {
            return Found::Item;
        }
        if self.columns && subject.is_column(head) {
            return if texts.len() == 1 { Found::Column } else { Found::Something };
        }
        if self.open && self.columns { Found::Something } else { Found::Missing }
    }

    /// The top-level names that were written, in order, each once.
    pub fn names(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = Vec::new();
        for head in self.fields.iter().filter_map(|field| field.keys.first()).chain(self.item.iter()) {
            if !names.contains(head) {
                names.push(head);
            }
        }
        names
    }

    /// The item's name where items are handed over whole.
    pub fn item(&self) -> Option<&'a str> {
        self.item
    }
}

//! Substitutions: `${path}` and `${?path}` to what they stand for.
//!
//! The order is EMQX's (hocon:resolve/1), for it shows: the first substitution of the file whose target holds no
//! open substitution is made, then the search begins anew. A target is the last value of its path that is settled at
//! that moment, objects with those before it. No environment variable is read.
//!
//! Invariant: a settled value holds no open substitution, so settled ones never form a circle.

use std::sync::Arc;

use super::tree::{Field, State, Value, Variable, Weight};
use crate::diag::{Diagnostic, codes};
use crate::limits;
use crate::text::Span;

/// Settles all substitutions, or says which cannot be.
pub(super) fn resolve(
    fields: &[Field],
    variables: &mut [Variable],
    mut nodes: usize,
) -> Result<(), Diagnostic> {
    let mut open: Vec<usize> = (0..variables.len()).collect();
    let mut steps = 0;
    'search: loop {
        for at in 0..open.len() {
            let number = open[at];
            let variable = &variables[number];
            let mut lookup = Lookup { steps, ..Lookup::new(variables) };
            lookup.fields(&variable.path, fields);
            steps = lookup.steps;
            if steps > limits::SUBSTITUTION_STEPS_MAX {
                let message =
                    format!("the substitutions take more than {} steps", limits::SUBSTITUTION_STEPS_MAX);
                return Err(Diagnostic::error(codes::TOO_LARGE, message).at(variable.span, ""));
            }
            let value = lookup.value(variable.span);
            let state = match value {
                Some(value) => {
                    let weight = weigh(&value, variables);
                    nodes = nodes.saturating_add(weight.nodes);
                    State::Is(value, weight)
                }
                None if variable.optional => State::Gone,
                None => continue,
            };
            if let State::Is(_, weight) = &state {
                bounded(nodes, *weight, variable.span)?;
            }
            variables[number].state = state;
            open.remove(at);
            continue 'search;
        }
        break;
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(unsettled(&open, fields, variables)),
    }
}

fn bounded(nodes: usize, weight: Weight, at: Span) -> Result<(), Diagnostic> {
    if nodes > limits::DOCUMENT_NODES_MAX {
        let message =
            format!("more than {} values, substitutions counted in full", limits::DOCUMENT_NODES_MAX);
        return Err(Diagnostic::error(codes::TOO_LARGE, message).at(at, ""));
    }
    if weight.levels > limits::SUBSTITUTION_LEVELS_MAX {
        let message =
            format!("substitutions in substitutions, more than {} levels", limits::SUBSTITUTION_LEVELS_MAX);
        return Err(Diagnostic::error(codes::TOO_LARGE, message).at(at, ""));
    }
    Ok(())
}

/// A search for one path.
struct Lookup<'a> {
    variables: &'a [Variable],
    steps: usize,
    /// The value found, in pieces when it is an object that was written in pieces.
    found: Vec<Arc<Value>>,
    /// Is there a value at the path, settled or not?
    defined: bool,
    /// Does a key in quotes stand in the way?
    quoted: bool,
}

impl<'a> Lookup<'a> {
    fn new(variables: &'a [Variable]) -> Lookup<'a> {
        Lookup { variables, steps: 0, found: Vec::new(), defined: false, quoted: false }
    }

    fn fields(&mut self, path: &[String], fields: &[Field]) {
        fields.iter().for_each(|field| self.field(path, field));
    }

    fn field(&mut self, path: &[String], field: &Field) {
        self.steps += 1;
        let Some((first, rest)) = path.split_first() else { return };
        if self.steps > limits::SUBSTITUTION_STEPS_MAX || *field.key != **first {
            return;
        }
        if field.quoted {
            self.quoted = true;
            return;
        }
        if !rest.is_empty() {
            return self.value_at(rest, &field.value);
        }
        self.defined = true;
        if !self.settled(&field.value) {
            return;
        }
        let object = |value: &Value| weigh(value, self.variables).object;
        let joins = self.found.first().is_some_and(|first| object(first)) && object(&field.value);
        if !joins {
            self.found.clear();
        }
        self.found.push(field.value.clone());
    }

    fn value_at(&mut self, path: &[String], value: &Value) {
        self.steps += 1;
        match value {
            Value::Object(fields, _) => self.fields(path, fields),
            Value::Joined(values, _) => values.iter().for_each(|value| self.value_at(path, value)),
            Value::Path(field) => self.field(path, field),
            Value::Shared(value) => self.value_at(path, value),
            Value::Variable(number) => {
                if let State::Is(value, _) = &self.variables[*number].state {
                    self.value_at(path, &value.clone());
                }
            }
            Value::Leaf(_) | Value::Array(..) => {}
        }
    }

    fn settled(&mut self, value: &Value) -> bool {
        self.steps += 1;
        match value {
            Value::Object(fields, _) => fields.iter().all(|field| self.settled(&field.value)),
            Value::Array(values, _) | Value::Joined(values, _) => {
                values.iter().all(|value| self.settled(value))
            }
            Value::Path(field) => self.settled(&field.value),
            Value::Variable(number) => !matches!(self.variables[*number].state, State::Open),
            Value::Leaf(_) | Value::Shared(_) => true,
        }
    }

    /// What was found, without the layers that a chain of substitutions would pile up.
    fn value(mut self, span: Span) -> Option<Arc<Value>> {
        if self.found.len() > 1 {
            let pieces = self.found.into_iter().map(Value::Shared).collect();
            return Some(Arc::new(Value::Joined(pieces, span)));
        }
        let value = self.found.pop()?;
        if let Value::Joined(values, _) = &*value
            && let [Value::Variable(number)] = values.as_slice()
            && let State::Is(inner, _) = &self.variables[*number].state
        {
            return Some(inner.clone());
        }
        Some(value)
    }
}

/// How a settled value counts.
fn weigh(value: &Value, variables: &[Variable]) -> Weight {
    let sum = |parts: &mut dyn Iterator<Item = Weight>| {
        parts.fold(Weight::default(), |sum, part| Weight {
            nodes: sum.nodes.saturating_add(part.nodes),
            levels: sum.levels.max(part.levels),
            object: false,
        })
    };
    let mut weight = match value {
        Value::Leaf(_) => Weight { nodes: 1, ..Weight::default() },
        Value::Object(fields, _) => {
            let inner = sum(&mut fields.iter().map(|field| weigh(&field.value, variables)));
            Weight { nodes: inner.nodes.saturating_add(1), levels: inner.levels, object: true }
        }
        Value::Array(values, _) => {
            let inner = sum(&mut values.iter().map(|value| weigh(value, variables)));
            Weight { nodes: inner.nodes.saturating_add(1), ..inner }
        }
        Value::Joined(values, _) => {
            let mut objects = Vec::new();
            let weights = values.iter().map(|value| weigh(value, variables));
            let inner = sum(&mut weights.inspect(|weight| objects.push(weight.object)));
            Weight { object: objects.first().copied().unwrap_or_default(), ..inner }
        }
        Value::Path(field) => Weight { object: false, ..weigh(&field.value, variables) },
        Value::Shared(value) => weigh(value, variables),
        Value::Variable(number) => match &variables[*number].state {
            State::Is(_, weight) => *weight,
            State::Open | State::Gone => Weight::default(),
        },
    };
    weight.levels += 1;
    weight
}

/// Why some substitutions are left: nothing is there, or they wait for each other.
fn unsettled(open: &[usize], fields: &[Field], variables: &[Variable]) -> Diagnostic {
    let looked_up = |variable: &Variable| {
        let mut lookup = Lookup::new(variables);
        lookup.fields(&variable.path, fields);
        (lookup.defined, lookup.quoted)
    };
    let open = open.iter().map(|number| &variables[*number]).filter(|variable| !variable.optional);
    let open: Vec<&Variable> = open.take(limits::LABELS_MAX).collect();
    if let Some(missing) = open.iter().find(|variable| !looked_up(variable).0) {
        let path = missing.path.join(".");
        let problem = |message| Diagnostic::error(codes::SUBSTITUTION, message).at(missing.span, "");
        if looked_up(missing).1 {
            return problem(format!("'{path}' is written in quotes, where no substitution finds it"))
                .help("write its key without quotes");
        }
        return problem(format!("there is nothing at '{path}'")).help(format!(
            "write ${{?{}}} if it may be missing; a template stands in quotes, \"${{{0}}}\"; EMQX puts in no \
             environment variables here",
            missing.name
        ));
    }
    let mut problem = Diagnostic::error(codes::SUBSTITUTION, "these substitutions lead round in a circle");
    for variable in open {
        problem = problem.at(variable.span, "");
    }
    problem
}

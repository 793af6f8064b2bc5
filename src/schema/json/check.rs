//! One value against one schema, keyword by keyword.
//!
//! jesse throws where a value or a schema is wrong, and `anyOf`, `not` and their like catch that; where it has no
//! clause it crashes through all of them. [`Fault`] keeps the two apart.

use std::cmp::Ordering;
use std::fmt;

use num_traits::ToPrimitive;

use super::{Draft, JsonSchema, format, reference};
use crate::limits;
use crate::value::{Map, Value, compare};

/// Why a value does not hold.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// A throw of jesse's.
    Invalid(String),
    /// A crash of jesse's.
    Crash(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Invalid(reason) => f.write_str(reason),
            Fault::Crash(reason) => write!(f, "the schema cannot be used here: {reason}"),
        }
    }
}

pub(super) type Checked = Result<(), Fault>;

pub(super) fn validate(schema: &JsonSchema, value: &Value) -> Checked {
    let root = Value::Map((*schema.root).clone());
    let draft = match schema.root.get_str(b"$schema") {
        None => Draft::D6,
        Some(uri) => draft(uri)?,
    };
    let id = schema.root.get_str(if draft == Draft::D6 { b"$id" } else { b"id" }).and_then(Value::as_text);
    let root_id = reference::combined(reference::UNNAMED, id.unwrap_or(reference::UNNAMED));
    let mut checker =
        Checker { schema, draft, base: root_id.clone(), root_id, path: Vec::new(), steps: 0, depth: 0 };
    checker.check(&root, value)
}

fn draft(uri: &Value) -> Result<Draft, Fault> {
    let known = uri.as_bytes().and_then(|uri| Draft::of(uri));
    known.ok_or_else(|| Fault::Invalid(format!("EMQX checks nothing by the $schema {}", shown(uri))))
}

pub(super) struct Checker<'a> {
    schema: &'a JsonSchema,
    /// The draft of schemas that name none.
    draft: Draft,
    root_id: String,
    /// The id that references are relative to.
    base: String,
    path: Vec<String>,
    steps: usize,
    depth: usize,
}

/// The schema that is being checked.
#[derive(Clone, Copy)]
pub(super) struct Here<'s> {
    pub(super) map: &'s Map,
    pub(super) draft: Draft,
}

impl Checker<'_> {
    pub(super) fn invalid(&self, reason: impl Into<String>) -> Fault {
        let place = self.path.join("/");
        let reason = reason.into();
        Fault::Invalid(if place.is_empty() { reason } else { format!("at /{place}: {reason}") })
    }

    fn check(&mut self, schema: &Value, value: &Value) -> Checked {
        self.steps += 1;
        if self.steps > limits::SCHEMA_STEPS_MAX {
            let max = limits::SCHEMA_STEPS_MAX;
            return Err(Fault::Crash(format!("more than rulemill's limit of {max} steps")));
        }
        if self.depth >= limits::SCHEMA_DEPTH_MAX {
            let max = limits::SCHEMA_DEPTH_MAX;
            return Err(Fault::Crash(format!("nested deeper than rulemill's limit of {max} levels")));
        }
        self.depth += 1;
        let checked = self.schema(schema, value);
        self.depth -= 1;
        checked
    }

    fn schema(&mut self, schema: &Value, value: &Value) -> Checked {
        let map = match schema {
            Value::Map(map) => map,
            Value::Bool(true) if self.draft == Draft::D6 => return Ok(()),
            Value::Bool(false) if self.draft == Draft::D6 => {
                return Err(self.invalid("nothing may stand here"));
            }
            // jesse walks over the items of a list as over keywords that it does not know.
            Value::List(_) => return Ok(()),
            other => return Err(Fault::Crash(format!("{} is no schema", shown(other)))),
        };
        let draft = map.get_str(b"$schema").map_or(Ok(self.draft), draft)?;
        let before = self.base.clone();
        let id = map.get_str(if draft == Draft::D6 { b"$id" } else { b"id" }).and_then(Value::as_text);
        if let Some(id) = id {
            self.base = reference::combined(&self.base, id);
        }
        let here = Here { map, draft };
        let mut checked = Ok(());
        for (key, argument) in map.entries() {
            let Some(key) = key.as_text() else { continue };
            if key == "$ref" {
                // What stands beside a reference does not count.
                checked = self.reference(argument, value);
                break;
            }
            checked = self.keyword(here, key, argument, value);
            if checked.is_err() {
                break;
            }
        }
        self.base = before;
        checked
    }

    fn reference(&mut self, reference: &Value, value: &Value) -> Checked {
        let Some(text) = reference.as_text() else {
            return Err(Fault::Crash("'$ref' is no string".to_owned()));
        };
        match reference::resolve(&self.schema.root, &self.root_id, &self.base, text) {
            Some(schema) => self.check(&schema, value),
            None => Err(self.invalid(format!("the reference '{text}' leads to nothing inside the schema"))),
        }
    }

    /// A value below this one.
    pub(super) fn below(&mut self, step: impl Into<String>, schema: &Value, value: &Value) -> Checked {
        self.path.push(step.into());
        let checked = self.check(schema, value);
        // The path of a fault is in its text.
        self.path.pop();
        checked
    }

    fn keyword(&mut self, here: Here<'_>, key: &str, argument: &Value, value: &Value) -> Checked {
        let since4 = here.draft >= Draft::D4;
        let is6 = here.draft == Draft::D6;
        match (key, value) {
            ("id", _) if is6 => Err(self.invalid("the schema has 'id', which draft 6 calls '$id'")),
            ("$id", _) if here.draft == Draft::D4 => {
                Err(self.invalid("the schema has '$id', which draft 4 calls 'id'"))
            }
            ("type", _) => self.kind(here, argument, value),
            ("enum", _) => self.one_of(argument, value),
            ("const", _) if is6 && !compare::equal(argument, value) => {
                Err(self.invalid(format!("{} is not {}", shown(value), shown(argument))))
            }
            ("format", Value::Str(_)) => {
                let (form, text) =
                    (argument.as_text().unwrap_or_default(), value.as_text().unwrap_or_default());
                match format::holds(form, text, here.draft) {
                    true => Ok(()),
                    false => Err(self.invalid(format!("{} is no {form}", shown(value)))),
                }
            }
            ("allOf", _) if since4 => self.all_of(argument, value),
            ("anyOf", _) if since4 => self.any_of(argument, value),
            ("oneOf", _) if since4 => self.exactly_one(argument, value),
            ("not", _) if since4 => match self.holds(argument, value)? {
                true => Err(self.invalid("the value is what 'not' excludes")),
                false => Ok(()),
            },
            ("disallow", _) if !since4 => match self.kind(here, argument, value) {
                Ok(()) => Err(self.invalid("the value is of a kind that 'disallow' excludes")),
                Err(Fault::Invalid(_)) => Ok(()),
                Err(crash) => Err(crash),
            },
            ("extends", _) if !since4 => self.extends(argument, value),
            ("examples", Value::List(_)) => Ok(()),
            ("examples", _) if is6 => {
                Err(self.invalid("jesse takes only lists where a schema has 'examples'"))
            }
            (_, Value::Map(map)) => self.of_object(here, key, argument, map),
            (_, Value::List(items)) => self.of_array(here, key, argument, items),
            (_, Value::Str(_)) => self.of_string(key, argument, value),
            (_, Value::Int(_) | Value::Big(_) | Value::Float(_)) => {
                self.of_number(here, key, argument, value)
            }
            _ => Ok(()),
        }
    }

    fn of_array(&mut self, here: Here<'_>, key: &str, argument: &Value, items: &[Value]) -> Checked {
        match key {
            "items" => self.items(here, argument, items),
            "contains" if here.draft == Draft::D6 => {
                for item in items {
                    if self.holds(argument, item)? {
                        return Ok(());
                    }
                }
                Err(self.invalid("no item is what 'contains' asks for"))
            }
            "minItems" => self.size(items.len(), argument, Ordering::Less, "items"),
            "maxItems" => self.size(items.len(), argument, Ordering::Greater, "items"),
            "uniqueItems" => match argument {
                Value::Bool(false) => Ok(()),
                Value::Bool(true) => {
                    let mut sorted: Vec<&Value> = items.iter().collect();
                    sorted.sort_by(|a, b| compare::term_order(a, b));
                    let twice = sorted.windows(2).find(|pair| compare::equal(pair[0], pair[1]));
                    match twice {
                        Some(pair) => Err(self.invalid(format!("{} is there twice", shown(pair[0])))),
                        None => Ok(()),
                    }
                }
                _ => Err(Fault::Crash("'uniqueItems' is neither true nor false".to_owned())),
            },
            _ => Ok(()),
        }
    }

    fn of_string(&self, key: &str, argument: &Value, value: &Value) -> Checked {
        let length = || value.as_text().map_or(0, |text| text.chars().count());
        match key {
            "pattern" => {
                let fits = self.matches(argument, value)?;
                self.expect(fits, || format!("{} does not match {}", shown(value), shown(argument)))
            }
            "minLength" => self.size(length(), argument, Ordering::Less, "characters"),
            "maxLength" => self.size(length(), argument, Ordering::Greater, "characters"),
            _ => Ok(()),
        }
    }

    fn of_number(&self, here: Here<'_>, key: &str, argument: &Value, value: &Value) -> Checked {
        let order = || compare::term_order(value, argument);
        let older = here.draft != Draft::D6;
        let strict = |flag: &[u8]| older && matches!(here.map.get_str(flag), Some(Value::Bool(true)));
        let fits = match key {
            "minimum" if strict(b"exclusiveMinimum") => order() == Ordering::Greater,
            "maximum" if strict(b"exclusiveMaximum") => order() == Ordering::Less,
            "minimum" => order() != Ordering::Less,
            "maximum" => order() != Ordering::Greater,
            "exclusiveMinimum" if !older => order() == Ordering::Greater,
            "exclusiveMaximum" if !older => order() == Ordering::Less,
            "multipleOf" if here.draft >= Draft::D4 => return self.multiple(here, key, argument, value),
            "divisibleBy" if here.draft == Draft::D3 => return self.multiple(here, key, argument, value),
            _ => true,
        };
        self.expect(fits, || format!("{} breaks '{key}', which is {}", shown(value), shown(argument)))
    }

    pub(super) fn expect(&self, fits: bool, reason: impl FnOnce() -> String) -> Checked {
        if fits { Ok(()) } else { Err(self.invalid(reason())) }
    }

    fn size(&self, count: usize, bound: &Value, wrong: Ordering, what: &str) -> Checked {
        let is = compare::term_order(&Value::Int(i64::try_from(count).unwrap_or(i64::MAX)), bound);
        self.expect(is != wrong, || format!("{count} {what}, and the bound is {}", shown(bound)))
    }

    fn multiple(&self, here: Here<'_>, key: &str, argument: &Value, value: &Value) -> Checked {
        let float = |value: &Value| match value {
            Value::Int(n) => Some(*n as f64),
            Value::Big(n) => n.to_f64().filter(|f| f.is_finite()),
            Value::Float(f) => Some(*f),
            _ => None,
        };
        let cannot = |reason: &str| match here.draft {
            Draft::D6 => self.invalid(reason),
            _ => Fault::Crash(reason.to_owned()),
        };
        let of = float(argument);
        match of {
            Some(of) if of > 0.0 || (here.draft == Draft::D3 && of < 0.0) => {}
            None if here.draft == Draft::D3 => {
                return Err(Fault::Crash(format!("'{key}' is no number")));
            }
            _ => return Err(self.invalid(format!("'{key}' is {}, and must be above 0", shown(argument)))),
        }
        let (Some(value_of), Some(of)) = (float(value), of) else {
            return Err(cannot("a number is too large"));
        };
        let quotient = value_of / of;
        if !quotient.is_finite() {
            return Err(cannot("a number is too large to divide"));
        }
        let rest = (quotient - quotient.trunc()) * of;
        self.expect(rest == 0.0, || format!("{} is no multiple of {}", shown(value), shown(argument)))
    }

    fn kind(&mut self, here: Here<'_>, wanted: &Value, value: &Value) -> Checked {
        let fits = match wanted {
            Value::List(kinds) => {
                if kinds.is_empty() && here.draft >= Draft::D4 {
                    return Err(self.invalid("'type' is an empty list"));
                }
                let mut fits = false;
                for kind in kinds.iter() {
                    fits = match kind {
                        Value::Map(_) if here.draft == Draft::D3 => self.holds(kind, value)?,
                        _ => self.is_a(here, kind, value)?,
                    };
                    if fits {
                        break;
                    }
                }
                fits
            }
            one => self.is_a(here, one, value)?,
        };
        self.expect(fits, || format!("{} is not of type {}", shown(value), shown(wanted)))
    }

    fn is_a(&self, here: Here<'_>, kind: &Value, value: &Value) -> Result<bool, Fault> {
        Ok(match (kind.as_text().unwrap_or_default(), value) {
            ("string", _) => matches!(value, Value::Str(_)),
            ("number", _) => matches!(value, Value::Int(_) | Value::Big(_) | Value::Float(_)),
            ("integer", Value::Float(f)) => here.draft == Draft::D6 && f.fract() == 0.0,
            ("integer", _) => matches!(value, Value::Int(_) | Value::Big(_)),
            ("boolean", _) => matches!(value, Value::Bool(_)),
            ("object", _) => matches!(value, Value::Map(_)),
            ("array", _) => matches!(value, Value::List(_)),
            ("null", _) => matches!(value, Value::Null),
            _ if here.draft == Draft::D3 => true,
            _ => return Err(self.invalid(format!("there is no type {}", shown(kind)))),
        })
    }

    fn one_of(&self, values: &Value, value: &Value) -> Checked {
        let Value::List(values) = values else { return Err(Fault::Crash("'enum' is no list".to_owned())) };
        let fits = values.iter().any(|known| compare::equal(known, value));
        self.expect(fits, || format!("{} is none of 'enum'", shown(value)))
    }

    /// Does a schema hold, where a failure is an answer?
    fn holds(&mut self, schema: &Value, value: &Value) -> Result<bool, Fault> {
        let is_schema =
            matches!(schema, Value::Map(_)) || (self.draft == Draft::D6 && matches!(schema, Value::Bool(_)));
        if !is_schema {
            return Ok(false);
        }
        match self.check(schema, value) {
            Ok(()) => Ok(true),
            Err(Fault::Invalid(_)) => Ok(false),
            Err(crash) => Err(crash),
        }
    }

    fn schemas<'s>(&self, key: &str, argument: &'s Value) -> Result<&'s [Value], Fault> {
        let schemas = argument.as_list().filter(|schemas| !schemas.is_empty());
        schemas.ok_or_else(|| self.invalid(format!("'{key}' is no list of schemas")))
    }

    fn all_of(&mut self, argument: &Value, value: &Value) -> Checked {
        for schema in self.schemas("allOf", argument)? {
            match schema {
                Value::Map(_) => self.check(schema, value)?,
                _ if self.holds(schema, value)? => {}
                _ => return Err(self.invalid("the value is not what 'allOf' asks for")),
            }
        }
        Ok(())
    }

    fn any_of(&mut self, argument: &Value, value: &Value) -> Checked {
        for schema in self.schemas("anyOf", argument)? {
            if self.holds(schema, value)? {
                return Ok(());
            }
        }
        Err(self.invalid(format!("{} is nothing of 'anyOf'", shown(value))))
    }

    fn exactly_one(&mut self, argument: &Value, value: &Value) -> Checked {
        let mut held = 0;
        for schema in self.schemas("oneOf", argument)? {
            held += usize::from(self.holds(schema, value)?);
            if held > 1 {
                return Err(self.invalid(format!("{} is more than one of 'oneOf'", shown(value))));
            }
        }
        self.expect(held == 1, || format!("{} is nothing of 'oneOf'", shown(value)))
    }

    fn extends(&mut self, argument: &Value, value: &Value) -> Checked {
        match argument {
            Value::Map(_) => self.check(argument, value),
            Value::List(schemas) => schemas.iter().try_for_each(|schema| self.extends(schema, value)),
            _ => Ok(()),
        }
    }

    fn items(&mut self, here: Here<'_>, argument: &Value, items: &[Value]) -> Checked {
        let schemas = match argument {
            Value::Bool(_) if here.draft == Draft::D6 => None,
            Value::Map(_) => None,
            Value::List(schemas) => Some(schemas),
            other => return Err(self.invalid(format!("'items' is {}", shown(other)))),
        };
        let Some(schemas) = schemas else {
            let mut numbered = items.iter().enumerate();
            return numbered.try_for_each(|(at, item)| self.below(at.to_string(), argument, item));
        };
        let more = here.map.get_str(b"additionalItems");
        if items.len() > schemas.len() {
            match more {
                // The items that do have a schema are not looked at either.
                None | Some(Value::Bool(true)) => return Ok(()),
                Some(Value::Bool(false)) => {
                    let (count, max) = (items.len(), schemas.len());
                    return Err(self.invalid(format!("{count} items, and at most {max} are allowed")));
                }
                Some(_) => {}
            }
        }
        for (at, item) in items.iter().enumerate() {
            if let Some(schema) = schemas.get(at).or(more) {
                self.below(at.to_string(), schema, item)?;
            }
        }
        Ok(())
    }

    pub(super) fn matches(&self, pattern: &Value, text: &Value) -> Result<bool, Fault> {
        let Some(bytes) = pattern.as_bytes() else {
            return Err(Fault::Crash("a pattern is no string".to_owned()));
        };
        match self.schema.patterns.get(bytes) {
            // A search that reaches PCRE's limit is no match, as in Erlang.
            Some(Some(regex)) => Ok(regex.is_match(text.as_bytes().map_or(&[], |b| b)).unwrap_or(false)),
            _ => Err(Fault::Crash(format!("{} is no regular expression", shown(pattern)))),
        }
    }
}

pub(super) fn text_of(name: &Value) -> String {
    name.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

/// A value in a reason, shortened.
pub(super) fn shown(value: &Value) -> String {
    const CHARS_MAX: usize = 60;
    let text = crate::value::encode::to_display(value);
    if text.chars().count() <= CHARS_MAX {
        return text;
    }
    text.chars().take(CHARS_MAX - 1).chain(['…']).collect()
}

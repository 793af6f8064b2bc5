//! The keywords that look at objects.

use super::Draft;
use super::check::{Checked, Checker, Fault, Here, shown, text_of};
use crate::value::{Map, Value};

impl Checker<'_> {
    pub(super) fn of_object(&mut self, here: Here<'_>, key: &str, argument: &Value, map: &Map) -> Checked {
        let since4 = here.draft >= Draft::D4;
        match key {
            "properties" => self.properties(here, argument, map),
            "patternProperties" => self.pattern_properties(argument, map),
            "propertyNames" if here.draft == Draft::D6 => {
                map.entries().iter().try_for_each(|(name, _)| self.below(text_of(name), argument, name))
            }
            "additionalProperties" => self.additional_properties(here, argument, map),
            "required" if since4 => self.required(here, argument, map),
            "dependencies" => self.dependencies(here, argument, map),
            "maxProperties" | "minProperties" if since4 => {
                let wanted = match argument {
                    Value::Int(n) if *n >= 0 => usize::try_from(*n).unwrap_or(usize::MAX),
                    other => return Err(self.invalid(format!("'{key}' is {}", shown(other)))),
                };
                let fits = if key == "maxProperties" { map.len() <= wanted } else { map.len() >= wanted };
                self.expect(fits, || format!("{} properties, and '{key}' is {wanted}", map.len()))
            }
            _ => Ok(()),
        }
    }

    fn properties(&mut self, here: Here<'_>, argument: &Value, map: &Map) -> Checked {
        let Value::Map(properties) = argument else {
            return Err(Fault::Crash("'properties' is no object".to_owned()));
        };
        for (name, schema) in properties.entries() {
            match map.get(name) {
                Some(value) => self.below(text_of(name), schema, value)?,
                None if here.draft == Draft::D3
                    && matches!(schema, Value::Map(s) if matches!(s.get_str(b"required"), Some(Value::Bool(true)))) =>
                {
                    return Err(self.invalid(format!("the property {} is missing", shown(name))));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn pattern_properties(&mut self, argument: &Value, map: &Map) -> Checked {
        let Value::Map(patterns) = argument else {
            return Err(Fault::Crash("'patternProperties' is no object".to_owned()));
        };
        for (name, value) in map.entries() {
            for (pattern, schema) in patterns.entries() {
                if self.matches(pattern, name)? {
                    self.below(text_of(name), schema, value)?;
                }
            }
        }
        Ok(())
    }

    fn additional_properties(&mut self, here: Here<'_>, argument: &Value, map: &Map) -> Checked {
        if matches!(argument, Value::Bool(true)) {
            return Ok(());
        }
        let empty = Map::new();
        let part = |key: &[u8]| here.map.get_str(key).and_then(Value::as_map).unwrap_or(&empty);
        let (properties, patterns) = (part(b"properties"), part(b"patternProperties"));
        for (name, value) in map.entries() {
            if properties.get(name).is_some() {
                continue;
            }
            let mut known = false;
            for (pattern, _) in patterns.entries() {
                known = known || self.matches(pattern, name)?;
            }
            match (known, argument) {
                (true, _) => {}
                (false, Value::Bool(false)) => {
                    return Err(self.invalid(format!("the property {} is not allowed", shown(name))));
                }
                (false, schema) => self.below(text_of(name), schema, value)?,
            }
        }
        Ok(())
    }

    fn required(&self, here: Here<'_>, argument: &Value, map: &Map) -> Checked {
        let names = match argument {
            Value::List(names) if here.draft == Draft::D6 || !names.is_empty() => names,
            other => return Err(self.invalid(format!("'required' is {}", shown(other)))),
        };
        match names.iter().find(|name| map.get(name).is_none()) {
            Some(name) => Err(self.invalid(format!("the property {} is missing", shown(name)))),
            None => Ok(()),
        }
    }

    fn dependencies(&mut self, here: Here<'_>, argument: &Value, map: &Map) -> Checked {
        let Value::Map(dependencies) = argument else {
            return Err(Fault::Crash("'dependencies' is no object".to_owned()));
        };
        let needs = |checker: &Self, name: &Value| match map.get(name) {
            Some(_) => Ok(()),
            None => Err(checker.invalid(format!("the property {} is missing", shown(name)))),
        };
        for (name, dependency) in dependencies.entries() {
            if map.get(name).is_none() {
                continue;
            }
            match dependency {
                Value::Map(_) => self.below(text_of(name), dependency, &Value::Map(map.clone()))?,
                Value::Bool(_) if here.draft == Draft::D6 => {
                    self.below(text_of(name), dependency, &Value::Map(map.clone()))?;
                }
                Value::List(names) => {
                    for name in names.iter() {
                        if !matches!(name, Value::Str(_)) && here.draft >= Draft::D4 {
                            return Err(self.invalid("a dependency is no string"));
                        }
                        needs(self, name)?;
                    }
                }
                Value::Str(_) if here.draft == Draft::D3 => needs(self, dependency)?,
                other => return Err(self.invalid(format!("a dependency is {}", shown(other)))),
            }
        }
        Ok(())
    }
}

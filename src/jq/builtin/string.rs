//! Texts.

use super::super::meter::{self, Stop};
use super::super::throw::{Answer, error, unfit};
use super::super::value::Val;
use super::{Row, row};

pub(super) const ROWS: &[Row] = &[
    row("utf8bytelength", 0, |_, v| match v[0].as_str() {
        Some(text) => Ok(Val::count(text.len())),
        None => Err(unfit(&v[0], "only strings have UTF-8 byte length")),
    }),
    row("startswith", 1, |_, v| match (v[0].as_str(), v[1].as_str()) {
        (Some(text), Some(part)) => Ok(Val::Bool(text.starts_with(part))),
        _ => Err(error("startswith() requires string inputs")),
    }),
    row("endswith", 1, |_, v| match (v[0].as_str(), v[1].as_str()) {
        (Some(text), Some(part)) => Ok(Val::Bool(text.ends_with(part))),
        _ => Err(error("endswith() requires string inputs")),
    }),
    row("ltrimstr", 1, |_, v| Ok(trimmed(&v[0], &v[1], |text, part| text.strip_prefix(part)))),
    row("rtrimstr", 1, |_, v| Ok(trimmed(&v[0], &v[1], |text, part| text.strip_suffix(part)))),
    row("split", 1, |_, v| match (v[0].as_str(), v[1].as_str()) {
        (Some(text), Some(separator)) => split(text, separator),
        _ => Err(error("split input and separator must be strings")),
    }),
    row("explode", 0, |_, v| explode(&v[0])),
    row("implode", 0, |_, v| implode(&v[0])),
    row("ascii_downcase", 0, |_, v| with_case(&v[0], str::to_ascii_lowercase)),
    row("ascii_upcase", 0, |_, v| with_case(&v[0], str::to_ascii_uppercase)),
    row("_strindices", 1, |_, v| indices(&v[0], &v[1])),
];

/// The text without the part; what is no text, or does not have it, as it is.
fn trimmed(value: &Val, part: &Val, strip: for<'t> fn(&'t str, &str) -> Option<&'t str>) -> Val {
    let (Some(text), Some(part)) = (value.as_str(), part.as_str()) else { return value.clone() };
    strip(text, part).map_or_else(|| value.clone(), Val::str)
}

/// The parts between separators; an empty text has none, an empty separator parts all characters.
pub(super) fn split(text: &str, separator: &str) -> Answer {
    meter::read(text.len())?;
    let part = |part: &str| -> Result<Val, Stop> {
        meter::spend(1)?;
        Ok(Val::str(part))
    };
    let parts: Result<Vec<Val>, Stop> = if text.is_empty() {
        Ok(Vec::new())
    } else if separator.is_empty() {
        text.chars().map(|c| part(c.encode_utf8(&mut [0; 4]))).collect()
    } else {
        text.split(separator).map(part).collect()
    };
    Ok(Val::list(parts?))
}

fn explode(value: &Val) -> Answer {
    let Some(text) = value.as_str() else { return Err(error("explode input must be a string")) };
    meter::room(text.len() * size_of::<Val>())?;
    Ok(Val::list(text.chars().map(|c| Val::Num(f64::from(u32::from(c)))).collect()))
}

fn implode(value: &Val) -> Answer {
    let Some(items) = value.as_list() else { return Err(error("implode input must be an array")) };
    meter::spend(items.len() as u64)?;
    let mut text = String::with_capacity(items.len());
    for item in items {
        // jq 1.6 ends its whole process here.
        let Val::Num(n) = item else { return Err(unfit(item, "is no code point, so it cannot be imploded")) };
        text.push(char::from_u32(*n as u32).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Ok(Val::str(text))
}

fn with_case(value: &Val, case: fn(&str) -> String) -> Answer {
    let Some(text) = value.as_str() else { return Err(error("explode input must be a string")) };
    meter::read(text.len())?;
    Ok(Val::str(case(text)))
}

/// The bytes at which a part begins, one found behind the other.
fn indices(value: &Val, part: &Val) -> Answer {
    let (Some(text), Some(part)) = (value.as_str(), part.as_str()) else {
        return Err(unfit(value, "cannot be searched, as it is not a string"));
    };
    if part.is_empty() {
        // jq 1.6 finds the empty text in the same place for ever.
        return Err(Stop::Steps.into());
    }
    meter::read(text.len())?;
    Ok(Val::list(text.match_indices(part).map(|(at, _)| Val::count(at)).collect()))
}

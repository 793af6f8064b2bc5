//! Expectation against value: what is missing, unexpected or different, each with its path.

use crate::limits;
use crate::profile::Profile;
use crate::text::Span;
use crate::value::{Map, Value, compare, decode};

use super::pattern::{Field, Kind, Pattern};
use super::show;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where in the result: `output.payload.speed`.
    pub path: String,
    /// What kind.
    pub kind: DifferenceKind,
    /// What was expected, as text.
    pub expected: String,
    /// What came, as text.
    pub actual: String,
    /// The place of the expectation in the test file.
    pub span: Span,
    /// What may explain it.
    pub hint: Option<String>,
}

/// Kinds of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Expected and not there.
    Missing,
    /// There and not expected.
    Unexpected,
    /// There, and something else.
    Different,
}

impl DifferenceKind {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            DifferenceKind::Missing => "missing",
            DifferenceKind::Unexpected => "unexpected",
            DifferenceKind::Different => "different",
        }
    }
}

/// A comparison under way.
#[derive(Debug)]
pub struct Comparison {
    profile: Profile,
    differences: Vec<Difference>,
}

impl Comparison {
    /// Nothing compared yet.
    pub fn new(profile: Profile) -> Comparison {
        Comparison { profile, differences: Vec::new() }
    }

    /// Whose behaviour counts.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// What was found.
    pub fn into_differences(self) -> Vec<Difference> {
        self.differences
    }

    /// Drops what is beyond a number of differences, and says how many.
    pub fn keep(&mut self, bound: usize) -> usize {
        let beyond = self.differences.len().saturating_sub(bound);
        self.differences.truncate(bound);
        beyond
    }

    /// Adds a difference that was found elsewhere.
    pub fn push(&mut self, difference: Difference) {
        self.differences.push(difference);
    }

    /// Holds a value, or none, against an expectation.
    pub fn check(&mut self, path: &str, pattern: &Pattern, actual: Option<&Value>) {
        match (&pattern.kind, actual) {
            (Kind::ByProfile(patterns), _) => match patterns.get(&self.profile) {
                Some(pattern) => self.check(path, pattern, actual),
                None => self.say(
                    path,
                    DifferenceKind::Missing,
                    pattern,
                    actual,
                    Some("nothing is said for this profile"),
                ),
            },
            (Kind::All(patterns), _) => patterns.iter().for_each(|pattern| self.check(path, pattern, actual)),
            (Kind::Not(inner), _) => {
                if self.matches(inner, actual) {
                    self.say(path, DifferenceKind::Different, pattern, actual, None);
                }
            }
            (Kind::Absent, Some(_)) => self.say(path, DifferenceKind::Unexpected, pattern, actual, None),
            (Kind::Absent, None) => {}
            (_, None) => self.say(path, DifferenceKind::Missing, pattern, None, None),
            (_, Some(actual)) => self.check_value(path, pattern, actual),
        }
    }

    /// Does it match?
    pub fn matches(&self, pattern: &Pattern, actual: Option<&Value>) -> bool {
        let mut inner = Comparison::new(self.profile);
        inner.check("", pattern, actual);
        inner.differences.is_empty()
    }

    fn check_value(&mut self, path: &str, pattern: &Pattern, actual: &Value) {
        let ok = match &pattern.kind {
            Kind::Exact(expected) => compare::exactly_equal(expected, actual),
            Kind::Text(text) => is_text(text, actual),
            Kind::Map(fields) => match actual.as_map() {
                Some(map) => return self.check_map(path, pattern, fields, map, true),
                None => false,
            },
            Kind::List(items) => match actual.as_list() {
                Some(list) => return self.check_list(path, pattern, items, list),
                None => false,
            },
            Kind::Json(inner) => return self.check_json(path, pattern, inner, actual),
            Kind::Contains(inner) => return self.check_part(path, pattern, inner, actual),
            Kind::Unordered(items) => match actual.as_list() {
                Some(list) => return self.check_unordered(path, pattern, items, list, true),
                None => false,
            },
            Kind::Len(inner) => match length(actual) {
                Some(n) => return self.check(&format!("{path}.$len"), inner, Some(&Value::Int(n))),
                None => false,
            },
            Kind::Type(name) => is_type(name, actual),
            Kind::Regex(regex) => text_of(actual).is_some_and(|text| regex.is_match(text)),
            Kind::Approx(value, tolerance) => {
                as_float(actual).is_some_and(|f| (f - value).abs() <= *tolerance)
            }
            Kind::Range(low, high) => in_range(actual, low.as_ref(), high.as_ref()),
            _ => true,
        };
        if !ok {
            let hint = hint(pattern, actual);
            self.say(path, DifferenceKind::Different, pattern, Some(actual), hint);
        }
    }

    fn check_map(&mut self, path: &str, pattern: &Pattern, fields: &[Field], map: &Map, exact: bool) {
        for field in fields {
            self.check(&under(path, &field.key), &field.value, map.get_named(field.key.as_bytes()));
        }
        if !exact {
            return;
        }
        let mut seen: Vec<&[u8]> = Vec::new();
        for (key, value) in map.entries() {
            let Some(name) = key.atom_name().or_else(|| key.as_bytes().map(|b| b.as_ref())) else { continue };
            let named = fields.iter().any(|field| field.key.as_bytes() == name);
            // Under 5.8 a map can hold an atom and a string of one name; JSON shows both, a reader sees one.
            if named || seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let path = under(path, &String::from_utf8_lossy(name));
            self.say(&path, DifferenceKind::Unexpected, pattern, Some(value), None);
        }
    }

    fn check_list(&mut self, path: &str, pattern: &Pattern, items: &[Pattern], list: &[Value]) {
        for (at, item) in items.iter().enumerate() {
            self.check(&format!("{path}[{at}]"), item, list.get(at));
        }
        for (at, value) in list.iter().enumerate().skip(items.len()) {
            self.say(&format!("{path}[{at}]"), DifferenceKind::Unexpected, pattern, Some(value), None);
        }
    }

    fn check_json(&mut self, path: &str, pattern: &Pattern, inner: &Pattern, actual: &Value) {
        let text = match actual {
            Value::Str(text) => text,
            _ => {
                return self.say(
                    path,
                    DifferenceKind::Different,
                    pattern,
                    Some(actual),
                    Some("it is no string"),
                );
            }
        };
        match decode::decode(text) {
            Ok(value) => self.check(&format!("{path}.$json"), inner, Some(&value)),
            Err(e) => {
                let hint = format!("it is no JSON: {e}");
                self.say(path, DifferenceKind::Different, pattern, Some(actual), Some(&hint));
            }
        }
    }

    fn check_part(&mut self, path: &str, pattern: &Pattern, inner: &Pattern, actual: &Value) {
        match (&inner.kind, actual) {
            (Kind::Map(fields), Value::Map(map)) => self.check_map(path, inner, fields, map, false),
            (Kind::List(items), Value::List(list)) => self.check_unordered(path, inner, items, list, false),
            (Kind::Text(part), Value::Str(_) | Value::Atom(_))
                if contains(text_bytes(actual), part.as_bytes()) => {}
            (Kind::Map(_) | Kind::List(_) | Kind::Text(_), _) => {
                let hint = hint(inner, actual);
                self.say(path, DifferenceKind::Different, pattern, Some(actual), hint);
            }
            // A matcher inside $contains stands for itself.
            _ => self.check_value(path, inner, actual),
        }
    }

    /// Pairs expected items with items in any order; `exact` when none may be left.
    fn check_unordered(
        &mut self,
        path: &str,
        pattern: &Pattern,
        items: &[Pattern],
        list: &[Value],
        exact: bool,
    ) {
        if items.len().max(list.len()) > limits::UNORDERED_ITEMS_MAX {
            let hint =
                format!("more than {} items are not compared without order", limits::UNORDERED_ITEMS_MAX);
            return self.say(path, DifferenceKind::Different, pattern, None, Some(&hint));
        }
        let fits: Vec<Vec<bool>> =
            items.iter().map(|item| list.iter().map(|v| self.matches(item, Some(v))).collect()).collect();
        let owner = pairing(&fits, list.len());
        let taken = |item: usize| owner.contains(&Some(item));
        let open_items: Vec<usize> = (0..items.len()).filter(|at| !taken(*at)).collect();
        let open_values: Vec<usize> = (0..list.len()).filter(|at| owner[*at].is_none()).collect();
        if let ([item], [value]) = (open_items.as_slice(), open_values.as_slice()) {
            return self.check(&format!("{path}[{value}]"), &items[*item], Some(&list[*value]));
        }
        for item in open_items {
            self.say(&format!("{path}[]"), DifferenceKind::Missing, &items[item], None, None);
        }
        if exact {
            for value in open_values {
                let path = format!("{path}[{value}]");
                self.say(&path, DifferenceKind::Unexpected, pattern, Some(&list[value]), None);
            }
        }
    }

    fn say(
        &mut self,
        path: &str,
        kind: DifferenceKind,
        pattern: &Pattern,
        actual: Option<&Value>,
        hint: Option<&str>,
    ) {
        let expected = match kind {
            DifferenceKind::Unexpected => String::new(),
            _ if is_secret(path) => MASK.to_owned(),
            _ => pattern.to_string(),
        };
        let actual = match actual {
            Some(_) if is_secret(path) => MASK.to_owned(),
            Some(value) => show::value(value),
            None => String::new(),
        };
        let hint = hint.map(str::to_owned);
        self.differences.push(Difference {
            path: path.to_owned(),
            kind,
            expected,
            actual,
            span: pattern.span,
            hint,
        });
    }
}

const MASK: &str = "******";

/// Is the last key of a path one whose value no report shows?
pub(super) fn is_secret(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default().to_lowercase();
    ["authorization", "proxy-authorization", "password", "secret", "token"].contains(&last.as_str())
}

/// A path one key further.
pub fn under(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
    let key = if plain { key.to_owned() } else { show::value(&Value::str(key)) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn is_text(text: &str, actual: &Value) -> bool {
    match actual {
        Value::Str(bytes) | Value::Atom(bytes) => bytes.as_ref() == text.as_bytes(),
        _ => false,
    }
}

fn text_bytes(value: &Value) -> &[u8] {
    match value {
        Value::Str(bytes) | Value::Atom(bytes) => bytes,
        _ => b"",
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Str(bytes) | Value::Atom(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// Characters of a text, bytes of a string that is none, items of a list, keys of a map.
fn length(value: &Value) -> Option<i64> {
    let n = match value {
        Value::Str(bytes) | Value::Atom(bytes) => {
            std::str::from_utf8(bytes).map_or(bytes.len(), |text| text.chars().count())
        }
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        _ => return None,
    };
    i64::try_from(n).ok()
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "number" => matches!(value, Value::Int(_) | Value::Big(_) | Value::Float(_)),
        "atom" => value.atom_name().is_some(),
        "string" => matches!(value, Value::Str(_)),
        name => value.kind_name() == name,
    }
}

fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Big(n) => n.to_string().parse().ok(),
        Value::Float(f) => Some(*f),
        _ => None,
    }
}

fn in_range(value: &Value, low: Option<&Value>, high: Option<&Value>) -> bool {
    let is_number = matches!(value, Value::Int(_) | Value::Big(_) | Value::Float(_));
    is_number
        && low.is_none_or(|low| compare::number_order(low, value).is_le())
        && high.is_none_or(|high| compare::number_order(value, high).is_le())
}

/// The item that each value goes to: a largest pairing, by augmenting paths.
fn pairing(fits: &[Vec<bool>], values: usize) -> Vec<Option<usize>> {
    fn place(item: usize, fits: &[Vec<bool>], owner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
        for value in 0..owner.len() {
            if !fits[item][value] || tried[value] {
                continue;
            }
            tried[value] = true;
            // The recursion tries each value once, so it is no deeper than there are values.
            if owner[value].is_none_or(|other| place(other, fits, owner, tried)) {
                owner[value] = Some(item);
                return true;
            }
        }
        false
    }
    let mut owner = vec![None; values];
    for item in 0..fits.len() {
        place(item, fits, &mut owner, &mut vec![false; values]);
    }
    owner
}

/// What may explain a difference of kinds.
fn hint(pattern: &Pattern, actual: &Value) -> Option<&'static str> {
    let expected = match &pattern.kind {
        Kind::Contains(inner) => &inner.kind,
        kind => kind,
    };
    match (expected, actual) {
        (Kind::Map(_) | Kind::List(_), Value::Str(text)) if decode::decode(text).is_ok() => {
            Some("it is a string that holds JSON: write { $json: … }")
        }
        (Kind::Exact(number), Value::Float(_) | Value::Int(_) | Value::Big(_))
            if compare::equal(number, actual) =>
        {
            Some("integers and floats are told apart: 1 is not 1.0")
        }
        (Kind::Exact(Value::Int(_) | Value::Big(_) | Value::Float(_)), Value::Str(_)) => {
            Some("it is a string, not a number")
        }
        (Kind::Text(text), Value::Undefined) if &**text == "undefined" => {
            Some("it is undefined, not the text \"undefined\": write $undefined")
        }
        (Kind::Exact(Value::Null), Value::Undefined) => Some("it is undefined, not null: write $undefined"),
        (Kind::Exact(Value::Undefined), Value::Null) => Some("it is null, not undefined"),
        (Kind::Exact(Value::Undefined), Value::Str(text)) if text.as_ref() == b"undefined" => {
            Some("it is the text \"undefined\"; templates and JSON write undefined so")
        }
        (Kind::Text(_), Value::Int(_) | Value::Float(_) | Value::Big(_)) => {
            Some("it is a number, not a string")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integers(n: usize) -> Vec<i64> {
        (0..n as i64).collect()
    }

    /// What comes of holding integers, backwards, against their patterns without order.
    fn unordered(n: usize) -> Vec<Difference> {
        let exact = |n: &i64| Pattern { span: Span::new(0, 0), kind: Kind::Exact(Value::Int(*n)) };
        let kind = Kind::Unordered(integers(n).iter().map(exact).collect());
        let list = Value::list(integers(n).into_iter().rev().map(Value::Int).collect());
        let mut comparison = Comparison::new(Profile::V5_8);
        comparison.check("x", &Pattern { span: Span::new(0, 0), kind }, Some(&list));
        comparison.into_differences()
    }

    #[test]
    fn lists_without_order_end_at_the_bound() {
        assert_eq!(unordered(limits::UNORDERED_ITEMS_MAX), []);
        let beyond = unordered(limits::UNORDERED_ITEMS_MAX + 1);
        let hint = beyond[0].hint.as_deref();
        assert_eq!(hint, Some("more than 1000 items are not compared without order"));
    }

    #[test]
    fn items_are_paired_however_they_lie() {
        // Item 0 fits both, item 1 only the first: a greedy pairing would fail.
        let owner = pairing(&[vec![true, true], vec![true, false]], 2);
        assert_eq!(owner, [Some(1), Some(0)]);
        assert_eq!(pairing(&[vec![false]], 1), [None]);
    }

    #[test]
    fn paths_quote_odd_keys() {
        assert_eq!(under("", "a"), "a");
        assert_eq!(under("a", "b-c"), "a.b-c");
        assert_eq!(under("a", "b.c"), "a.\"b.c\"");
        assert!(is_secret("actions[0].http.headers.Authorization") && !is_secret("output.payload"));
    }
}

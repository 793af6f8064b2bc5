//! Functions that are not there: what is said of them, and what other languages' names for them are called here.

use super::Failure;
use crate::diag::{Diagnostic, codes, nearest};
use crate::func;
use crate::profile::Profile;
use crate::sql::ast::Path;

/// Names of other languages, with what to write.
const ELSEWHERE: &[(&str, &str)] = &[
    ("avg", MANY),
    ("cast", "write `int(x)`, `float(x)`, `str(x)` or `bool(x)`"),
    ("char_length", "write `strlen(text)`"),
    ("count", MANY),
    ("datediff", "subtract two timestamps"),
    ("exists", "write `is_not_null(x)`"),
    ("from_json", "write `json_decode(text)`"),
    ("get", "write `map_get(key, map)`"),
    ("ifnull", "write `CASE WHEN is_null(x) THEN a ELSE x END`"),
    ("indexof", "write `find(text, part)`"),
    ("instr", "write `find(text, part)`"),
    ("isnull", "write `is_null(x)`"),
    ("json_extract", "a key is read by its path: `payload.x`"),
    ("json_parse", "write `json_decode(text)`"),
    ("len", "write `strlen(text)`, or `length(list)`"),
    ("max", MANY),
    ("min", MANY),
    ("now", "write `now_timestamp()`, or `now_rfc3339()`"),
    ("nvl", "write `CASE WHEN is_null(x) THEN a ELSE x END`"),
    ("parse_json", "write `json_decode(text)`"),
    ("regexp_like", "write `regex_match(text, 'pattern')`"),
    ("regexp_replace", "write `regex_replace(text, 'pattern', 'by')`"),
    ("size", "write `length(list)`, or `map_size(map)`"),
    ("substring", "write `substr(text, from, length)`, counted from 0"),
    ("sum", MANY),
    ("to_char", "write `format_date('second', '+00:00', '%Y-%m-%d', seconds)`"),
    ("to_json", "write `json_encode(x)`"),
    ("to_number", "write `int(x)` or `float(x)`"),
    ("to_string", "write `str(x)`"),
    ("tostring", "write `str(x)`"),
    ("ucase", "write `upper(text)`"),
    ("lcase", "write `lower(text)`"),
];
const MANY: &str = "a rule sees one message at a time; sums over several are taken where they are stored";

/// Why a call has no function, for run time and for the check.
pub(super) fn function(path: &Path, arity: usize, profile: Profile) -> (Failure, Diagnostic) {
    let name = path.to_string();
    let here: Vec<&func::Builtin> = func::named(&name).filter(|f| f.profiles.has(profile)).collect();
    let (code, message, help) = if !path.steps.is_empty() {
        let message =
            format!("`{name}` is a function of a module, and rulemill has only EMQX's builtin ones");
        (codes::UNKNOWN_FUNCTION, message, None)
    } else if !here.is_empty() {
        let signatures: Vec<String> = here.iter().map(|f| format!("`{}`", f.short_signature())).collect();
        let message = format!("`{name}` takes {}, not {arity}", arities(&here));
        (codes::ARGUMENT_COUNT, message, Some(format!("write {}", signatures.join(" or "))))
    } else if let Some(builtin) = func::named(&name).next() {
        let message = format!("EMQX {profile} has no function `{name}`");
        let help = format!("it is in the other profile: {}", builtin.signature());
        (codes::OTHER_PROFILE, message, Some(help))
    } else if profile.is_5_8() && func::schema::OUTSIDE.contains(&name.as_str()) {
        let message = format!("`{name}` needs an outside schema registry, and rulemill asks none");
        let help = "put the schema under schema_registry.schemas and use schema_encode or schema_decode";
        ("E104", message, Some(help.to_owned()))
    } else {
        let message = format!("there is no function `{name}`");
        (codes::UNKNOWN_FUNCTION, message, Some(elsewhere(&name, profile)))
    };
    let mut problem = Diagnostic::error(code, message.clone());
    problem.help.extend(help.clone());
    (Failure { code, message, help }, problem)
}

fn elsewhere(name: &str, profile: Profile) -> String {
    let known = ELSEWHERE.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    if let Some((_, help)) = known {
        return (*help).to_owned();
    }
    let names = func::table::all().filter(|f| f.profiles.has(profile)).map(|f| f.name);
    match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`rulemill fn` lists the functions".to_owned(),
    }
}

fn arities(functions: &[&func::Builtin]) -> String {
    let mut counts: Vec<usize> = functions.iter().map(|f| f.params.len()).collect();
    counts.sort_unstable();
    counts.dedup();
    let noun = if counts == [1] { "argument" } else { "arguments" };
    let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
    format!("{} {noun}", counts.join(" or "))
}

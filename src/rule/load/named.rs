//! Schemas and message types that a rule names by constants.

use super::Loader;
use crate::diag::{Diagnostic, codes, nearest};
use crate::func;
use crate::sql::ast::{Expr, ExprKind, Statement};

impl Loader {
    /// Calls whose schema or message type is a constant and is not there: they fail whenever they are reached.
    pub(super) fn unknown_schemas(&self, statement: &Statement) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if !func::schema::BUILT || !self.profile.is_5_8() {
            return found;
        }
        statement.each(&mut |expr| {
            let ExprKind::Call(path, args) = &expr.kind else { return };
            if !path.steps.is_empty() {
                return;
            }
            let (schema, at, message) = match path.head.text.as_str() {
                "schema_encode" | "schema_decode" | "schema_check" => match args.as_slice() {
                    [schema, _, rest @ ..] => (constant(schema), schema.span(), rest.first()),
                    _ => return,
                },
                "sparkplug_encode" | "sparkplug_decode" | "spb_encode" | "spb_decode" => {
                    (Some(func::schema::SPARKPLUG), expr.span(), args.get(1))
                }
                _ => return,
            };
            let Some(schema) = schema else { return };
            if schema != func::schema::SPARKPLUG && !self.places.contains_key(&format!("schema {schema}")) {
                let names = self.places.keys().filter_map(|what| what.strip_prefix("schema "));
                let message = format!("there is no schema '{schema}'");
                found.push(
                    unknown(message, schema, names, "define it under schema_registry.schemas").at(at, ""),
                );
            } else if let Some(types) = self.loaded.set.schemas.message_types(schema)
                && let Some((message, name)) = message.and_then(|m| Some((m, constant(m)?)))
                && !types.contains(&name)
            {
                let problem = format!("the schema has no message '{name}'");
                let help = format!("its messages: {}", types.join(", "));
                found.push(unknown(problem, name, types.into_iter(), &help).at(message.span(), ""));
            }
        });
        found
    }
}

fn unknown<'a>(
    message: String,
    name: &str,
    known: impl Iterator<Item = &'a str>,
    otherwise: &str,
) -> Diagnostic {
    let problem = Diagnostic::error(codes::UNKNOWN_SCHEMA, message);
    match nearest(name, known) {
        Some(near) => problem.help(format!("did you mean '{near}'?")),
        None => problem.help(otherwise),
    }
}

fn constant(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Const(value) => value.as_text(),
        _ => None,
    }
}

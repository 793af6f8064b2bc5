//! What the rules of a case did, held against its expectations, and explained where it differs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::case::{Case, Watch};
use super::compare::{Comparison, Difference, DifferenceKind};
use super::expect::{Expect, RuleExpect, Said};
use super::explain::explain;
use super::model::Name;
use super::verdict::{self, Seen};
use crate::limits;
use crate::rule::Rule;
use crate::value::Value;

impl Case<'_> {
    /// Holds what came against what was expected.
    pub fn check(
        &mut self,
        prefix: &str,
        expect: &Expect,
        seen: Option<&BTreeMap<Arc<str>, Seen>>,
        comparison: &mut Comparison,
    ) {
        let kv = match expect {
            Expect::Rules(rules, kv) => {
                if let Some(seen) = seen {
                    self.check_rules(prefix, rules, seen, comparison);
                }
                kv
            }
            Expect::Rule(rule, kv) => {
                let kv_only = kv.is_some() && matches!(rule.said, Said::Nothing);
                if let Some(seen) = seen
                    && !kv_only
                {
                    self.check_one(prefix, rule, seen, comparison);
                }
                kv
            }
            Expect::ByProfile(_) => &None,
        };
        if let Some(kv) = kv {
            let path = super::compare::under(prefix, "kv");
            comparison.check(&path, kv, Some(&Value::Map(self.ctx.kv_store.to_map())));
        }
    }

    /// The expectation is for one rule: the only one, or the only one that the message reached.
    fn check_one(
        &mut self,
        prefix: &str,
        expect: &RuleExpect,
        seen: &BTreeMap<Arc<str>, Seen>,
        comparison: &mut Comparison,
    ) {
        let all: Vec<&Arc<str>> = seen.keys().collect();
        let reached: Vec<&Arc<str>> =
            seen.iter().filter(|(_, s)| !matches!(s, Seen::NotSelected(_))).map(|(id, _)| id).collect();
        let ids = match (all.as_slice(), reached.as_slice(), &expect.said) {
            ([one], ..) => vec![*one],
            (_, _, Said::NotSelected) => all,
            (_, [one], _) => vec![*one],
            _ => {
                let names: Vec<&str> = reached.iter().map(|id| &***id).collect();
                comparison.push(Difference {
                    path: super::compare::under(prefix, "rules"),
                    kind: DifferenceKind::Different,
                    expected: "one rule that the message reaches".to_owned(),
                    actual: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
                    span: expect.span,
                    hint: Some("name the rule with `rule:`, or write `expect: { rules: { … } }`".to_owned()),
                });
                return;
            }
        };
        for id in ids {
            self.check_rule(prefix, id, expect, &seen[id], comparison);
        }
    }

    fn check_rules(
        &mut self,
        prefix: &str,
        rules: &[(Name, RuleExpect)],
        seen: &BTreeMap<Arc<str>, Seen>,
        comparison: &mut Comparison,
    ) {
        let prefix = super::compare::under(prefix, "rules");
        for (name, expect) in rules {
            let path = super::compare::under(&prefix, &name.name);
            match seen.get_key_value(name.name.as_str()) {
                Some((id, seen)) => self.check_rule(&path, id, expect, seen, comparison),
                None => {
                    let names: Vec<&str> = seen.keys().map(|id| &**id).collect();
                    comparison.push(Difference {
                        path,
                        kind: DifferenceKind::Missing,
                        expected: format!("the rule '{}'", name.name),
                        actual: String::new(),
                        span: name.span,
                        hint: Some(format!("the test runs {}", names.join(", "))),
                    });
                }
            }
        }
        // What is produced and not expected fails.
        for (id, seen) in seen {
            let said = rules.iter().any(|(name, _)| name.name == **id);
            if let (false, Some(actual), Some(last)) = (said, verdict::produced(seen), rules.last()) {
                comparison.push(Difference {
                    path: super::compare::under(&prefix, id),
                    kind: DifferenceKind::Unexpected,
                    expected: String::new(),
                    actual,
                    span: last.1.span,
                    hint: None,
                });
            }
        }
    }

    fn check_rule(
        &mut self,
        prefix: &str,
        id: &Arc<str>,
        expect: &RuleExpect,
        seen: &Seen,
        comparison: &mut Comparison,
    ) {
        let Some(rule) = self.engine.rules().iter().find(|rule| rule.id == *id).cloned() else { return };
        let mut own = Comparison::new(self.profile);
        verdict::check(prefix, &rule, expect, seen, self.faults, &mut own);
        let differences = own.into_differences();
        if differences.is_empty() {
            return;
        }
        if let Seen::Ran(ran) = seen
            && let Err(error) = &ran.result
        {
            self.result.problems.push(rule.sql.relocated((*error.diagnostic).clone()));
        }
        if self.watch == Watch::Failures {
            let outputs: Vec<usize> = differences.iter().filter_map(|d| output_of(prefix, &d.path)).collect();
            self.explain(prefix, &rule, &outputs);
        }
        if !self.result.rules.iter().any(|known| known.id == *id) {
            self.result.rules.push(rule);
        }
        differences.into_iter().for_each(|difference| comparison.push(difference));
    }
}

impl Case<'_> {
    /// Explains the last run of a rule that did something else than was expected.
    fn explain(&mut self, prefix: &str, rule: &Arc<Rule>, outputs: &[usize]) {
        let Some(trace) = &self.ctx.trace else { return };
        let Some((run, steps)) = trace.runs().find(|(run, _)| run.rule == rule.id) else { return };
        if self.result.explained.len() < limits::REPORT_RUNS_MAX {
            let label = prefix.split(".rules.").next().unwrap_or(prefix).trim_start_matches("rules.");
            let label = if label == &*rule.id { "" } else { label };
            self.result.explained.push((rule.clone(), explain(label, rule, run, steps, outputs)));
        }
    }

    /// Explains every run since the last message came.
    pub fn explain_all(&mut self, label: &str) {
        let Some(trace) = &self.ctx.trace else { return };
        for (run, steps) in trace.runs() {
            let rule = self.engine.rules().iter().find(|rule| rule.id == run.rule);
            if let Some(rule) = rule
                && self.result.explained.len() < limits::TRACE_RUNS_MAX
            {
                self.result.explained.push((rule.clone(), explain(label, rule, run, steps, &[])));
            }
        }
    }
}

/// Which output the path of a difference is about: `outputs[2].x`.
fn output_of(prefix: &str, path: &str) -> Option<usize> {
    let rest = path.strip_prefix(prefix)?.trim_start_matches('.').strip_prefix("outputs[")?;
    rest.split(']').next()?.parse().ok()
}

//! Runs one test under one profile.

use std::path::Path;
use std::sync::Arc;

use super::capture::Replayed;
use super::case::{Case, Watch};
use super::compare::Difference;
use super::coverage::Hits;
use super::explain::Explanation;
use super::model::{Name, Test, TestFile};
use super::update::Kept;
use crate::ctx::Ctx;
use crate::diag::{Diagnostic, codes, nearest};
use crate::engine::Engine;
use crate::limits;
use crate::profile::Profile;
use crate::rule::{Loaded, Rule};
use crate::value::Store;

/// Makes the world of a case from its start time and seed.
pub type NewCtx<'a> = &'a dyn Fn(i128, u64) -> Ctx;

/// How one test went under one profile.
#[derive(Debug)]
pub struct CaseResult {
    /// The profile.
    pub profile: Profile,
    /// What is missing, unexpected or different; none when it passed.
    pub differences: Vec<Difference>,
    /// Why it could not be run, or what failed in the rules, shown at its place.
    pub problems: Vec<Diagnostic>,
    /// Could it be run at all?
    pub ran: bool,
    /// The rules that did not do what was expected.
    pub rules: Vec<Arc<Rule>>,
    /// Values of the rules' expressions, of runs that failed; of all when everything is traced.
    pub explained: Vec<(Arc<Rule>, Explanation)>,
    /// What looks wrong in those rules, from whoever knows: it may be why.
    pub suspicions: Vec<Diagnostic>,
    /// Differences beyond those kept.
    pub left_out: usize,
    /// The snapshot as it would be written now.
    pub snapshot: Option<String>,
    /// What each step brought, when asked for.
    pub kept: Vec<Kept>,
    /// What a capture came to, by the names of the totals.
    pub totals: Vec<(&'static str, i64)>,
    /// What it reached of its rules, when the world's trace watches.
    pub hits: Hits,
}

impl CaseResult {
    /// Nothing yet.
    fn new(profile: Profile) -> CaseResult {
        CaseResult {
            profile,
            differences: Vec::new(),
            problems: Vec::new(),
            ran: true,
            rules: Vec::new(),
            explained: Vec::new(),
            suspicions: Vec::new(),
            left_out: 0,
            snapshot: None,
            kept: Vec::new(),
            totals: Vec::new(),
            hits: Hits::default(),
        }
    }

    /// Did it pass?
    pub fn passed(&self) -> bool {
        self.ran && self.differences.is_empty()
    }
}

/// What tests run with, besides their rules.
#[derive(Clone, Copy)]
pub struct Runner<'a> {
    /// Makes the world of each case.
    pub new_ctx: NewCtx<'a>,
    /// Explain what passes, too.
    pub trace: bool,
    /// Keep what each step brought.
    pub keep: bool,
    /// Counts the messages of captures, for those who wait.
    pub replayed: Option<&'a Replayed>,
}

/// Runs a test.
pub fn run_case(
    file: &TestFile,
    test: &Test,
    profile: Profile,
    loaded: &Loaded,
    new_ctx: NewCtx<'_>,
) -> CaseResult {
    Runner { new_ctx, trace: false, keep: false, replayed: None }.run(file, test, profile, loaded)
}

impl Runner<'_> {
    /// Runs a test; one that fails runs once more, watched.
    pub fn run(&self, file: &TestFile, test: &Test, profile: Profile, loaded: &Loaded) -> CaseResult {
        let rules = match find_rules(file, test, loaded) {
            Ok(rules) => rules,
            Err(problems) => return CaseResult { ran: false, problems, ..CaseResult::new(profile) },
        };
        let mut result = self.run_rules(file, test, profile, loaded, rules.clone(), self.trace);
        if !result.passed() && !result.rules.is_empty() && !self.trace {
            result.explained = self.run_rules(file, test, profile, loaded, rules, true).explained;
        }
        let left_out = result.differences.len().saturating_sub(limits::REPORT_DIFFERENCES_MAX);
        result.differences.truncate(limits::REPORT_DIFFERENCES_MAX);
        result.left_out += left_out;
        result
    }

    fn run_rules(
        &self,
        file: &TestFile,
        test: &Test,
        profile: Profile,
        loaded: &Loaded,
        rules: Vec<Arc<Rule>>,
        watch: bool,
    ) -> CaseResult {
        let mut ctx = (self.new_ctx)(test.world.clock_ns, test.world.seed);
        ctx.zone_offset_seconds = test.world.zone_offset_seconds;
        ctx.env.extend(test.world.env.clone());
        ctx.kv_store = Store::from(&test.world.kv);
        ctx.jq_timeout_ms = loaded.set.settings.jq_timeout_ms;
        ctx.schemas = Arc::clone(&loaded.set.schemas);
        let mut case = Case {
            engine: Engine::new(rules, profile),
            ctx,
            test,
            profile,
            now_ns: test.world.clock_ns,
            faults: &[],
            source: &file.source,
            replayed: self.replayed,
            keep: self.keep,
            watch: match (watch, self.trace) {
                (false, _) => Watch::Nothing,
                (true, false) => Watch::Failures,
                (true, true) => Watch::All,
            },
            result: CaseResult::new(profile),
        };
        for (at, step) in test.steps.iter().enumerate() {
            case.step(at, step);
        }
        if let Some(capture) = &test.capture {
            case.replay(capture);
        }
        case.result
    }
}

/// The rules that a test runs, as far as they are there.
pub fn rules_of(file: &TestFile, test: &Test, loaded: &Loaded) -> Vec<Arc<Rule>> {
    let names = match &test.rules {
        Some(names) => names.clone(),
        None => default_rules(file, test, loaded).unwrap_or_default(),
    };
    names.iter().filter_map(|name| loaded.set.rules.get(name.name.as_str()).cloned()).collect()
}

/// The rules that a test names, or those of the rule file of the same name.
fn find_rules(file: &TestFile, test: &Test, loaded: &Loaded) -> Result<Vec<Arc<Rule>>, Vec<Diagnostic>> {
    let names = match &test.rules {
        Some(names) => names.clone(),
        None => default_rules(file, test, loaded)?,
    };
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for name in &names {
        match loaded.set.rules.get(name.name.as_str()) {
            Some(rule) => rules.push(rule.clone()),
            None => problems.push(missing_rule(name, loaded).in_source(&file.source)),
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

fn missing_rule(name: &Name, loaded: &Loaded) -> Diagnostic {
    if loaded.broken.contains(&name.name) {
        let problem =
            Diagnostic::error(codes::UNKNOWN_RULE, format!("the rule '{}' does not compile", name.name));
        return problem.at(name.span, "");
    }
    let problem =
        Diagnostic::error(codes::UNKNOWN_RULE, format!("there is no rule '{}'", name.name)).at(name.span, "");
    match nearest(&name.name, loaded.set.rules.keys().map(|id| &**id)) {
        Some(near) => problem.help(format!("did you mean '{near}'?")),
        None => problem.help("give the file or folder of the rule as well"),
    }
}

/// `x.test.yaml` tests the rules of `x.yaml`, `x.yml`, `x.json` or `x.sql` beside it.
fn default_rules(file: &TestFile, test: &Test, loaded: &Loaded) -> Result<Vec<Name>, Vec<Diagnostic>> {
    let stem = rule_stem(file.source.name());
    let mut names = Vec::new();
    for extension in ["yaml", "yml", "json", "sql"] {
        if let Some(ids) = loaded.by_file.get(&format!("{stem}.{extension}")) {
            names.extend(ids.iter().map(|id| Name { name: id.clone(), span: test.span }));
        }
    }
    if names.is_empty() {
        let message = format!("there is no rule file {stem}.yaml, .yml, .json or .sql with rules");
        let problem = Diagnostic::error(codes::UNKNOWN_RULE, message).at(test.span, "");
        return Err(vec![problem.help("name the rule with `rule:`").in_source(&file.source)]);
    }
    Ok(names)
}

/// A test file's path without `.test.yaml`.
pub fn rule_stem(path: &str) -> String {
    let without = Path::new(path).with_extension("");
    without.with_extension("").to_string_lossy().replace('\\', "/")
}

//! `rulemill test --coverage`: which ways of the rules no test goes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{Exit, files};
use crate::ctx::{Ctx, Trace};
use crate::harness::coverage::{self, Coverage, Hits};
use crate::harness::{TestFile, rule_stem};
use crate::profile::Profile;
use crate::rule::Loaded;

/// Options of `test` for coverage.
#[derive(Args, Debug)]
pub(super) struct CoverageArgs {
    /// Show which ways of the rules no test goes.
    #[arg(long)]
    coverage: bool,
    /// Fail below this many percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    coverage_min: Option<u8>,
    /// Write it to a file in this form.
    #[arg(long, value_enum, requires = "coverage_out", value_name = "FORMAT")]
    coverage_format: Option<CoverageFormat>,
    /// The file.
    #[arg(long, requires = "coverage_format", value_name = "FILE")]
    coverage_out: Option<PathBuf>,
}

/// How coverage is written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CoverageFormat {
    /// A tracefile for editors and forges.
    Lcov,
    /// One page.
    Html,
    /// One JSON document.
    Json,
}

impl CoverageArgs {
    /// Is it asked for in any way?
    pub fn is_wanted(&self) -> bool {
        self.coverage || self.coverage_min.is_some() || self.coverage_out.is_some()
    }

    /// A world that is watched where coverage is wanted.
    pub fn watch(&self, mut ctx: Ctx) -> Ctx {
        ctx.trace = self.is_wanted().then(Trace::default);
        ctx
    }

    /// The coverage of the rules given, of those beside the tests, and of others that ran.
    pub fn of(
        &self,
        loaded: &BTreeMap<Profile, Loaded>,
        found: &[files::Found],
        tests: &[TestFile],
        hits: &Hits,
    ) -> Option<Coverage> {
        let stems = tests.iter().map(|file| rule_stem(file.source.name()));
        let beside = stems.flat_map(|stem| ["yaml", "yml", "json", "sql"].map(|e| format!("{stem}.{e}")));
        let given = found.iter().map(|found| files::shown(&found.path));
        let files: BTreeSet<String> = given.chain(beside).collect();
        self.is_wanted().then(|| Coverage::of(loaded, &files, hits))
    }

    /// Prints and writes what was asked for, and says whether it is enough.
    pub fn report(
        &self,
        coverage: &Coverage,
        out: Option<&mut dyn Write>,
        quiet: bool,
    ) -> anyhow::Result<Exit> {
        if let Some(out) = out.filter(|_| self.coverage || self.coverage_min.is_some()) {
            if self.coverage && !quiet {
                write!(out, "{}", coverage::blocks(coverage))?;
            }
            writeln!(out, "{}", coverage::table(coverage))?;
        }
        if let (Some(format), Some(path)) = (self.coverage_format, &self.coverage_out) {
            let text = match format {
                CoverageFormat::Lcov => coverage::lcov(coverage),
                CoverageFormat::Html => coverage::html(coverage),
                CoverageFormat::Json => format!("{:#}\n", coverage::json(coverage)),
            };
            std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        match self.coverage_min.and_then(|minimum| coverage.below(minimum)) {
            Some(sentence) => {
                writeln!(anstream::stderr(), "error: {sentence}")?;
                Ok(Exit::Failed)
            }
            None => Ok(Exit::Ok),
        }
    }
}

//! `rulemill schema`: JSON Schemas of the files that people write, for their editors.

use std::io::{self, Write};

use clap::{Args, ValueEnum};

use super::Exit;
use crate::{harness, rule};

/// Options of `schema`.
#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    /// Whose schema.
    #[arg(value_enum)]
    of: Schema,
}

/// The files that have a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Schema {
    /// Rule files: rules, actions, connectors.
    Rule,
    /// Test files beside them.
    Test,
}

/// Prints a schema.
pub(super) fn run(args: SchemaArgs) -> anyhow::Result<Exit> {
    let schema = match args.of {
        Schema::Rule => rule::schema::schema(),
        Schema::Test => harness::schema::schema(),
    };
    writeln!(io::stdout().lock(), "{schema:#}")?;
    Ok(Exit::Ok)
}

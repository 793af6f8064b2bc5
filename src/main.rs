//! The `rulemill` command.

use rulemill::cli::{self, Exit};

fn main() -> Exit {
    cli::main()
}

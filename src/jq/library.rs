//! The builtins that jq 1.6 defines in jq itself.
//!
//! Invariant: compiled once; none of its functions needs a frame around it.

use std::sync::{Arc, OnceLock};

use super::code::Function;
use super::{compiler, parser};

/// The definitions, compiled.
#[derive(Debug, Default)]
pub(super) struct Library {
    names: Vec<(String, usize, u32)>,
    functions: Vec<Function>,
}

impl Library {
    /// The one library.
    pub(super) fn shared() -> Arc<Library> {
        static SHARED: OnceLock<Arc<Library>> = OnceLock::new();
        SHARED.get_or_init(|| Arc::new(Library::compile().unwrap_or_default())).clone()
    }

    fn compile() -> Result<Library, String> {
        let defs = parser::library(include_str!("library.jq")).map_err(|fault| fault.text)?;
        let (names, functions) = compiler::library(&defs)?;
        Ok(Library { names, functions })
    }

    /// The function of this name and number of parameters.
    pub(super) fn find(&self, name: &str, params: usize) -> Option<u32> {
        let found = self.names.iter().rev().find(|(known, count, _)| known == name && *count == params);
        found.map(|(_, _, id)| *id)
    }

    /// A function by its number.
    pub(super) fn function(&self, id: u32) -> &Function {
        &self.functions[id as usize]
    }

    /// All names with the number of their parameters.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names.iter().map(|(name, params, _)| (name.as_str(), *params))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_compiles() {
        let library = Library::compile().expect("the library is jq");
        assert!(library.find("map", 1).is_some());
        assert!(library.find("map", 2).is_none());
    }
}

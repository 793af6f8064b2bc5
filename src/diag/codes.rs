//! Every code of a diagnostic, with its title and what to do about it: one table for messages, `rulemill explain`
//! and the docs. Numbers are never reused.

/// A page of the table.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `E404`.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// What it means and the way out.
    pub text: &'static str,
}

/// The page of a code.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|page| page.code.eq_ignore_ascii_case(code))
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal, $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $code;)*
        /// All codes in order.
        pub const CODES: &[Code] = &[$(Code { code: $code, title: $title, text: $text }),*];
    };
}

codes! {
    /// A file cannot be read from disk.
    UNREADABLE = "E400", "the file cannot be read",
        "The path does not exist, is no file, or may not be read by you.";
    /// A file is no UTF-8 text.
    NOT_TEXT = "E401", "the file is not UTF-8 text",
        "Rule and test files are UTF-8. Save the file in that encoding; write binary payloads with $hex, $base64 or $file.";
    /// A file is no YAML or JSON.
    SYNTAX = "E402", "the file is not valid YAML, JSON or HOCON",
        "YAML is read as version 1.2 with the core schema, one document a file, without directives and without tags of your own. JSON is read to the letter. HOCON is read as EMQX reads it: what is not a letter followed by letters, digits and _ . @ % | - stands in quotes, a line break ends no value, and SQL stands between \"\"\"~ and ~\"\"\".";
    /// A file holds nothing.
    EMPTY_FILE = "E403", "the file is empty",
        "A rule file holds rule_engine.rules, actions or connectors; a test file holds tests.";
    /// A map has a key twice.
    DUPLICATE_KEY = "E404", "a key is there twice",
        "Most readers would silently take the last one. Remove one of the two.";
    /// A file is beyond a limit.
    TOO_LARGE = "E405", "the file is beyond a limit",
        "Size, nesting, the number of values (aliases counted as what they stand for) and the length of numbers are bounded.";
    /// A key that nobody knows.
    UNKNOWN_KEY = "E406", "an unknown key",
        "A misspelt key would be ignored and the rule would do something else than it says. Use the nearest known key, or remove it.";
    /// A value of the wrong kind.
    WRONG_KIND = "E407", "a value of the wrong kind",
        "The key wants another kind of value, for instance a string where a number stands. In YAML quotes make a string.";
    /// A key that must be there.
    MISSING_KEY = "E408", "a key is missing",
        "EMQX would refuse the configuration without it.";
    /// A value that EMQX would refuse.
    BAD_VALUE = "E409", "a value that EMQX would refuse",
        "The value is of the right kind, but not one that EMQX takes: a duration is written 5s, 100ms or infinity, a size 256MB, a method post, put, get or delete.";
    /// Two definitions of one id.
    DUPLICATE_ID = "E410", "one id is defined twice",
        "Rules, actions and connectors are one set over all files. Rename one of the two.";
    /// An action that is not defined.
    UNKNOWN_ACTION = "E411", "a rule uses an action that is not defined",
        "EMQX would load the rule and discard its messages. Define the action under actions.TYPE.NAME, or correct the name.";
    /// A connector that is not defined.
    UNKNOWN_CONNECTOR = "E412", "an action uses a connector that is not defined",
        "Define it under connectors.TYPE.NAME, or correct the name.";
    /// An action or connector type that EMQX does not have.
    UNKNOWN_TYPE = "E413", "an unknown action or connector type",
        "The type is none of EMQX 5.8's.";
    /// A file of a broker's configuration holds no rules.
    NO_RULES = "E414", "the file holds no rules",
        "A rule file has rule_engine.rules, actions, connectors, schema_registry or rulemill at its root.";
    /// A root key of a broker's configuration that rulemill does not need.
    SKIPPED_KEY = "E415", "parts of the configuration are skipped",
        "A broker's whole configuration loads; only rules, actions, connectors and schemas of it count here.";
    /// A file whose format cannot be read yet.
    UNKNOWN_FORMAT = "E416", "not a rule file",
        "Rule files end in .yaml, .yml, .json, .hocon, .conf or .sql.";
    /// An include that cannot be followed.
    INCLUDE = "E430", "an include that cannot be followed",
        "An included file lies beside the file that includes it, inside the project unless --allow-outside is given, and does not include itself. EMQX passes over a missing one in silence unless it is required(\"…\").";
    /// A substitution of nothing, or in a circle.
    SUBSTITUTION = "E431", "a substitution that stands for nothing",
        "${a.b} in a HOCON file stands for the value at a.b of the same file. EMQX reads no environment variables there, and gives up on substitutions that need each other.";
    /// A tree that a format has no writing for.
    UNWRITABLE = "E432", "a value that the format cannot hold",
        "JSON and HOCON have no infinite numbers, and the root of HOCON is an object. Change the value, or convert to another format.";
    /// A test file without tests.
    NO_TESTS = "E501", "a test file without tests",
        "A file that tests nothing would pass for ever. Add a test or remove the file.";
    /// A test for a rule that does not exist.
    UNKNOWN_RULE = "E502", "a test for a rule that does not exist",
        "The rule was renamed or removed, or its file was not given. rule: names rules by their ids.";
    /// An unknown word of rulemill.
    UNKNOWN_WORD = "E503", "an unknown $word",
        "Every word of rulemill's inside a value starts with $. A literal leading $ in a key is written $$.";
    /// A matcher with a wrong argument.
    BAD_MATCHER = "E504", "a matcher with a wrong argument",
        "For example $range wants [low, high], $approx [value, tolerance], $regex a pattern, $len a number.";
    /// An expectation that cannot be understood.
    BAD_EXPECTATION = "E505", "an expectation that says nothing, or two things",
        "expect is not_selected, disabled, no_match, or a map with one of output, outputs and error, and actions.";
    /// A message or event that cannot be.
    BAD_GIVEN = "E506", "a message that no broker would deliver",
        "For example a topic name with a wildcard, or a quality of service above 2.";
    /// A fixture cannot be read.
    FIXTURE = "E507", "a fixture cannot be read",
        "Paths are relative to the test file and stay inside the project unless --allow-outside is given.";
    /// A feature of test files that does not exist.
    NOT_SUPPORTED = "E508", "not supported",
        "This version of rulemill does not do this.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_explained() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
        for page in CODES {
            assert!(!page.title.is_empty() && page.text.ends_with('.'), "{}", page.code);
            assert_eq!(find(&page.code.to_lowercase()).map(|p| p.code), Some(page.code));
        }
    }
}

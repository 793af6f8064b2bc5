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
    /// A character that begins nothing.
    CHARACTER = "E001", "a character that begins nothing",
        "EMQX's scanner knows names, numbers, 'strings', \"names in double quotes\", operators and `--` comments. Quotes must be closed; there is no `;`, no backtick, no `#` comment, and a name begins with a letter: others are quoted.";
    /// A comment at the end of the statement.
    OPEN_COMMENT = "E002", "a comment on the last line",
        "EMQX takes `--` for a comment only where a line and more of the statement follow. Put the comment above the last line; `rulemill check --fix` does.";
    /// No statement.
    EMPTY_STATEMENT = "E003", "the statement is empty",
        "The least that EMQX takes is `SELECT * FROM \"t/#\"`.";
    /// Something else was expected.
    UNEXPECTED = "E004", "something else was expected here",
        "The statement does not follow EMQX's grammar: SELECT fields FROM topics [WHERE condition], or FOREACH fields [DO fields] [INCASE condition] FROM topics [WHERE condition]. AND, OR, NOT and IN stand in conditions only; reserved words as keys need quotes.";
    /// `true` or `false` in a path.
    CONSTANT_PATH = "E005", "`true` or `false` as part of a path",
        "Both are constants wherever a name may stand. Quote the key: `payload.'true'`.";
    /// Digits that are no number.
    BAD_NUMBER = "E006", "digits that are no number",
        "A float has digits on both sides of its dot and no suffix: write `1000.0` or `1.0e3` for 1e3, `0.5` for .5.";
    /// An expression in a list of 4.3.
    LIST_ITEM = "E007", "an expression in a list of EMQX 4.3",
        "Lists of EMQX 4.3 hold variables and constants only. Select the expression under an alias first, or use EMQX 5.8.";
    /// A statement beyond a limit.
    SQL_TOO_LARGE = "E009", "the statement is beyond a limit",
        "Length and nesting of a statement are bounded, so that no text can exhaust the machine.";
    /// A function that is not there.
    UNKNOWN_FUNCTION = "E101", "there is no such function",
        "EMQX takes the rule, and fails each time the call is reached. Use the nearest known name; functions of Erlang modules of your own are not run.";
    /// A wrong number of arguments.
    ARGUMENT_COUNT = "E102", "a wrong number of arguments",
        "EMQX looks functions up by name and number of arguments, takes the rule, and fails each time the call is reached.";
    /// A function of the other profile.
    OTHER_PROFILE = "E103", "a function of another EMQX",
        "The function is there in the other profile. Choose it with --emqx, or write the rule without the function.";
    /// A function that asks a registry elsewhere.
    OUTSIDE_REGISTRY = "E104", "a function of an outside schema registry",
        "It encodes or decodes by schemas that a Confluent schema registry keeps, and rulemill asks no outside service. Put the schema under schema_registry.schemas and use schema_encode and schema_decode.";
    /// A function that was left out when rulemill was built.
    NOT_BUILT = "E105", "a function that this rulemill was built without",
        "The schema registry's functions are there when rulemill is built with its feature `schema`, which is on by default.";
    /// The payload is no JSON.
    PAYLOAD_NOT_JSON = "E301", "the payload is no JSON",
        "`payload.x` decodes the payload; where it is no JSON the whole clause fails. Keep such topics out of FROM: no condition can prevent it, since SELECT is evaluated before WHERE.";
    /// A star where a value is wanted.
    STAR = "E302", "`*` where a value is wanted",
        "FOREACH walks over a list: name it, as in FOREACH payload.items AS item.";
    /// A field that cannot be named.
    NO_NAME = "E303", "EMQX has no name for a field",
        "A field without AS is named by its path or its form. A negative value has no such form, and `true` and `false` are no names: add AS with a name, in double quotes where needed.";
    /// A condition where a value is wanted.
    CONDITION_AS_VALUE = "E304", "a condition where EMQX evaluates a value",
        "NOT IN, and AND, OR and IN behind NOT, are parsed and cannot be evaluated. Write the opposite comparisons: `x != 1 AND x != 2`.";
    /// A name where a value is wanted.
    ALIAS_AS_VALUE = "E305", "a name with AS where EMQX evaluates a value",
        "The grammar allows AS inside CASE and IN, the evaluator does not. Leave it out.";
    /// A value where a condition is wanted.
    VALUE_AS_CONDITION = "E306", "a value alone as a condition",
        "EMQX has no clause for it, even when the value is true. Compare it: `payload.on = true`.";
    /// A number beside a string that is none.
    STRING_AS_NUMBER = "E307", "a number is compared with a string that is no number",
        "Beside a number EMQX reads a string as a number, and fails when it is none. Compare values of one kind.";
    /// An operator that wants something else.
    COMPARISON = "E308", "a comparison of what cannot be compared so",
        "`=~` wants a topic on its left and a topic filter on its right. `~=` is parsed and cannot be evaluated.";
    /// A condition that is neither true nor false.
    NO_BOOLEAN = "E309", "a condition that is neither true nor false",
        "A function as a condition must give true or false. Compare what it gives with something.";
    /// An operator failed.
    OPERATOR = "E310", "an operator cannot do this",
        "Arithmetic wants numbers, and `div` and `mod` integers; nothing is divided by zero. Under EMQX 5.8 `+` joins text when one side is a string.";
    /// A function failed.
    FUNCTION = "E311", "a function cannot do this",
        "An argument is of a kind that the function does not take, or has a value that it refuses. EMQX says `badarg` or `bad_sql_function_argument`.";
    /// A range that ends too early.
    RANGE = "E312", "a range that ends before it begins",
        "`[3..1]` fails in EMQX; `[1..3]` is a list of three numbers.";
    /// A list beyond a limit.
    BEYOND_LIMIT = "E313", "a value beyond a limit",
        "EMQX would go on making it until its memory is gone. rulemill stops at a bound.";
    /// A slice of something else.
    SLICE = "E314", "a slice that cannot be taken",
        "A slice wants a list and positions from 1, or from -1 at the end.";
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
    /// A schema that cannot be compiled.
    BAD_SCHEMA = "E417", "a schema that cannot be used",
        "A schema of schema_registry.schemas does not compile, by the rules of the library that EMQX uses: erlavro for Avro, gpb for Protobuf, jesse for JSON Schema.";
    /// A schema that is not defined.
    UNKNOWN_SCHEMA = "E418", "a rule uses a schema that is not defined",
        "EMQX takes the rule, and fails each time the call is reached. Define the schema under schema_registry.schemas.NAME, or correct the name. The message types of a Protobuf schema have their names without the package.";
    /// A lint that is not there, or a comment of rulemill's that cannot be read.
    UNKNOWN_LINT = "E420", "an unknown lint",
        "Levels are set by a lint's code or name: rulemill.lints in a file, --deny, --warn and --allow on the command line, `-- rulemill: allow(W13)` in SQL. `rulemill explain` lists all lints.";
    /// An include that cannot be followed.
    INCLUDE = "E430", "an include that cannot be followed",
        "An included file lies beside the file that includes it, inside the project unless --allow-outside is given, and does not include itself. EMQX passes over a missing one in silence unless it is required(\"…\").";
    /// A substitution of nothing, or in a circle.
    SUBSTITUTION = "E431", "a substitution that stands for nothing",
        "${a.b} in a HOCON file stands for the value at a.b of the same file. EMQX reads no environment variables there, and gives up on substitutions that need each other.";
    /// A tree that a format has no writing for.
    UNWRITABLE = "E432", "a value that the format cannot hold",
        "JSON and HOCON have no infinite numbers, and the root of HOCON is an object. Change the value, or convert to another format.";
    /// SQL that stays as it is written.
    NOT_FORMATTED = "E440", "SQL that cannot be written in another form",
        "Formatting changes blanks and line ends only. Where the meaning hangs on them, or where the text is shared with another value of the file, the file stays as it is.";
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

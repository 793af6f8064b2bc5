//! Text that is no rule SQL but another language's, or a word processor's: what to write instead, and the token that
//! the parser reads in its place, so that one pass finds the mistakes behind it too.

use super::token::{Kind, Token, is_name_char};

/// A text that the engine's scanner or its grammar has no place for, whatever stands around it.
pub(super) struct Foreign {
    /// Bytes that are passed over.
    pub taken: usize,
    /// Bytes before it that belong to it: a name that goes on with a letter that no bare name has.
    pub before: usize,
    pub message: String,
    pub help: String,
    /// What is read in its place.
    pub token: Option<Kind>,
}

impl Foreign {
    fn new(taken: usize, message: impl Into<String>, help: impl Into<String>) -> Foreign {
        Foreign { taken, before: 0, message: message.into(), help: help.into(), token: None }
    }

    fn read_as(self, token: Kind) -> Foreign {
        Foreign { token: Some(token), ..self }
    }
}

const COMMENT_HELP: &str = "write `-- …`, with a line of the statement after it";

/// Tokens that never stand side by side, and are one operator or comment elsewhere.
pub(super) fn operator(rest: &str) -> Option<Foreign> {
    let comparison = |written: &str, meant: &'static str| {
        let found =
            Foreign::new(written.len(), format!("`{written}` is no operator"), format!("write `{meant}`"));
        found.read_as(Kind::Comparison(meant))
    };
    let operators = [("===", "="), ("==", "="), ("=>", ">="), ("=<", "<="), ("!==", "!=")];
    if let Some((written, meant)) = operators.into_iter().find(|(written, _)| rest.starts_with(written)) {
        return Some(comparison(written, meant));
    }
    if let Some(after) = rest.strip_prefix("->") {
        let taken = if after.starts_with('>') { 3 } else { 2 };
        let found =
            Foreign::new(taken, format!("`{}` is no operator", &rest[..taken]), "write a dot: `payload.x`");
        return Some(found.read_as(Kind::Punctuation(".")));
    }
    if rest.starts_with("/*") {
        let taken = rest.find("*/").map_or(rest.len(), |at| at + 2);
        return Some(Foreign::new(taken, "`/* … */` is no comment", COMMENT_HELP));
    }
    rest.starts_with("//").then(|| Foreign::new(line(rest), "`//` starts no comment", COMMENT_HELP))
}

/// A text that starts no token. `before` holds the tokens before it, the last of them touching it when `touches`.
pub(super) fn text(rest: &str, first: char, before: &[Token], touches: bool) -> Foreign {
    let len = first.len_utf8();
    let last = before.last().map(|token| &token.kind);
    let as_key = last == Some(&Kind::Punctuation("."));
    match first {
        '\'' => open_string(rest),
        '"' => Foreign::new(rest.len(), "a name without its closing quote", "close it with `\"`")
            .read_as(Kind::Quoted(format!("{rest}\""))),
        // A topic filter without its quotes, of which the parser will say more.
        '#' if last == Some(&Kind::Keyword("FROM")) || touches && last == Some(&Kind::Punctuation("/")) => {
            Foreign::new(len, "`#` has no meaning here", "a topic filter stands in quotes")
                .read_as(Kind::Wrong)
        }
        '#' => Foreign::new(line(rest), "`#` starts no comment", COMMENT_HELP),
        ';' if rest[1..].trim().is_empty() => Foreign::new(len, "a statement takes no `;`", "leave it out"),
        ';' => Foreign::new(len, "a statement takes no `;`", "fields are separated by commas")
            .read_as(Kind::Punctuation(",")),
        '`' => backticks(rest),
        '$' => dollar(rest, as_key),
        '_' if touches && matches!(last, Some(Kind::Int(_))) => grouped(rest, last),
        '_' | '@' => unquoted(rest, as_key, &format!("a name cannot start with `{first}`")),
        '!' => {
            Foreign::new(len, "`!` alone is no operator", "write `!=` or `NOT`").read_as(Kind::Keyword("NOT"))
        }
        '&' | '|' | '%' | '^' | '~' | '?' | ':' => symbol(rest, first, before),
        '{' => object(rest),
        '\\' => Foreign::new(len, "`\\` escapes nothing", "a quote inside a string is written twice: `''`"),
        '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' | '‛' | '«' | '»' => {
            typographic(rest, first)
        }
        _ if first.is_whitespace() || matches!(first, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}') => {
            let name = if first == '\u{a0}' { "a no-break space" } else { "the character" };
            let message = format!("{name} (U+{:04X}) is no blank for EMQX", u32::from(first));
            Foreign::new(len, message, "write a plain blank; it often comes with text copied from a web page")
        }
        _ if first.is_alphanumeric() => letters(rest, before, touches, as_key),
        _ => match MEANT.iter().find(|(written, _)| *written == first) {
            Some((_, kind)) => {
                let meant = kind.describe();
                Foreign::new(len, format!("`{first}` is no operator"), format!("write {meant}"))
                    .read_as(kind.clone())
            }
            None if first.is_control() => {
                let message =
                    format!("the control character U+{:04X} has no meaning in rule SQL", u32::from(first));
                Foreign::new(len, message, "remove it")
            }
            None => Foreign::new(
                len,
                format!("`{first}` has no meaning in rule SQL"),
                "quote it when it belongs to a name (`\"…\"`) or a string (`'…'`)",
            )
            .read_as(Kind::Wrong),
        },
    }
}

/// Signs of typography and of full width, and what they are in ASCII.
const MEANT: &[(char, Kind)] = &[
    ('≥', Kind::Comparison(">=")),
    ('≤', Kind::Comparison("<=")),
    ('≠', Kind::Comparison("!=")),
    ('＝', Kind::Comparison("=")),
    ('＞', Kind::Comparison(">")),
    ('＜', Kind::Comparison("<")),
    ('×', Kind::Punctuation("*")),
    ('÷', Kind::Punctuation("/")),
    ('−', Kind::Punctuation("-")),
    ('–', Kind::Punctuation("-")),
    ('—', Kind::Punctuation("-")),
    ('，', Kind::Punctuation(",")),
    ('（', Kind::Punctuation("(")),
    ('）', Kind::Punctuation(")")),
    ('．', Kind::Punctuation(".")),
];

/// How far the line goes.
fn line(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

fn open_string(rest: &str) -> Foreign {
    let help = "close it with `'`; a quote inside a string is written twice: `''`";
    Foreign::new(rest.len(), "a string without its closing quote", help)
        .read_as(Kind::Str(format!("{rest}'")))
}

fn backticks(rest: &str) -> Foreign {
    let inside = rest[1..].find(['`', '\n']).filter(|at| rest[1 + at..].starts_with('`'));
    let Some(length) = inside else {
        return Foreign::new(1, "backticks quote nothing", "write `\"…\"` for a name, `'…'` for a string");
    };
    let name = format!("\"{}\"", &rest[1..=length]);
    Foreign::new(length + 2, "backticks quote nothing", format!("write `{name}`, or `'…'` for a string"))
        .read_as(Kind::Quoted(name))
}

fn dollar(rest: &str, as_key: bool) -> Foreign {
    if rest.starts_with("${")
        && let Some(end) = rest.find('}').filter(|end| !rest[..*end].contains('\n'))
    {
        let name = &rest[2..end];
        let message = format!("`${{{name}}}` is written in the templates of actions only");
        return Foreign::new(end + 1, message, format!("SQL names a value directly: `{name}`"))
            .read_as(Kind::Name(name.to_owned()));
    }
    if rest[1..].starts_with(['.', '[']) && !as_key {
        return Foreign::new(1, "`$` stands for nothing", "a key of the payload is `payload.x`")
            .read_as(Kind::Name("payload".to_owned()));
    }
    unquoted(rest, as_key, "a name cannot start with `$`")
}

/// A name that needs quotes from its first character on.
fn unquoted(rest: &str, as_key: bool, message: &str) -> Foreign {
    let length = rest.find(|c: char| !is_name_char(c) && !c.is_alphanumeric()).unwrap_or(rest.len()).max(1);
    let name = &rest[..length];
    Foreign::new(length, message, quoted(name, as_key)).read_as(Kind::Name(name.to_owned()))
}

fn quoted(name: &str, as_key: bool) -> String {
    if as_key { format!("quote it: `.'{name}'`") } else { format!("quote it: `\"{name}\"`") }
}

/// Letters beyond ASCII, and what they continue.
fn letters(rest: &str, before: &[Token], touches: bool, as_key: bool) -> Foreign {
    let length = rest.find(|c: char| !is_name_char(c) && !c.is_alphanumeric()).unwrap_or(rest.len());
    let begun = match before.last() {
        Some(Token { kind: Kind::Name(name), .. }) if touches => name.as_str(),
        _ => "",
    };
    let as_key = match begun {
        "" => as_key,
        _ => before.iter().nth_back(1).is_some_and(|token| token.kind == Kind::Punctuation(".")),
    };
    let name = format!("{begun}{}", &rest[..length]);
    let message = format!("`{name}` needs quotes: a bare name has letters a to z, digits and `_`");
    let found = Foreign::new(length, message, quoted(&name, as_key)).read_as(Kind::Name(name));
    Foreign { before: begun.len(), ..found }
}

fn symbol(rest: &str, first: char, before: &[Token]) -> Foreign {
    let condition =
        before.iter().any(|token| matches!(token.kind, Kind::Keyword("WHERE" | "INCASE" | "WHEN")));
    let doubled = rest[1..].starts_with(first);
    let (taken, help, token) = match (first, doubled) {
        ('&', true) => (2, "write `AND`", Kind::Keyword("AND")),
        ('|', true) if condition => (2, "write `OR`", Kind::Keyword("OR")),
        ('|', true) => (2, "`concat(a, b)` joins texts; for a condition write `OR`", Kind::Punctuation("+")),
        ('&', _) => (1, "write `bitand(a, b)`, or `AND` between conditions", Kind::Punctuation("+")),
        ('|', _) => (1, "write `bitor(a, b)`, or `OR` between conditions", Kind::Punctuation("+")),
        ('%', _) => (1, "write `mod(a, b)`", Kind::Punctuation("*")),
        ('^', _) => (1, "write `power(a, b)`, or `bitxor(a, b)` for bits", Kind::Punctuation("*")),
        ('~', _) => (1, "write `regex_match(text, 'pattern')`", Kind::Comparison("=~")),
        (':', true) => {
            (2, "there are no casts: write `int(x)`, `float(x)`, `str(x)` or `bool(x)`", Kind::Wrong)
        }
        (':', _) if before.iter().any(|token| token.kind == Kind::Wrong) => {
            (1, "write `CASE WHEN condition THEN a ELSE b END`", Kind::Wrong)
        }
        (':', _) => (1, "a key stands behind a dot: `payload.x`", Kind::Wrong),
        _ => (1, "write `CASE WHEN condition THEN a ELSE b END`", Kind::Wrong),
    };
    Foreign::new(taken, format!("`{}` is no operator", &rest[..taken]), help).read_as(token)
}

/// `1_000`.
fn grouped(rest: &str, last: Option<&Kind>) -> Foreign {
    let begun = match last {
        Some(Kind::Int(digits)) => digits.as_str(),
        _ => "",
    };
    let length = rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len());
    let digits = format!("{begun}{}", rest[..length].replace('_', ""));
    let message = format!("`{begun}{}` is no number", &rest[..length]);
    let found = Foreign::new(length, message, format!("write `{digits}`")).read_as(Kind::Int(digits));
    Foreign { before: begun.len(), ..found }
}

/// `{'a': 1}`, up to its end where there is one.
fn object(rest: &str) -> Foreign {
    let mut depth = 0usize;
    let end = rest.find(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    let taken = end.map_or(1, |end| end + 1);
    Foreign::new(taken, "rule SQL writes no objects", "build one key by key: `1 AS object.a, 2 AS object.b`")
        .read_as(Kind::Wrong)
}

fn typographic(rest: &str, first: char) -> Foreign {
    let double = matches!(first, '“' | '”' | '„' | '‟' | '«' | '»');
    let closes = |c: char| match double {
        true => matches!(c, '“' | '”' | '‟' | '«' | '»' | '"'),
        false => matches!(c, '‘' | '’' | '‛' | '\''),
    };
    let len = first.len_utf8();
    let message = format!("`{first}` is a typographic quote");
    let Some(end) = rest[len..].find(closes).map(|at| len + at) else {
        return Foreign::new(len, message, "write `\"…\"` for a name, `'…'` for a string")
            .read_as(Kind::Wrong);
    };
    let inside = &rest[len..end];
    let taken = end + rest[end..].chars().next().map_or(0, char::len_utf8);
    if double {
        let help = format!("write `\"{inside}\"` for a name, `'{inside}'` for a string");
        Foreign::new(taken, message, help).read_as(Kind::Quoted(format!("\"{inside}\"")))
    } else {
        Foreign::new(taken, message, format!("write `'{inside}'`")).read_as(Kind::Str(format!("'{inside}'")))
    }
}

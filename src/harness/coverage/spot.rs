//! The places of a rule where it can go one way or another.

use super::action;
use super::condition::{self, Conditions};
use super::presence::Names;
use crate::document::Document;
use crate::rule::{Place, Rule};
use crate::sql::ast::{Expr, ExprKind, Field, Statement};
use crate::text::Span;

/// One place of a rule. Spans lie in the rule's SQL, numbers count the rule's actions from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// An item of FROM.
    From(Span),
    /// The list that FOREACH walks.
    Items(Span),
    /// A comparison, call, IN or value in WHERE or INCASE.
    Atom(Span),
    /// The whole of WHERE or INCASE, where it is more than one atom.
    Clause(Span),
    /// What follows THEN or ELSE.
    Arm(Span),
    /// A CASE without ELSE: none of its arms.
    NoArm(Span),
    /// An action.
    Action(usize),
    /// The placeholder so many of the template under these keys.
    Placeholder(usize, Vec<String>, usize),
}

impl Spot {
    /// The kind of place, in reports for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Spot::From(_) => "from",
            Spot::Items(_) => "foreach",
            Spot::Atom(_) => "condition",
            Spot::Clause(_) => "clause",
            Spot::Arm(_) => "arm",
            Spot::NoArm(_) => "no arm",
            Spot::Action(_) => "action",
            Spot::Placeholder(..) => "placeholder",
        }
    }
}

/// A way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A FROM matched, an arm was taken, an action was rendered.
    Taken,
    /// It was true.
    True,
    /// It was false.
    False,
    /// A placeholder had a value.
    Value,
    /// What it looks at was undefined.
    Undefined,
    /// No item.
    NoItem,
    /// One item.
    OneItem,
    /// More items.
    Items,
    /// An action failed.
    Failed,
}

impl Way {
    /// Its name in reports for programs.
    pub fn name(self) -> &'static str {
        match self {
            Way::Taken => "taken",
            Way::True => "true",
            Way::False => "false",
            Way::Value => "value",
            Way::Undefined => "undefined",
            Way::NoItem => "no item",
            Way::OneItem => "one item",
            Way::Items => "more items",
            Way::Failed => "failed",
        }
    }
}

/// A place with its ways.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which.
    pub spot: Spot,
    /// Where it stands in its file.
    pub place: Place,
    /// Its text, shortened to a line.
    pub text: String,
    /// What may be undefined, for the sentence.
    pub operands: Vec<String>,
    /// The ways, and whether each is good to know only and counts for nothing.
    pub ways: Vec<(Way, bool)>,
}

/// The places of a rule in the order of its clauses; none of a disabled one. `documents` are the files it was read
/// from: the places of placeholders are looked up there.
pub fn entries(rule: &Rule, documents: &[Document]) -> Vec<Entry> {
    if !rule.enabled {
        return Vec::new();
    }
    let mut entries = of_statement(rule);
    entries.extend(action::entries(rule, documents));
    entries
}

fn of_statement(rule: &Rule) -> Vec<Entry> {
    let statement = rule.program.statement();
    let entry = |spot: Spot, span: Span, operands: Vec<String>, ways: &[Way]| Entry {
        spot,
        place: Place { source: rule.sql.file.clone(), span: rule.sql.place(span) },
        text: one_line(rule.program.source().slice(span)),
        operands,
        ways: ways.iter().map(|way| (*way, false)).collect(),
    };
    let mut entries = Vec::new();
    if let Some(span) = items(statement) {
        let ways = [Way::NoItem, Way::OneItem, Way::Items];
        entries.push(entry(Spot::Items(span), span, Vec::new(), &ways));
    }
    for case in cases(statement) {
        for arm in &case.arms {
            entries.push(entry(Spot::Arm(*arm), *arm, Vec::new(), &[Way::Taken]));
        }
        match case.otherwise {
            Some(span) => entries.push(entry(Spot::Arm(span), span, Vec::new(), &[Way::Taken])),
            None => entries.push(entry(Spot::NoArm(case.span), case.span, Vec::new(), &[Way::Taken])),
        }
    }
    for topic in &statement.from {
        entries.push(entry(Spot::From(topic.at.0), topic.at.0, Vec::new(), &[Way::Taken]));
    }
    let names = Names::new(statement, rule.program.profile());
    let conditions = Conditions::of(statement);
    for atom in &conditions.atoms {
        let operands: Vec<String> = atom.undefinable(&names).map(|path| path.to_string()).collect();
        let ways = [Way::True, Way::False, Way::Undefined];
        let ways = if operands.is_empty() { &ways[..2] } else { &ways };
        entries.push(entry(Spot::Atom(atom.span), atom.span, operands, ways));
    }
    for span in &conditions.clauses {
        entries.push(entry(Spot::Clause(*span), *span, Vec::new(), &[Way::True, Way::False]));
    }
    entries
}

/// A text on one line, its blanks single.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The list that FOREACH walks.
pub(super) fn items(statement: &Statement) -> Option<Span> {
    match statement.fields.last() {
        Some(Field::Expr(expr, _)) if statement.foreach => Some(condition::traced(expr).1),
        _ => None,
    }
}

/// A CASE, by the places of what it may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// The whole.
    pub span: Span,
    /// After each THEN.
    pub arms: Vec<Span>,
    /// After ELSE.
    pub otherwise: Option<Span>,
}

/// Every CASE of a statement, outer ones first.
pub(super) fn cases(statement: &Statement) -> Vec<Case> {
    let mut found = Vec::new();
    let lists = [Some(&statement.fields), statement.doeach.as_ref()];
    for field in lists.into_iter().flatten().flatten() {
        if let Field::Expr(expr, _) = field {
            add_cases(expr, &mut found);
        }
    }
    let conditions = [statement.filter.as_ref(), statement.incase.as_ref()];
    conditions.into_iter().flatten().for_each(|expr| add_cases(expr, &mut found));
    found
}

/// The parser bounds the nesting (`SQL_DEPTH_MAX`).
fn add_cases(expr: &Expr, found: &mut Vec<Case>) {
    let (expr, span) = condition::traced(expr);
    if let ExprKind::Case { arms, otherwise, .. } = &expr.kind {
        found.push(Case {
            span,
            arms: arms.iter().map(|(_, then)| condition::traced(then).1).collect(),
            otherwise: otherwise.as_deref().map(|expr| condition::traced(expr).1),
        });
    }
    condition::children(expr).into_iter().for_each(|child| add_cases(child, found));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::rule::{Input, Loaded, load};

    fn loaded(file: &str, profile: Profile) -> Loaded {
        let loaded = load(&[Input { path: "r.yaml".to_owned(), bytes: file.as_bytes().to_vec() }], profile);
        assert!(!loaded.has_errors(), "{:?}", loaded.problems);
        loaded
    }

    /// `kind line:column text: ways`, what is good to know only in parentheses.
    fn all(loaded: &Loaded) -> Vec<String> {
        let line = |entry: &Entry| {
            let ways = entry.ways.iter().map(|(way, advisory)| match advisory {
                true => format!("({})", way.name()),
                false => way.name().to_owned(),
            });
            let at = entry.place.source.position(entry.place.span.start as usize);
            let ways = ways.collect::<Vec<_>>().join(" ");
            format!("{} {}:{} {}: {ways}", entry.spot.name(), at.line, at.column, entry.text)
        };
        let rules = loaded.set.rules.values();
        rules.flat_map(|rule| entries(rule, &loaded.documents)).map(|entry| line(&entry)).collect()
    }

    /// The places of one statement, without lines and columns.
    fn of_sql(sql: &str, profile: Profile) -> Vec<String> {
        let input = Input { path: "r.sql".to_owned(), bytes: sql.as_bytes().to_vec() };
        let places = all(&load(&[input], profile));
        let without = |place: &String| {
            let (kind, rest) = place.split_once(" 1:").unwrap();
            format!("{kind} {}", rest.split_once(' ').unwrap().1)
        };
        places.iter().map(without).filter(|place| !place.starts_with("action")).collect()
    }

    #[test]
    fn every_construct_has_its_places() {
        let file = r##"
rule_engine:
  rules:
    r:
      sql: |
        FOREACH payload.list as e
        DO e.v as v, clientid, CASE WHEN e.v > 1 THEN 'much'
             ELSE 'little' END as size
        INCASE e.v > 0 AND
               is_not_null(e.k)
        FROM "a/+", "$events/message_delivered"
        WHERE qos = 1 OR
              NOT (username = 'x') OR topic IN ('a/1', 'a/2') OR 1 = 1
      actions: ["http:h", { function: republish, args: { topic: "x/${v}" } }, "http:off", { function: console }]
    resting: { sql: 'SELECT * FROM "t"', enable: false }
actions:
  http:
    h:
      connector: c
      parameters:
        path: "/${size}"
        headers: { "x-${v}": "${clientid}" }
        body: |
          {"v": ${v},
           "all": "${.}"}
    "off": { connector: c, enable: false, parameters: { path: "/${v}" } }
connectors: { http: { c: { url: "http://h", headers: { y: "a${nope.b}" } } } }
"##;
        let expected = [
            "foreach 6:17 payload.list: no item one item more items",
            "arm 7:55 'much': taken",
            "arm 8:19 'little': taken",
            "from 11:14 \"a/+\": taken",
            "from 11:21 \"$events/message_delivered\": taken",
            "condition 12:15 qos = 1: true false",
            "condition 13:19 (username = 'x'): true false undefined",
            "condition 13:39 topic IN ('a/1', 'a/2'): true false",
            "condition 9:16 e.v > 0: true false undefined",
            "condition 10:16 is_not_null(e.k): true false undefined",
            "clause 12:15 qos = 1 OR NOT (username = 'x') OR topic IN ('a/1', 'a/2') OR 1 = 1: true false",
            "clause 9:16 e.v > 0 AND is_not_null(e.k): true false",
            "action 18:5 http:h: taken (failed)",
            "placeholder 21:17 ${size}: value",
            "placeholder 22:30 ${v}: value (undefined)",
            "placeholder 22:31 ${clientid}: value",
            "placeholder 27:61 ${nope.b}: value (undefined)",
            "placeholder 24:17 ${v}: value (undefined)",
            "placeholder 25:20 ${.}: value",
            "action 14:27 republish: taken (failed)",
            "placeholder 14:68 ${v}: value (undefined)",
            "action 14:91 console: taken (failed)",
        ];
        assert_eq!(all(&loaded(file, Profile::V5_8)), expected);
        // Where 4.3 differs, it is in what the actions send.
        let old = all(&loaded(file, Profile::V4_3));
        assert_eq!(old[..13], expected[..13]);
    }

    #[test]
    fn what_cannot_be_is_not_asked_for() {
        let undefined: &[(&str, bool)] = &[
            ("SELECT * FROM \"t\" WHERE qos = 1", false),
            ("SELECT * FROM \"t\" WHERE username = 'x'", true),
            ("SELECT * FROM \"t\" WHERE peerhost = 'x'", true),
            ("SELECT * FROM \"t\" WHERE nmae = 'x'", true),
            ("SELECT * FROM \"t\" WHERE payload = 'x'", false),
            ("SELECT * FROM \"t\" WHERE payload.x = 'x'", true),
            ("SELECT * FROM \"t\" WHERE payload[1] = 'x'", true),
            ("SELECT * FROM \"t\" WHERE flags.retain = true", false),
            ("SELECT * FROM \"t\" WHERE flags.other = true", true),
            ("SELECT * FROM \"t\" WHERE metadata.rule_id = 'x'", false),
            ("SELECT * FROM \"t\" WHERE timestamp > now_timestamp()", false),
            ("SELECT * FROM \"$events/client_connected\" WHERE keepalive = 1", false),
            ("SELECT * FROM \"$events/client_connected\", \"t\" WHERE keepalive = 1", true),
            ("SELECT payload.x as y FROM \"t\" WHERE y = 1", true),
            ("SELECT payload.x as qos FROM \"t\" WHERE qos = 1", true),
            ("SELECT payload.x + 1 as y FROM \"t\" WHERE y = 1", false),
            ("SELECT str(payload.x) as y FROM \"t\" WHERE y = '1'", false),
            ("SELECT 1 as y, y as z FROM \"t\" WHERE z = 1", false),
            ("SELECT +payload.x as y, y as z FROM \"t\" WHERE z = 1", true),
            ("SELECT CASE WHEN qos = 1 THEN 1 END as y FROM \"t\" WHERE y = 1", true),
            ("SELECT CASE WHEN qos = 1 THEN 1 ELSE 2 END as y FROM \"t\" WHERE y = 1", false),
            ("FOREACH payload.l INCASE item = 1 FROM \"t\"", false),
            ("FOREACH payload.l INCASE item.x = 1 FROM \"t\"", true),
            ("FOREACH payload.l as e INCASE e > 1 FROM \"t\"", false),
            ("FOREACH payload.l as e INCASE qos > 1 FROM \"t\"", false),
            ("FOREACH payload.k as k, payload.l as e INCASE k > 1 FROM \"t\"", true),
        ];
        for (sql, expected) in undefined {
            let places = of_sql(sql, Profile::V5_8);
            let atom = places.iter().find(|place| place.starts_with("condition")).unwrap();
            assert_eq!(atom.ends_with("undefined"), *expected, "{sql}: {atom}");
        }
        for constant in ["1 = 1", "true", "abs(-1) = 1", "'a' IN ('a', 'b')"] {
            let places = of_sql(&format!("SELECT * FROM \"t\" WHERE {constant}"), Profile::V5_8);
            assert_eq!(places, ["from \"t\": taken"], "{constant}");
        }
        let places = of_sql("SELECT * FROM \"t\" WHERE random() > 0.5 AND 1 = 1", Profile::V5_8);
        assert_eq!(
            places[1..],
            ["condition random() > 0.5: true false", "clause random() > 0.5 AND 1 = 1: true false"]
        );
    }

    #[test]
    fn many_aliases_of_aliases_take_no_time() {
        let aliases: Vec<String> =
            (1..1000).map(|n| format!("CASE WHEN 1=1 THEN a{} ELSE a{} END as a{n}", n - 1, n - 1)).collect();
        let sql = format!("SELECT 1 as a0, {} FROM \"t\" WHERE a999 = 1", aliases.join(", "));
        let sql = if sql.len() > crate::limits::SQL_BYTES_MAX { panic!("{}", sql.len()) } else { sql };
        assert!(of_sql(&sql, Profile::V5_8).last().unwrap().ends_with("true false"));
    }
}

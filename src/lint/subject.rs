//! One rule as the checks see it: its statement, what its names stand for, what its actions read.

use super::texts::Text;
use super::walk::{self, Clause, Root};
use crate::event::{self, Event};
use crate::profile::Profile;
use crate::rule::{Action, Rule, Settings};
use crate::sql::ast::{Expr, ExprKind, Field, Path, Statement};

/// A rule and what is known of it.
pub(super) struct Subject<'a> {
    pub rule: &'a Rule,
    pub statement: &'a Statement,
    pub profile: Profile,
    pub settings: Settings,
    /// The events that FROM names, `message.publish` for topic filters.
    pub events: Vec<&'static Event>,
    /// FROM names something whose columns nobody knows.
    pub open: bool,
    /// Every expression that a clause begins with.
    pub roots: Vec<Root<'a>>,
    /// The templates of each action.
    pub actions: Vec<(&'a Action, Vec<Text>)>,
}

impl<'a> Subject<'a> {
    pub fn new(rule: &'a Rule, settings: Settings, actions: Vec<(&'a Action, Vec<Text>)>) -> Subject<'a> {
        let statement = rule.program.statement();
        let profile = rule.program.profile();
        let mut events = Vec::new();
        let mut open = false;
        for topic in &statement.from {
            match source_of(&topic.name, profile) {
                Some(event) if events.iter().any(|known: &&Event| known.name == event.name) => {}
                Some(event) => events.push(event),
                None => open = true,
            }
        }
        let roots = walk::roots(statement);
        Subject { rule, statement, profile, settings, events, open, roots, actions }
    }

    /// Is it a column of one of the events? `metadata` is added to all of them.
    pub fn is_column(&self, name: &str) -> bool {
        name == "metadata" || self.events.iter().any(|event| has_column(event, self.profile, name))
    }

    /// All columns of the events.
    pub fn columns(&self) -> Vec<&'static str> {
        let mut all: Vec<&'static str> =
            self.events.iter().flat_map(|event| columns(event, self.profile)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What a name stands for at a place; `None` for a name that nothing gives.
    pub fn lookup(&self, clause: Clause, name: &str) -> Option<Given<'a>> {
        self.seen(clause, name).or_else(|| self.is_column(name).then_some(Given::Column))
    }

    /// The alias or item that hides the columns at a place.
    fn seen(&self, clause: Clause, name: &str) -> Option<Given<'a>> {
        let all = self.statement.fields.as_slice();
        match clause {
            Clause::Fields(at) => last_named(all.get(..at)?, name),
            Clause::Where => last_named(all, name),
            Clause::Incase | Clause::Do(_) => {
                let own = match (clause, &self.statement.doeach) {
                    (Clause::Do(at), Some(fields)) => last_named(fields.get(..at)?, name),
                    _ => None,
                };
                let item = || (name == self.item()).then_some(Given::Item);
                // 4.3 hands INCASE and DO the columns and the item alone.
                let outer = || self.profile.is_5_8().then(|| last_named(all, name)).flatten();
                own.or_else(item).or_else(outer)
            }
        }
    }

    /// All names that are seen at a place above the columns.
    pub fn names_at(&self, clause: Clause) -> Vec<&'a str> {
        let all = self.statement.fields.as_slice();
        let outer = match clause {
            Clause::Fields(at) => all.get(..at).unwrap_or(all),
            Clause::Incase | Clause::Do(_) if !self.profile.is_5_8() => &[],
            _ => all,
        };
        let own = match (clause, &self.statement.doeach) {
            (Clause::Do(at), Some(fields)) => fields.get(..at).unwrap_or(fields),
            _ => &[],
        };
        let names = outer.iter().chain(own).filter_map(alias_of).map(|alias| alias.head.text.as_str());
        let item = matches!(clause, Clause::Incase | Clause::Do(_)).then(|| self.item());
        names.chain(item).collect()
    }

    /// The name of the FOREACH item.
    pub fn item(&self) -> &'a str {
        match self.statement.fields.last() {
            Some(Field::Expr(_, Some(alias))) if alias.steps.is_empty() => &alias.head.text,
            _ => "item",
        }
    }

    /// Does the path start in the payload as it came, decoded on the way?
    pub fn is_raw_payload(&self, clause: Clause, path: &Path) -> bool {
        path.head.text == "payload" && matches!(self.lookup(clause, "payload"), Some(Given::Column))
    }

    /// Every expression of the rule with the clause it stands in.
    pub fn each(&self, see: &mut dyn FnMut(Clause, &'a Expr)) {
        self.roots.iter().for_each(|root| root.expr.each(&mut |expr| see(root.clause, expr)));
    }
}

/// What a name stands for.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// A column of the event.
    Column,
    /// The FOREACH item.
    Item,
    /// The value of a field, or of a part of it that the alias names.
    Field(&'a Expr, &'a Path),
}

/// The last field of this name. A field without an alias is put back where it came from: it names nothing new.
fn last_named<'a>(fields: &'a [Field], name: &str) -> Option<Given<'a>> {
    fields.iter().rev().find_map(|field| match field {
        Field::Expr(expr, Some(alias)) if alias.head.text == name => Some(Given::Field(expr, alias)),
        _ => None,
    })
}

fn alias_of(field: &Field) -> Option<&Path> {
    match field {
        Field::Expr(_, alias) => alias.as_ref(),
        Field::Star(_) => None,
    }
}

/// The path under which a field without alias is put.
pub(super) fn own_name(expr: &Expr) -> Option<&Path> {
    match &expr.kind {
        ExprKind::Path(path) | ExprKind::Slice(path, ..) => Some(path),
        _ => None,
    }
}

/// The event that a FROM item stands for; `None` where its columns are not known.
fn source_of(topic: &str, profile: Profile) -> Option<&'static Event> {
    if !event::is_event_topic(topic) {
        return event::by_name("message.publish");
    }
    match topic.strip_prefix("$bridges/mqtt:") {
        Some(_) => event::EVENTS.iter().find(|event| event.topic == "$bridges/mqtt:*"),
        None => event::by_topic(topic, profile),
    }
}

fn columns(event: &'static Event, profile: Profile) -> impl Iterator<Item = &'static str> {
    let own = event.columns(profile);
    // The tester of 4.3 knows no MQTT 5 properties and no headers, the engine does (emqx_rule_events:eventmsg_publish
    // and others).
    let more = match profile {
        Profile::V4_3 => event.columns(Profile::V5_8),
        Profile::V5_8 => &[],
    };
    let properties = more.iter().copied().filter(|name| name.ends_with("_props"));
    let headers = (profile == Profile::V4_3 && own.contains(&"payload")).then_some("headers");
    own.iter().copied().chain(properties).chain(headers)
}

fn has_column(event: &'static Event, profile: Profile, name: &str) -> bool {
    columns(event, profile).any(|column| column == name)
}

//! Rule files to one checked set.
//!
//! All files of a set are read before anything is resolved, so that a rule may use an action of another file. Every
//! mistake of every file is reported in one pass; what is wrong leaves out only itself and what needs it.

mod bridges;
mod checks;
mod extras;
mod named;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use checks::{check_id, check_roots, check_type, unknown};

use crate::diag::{Diagnostic, codes};
use crate::document::{
    self, Data, Document, Embedded, Entry, Fields, Format, Includes, Node, Problems, Release,
};
use crate::profile::Profile;
use crate::program::Program;
use crate::rule::action::{self, Action};
use crate::rule::connector::{self, Connector, Place};
use crate::rule::options::Options;
use crate::rule::{Rule, SqlText, keys};
use crate::schema::Schemas;
use crate::text::{Source, Span};

/// A file to load.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its path, as messages show it.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Everything that the files of a set define.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Rules by id.
    pub rules: BTreeMap<Arc<str>, Arc<Rule>>,
    /// Actions by id, `http:hstreamdb`.
    pub actions: BTreeMap<Arc<str>, Arc<Action>>,
    /// Connectors by id.
    pub connectors: BTreeMap<Arc<str>, Arc<Connector>>,
    /// The schemas of the schema registry, compiled.
    pub schemas: Arc<Schemas>,
    /// Settings of the rule engine.
    pub settings: Settings,
    /// The profile that it was checked for.
    pub profile: Profile,
}

/// Settings of the rule engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Are messages of the broker's own left alone?
    pub ignore_sys_message: bool,
    /// Default time limit of a jq program.
    pub jq_timeout_ms: u64,
}

/// What came of loading.
#[derive(Debug)]
pub struct Loaded {
    /// What is right.
    pub set: RuleSet,
    /// What is wrong, file by file, and notes.
    pub problems: Vec<Diagnostic>,
    /// The ids of rules that are there and wrong.
    pub broken: BTreeSet<String>,
    /// The ids of the rules of each file, in the order written, wrong ones included.
    pub by_file: BTreeMap<String, Vec<String>>,
    /// The files that could be read, as trees; a bare SQL file is the tree of one string.
    pub documents: Vec<Document>,
}

impl Loaded {
    /// Is anything wrong?
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|p| p.severity == crate::diag::Severity::Error)
    }
}

/// Loads the files of a set; what they include is refused.
pub fn load(inputs: &[Input], profile: Profile) -> Loaded {
    load_with(inputs, profile, &mut document::NoIncludes)
}

/// Loads the files of a set and what they include.
pub fn load_with(inputs: &[Input], profile: Profile, includes: &mut dyn Includes) -> Loaded {
    let mut loader = Loader::new(profile);
    let files: Vec<File> = inputs.iter().filter_map(|input| loader.open(input, includes)).collect();
    // Connectors before actions before rules: each needs those before it.
    for pass in [Loader::connectors, Loader::extras, Loader::actions, Loader::rules] {
        for file in &files {
            let mut problems = Problems::new(&file.document);
            pass(&mut loader, file, &mut problems);
            loader.loaded.problems.extend(problems.into_list());
        }
    }
    let mut loaded = loader.loaded;
    loaded.documents = files.into_iter().map(|file| file.document).collect();
    sort(&mut loaded.problems, inputs);
    loaded
}

/// Puts findings in the order of files and places: the passes find them one kind at a time, a reader goes through a
/// file from top to bottom.
pub fn sort(problems: &mut [Diagnostic], inputs: &[Input]) {
    let order: BTreeMap<&str, usize> =
        inputs.iter().enumerate().map(|(at, i)| (i.path.as_str(), at)).collect();
    problems.sort_by_cached_key(|problem| self::order(problem, &order));
}

/// Where a finding stands in that order, given the place of each file.
pub fn order(problem: &Diagnostic, files: &BTreeMap<&str, usize>) -> (usize, Option<u32>) {
    let file = problem.source.as_ref().and_then(|source| files.get(source.name())).copied();
    (file.unwrap_or(usize::MAX), problem.labels.first().map(|label| label.span.start))
}

/// An opened file; a bare SQL file is the document of one string.
struct File {
    document: Document,
    bare_sql: Option<String>,
}

impl File {
    fn place(&self, span: Span) -> Place {
        Place { source: self.document.source.clone(), span }
    }

    /// The entries of a root key's map of maps: `connectors.KIND.NAME`.
    fn section<'a>(&'a self, root: &'a str, problems: &mut Problems) -> Vec<(&'a Entry, &'a [Entry])> {
        if self.bare_sql.is_some() {
            return Vec::new();
        }
        let Some(node) = self.document.root.get(root) else { return Vec::new() };
        let Some(kinds) = Fields::open(root, node, problems) else { return Vec::new() };
        let mut sections = Vec::new();
        for kind in kinds.entries() {
            let what = format!("{root}.{}", kind.key);
            if let Some(names) = Fields::open(&what, &kind.value, problems) {
                sections.push((kind, names.entries()));
            }
        }
        sections
    }
}

struct Loader {
    loaded: Loaded,
    profile: Profile,
    /// Where each id is defined, right or wrong: `rule x`, `connector http:x`.
    places: BTreeMap<String, Place>,
}

impl Loader {
    fn new(profile: Profile) -> Loader {
        let set = RuleSet {
            rules: BTreeMap::new(),
            actions: BTreeMap::new(),
            connectors: BTreeMap::new(),
            schemas: Arc::default(),
            settings: Settings { ignore_sys_message: true, jq_timeout_ms: 10_000 },
            profile,
        };
        let loaded = Loaded {
            set,
            problems: Vec::new(),
            broken: BTreeSet::new(),
            by_file: BTreeMap::new(),
            documents: Vec::new(),
        };
        Loader { loaded, profile, places: BTreeMap::new() }
    }

    fn open(&mut self, input: &Input, includes: &mut dyn Includes) -> Option<File> {
        let path = Path::new(&input.path);
        if path.extension().is_some_and(|e| e == "sql") {
            return self.open_sql(input, path);
        }
        let Some(format) = Format::of(path) else {
            let problem = Diagnostic::error(codes::UNKNOWN_FORMAT, "not a rule file")
                .help("rule files end in .yaml, .yml, .json, .hocon, .conf or .sql");
            self.loaded.problems.push(problem.in_source(&Source::new(input.path.as_str(), "")));
            return None;
        };
        let read = Document::read_with(&input.path, &input.bytes, format, Release::default(), includes);
        let mut document = match read {
            Ok(document) => document,
            Err(problems) => {
                self.loaded.problems.extend(problems);
                return None;
            }
        };
        let mut problems = Problems::new(&document);
        std::mem::take(&mut document.notes).into_iter().for_each(|note| problems.push(note));
        bridges::upgrade(&mut document, &mut problems);
        let usable = check_roots(&document, &mut problems);
        self.loaded.problems.extend(problems.into_list());
        usable.then_some(File { document, bare_sql: None })
    }

    fn open_sql(&mut self, input: &Input, path: &Path) -> Option<File> {
        let source = match document::decode(&input.path, &input.bytes) {
            Ok(source) if source.text().trim().is_empty() => {
                self.loaded.problems.push(document::empty(&source));
                return None;
            }
            Ok(source) => source,
            Err(problem) => {
                self.loaded.problems.push(problem);
                return None;
            }
        };
        let stem = path.file_stem()?.to_string_lossy().into_owned();
        let span = Span::new(0, source.text().len());
        let data = Data::Text(Arc::from(source.text()));
        let root = Node { span, style: document::Style::Literal, data };
        Some(File { document: Document { source, root, notes: Vec::new() }, bare_sql: Some(stem) })
    }

    /// Notes where an id is defined; a second definition is an error.
    fn define(&mut self, what: &str, file: &File, span: Span, problems: &mut Problems) -> bool {
        let place = file.place(span);
        if let Some(first) = self.places.get(what) {
            let message = format!("{what} is defined twice");
            let problem = Diagnostic::error(codes::DUPLICATE_ID, message).at(span, "again here");
            problems.push(problem.help(format!("it is defined first at {}", first.locate())));
            return false;
        }
        self.places.insert(what.to_owned(), place);
        true
    }

    fn connectors(&mut self, file: &File, problems: &mut Problems) {
        for (kind_entry, names) in file.section("connectors", problems) {
            let kind = keys::upgraded(&kind_entry.key).to_owned();
            let known = keys::ACTION_TYPES.iter().chain(keys::SOURCE_CONNECTOR_TYPES).copied();
            if !check_type("connector", &kind, kind_entry, known, problems) {
                continue;
            }
            for entry in names {
                let id = format!("{kind}:{}", entry.key);
                let named = check_id("connector", entry, problems);
                if !self.define(&format!("connector {id}"), file, entry.key_span, problems) || !named {
                    continue;
                }
                let place = file.place(entry.key_span);
                let read = connector::read(&kind, &entry.key, &entry.value, place, self.profile, problems);
                if let Some(connector) = read {
                    self.loaded.set.connectors.insert(Arc::from(id), Arc::new(connector));
                }
            }
        }
    }

    fn actions(&mut self, file: &File, problems: &mut Problems) {
        for (kind_entry, names) in file.section("actions", problems) {
            let kind = keys::upgraded(&kind_entry.key).to_owned();
            if !check_type("action", &kind, kind_entry, keys::ACTION_TYPES.iter().copied(), problems) {
                continue;
            }
            for entry in names {
                let id = format!("{kind}:{}", entry.key);
                let named = check_id("action", entry, problems);
                if !self.define(&format!("action {id}"), file, entry.key_span, problems) || !named {
                    continue;
                }
                let find = |node: &Node, name: &str, problems: &mut Problems| {
                    self.connector(&kind, node, name, problems)
                };
                let place = file.place(entry.key_span);
                let read =
                    action::read(&kind, &entry.key, &entry.value, place, self.profile, &find, problems);
                if let Some(action) = read {
                    self.loaded.set.actions.insert(Arc::from(id), Arc::new(action));
                }
            }
        }
    }

    fn connector(
        &self,
        kind: &str,
        node: &Node,
        name: &str,
        problems: &mut Problems,
    ) -> Option<Arc<Connector>> {
        let id = format!("{kind}:{name}");
        let found = self.loaded.set.connectors.get(id.as_str()).cloned();
        // One that is there and wrong has been reported where it stands.
        if found.is_none() && !self.places.contains_key(&format!("connector {id}")) {
            let prefix = format!("connector {kind}:");
            let names = self.places.keys().filter_map(|what| what.strip_prefix(prefix.as_str()));
            problems.push(unknown("connector", &id, name, names).at(node.span, ""));
        }
        found
    }

    fn rules(&mut self, file: &File, problems: &mut Problems) {
        if let Some(stem) = &file.bare_sql {
            let span = file.document.root.span;
            let head = Span::new(0, file.document.source.text().find('\n').unwrap_or(span.end as usize));
            self.note_rule(file, stem);
            if self.define(&format!("rule {stem}"), file, head, problems) {
                let embedded = Embedded::identity(&file.document.source);
                let text = file.document.source.text();
                let sql = SqlText::new(text, &file.document.source, span, embedded);
                let place = file.place(head);
                let actions = vec![Arc::new(Action::console(place.clone()))];
                self.rule(stem, sql, place, actions, None, problems);
            }
            return;
        }
        let rules = file.document.root.get("rule_engine").and_then(|engine| engine.get("rules"));
        let Some(rules) = rules.and_then(|node| Fields::open("rule_engine.rules", node, problems)) else {
            return;
        };
        for entry in rules.entries() {
            self.note_rule(file, &entry.key);
            let named = check_id("rule", entry, problems);
            if self.define(&format!("rule {}", entry.key), file, entry.key_span, problems) && named {
                self.written_rule(file, entry, problems);
            }
        }
    }

    fn note_rule(&mut self, file: &File, id: &str) {
        let name = file.document.source.name().to_owned();
        self.loaded.by_file.entry(name).or_default().push(id.to_owned());
    }

    fn written_rule(&mut self, file: &File, entry: &Entry, problems: &mut Problems) {
        let before = problems.errors();
        self.loaded.broken.insert(entry.key.to_string());
        let what = format!("rule {}", entry.key);
        let Some((fields, options)) = Options::read(&what, &entry.value, keys::RULE, problems) else {
            return;
        };
        let mut actions = Vec::new();
        match fields.get("actions").map(|node| (node, &node.data)) {
            None => {}
            Some((_, Data::List(items))) => {
                for item in items.iter() {
                    actions.extend(self.rule_action(file, item, problems));
                }
                if actions.len() < items.len() && problems.errors() == before {
                    // The action is there and wrong: reported where it stands, and the rule is not usable.
                    return;
                }
            }
            Some((node, _)) => problems.wrong_kind(&format!("{what}.actions"), "a list", node),
        }
        let Some(node) = fields.required("sql", problems) else { return };
        let Some(text) = options.text("sql") else { return };
        let sql = SqlText::new(&text, &file.document.source, node.span, file.document.embedded(node));
        if problems.errors() > before {
            // The SQL's own mistakes are worth knowing all the same.
            self.compile(&sql, problems);
            return;
        }
        self.loaded.broken.remove(&*entry.key);
        self.rule(&entry.key, sql, file.place(entry.key_span), actions, Some(&options), problems);
    }

    fn compile(&self, sql: &SqlText, problems: &mut Problems) -> Option<Program> {
        match Program::compile(&sql.text, self.profile) {
            Ok(program) => Some(program),
            Err(list) => {
                list.into_iter().for_each(|problem| problems.push(sql.relocated(problem)));
                None
            }
        }
    }

    fn rule(
        &mut self,
        id: &str,
        sql: SqlText,
        place: Place,
        actions: Vec<Arc<Action>>,
        options: Option<&Options>,
        problems: &mut Problems,
    ) {
        let Some(program) = self.compile(&sql, problems) else {
            self.loaded.broken.insert(id.to_owned());
            return;
        };
        for problem in self.unknown_schemas(program.statement()) {
            problems.push(sql.relocated(problem.in_source(&sql.text)));
        }
        let text = |name: &str| options.and_then(|o| o.text(name)).unwrap_or_default();
        let id: Arc<str> = Arc::from(id);
        let rule = Rule {
            id: id.clone(),
            name: text("name"),
            description: text("description"),
            enabled: options.is_none_or(|o| o.is_true("enable")),
            program,
            sql,
            actions,
            place,
        };
        self.loaded.set.rules.insert(id, Arc::new(rule));
    }

    /// An item of a rule's `actions`.
    fn rule_action(&self, file: &File, item: &Node, problems: &mut Problems) -> Option<Arc<Action>> {
        let Some(text) = item.as_text() else {
            if item.as_map().is_none() {
                problems.wrong_kind("an action", "\"type:name\" or {function: …}", item);
                return None;
            }
            return action::read_function(item, &file.document, self.profile, problems).map(Arc::new);
        };
        let reference = text.strip_prefix("bridge:").unwrap_or(text);
        let Some((kind, name)) = reference.split_once(':') else {
            let message = format!("the action '{text}' is not written as type:name");
            let problem = Diagnostic::error(codes::UNKNOWN_ACTION, message).at(item.span, "");
            problems.push(match text {
                "console" | "republish" => problem.help(format!("write {{function: {text}}}")),
                _ => problem
                    .help("write for example \"http:NAME\", or {function: republish, args: {topic: …}}"),
            });
            return None;
        };
        let id = format!("{}:{name}", keys::upgraded(kind));
        let found = self.loaded.set.actions.get(id.as_str()).cloned();
        if found.is_none() && !self.places.contains_key(&format!("action {id}")) {
            let known = self.places.keys().filter_map(|what| what.strip_prefix("action "));
            problems.push(unknown("action", &id, &id, known).at(item.span, ""));
        }
        found
    }
}

//! Rule files to one checked set.
//!
//! All files of a set are read before anything is resolved, so that a rule may use an action of another file. Every
//! mistake of every file is reported in one pass; what is wrong leaves out only itself and what needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::action::{self, Action};
use super::connector::{self, Connector, Place};
use super::options::Options;
use super::{Rule, SqlText, keys};
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{self, Data, Document, Embedded, Entry, Fields, Format, Node, Problems};
use crate::profile::Profile;
use crate::program::Program;
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
    /// Schemas by name.
    pub schemas: BTreeMap<String, Schema>,
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

/// A schema of the schema registry.
#[derive(Clone, Debug)]
pub struct Schema {
    /// `avro`, `protobuf` or `json`.
    pub kind: String,
    /// Its text.
    pub source: String,
    /// Where it is defined.
    pub place: Place,
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
}

impl Loaded {
    /// Is anything wrong?
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|p| p.severity == crate::diag::Severity::Error)
    }
}

/// Loads the files of a set.
pub fn load(inputs: &[Input], profile: Profile) -> Loaded {
    let mut loader = Loader::new(profile);
    let files: Vec<File> = inputs.iter().filter_map(|input| loader.open(input)).collect();
    // Connectors before actions before rules: each needs those before it.
    for pass in [Loader::connectors, Loader::extras, Loader::actions, Loader::rules] {
        for file in &files {
            let mut problems = Problems::new(&file.document);
            pass(&mut loader, file, &mut problems);
            loader.loaded.problems.extend(problems.into_list());
        }
    }
    let mut loaded = loader.loaded;
    // The passes found things one kind at a time; a reader goes through a file from top to bottom.
    let order: BTreeMap<&str, usize> =
        inputs.iter().enumerate().map(|(at, i)| (i.path.as_str(), at)).collect();
    loaded.problems.sort_by_key(|problem| {
        let file = problem.source.as_ref().and_then(|s| order.get(s.name())).copied();
        (file.unwrap_or(usize::MAX), problem.labels.first().map(|label| label.span.start))
    });
    loaded
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
            schemas: BTreeMap::new(),
            settings: Settings { ignore_sys_message: true, jq_timeout_ms: 10_000 },
            profile,
        };
        let loaded = Loaded { set, problems: Vec::new(), broken: BTreeSet::new(), by_file: BTreeMap::new() };
        Loader { loaded, profile, places: BTreeMap::new() }
    }

    fn open(&mut self, input: &Input) -> Option<File> {
        let path = Path::new(&input.path);
        if path.extension().is_some_and(|e| e == "sql") {
            return self.open_sql(input, path);
        }
        let Some(format) = Format::of(path) else {
            let problem = Diagnostic::error(codes::UNKNOWN_FORMAT, "not a rule file")
                .help("rule files end in .yaml, .yml, .json or .sql");
            self.loaded.problems.push(problem.in_source(&Source::new(input.path.as_str(), "")));
            return None;
        };
        let document = match Document::read(&input.path, &input.bytes, format) {
            Ok(document) => document,
            Err(problems) => {
                self.loaded.problems.extend(problems);
                return None;
            }
        };
        let mut problems = Problems::new(&document);
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
        Some(File { document: Document { source, root }, bare_sql: Some(stem) })
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

    /// What stands under `rulemill` and `schema_registry`, and the engine's settings.
    fn extras(&mut self, file: &File, problems: &mut Problems) {
        if file.bare_sql.is_some() {
            return;
        }
        let root = &file.document.root;
        if let Some(node) = root.get("rulemill")
            && let Some((fields, _)) = Options::read("rulemill", node, keys::RULEMILL, problems)
            && let Some(node) = fields.get("hstreamdb")
            && let Some(names) = Fields::open("rulemill.hstreamdb", node, problems)
        {
            names.entries().iter().for_each(|entry| self.hstreamdb_api(entry, problems));
        }
        if let Some(node) = root.get("schema_registry")
            && let Some((fields, _)) = Options::read("schema_registry", node, keys::SCHEMA_REGISTRY, problems)
            && let Some(node) = fields.get("schemas")
            && let Some(names) = Fields::open("schema_registry.schemas", node, problems)
        {
            names.entries().iter().for_each(|entry| self.schema(file, entry, problems));
        }
        if let Some(node) = root.get("rule_engine")
            && let Some((_, options)) = Options::read("rule_engine", node, keys::RULE_ENGINE, problems)
        {
            let settings = &mut self.loaded.set.settings;
            if options.is_written("ignore_sys_message") {
                settings.ignore_sys_message = options.is_true("ignore_sys_message");
            }
            if let Some(ms) = options.duration_ms("jq_function_default_timeout") {
                settings.jq_timeout_ms = ms;
            }
        }
    }

    fn hstreamdb_api(&mut self, entry: &Entry, problems: &mut Problems) {
        let what = format!("rulemill.hstreamdb.{}", entry.key);
        let Some((_, options)) = Options::read(&what, &entry.value, keys::RULEMILL_HSTREAMDB, problems)
        else {
            return;
        };
        let id = format!("hstreamdb:{}", entry.key);
        match self.loaded.set.connectors.get_mut(id.as_str()) {
            Some(connector) => Arc::make_mut(connector).rest = options.text("api").as_deref() == Some("rest"),
            None if self.places.contains_key(&format!("connector {id}")) => {}
            None => {
                let names = self.loaded.set.connectors.keys().filter_map(|id| id.strip_prefix("hstreamdb:"));
                let problem = unknown("connector", &id, &entry.key, names).at(entry.key_span, "");
                problems.push(problem);
            }
        }
    }

    fn schema(&mut self, file: &File, entry: &Entry, problems: &mut Problems) {
        let what = format!("schema_registry.schemas.{}", entry.key);
        let named = check_id("schema", entry, problems);
        if !self.define(&format!("schema {}", entry.key), file, entry.key_span, problems) || !named {
            return;
        }
        let Some((fields, options)) = Options::read(&what, &entry.value, keys::SCHEMA, problems) else {
            return;
        };
        fields.required("type", problems);
        fields.required("source", problems);
        if let (Some(kind), Some(source)) = (options.text("type"), options.text("source")) {
            let schema = Schema { kind, source, place: file.place(entry.key_span) };
            self.loaded.set.schemas.insert(entry.key.to_string(), schema);
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
            let prefix = format!("{kind}:");
            let names = self.loaded.set.connectors.keys().filter_map(|id| id.strip_prefix(prefix.as_str()));
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
            let known = self.loaded.set.actions.keys().map(|id| &**id);
            problems.push(unknown("action", &id, &id, known).at(item.span, ""));
        }
        found
    }
}

/// Are the root keys ours, or a broker's? Says `false` when nothing in the file can be used.
fn check_roots(document: &Document, problems: &mut Problems) -> bool {
    let Some(root) = Fields::open("the file", &document.root, problems) else { return false };
    let mut skipped = Vec::new();
    for entry in root.entries() {
        if keys::ROOTS.contains(&&*entry.key) {
            continue;
        }
        match nearest(&entry.key, keys::ROOTS.iter().copied()) {
            // A root key that is nearly ours is a slip, not a broker's setting.
            Some(_) => problems.push(document::unknown_key("the file", entry, keys::ROOTS)),
            None => skipped.push(entry),
        }
    }
    let known = root.entries().iter().any(|entry| keys::ROOTS.contains(&&*entry.key));
    match skipped.first() {
        Some(first) if known => {
            let names: Vec<&str> = skipped.iter().map(|entry| &*entry.key).collect();
            let message =
                format!("skipped, since they are no rules, actions or connectors: {}", names.join(", "));
            let mut note = Diagnostic::warning(codes::SKIPPED_KEY, message).at(first.key_span, "");
            note.severity = crate::diag::Severity::Note;
            problems.push(note);
        }
        _ if !known && problems.errors() == 0 => {
            let problem = Diagnostic::error(codes::NO_RULES, "the file holds no rules").at(root.span(), "");
            problems.push(
                problem
                    .help(format!("rule files have one of these at their root: {}", keys::ROOTS.join(", "))),
            );
        }
        _ => {}
    }
    known
}

fn check_type<'a>(
    what: &str,
    kind: &str,
    entry: &Entry,
    known: impl Iterator<Item = &'a str> + Clone,
    problems: &mut Problems,
) -> bool {
    if known.clone().any(|name| name == kind) {
        return true;
    }
    let problem = Diagnostic::error(codes::UNKNOWN_TYPE, format!("EMQX has no {what} type '{kind}'"))
        .at(entry.key_span, "");
    problems.push(match nearest(kind, known) {
        Some(near) => problem.help(format!("did you mean '{near}'?")),
        None => problem,
    });
    false
}

fn check_id(what: &str, entry: &Entry, problems: &mut Problems) -> bool {
    let ok = keys::is_id(&entry.key);
    if !ok {
        let message = format!("'{}' cannot be the id of a {what}", entry.key);
        let problem = Diagnostic::error(codes::BAD_VALUE, message).at(entry.key_span, "");
        problems
            .push(problem.help("EMQX takes letters, digits, '_' and '-', the first one a letter or digit"));
    }
    ok
}

fn unknown<'a>(
    what: &str,
    id: &str,
    near_to: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let code = if what == "action" { codes::UNKNOWN_ACTION } else { codes::UNKNOWN_CONNECTOR };
    let problem = Diagnostic::error(code, format!("there is no {what} '{id}'"));
    if let Some(near) = nearest(near_to, known.clone()) {
        return problem.help(format!("did you mean '{near}'?"));
    }
    let names: Vec<&str> = known.collect();
    match names.is_empty() {
        true => problem.help(format!("define it under {what}s")),
        false => problem.help(format!("these are defined: {}", names.join(", "))),
    }
}

//! Actions: what a rule does with each output.

use std::sync::Arc;

use super::connector::{Connector, Place, Shared};
use super::hstreamdb::HstreamdbAction;
use super::http::HttpAction;
use super::keys;
use super::options::Options;
use super::params::Params;
use super::republish::Republish;
use super::request::Request;
use super::{hstreamdb, http, republish};
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Data, Document, Fields, Node, Problems};
use crate::profile::Profile;
use crate::template::Template;
use crate::value::{Map, Value};

/// A checked action.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its id, as rules and tests name it: `http:hstreamdb`, `republish`, `console`, `module:function`.
    pub id: Arc<str>,
    /// `enable`; a rule's output for a disabled action is discarded.
    pub enabled: bool,
    /// What it does.
    pub kind: ActionKind,
    /// The values of `resource_opts`: buffers, batches, time to live.
    pub options: Options,
    /// Where it is defined.
    pub place: Place,
}

/// One template of an action.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// The keys to it, below the action's own: `parameters`, `headers`, `x-car`; `name` behind them for the name of a
    /// header. What its connector adds begins with `connector`.
    pub path: Vec<String>,
    /// The template.
    pub template: &'a Template,
}

impl<'a> Field<'a> {
    pub(super) fn new(path: &[&str], template: &'a Template) -> Field<'a> {
        Field { path: path.iter().map(|key| (*key).to_owned()).collect(), template }
    }
}

/// What an action does.
#[derive(Clone, Debug)]
pub enum ActionKind {
    /// An HTTP request.
    Http(Box<HttpAction>),
    /// A record of a stream.
    Hstreamdb(Box<HstreamdbAction>),
    /// A message.
    Republish(Box<Republish>),
    /// A line.
    Console,
    /// Something that is rendered and not delivered.
    Params {
        /// Its type.
        kind: String,
        /// Its connector, for action types.
        connector: Option<Shared>,
        /// Its parameters.
        params: Params,
    },
}

impl Action {
    /// The console action.
    pub fn console(place: Place) -> Action {
        Action::function("console", ActionKind::Console, place)
    }

    fn function(id: &str, kind: ActionKind, place: Place) -> Action {
        Action {
            id: Arc::from(id),
            enabled: true,
            kind,
            options: Options::defaults(keys::ACTION_OPTIONS),
            place,
        }
    }

    /// The connector it delivers by.
    pub fn connector(&self) -> Option<&Connector> {
        match &self.kind {
            ActionKind::Http(action) => Some(&action.connector),
            ActionKind::Hstreamdb(action) => Some(&action.connector),
            ActionKind::Params { connector, .. } => connector.as_deref(),
            ActionKind::Republish(_) | ActionKind::Console => None,
        }
    }

    /// The templates that the file gives it and that rendering uses.
    pub fn templates(&self) -> Vec<Field<'_>> {
        match &self.kind {
            ActionKind::Http(action) => action.templates(),
            ActionKind::Hstreamdb(action) => action.templates(),
            ActionKind::Republish(action) => action.templates(),
            ActionKind::Console => Vec::new(),
            ActionKind::Params { params, .. } => params.templates(),
        }
    }

    /// What it asks for one output; `columns` are those of the rule, `metadata` among them.
    pub fn render(&self, selected: &Map, columns: &Map) -> Result<Request, String> {
        if let Some(connector) = self.connector().filter(|connector| !connector.enabled) {
            return Err(format!("the connector {}:{} is disabled", connector.kind, connector.name));
        }
        match &self.kind {
            ActionKind::Http(action) => action.render(selected, columns),
            ActionKind::Hstreamdb(action) => action.render(selected),
            ActionKind::Republish(action) => action.render(selected, columns),
            ActionKind::Console => Ok(Request::Console { data: Value::Map(selected.clone()) }),
            ActionKind::Params { kind, params, .. } => {
                let params = params.render(&Value::Map(selected.clone()))?;
                Ok(Request::Params { kind: kind.clone(), params })
            }
        }
    }
}

/// Reads `actions.KIND.NAME`; `find` gives the connector of a name.
pub(super) fn read(
    kind: &str,
    name: &str,
    node: &Node,
    place: Place,
    profile: Profile,
    find: &dyn Fn(&Node, &str, &mut Problems) -> Option<Shared>,
    problems: &mut Problems,
) -> Option<Action> {
    let before = problems.errors();
    let what = format!("actions.{kind}.{name}");
    let (fields, options) = Options::read(&what, node, keys::ACTION, problems)?;
    let resource = match fields.get("resource_opts") {
        Some(node) => {
            Options::read(&format!("{what}.resource_opts"), node, keys::ACTION_OPTIONS, problems)?.1
        }
        None => Options::defaults(keys::ACTION_OPTIONS),
    };
    let connector_node = fields.required("connector", problems)?;
    let connector = find(connector_node, &options.text("connector")?, problems)?;
    let kind = match kind {
        "http" => {
            http::read(&what, &fields, &connector, profile, problems).map(|a| ActionKind::Http(Box::new(a)))
        }
        "hstreamdb" => {
            let action = hstreamdb::read(&what, &fields, &connector, profile, problems);
            action.map(|a| ActionKind::Hstreamdb(Box::new(a)))
        }
        _ => params(kind, &fields, connector, profile, problems),
    }?;
    let id = Arc::from(format!("{}:{name}", what.split('.').nth(1).unwrap_or_default()));
    let action = Action { id, enabled: options.is_true("enable"), kind, options: resource, place };
    (problems.errors() == before).then_some(action)
}

fn params(
    kind: &str,
    fields: &Fields<'_>,
    connector: Shared,
    profile: Profile,
    problems: &mut Problems,
) -> Option<ActionKind> {
    let params = match fields.get("parameters") {
        Some(node) => rendered_params(node, profile, problems)?,
        None => Params::Map(Vec::new()),
    };
    Some(ActionKind::Params { kind: kind.to_owned(), connector: Some(connector), params })
}

fn rendered_params(node: &Node, profile: Profile, problems: &mut Problems) -> Option<Params> {
    Params::read(node, profile).map_err(|problem| problems.push(*problem)).ok()
}

/// Reads an item of a rule's `actions` that is a map: `{function: republish, args: {…}}`.
pub(super) fn read_function(
    node: &Node,
    document: &Document,
    profile: Profile,
    problems: &mut Problems,
) -> Option<Action> {
    let place = Place { source: document.source.clone(), span: node.span };
    let (fields, options) = Options::read("action", node, keys::FUNCTION, problems)?;
    let name_node = fields.required("function", problems)?;
    let name = options.text("function")?;
    match name.as_str() {
        "console" => Some(Action::console(place)),
        "republish" => {
            let empty = Node { data: Data::Null, ..node.clone() };
            let args = fields.get("args").unwrap_or(&empty);
            let republish = republish::read("republish.args", args, profile, problems)?;
            Some(Action::function("republish", ActionKind::Republish(Box::new(republish)), place))
        }
        // A function of the user's own Erlang module; its arguments are its own business.
        name if name.split(':').count() == 2 => {
            let params = match fields.get("args") {
                Some(node) => {
                    Params::Constant(super::plain::value(node).map_err(|p| problems.push(*p)).ok()?)
                }
                None => Params::Map(Vec::new()),
            };
            Some(Action::function(
                name,
                ActionKind::Params { kind: name.to_owned(), connector: None, params },
                place,
            ))
        }
        name => {
            let message = format!("there is no action function '{name}'");
            let problem = Diagnostic::error(codes::UNKNOWN_ACTION, message).at(name_node.span, "");
            problems.push(match nearest(name, ["republish", "console"]) {
                Some(near) => problem.help(format!("did you mean '{near}'?")),
                None => {
                    problem.help("functions are republish, console, or module:function of an Erlang module")
                }
            });
            None
        }
    }
}

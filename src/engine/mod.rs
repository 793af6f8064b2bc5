//! Message → matching rules → outcomes and rendered actions; synchronous and deterministic.

use std::sync::Arc;

use crate::eval::{EvalError, Verdict};
use crate::rule::Request;

/// What one rule did with one message.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The rule's id.
    pub rule: Arc<str>,
    /// What its SQL answered.
    pub result: Result<Verdict, EvalError>,
    /// The actions of each output, in execution order: for each output all actions in the rule's order.
    pub actions: Vec<RenderedAction>,
}

/// One action of one output.
#[derive(Clone, Debug)]
pub struct RenderedAction {
    /// The action's id, `http:hstreamdb` or `republish` or `console`.
    pub id: Arc<str>,
    /// Which output it belongs to, from 0.
    pub output: usize,
    /// What to do, or why the templates could not be rendered.
    pub request: Result<Request, String>,
}

//! `hstreamdb` actions: one raw record for each output (emqx_bridge_hstreamdb_connector:to_key_and_raw_record/3).

use super::action::Field;
use super::connector::Shared;
use super::keys;
use super::options::Options;
use super::rendered;
use super::request::Request;
use crate::document::{Fields, Problems};
use crate::profile::Profile;
use crate::template::{Dialect, Template};
use crate::value::{Map, Value};

/// A checked `hstreamdb` action.
#[derive(Clone, Debug)]
pub struct HstreamdbAction {
    /// Where it appends to.
    pub connector: Shared,
    /// The values of its parameters.
    pub options: Options,
    stream: String,
    partition_key: Template,
    record: Template,
}

/// Reads `parameters`.
pub(super) fn read(
    what: &str,
    fields: &Fields<'_>,
    connector: &Shared,
    profile: Profile,
    problems: &mut Problems,
) -> Option<HstreamdbAction> {
    let what = format!("{what}.parameters");
    let node = fields.required("parameters", problems)?;
    let (parameters, options) = Options::read(&what, node, keys::HSTREAMDB_PARAMETERS, problems)?;
    parameters.required("stream", problems)?;
    let template =
        |name: &str| Template::parse(&options.text(name).unwrap_or_default(), Dialect::placeholder(profile));
    Some(HstreamdbAction {
        connector: connector.clone(),
        stream: options.text("stream")?,
        partition_key: template("partition_key"),
        record: template("record_template"),
        options,
    })
}

impl HstreamdbAction {
    /// The stream's name; it is no template.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The templates that make the record, but for those that EMQX supplies.
    pub(super) fn templates(&self) -> Vec<Field<'_>> {
        let all = [("partition_key", &self.partition_key), ("record_template", &self.record)];
        let written = all.into_iter().filter(|(name, _)| self.options.is_written(name));
        written.map(|(name, template)| Field::new(&["parameters", name], template)).collect()
    }

    /// The record for one output.
    pub fn render(&self, selected: &Map) -> Result<Request, String> {
        let data = Value::Map(selected.clone());
        let key = rendered("partition key", &self.partition_key, &data)?;
        let partition_key =
            String::from_utf8(key.to_vec()).map_err(|_| "the partition key is not UTF-8 text".to_owned())?;
        Ok(Request::Hstreamdb {
            connector: self.connector.name.clone(),
            stream: self.stream.clone(),
            partition_key,
            record: rendered("record", &self.record, &data)?,
        })
    }
}

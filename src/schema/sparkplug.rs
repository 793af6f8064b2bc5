//! Sparkplug B: the payload of the Sparkplug specification 3.0, by its field names, numbers and types.

use std::sync::LazyLock;

use super::protobuf::Protobuf;
use super::{Codec, Failure};
use crate::text::Source;

static CODEC: LazyLock<Option<Codec>> = LazyLock::new(|| {
    let source = Source::new("sparkplug_b.proto", include_str!("sparkplug_b.proto"));
    Protobuf::compile(&source).ok().map(Codec::Protobuf)
});

/// The codec, compiled when it is used first.
pub(super) fn codec() -> Result<&'static Codec, Failure> {
    CODEC.as_ref().ok_or_else(|| Failure::error("the Sparkplug B schema does not compile"))
}

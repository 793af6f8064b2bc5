//! The HStreamDB stand-in: store, REST, SQL on streams.

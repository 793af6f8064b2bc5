//! Messages, events and their columns, per profile.

mod message;

pub use message::{Message, Properties};

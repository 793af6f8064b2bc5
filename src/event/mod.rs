//! Messages, events and their columns, per profile.

mod id;
mod message;

pub use id::Ids;
pub use message::{Message, Properties};

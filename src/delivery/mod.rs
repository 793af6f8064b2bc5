//! What sources and sinks have in common: when a message is done, how to publish one, how long to wait before trying
//! again, and what no log may show.

pub mod backoff;
pub mod mask;
pub mod receipt;

use async_trait::async_trait;

pub use backoff::Backoff;
pub use receipt::{Receipt, Settled, Ticket};

use crate::event::Message;

/// Something that messages can be published to.
#[async_trait]
pub trait Publish: Send + Sync + 'static {
    /// Publishes, and answers when it is done as far as the message's quality of service goes.
    async fn publish(&self, message: Message) -> Result<(), String>;
}

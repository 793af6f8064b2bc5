//! Messages to the broker, one after the other, each until the broker has it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Mutex as Turn, oneshot, watch};

use super::wire::Handle;
use crate::delivery::Publish;
use crate::event::Message;

/// Publishes over whatever connection stands; clones share it.
#[derive(Clone)]
pub struct Outbox {
    shared: Arc<Shared>,
}

struct Shared {
    connection: watch::Sender<Option<Arc<Handle>>>,
    /// One message at a time, so that they arrive in order and an answer can only be the last one's.
    turn: Turn<()>,
    waiting: Mutex<Option<Waiting>>,
}

struct Waiting {
    /// Does it end with the sending (QoS 0), or with the broker's answer?
    at_sending: bool,
    answer: oneshot::Sender<Result<(), String>>,
}

impl Outbox {
    pub(super) fn new() -> Outbox {
        let (connection, _) = watch::channel(None);
        Outbox { shared: Arc::new(Shared { connection, turn: Turn::new(()), waiting: Mutex::new(None) }) }
    }

    pub(super) fn connection(&self) -> watch::Receiver<Option<Arc<Handle>>> {
        self.shared.connection.subscribe()
    }

    /// A connection stands, or none does any more; what waits for an answer tries again.
    pub(super) fn set_connection(&self, handle: Option<Arc<Handle>>) {
        self.shared.connection.send_replace(handle);
        self.answer(false, Err("the connection to the broker was lost".to_owned()));
        self.answer(true, Err("the connection to the broker was lost".to_owned()));
    }

    pub(super) fn sent(&self) {
        self.answer(true, Ok(()));
    }

    pub(super) fn acknowledged(&self, result: Result<(), String>) {
        self.answer(false, result);
    }

    pub(super) fn goodbye(&self) {
        if let Some(handle) = self.shared.connection.borrow().as_ref() {
            handle.disconnect();
        }
    }

    fn answer(&self, at_sending: bool, result: Result<(), String>) {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = waiting.take_if(|waiting| waiting.at_sending == at_sending) {
            // Whoever waited may have given up.
            let _ = waiting.answer.send(result);
        }
    }
}

#[async_trait]
impl Publish for Outbox {
    async fn publish(&self, message: Message) -> Result<(), String> {
        let _turn = self.shared.turn.lock().await;
        let mut connection = self.connection();
        let standing = connection.wait_for(Option::is_some).await;
        let handle = standing.map_err(|_| "there is no connection".to_owned())?.clone();
        let Some(handle) = handle else { return Err("there is no connection".to_owned()) };
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { at_sending: message.qos == 0, answer };
        *self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiting);
        handle.publish(&message)?;
        answered.await.unwrap_or_else(|_| Err("the connection to the broker was lost".to_owned()))
    }
}

//! Tells when everything that a message led to is done, so that its source can be acknowledged.
//!
//! Invariant: a receipt answers once all tickets are gone; a ticket that was dropped unsettled makes it `Abandoned`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// All deliveries are done; what failed for good has been logged and counted.
    Done,
    /// Something was given up undecided: the message must come again.
    Abandoned,
}

/// The answer to come.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Settled>);

impl Receipt {
    /// Waits until all is done.
    pub async fn settled(self) -> Settled {
        self.0.await.unwrap_or(Settled::Abandoned)
    }
}

/// One thing to be done for a message.
#[derive(Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
    settled: bool,
}

#[derive(Debug)]
struct Shared {
    abandoned: AtomicBool,
    answer: Option<oneshot::Sender<Settled>>,
}

impl Ticket {
    /// The first ticket of a message, and its receipt.
    pub fn new() -> (Ticket, Receipt) {
        let (answer, receipt) = oneshot::channel();
        let shared = Arc::new(Shared { abandoned: AtomicBool::new(false), answer: Some(answer) });
        (Ticket { shared, settled: false }, Receipt(receipt))
    }

    /// A ticket for one more thing of the same message.
    pub fn another(&self) -> Ticket {
        Ticket { shared: Arc::clone(&self.shared), settled: false }
    }

    /// This one is decided, for better or worse.
    pub fn settle(mut self) {
        self.settled = true;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.abandoned.store(true, Ordering::Release);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let settled = if *self.abandoned.get_mut() { Settled::Abandoned } else { Settled::Done };
        if let Some(answer) = self.answer.take() {
            // Nobody may be waiting: the embedded broker has acknowledged already.
            let _ = answer.send(settled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_receipt_answers_when_the_last_ticket_is_gone() {
        let (first, receipt) = Ticket::new();
        let second = first.another();
        first.settle();
        let waiting = tokio::spawn(receipt.settled());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        second.settle();
        assert_eq!(waiting.await.unwrap(), Settled::Done);

        let (first, receipt) = Ticket::new();
        drop(first.another());
        first.settle();
        assert_eq!(receipt.settled().await, Settled::Abandoned);
    }
}

//! A scripted web server.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request as HttpRequest, State};
use http::StatusCode;
use tokio::sync::{mpsc, watch};

use super::PATIENCE;

/// A web server that gives prepared answers, then 200, and remembers what it was asked.
#[derive(Clone)]
struct Stub {
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
    seen: mpsc::UnboundedSender<Seen>,
    /// Requests wait until this is true.
    open: watch::Receiver<bool>,
}

/// A request.
#[derive(Debug)]
pub struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

async fn answer(State(stub): State<Stub>, request: HttpRequest) -> (StatusCode, &'static str) {
    let line = format!("{} {}", request.method(), request.uri());
    let text = |v: &http::HeaderValue| v.to_str().unwrap().to_owned();
    let headers = request.headers().iter().map(|(k, v)| (k.to_string(), text(v))).collect();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    stub.seen.send(Seen { line, headers, body }).unwrap();
    stub.open.clone().wait_for(|open| *open).await.unwrap();
    let (status, text) = stub.answers.lock().unwrap().pop_front().unwrap_or((200, "ok"));
    (StatusCode::from_u16(status).unwrap(), text)
}

pub struct Server {
    pub addr: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
    /// Answers wait while this is false.
    pub open: watch::Sender<bool>,
}

impl Server {
    pub async fn start(answers: &[(u16, &'static str)]) -> Server {
        let (seen_sender, seen) = mpsc::unbounded_channel();
        let (open, gate) = watch::channel(true);
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        let stub = Stub { answers, seen: seen_sender, open: gate };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer).with_state(stub);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Server { addr, seen, open }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub async fn next(&mut self) -> Seen {
        tokio::time::timeout(PATIENCE, self.seen.recv()).await.expect("no request came").unwrap()
    }
}

//! `rulemill hstream sql`: the shell of `hstream-client` v0.6.1, and one statement for scripts.
//!
//! What is printed is what `hstream/app/client.hs` and `HStream/Utils/Format.hs` print; hints are ours.
//!
//! Invariant: a line is a statement; Ctrl-C ends a running query and never the shell.

use std::io::{BufRead, Write};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;

use super::client::{Client, Trouble};
use super::table::table;
use super::{Exit, Failure, TargetArgs, duration};
use crate::hstream::sql::{self, InsertBody, NumberText, Statement, Termination};
use crate::hstream::store::{FLAG_JSON, FLAG_RAW};

const BANNER: &str = r"
   _  _  ___  _____  ___  ___    _    __  __
  | || |/ __||_   _|| _ \| __|  /_\  |  \/  |
  | __ |\__ \  | |  |   /| _|  / _ \ | |\/| |
  |_||_||___/  |_|  |_|_\|___|/_/ \_\|_|  |_|
";

const HELP: &str = "\
  :h                     this help
  :q                     leave the shell
  :help [sql_operation]  how a statement is written, such as :help SELECT; all of them without a word

One line is one statement and ends with `;`. For a start:
  CREATE STREAM readings;
  SELECT * FROM readings EMIT CHANGES;
  INSERT INTO readings (room, degrees) VALUES (\"hall\", 21.5);
A SELECT shows what is written after it began; Ctrl-C ends it.
";

/// Statements and their forms, sorted.
const USAGE: [(&str, &str); 6] = [
    ("CREATE", "CREATE STREAM <stream_name> [WITH (REPLICATE = <n>)];"),
    ("DROP", "DROP STREAM <stream_name> [IF EXISTS];"),
    (
        "INSERT",
        "INSERT INTO <stream_name> (<field_name>, ...) VALUES (<field_value>, ...);\n  \
         INSERT INTO <stream_name> VALUES '<json_object>';\n  INSERT INTO <stream_name> VALUES \"<raw_text>\";",
    ),
    (
        "SELECT",
        "SELECT <* | expression [AS alias], ...>\n  FROM <stream_name>\n  [WHERE <condition>]\n  EMIT CHANGES;",
    ),
    ("SHOW", "SHOW <STREAMS|QUERIES>;"),
    ("TERMINATE", "TERMINATE <QUERY <query_id>|ALL>;"),
];

#[derive(Debug, Args)]
pub(super) struct SqlArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Run this statement and end; a query says `ready` on stderr once it is attached
    #[arg(short = 'e', long = "execute", value_name = "STMT")]
    execute: Option<String>,
    /// With -e: end the query well after so many rows
    #[arg(long, requires = "execute")]
    rows: Option<u64>,
    /// With -e: end after this time, such as 5s or 500ms; a failure if --rows are not there by then
    #[arg(long, requires = "execute", value_parser = duration)]
    timeout: Option<Duration>,
}

pub(super) async fn run(args: SqlArgs) -> Result<Exit, Failure> {
    let client = Client::new(&args.target)?;
    match &args.execute {
        Some(text) => one(&client, text, &args).await,
        None => shell(&client).await,
    }
}

/// One statement. What a user would read as a failure is told on stderr and by the exit code.
async fn one(client: &Client, text: &str, args: &SqlArgs) -> Result<Exit, Failure> {
    let text = text.trim_end();
    // In an argument the end of the statement is plain.
    let text = if text.ends_with(';') { text.to_owned() } else { format!("{text};") };
    let statement = sql::parse(&text).map_err(|error| Failure::failed(error.to_string()))?;
    let mut seen = 0;
    let work = async {
        if !matches!(statement, Statement::Select(_)) {
            let shown = simple(client, &statement).await?;
            std::io::stdout().write_all(shown.as_bytes())?;
            return Ok(Exit::Ok);
        }
        if args.rows == Some(0) {
            return Ok(Exit::Ok);
        }
        let mut lines = client.push(&text).await?;
        let _ = writeln!(std::io::stderr(), "ready");
        while let Some(line) = lines.next().await? {
            print_row(&line)?;
            seen += 1;
            if args.rows == Some(seen) {
                return Ok(Exit::Ok);
            }
        }
        match args.rows {
            Some(rows) => Err(Failure::failed(format!("the query ended after {seen} of {rows} rows"))),
            None => Ok(Exit::Ok),
        }
    };
    let time = async {
        match args.timeout {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    };
    let query = matches!(statement, Statement::Select(_));
    let mut interrupt = super::interrupt()?;
    let ended = tokio::select! {
        outcome = work => return outcome,
        () = time => "the time is up",
        _ = interrupt.recv() => "interrupted",
    };
    match args.rows {
        None if query => Ok(Exit::Ok),
        None => Err(Failure::failed(format!("{ended} before the server answered"))),
        Some(rows) => Err(Failure::failed(format!("{ended} after {seen} of {rows} rows"))),
    }
}

async fn shell(client: &Client) -> Result<Exit, Failure> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{BANNER}")?;
    client.check().await?;
    writeln!(stdout, "{HELP}")?;
    let mut lines = stdin_lines();
    let mut interrupt = super::interrupt()?;
    loop {
        write!(stdout, "> ")?;
        stdout.flush()?;
        let line = tokio::select! {
            line = lines.recv() => line,
            _ = interrupt.recv() => {
                writeln!(stdout)?;
                continue;
            }
        };
        let Some(line) = line else {
            writeln!(stdout)?;
            return Ok(Exit::Ok);
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [":q", ..] => return Ok(Exit::Ok),
            [":h", ..] => writeln!(stdout, "{HELP}")?,
            [":help", rest @ ..] => write!(stdout, "{}", usage(rest.first().copied()))?,
            _ => statement(client, &line, &mut interrupt).await?,
        }
    }
}

/// A thread reads, so that Ctrl-C is seen while a line is waited for. One line is read ahead at most.
fn stdin_lines() -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receive
}

/// Their names, some in a line.
fn functions() -> String {
    let names: Vec<&str> = sql::function_names().collect();
    names.chunks(10).map(|line| line.join(" ")).collect::<Vec<_>>().join("\n    ")
}

fn usage(of: Option<&str>) -> String {
    let show = |(name, forms): &(&str, &str)| match *name {
        "SELECT" => format!("{name}\n  {forms}\n  Functions: {}\n\n", functions()),
        _ => format!("{name}\n  {forms}\n\n"),
    };
    match of {
        None => format!("SQL Statements\n{}", USAGE.iter().map(show).collect::<String>()),
        Some(name) => USAGE.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(show).collect(),
    }
}

/// Runs a line of the shell. Only a server that is gone ends the shell no more than a wrong statement does.
async fn statement(client: &Client, line: &str, interrupt: &mut Signal) -> Result<(), Failure> {
    let mut stdout = std::io::stdout();
    let parsed = match sql::parse(line) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(writeln!(stdout, "{error}")?),
    };
    if let Statement::Select(_) = parsed {
        return query(client, line, interrupt).await;
    }
    match simple(client, &parsed).await {
        Ok(shown) => write!(stdout, "{shown}")?,
        Err(Trouble::Unreachable(message)) => writeln!(stdout, "{message}")?,
        Err(Trouble::Refused(message)) => match parsed {
            Statement::Insert { .. } => writeln!(stdout, "Error: {message}")?,
            _ => writeln!(stdout, "{}", Value::from(message))?,
        },
    }
    Ok(())
}

/// A statement that has one answer, and what is printed for it.
async fn simple(client: &Client, statement: &Statement) -> Result<String, Trouble> {
    const DONE: &str = "Done. No results.\n";
    const NOTHING: &str = "Succeeded. No Results\n";
    match statement {
        Statement::CreateStream { name, replication_factor } => {
            Ok(format!("{}\n", client.create(name, *replication_factor).await?))
        }
        Statement::ShowStreams => {
            let names: String = client.streams().await?.iter().map(|name| format!("{name}\n")).collect();
            Ok(if names.is_empty() { NOTHING.to_owned() } else { names })
        }
        Statement::ShowQueries => {
            let shown = table(&client.queries().await?);
            Ok(if shown.is_empty() { NOTHING.to_owned() } else { shown })
        }
        Statement::DropStream { name, if_exists } => {
            client.delete(name, *if_exists).await?;
            Ok(DONE.to_owned())
        }
        Statement::Insert { stream, body } => {
            let (flag, payload) = match body {
                InsertBody::Json(text) => (FLAG_JSON, text),
                InsertBody::Raw(text) => (FLAG_RAW, text),
            };
            client.publish(stream, flag, payload).await?;
            Ok(DONE.to_owned())
        }
        Statement::Terminate(which) => {
            let body = match which {
                Termination::All => json!({"all": true}),
                Termination::Query(id) => json!({"queryId": [id]}),
            };
            client.terminate(&body).await?;
            Ok(DONE.to_owned())
        }
        Statement::Select(_) => Ok(String::new()),
    }
}

/// A push query in the shell, until Ctrl-C or the server ends it.
async fn query(client: &Client, text: &str, interrupt: &mut Signal) -> Result<(), Failure> {
    let mut stdout = std::io::stdout();
    let work = async {
        let mut lines = match client.push(text).await {
            Ok(lines) => lines,
            Err(Trouble::Unreachable(message) | Trouble::Refused(message)) => {
                writeln!(std::io::stdout(), "{message}")?;
                return Ok(());
            }
        };
        while let Some(line) = lines.next().await? {
            print_row(&line)?;
        }
        let colour = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        let (on, off) = if colour { ("\x1b[32m", "\x1b[0m") } else { ("", "") };
        writeln!(std::io::stdout(), "{on}Terminated{off}")?;
        Ok::<(), Failure>(())
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        _ = interrupt.recv() => Ok(writeln!(stdout)?),
    };
    match outcome {
        Err(Failure { exit: Exit::Failed, message }) => Ok(writeln!(stdout, "{message}")?),
        other => other,
    }
}

/// A line of a push query's answer.
fn print_row(line: &str) -> Result<(), Failure> {
    let parsed: Value = serde_json::from_str(line)
        .map_err(|error| Failure::failed(format!("the server sent a line that is no JSON: {error}")))?;
    if let Some(message) = parsed["error"]["message"].as_str() {
        return Err(Failure::failed(message));
    }
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", sql::row_text(&parsed["result"]["SELECT"], NumberText::CommandLine))?;
    Ok(stdout.flush()?)
}

//! The machine of jq 1.6: a stack of values and frames, and a stack of places to go back to.
//!
//! Frames and values stand in one array of cells. A cell is freed when it is the last and no fork needs it; going
//! back to a fork frees all above it. So no depth of calls takes the stack of the thread, and what a run holds is
//! counted.
//!
//! Invariants: a fork remembers how many cells there were, and no cell below is freed or reused while it stands;
//! variables are not restored on the way back, which is how `reduce` and `[…]` gather.

mod containers;
mod frames;

use super::builtin::regex::Patterns;
use super::builtin::{Body, Host};
use super::code::{At, Callee, Function, Op, Program};
use super::library::Library;
use super::meter::{self, Stop};
use super::throw::{self, Throw};
use super::value::Val;
use super::writer;

/// An index into the cells, one based: 0 is none.
type Link = u32;

enum Cell {
    /// A value of the data stack, and the one below it.
    Value(Val, Link),
    /// A frame; its parameters and variables stand behind it.
    Frame(Frame),
    /// A parameter.
    Closure(Closure),
    /// A variable.
    Local(Val),
}

#[derive(Clone, Copy)]
struct Frame {
    function: FunctionId,
    /// The frame of the function around it.
    env: Link,
    /// The frame that called it, 0 for the program itself.
    caller: Link,
    /// Where the caller goes on.
    back: At,
}

#[derive(Clone, Copy)]
struct Closure {
    function: FunctionId,
    env: Link,
}

#[derive(Clone, Copy)]
enum FunctionId {
    Own(u32),
    Library(u32),
}

/// A place to go back to.
struct Fork {
    at: At,
    top: Link,
    frame: Link,
    cells: usize,
    path_length: usize,
    value_at_path: Val,
    below: u32,
    resume: Resume,
}

/// What an instruction needs to go on.
enum Resume {
    Nothing,
    Each(Val, usize),
    Range(Val),
    /// The paths as they were.
    Path(Val),
}

/// How an instruction ends: with a value on the top, or on the way back.
enum Flow {
    On,
    Back,
    /// The program has an output.
    Output(Val),
}

type Step = Result<Flow, Stop>;

/// How many steps go by between two looks at the memory.
const LOOK_EVERY: u32 = 256;

/// A run of a program.
pub(super) struct Machine<'p> {
    program: &'p Program,
    library: &'p Library,
    cells: Vec<Cell>,
    forks: Vec<Fork>,
    top: Link,
    frame: Link,
    at: At,
    function: &'p Function,
    error: Option<Val>,
    labels: f64,
    started: bool,
    until_look: u32,
    /// Where a variable that is not there would be.
    nowhere: Val,
    host: Host,
}

impl<'p> Machine<'p> {
    /// A run over an input.
    pub(super) fn new(program: &'p Program, library: &'p Library, input: Val, host: Host) -> Machine<'p> {
        let mut machine = Machine {
            program,
            library,
            cells: Vec::new(),
            forks: Vec::new(),
            top: 0,
            frame: 0,
            at: 0,
            function: &program.functions[0],
            error: None,
            labels: 0.0,
            started: false,
            until_look: LOOK_EVERY,
            nowhere: Val::Null,
            host,
        };
        machine.enter(Closure { function: FunctionId::Own(0), env: 0 }, &[], 0, 0);
        machine.push(input);
        machine
    }

    /// The compiled patterns, for the next run.
    pub(super) fn into_patterns(self) -> Patterns {
        self.host.patterns
    }

    /// The next output, `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Val>, Throw> {
        let mut flow = if self.started { Flow::Back } else { Flow::On };
        self.started = true;
        loop {
            match flow {
                Flow::On => {}
                Flow::Output(value) => return Ok(Some(value)),
                Flow::Back => {
                    let Some(fork) = self.forks.pop() else {
                        return match self.error.take() {
                            Some(error) => Err(Throw::Error(error)),
                            None => Ok(None),
                        };
                    };
                    self.look()?;
                    flow = self.resume(fork)?;
                    continue;
                }
            }
            self.look()?;
            let function = self.function;
            let op = &function.ops[self.at as usize];
            self.at += 1;
            flow = self.step(op)?;
        }
    }

    /// Counts a step, and looks at the memory now and then.
    fn look(&mut self) -> Result<(), Stop> {
        meter::spend(1)?;
        self.until_look -= 1;
        if self.until_look == 0 {
            self.until_look = LOOK_EVERY;
            let cells = self.cells.capacity() * size_of::<Cell>() + self.forks.capacity() * size_of::<Fork>();
            meter::room(cells)?;
        }
        Ok(())
    }

    fn step(&mut self, op: &'p Op) -> Step {
        match op {
            Op::Const(literal) => {
                self.pop();
                self.push(literal.value());
            }
            Op::ConstUnder(literal) => {
                let top = self.pop();
                self.push(literal.value());
                self.push(top);
            }
            Op::Dup | Op::SubBegin => {
                let top = self.pop();
                self.push(top.clone());
                self.push(top);
                self.host.below += u32::from(matches!(op, Op::SubBegin));
            }
            Op::DupTake => {
                let top = self.take();
                self.push(top.clone());
                self.push(top);
            }
            Op::Over => {
                let top = self.pop();
                let second = self.pop();
                self.push(second.clone());
                self.push(top);
                self.push(second);
            }
            Op::Pop => {
                self.pop();
            }
            Op::SubEnd => {
                self.host.below = self.host.below.saturating_sub(1);
                let top = self.pop();
                let second = self.pop();
                self.push(top);
                self.push(second);
            }
            Op::Load(slot) => {
                self.pop();
                let value = self.local(*slot).clone();
                self.push(value);
            }
            Op::Take(slot) => {
                self.take();
                let value = std::mem::replace(self.local(*slot), Val::Null);
                self.push(value);
            }
            Op::Store(slot) => {
                let value = self.pop();
                *self.local(*slot) = value;
            }
            Op::StoreFor(slot) => {
                self.fork(Resume::Nothing);
                let value = self.pop();
                *self.local(*slot) = value;
            }
            Op::Jump(to) => self.at = *to,
            Op::JumpFalse(to) => {
                if !self.peek().truthy() {
                    self.at = *to;
                }
            }
            Op::Fork(_) | Op::ForkTry(_) | Op::ForkElse(_) => self.fork(Resume::Nothing),
            Op::Backtrack => return Ok(Flow::Back),
            other => return self.complex(other),
        }
        Ok(Flow::On)
    }

    fn complex(&mut self, op: &'p Op) -> Step {
        match op {
            Op::Append(slot) => self.append(*slot),
            Op::Insert => self.insert(),
            Op::Range(slot) => {
                let to = self.pop();
                self.range(*slot, to)
            }
            Op::PathBegin => self.path_begin(),
            Op::PathEnd => self.path_end(),
            Op::Index(optional) => self.index(*optional),
            Op::Each(optional) => self.each(*optional),
            Op::Label => {
                let label = Val::members([("__jq", Val::Num(self.labels))]);
                self.labels += 1.0;
                self.push(label);
                Ok(Flow::On)
            }
            Op::Builtin(body, args) => self.builtin(*body, *args),
            Op::Call(callee, args) => {
                self.call(*callee, args, false);
                Ok(Flow::On)
            }
            Op::TailCall(callee, args) => {
                self.call(*callee, args, true);
                Ok(Flow::On)
            }
            Op::Return => Ok(self.leave()),
            _ => Ok(Flow::On),
        }
    }

    // --- the way back ---

    /// Remembers the instruction that runs.
    fn fork(&mut self, resume: Resume) {
        self.fork_at(self.at - 1, resume);
    }

    fn fork_at(&mut self, at: At, resume: Resume) {
        let path_length = self.host.path_length();
        self.forks.push(Fork {
            at,
            top: self.top,
            frame: self.frame,
            cells: self.cells.len(),
            path_length,
            value_at_path: self.host.value_at_path.clone(),
            below: self.host.below,
            resume,
        });
    }

    /// Goes back to a fork, and on from there.
    fn resume(&mut self, fork: Fork) -> Step {
        self.cells.truncate(fork.cells);
        self.top = fork.top;
        self.frame = fork.frame;
        self.function = self.function_of(self.frame_at(self.frame).function);
        self.host.cut_path(fork.path_length);
        self.host.value_at_path = fork.value_at_path;
        self.host.below = fork.below;
        self.at = fork.at + 1;
        let function = self.function;
        let raising = self.error.is_some();
        match (&function.ops[fork.at as usize], fork.resume) {
            (Op::Fork(to), _) if !raising => self.at = *to,
            (Op::ForkTry(to), _) => {
                self.pop();
                let Some(error) = self.error.take() else { return Ok(Flow::Back) };
                self.push(error);
                self.at = *to;
            }
            (Op::ForkElse(to), _) => {
                if self.error.take().is_none() {
                    return Ok(Flow::Back);
                }
                self.at = *to;
            }
            (Op::StoreFor(slot), _) => {
                *self.local(*slot) = Val::Null;
                return Ok(Flow::Back);
            }
            (Op::Each(_), Resume::Each(container, at)) if !raising => return self.item(container, at),
            (Op::Range(slot), Resume::Range(to)) if !raising => return self.range(*slot, to),
            (Op::PathBegin | Op::PathEnd, Resume::Path(path)) => {
                self.host.path = path;
                return Ok(Flow::Back);
            }
            _ => return Ok(Flow::Back),
        }
        Ok(Flow::On)
    }

    fn raise(&mut self, error: Val) -> Flow {
        self.error = Some(error);
        Flow::Back
    }

    fn throw(&mut self, throw: Throw) -> Step {
        match throw {
            Throw::Error(value) => Ok(self.raise(value)),
            Throw::Empty => Ok(Flow::Back),
            Throw::Stop(stop) => Err(stop),
        }
    }

    // --- paths ---

    fn path_begin(&mut self) -> Step {
        let input = self.pop();
        let outer = std::mem::replace(&mut self.host.path, Val::Null);
        self.push(outer.clone());
        self.fork(Resume::Path(outer));
        self.push(Val::Num(f64::from(self.host.below)));
        let value = std::mem::replace(&mut self.host.value_at_path, input.clone());
        self.push(value);
        self.push(input);
        self.host.path = Val::list(Vec::new());
        self.host.below = 0;
        Ok(Flow::On)
    }

    fn path_end(&mut self) -> Step {
        let value = self.pop();
        if !self.host.on_path(&value) {
            let excerpt = writer::excerpt(&value, throw::LONG);
            return Ok(self.raise(Val::str(format!("Invalid path expression with result {excerpt}"))));
        }
        let value_at_path = self.pop();
        let below = self.pop();
        let outer = self.pop();
        let path = std::mem::replace(&mut self.host.path, outer);
        self.fork(Resume::Path(path.clone()));
        self.push(path);
        self.host.below = match below {
            Val::Num(n) => n as u32,
            _ => 0,
        };
        self.host.value_at_path = value_at_path;
        Ok(Flow::On)
    }

    // --- builtins ---

    fn builtin(&mut self, body: Body, args: u32) -> Step {
        let mut values = [const { Val::Null }; 4];
        let count = (args as usize + 1).min(values.len());
        for value in &mut values[..count] {
            *value = self.pop();
        }
        match body(&mut self.host, &mut values[..count]) {
            Ok(value) => {
                self.push(value);
                Ok(Flow::On)
            }
            // An error that is null is none: jq cannot tell it from `empty`.
            Err(Throw::Error(Val::Null)) => Ok(Flow::Back),
            Err(throw) => self.throw(throw),
        }
    }
}

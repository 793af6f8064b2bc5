//! The machine of jq 1.6: a stack of values and frames, and a stack of places to go back to.
//!
//! Frames and values stand in one array of cells. A cell is freed when it is the last and no fork needs it; going
//! back to a fork frees all above it. So no depth of calls takes the stack of the thread, and what a run holds is
//! counted.
//!
//! Invariants: a fork remembers how many cells there were, and no cell below is freed or reused while it stands;
//! variables are not restored on the way back, which is how `reduce` and `[…]` gather.

use std::rc::Rc;

use super::builtin::regex::Patterns;
use super::builtin::{Body, Host};
use super::code::{At, Callee, Function, Op, Program, Slot};
use super::library::Library;
use super::meter::{self, Stop};
use super::path;
use super::throw::{self, Throw};
use super::value::{Key, List, Object, Val};
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

    // --- the data stack ---

    fn push(&mut self, value: Val) {
        self.cells.push(Cell::Value(value, self.top));
        self.top = self.cells.len() as Link;
    }

    /// Takes the top; where a fork needs it, a copy.
    fn pop(&mut self) -> Val {
        let at = self.top as usize;
        if at == self.cells.len() && at > self.kept() {
            if let Some(Cell::Value(value, below)) = self.cells.pop() {
                self.top = below;
                return value;
            }
        }
        match self.cells.get(at.wrapping_sub(1)) {
            Some(Cell::Value(value, below)) => {
                self.top = *below;
                value.clone()
            }
            _ => Val::Null,
        }
    }

    /// Takes the top; where a fork needs the cell, null stays in it.
    fn take(&mut self) -> Val {
        let at = self.top as usize;
        if at == self.cells.len() && at > self.kept() {
            return self.pop();
        }
        match self.cells.get_mut(at.wrapping_sub(1)) {
            Some(Cell::Value(value, below)) => {
                self.top = *below;
                std::mem::replace(value, Val::Null)
            }
            _ => Val::Null,
        }
    }

    fn peek(&self) -> &Val {
        match self.cells.get((self.top as usize).wrapping_sub(1)) {
            Some(Cell::Value(value, _)) => value,
            _ => &Val::Null,
        }
    }

    /// How many cells the last fork keeps.
    fn kept(&self) -> usize {
        self.forks.last().map_or(0, |fork| fork.cells)
    }

    // --- frames ---

    fn frame_at(&self, link: Link) -> Frame {
        match self.cells.get((link as usize).wrapping_sub(1)) {
            Some(Cell::Frame(frame)) => *frame,
            _ => Frame { function: FunctionId::Own(0), env: 0, caller: 0, back: 0 },
        }
    }

    fn function_of(&self, id: FunctionId) -> &'p Function {
        match id {
            FunctionId::Own(id) => &self.program.functions[id as usize],
            FunctionId::Library(id) => self.library.function(id),
        }
    }

    /// The frame so many functions out.
    fn outer(&self, level: u32) -> Link {
        (0..level).fold(self.frame, |link, _| self.frame_at(link).env)
    }

    /// A variable. The cell is there as the compiler counted it.
    fn local(&mut self, slot: Slot) -> &mut Val {
        let link = self.outer(slot.level);
        let params = self.function_of(self.frame_at(link).function).params;
        let at = link as usize + (params + slot.index) as usize;
        match self.cells.get_mut(at) {
            Some(Cell::Local(value)) => value,
            _ => &mut self.nowhere,
        }
    }

    fn closure(&self, callee: Callee) -> Closure {
        match callee {
            Callee::Library(id) => Closure { function: FunctionId::Library(id), env: 0 },
            Callee::Function { level, id } => {
                let env = self.outer(level);
                let function = match self.frame_at(self.frame).function {
                    FunctionId::Own(_) => FunctionId::Own(id),
                    FunctionId::Library(_) => FunctionId::Library(id),
                };
                Closure { function, env }
            }
            Callee::Param(slot) => {
                let at = self.outer(slot.level) as usize + slot.index as usize;
                match self.cells.get(at) {
                    Some(Cell::Closure(closure)) => *closure,
                    _ => Closure { function: FunctionId::Own(0), env: 0 },
                }
            }
        }
    }

    fn call(&mut self, callee: Callee, args: &[Callee], tail: bool) {
        let input = self.pop();
        let closure = self.closure(callee);
        let (mut caller, mut back) = (self.frame, self.at);
        if tail {
            let own = self.frame_at(self.frame);
            (caller, back) = (own.caller, own.back);
        }
        match args {
            [] => {
                if tail {
                    self.free_frame();
                }
                self.enter(closure, &[], caller, back);
            }
            _ => {
                let params: Vec<Closure> = args.iter().map(|arg| self.closure(*arg)).collect();
                if tail {
                    self.free_frame();
                }
                self.enter(closure, &params, caller, back);
            }
        }
        self.push(input);
    }

    fn enter(&mut self, closure: Closure, params: &[Closure], caller: Link, back: At) {
        let function = self.function_of(closure.function);
        self.cells.push(Cell::Frame(Frame { function: closure.function, env: closure.env, caller, back }));
        self.frame = self.cells.len() as Link;
        self.cells.extend(params.iter().map(|param| Cell::Closure(*param)));
        self.cells.extend((0..function.locals).map(|_| Cell::Local(Val::Null)));
        self.function = function;
        self.at = 0;
    }

    /// Frees the frame if it is the last thing and no fork needs it.
    fn free_frame(&mut self) {
        let start = (self.frame as usize).wrapping_sub(1);
        let size = 1 + (self.function.params + self.function.locals) as usize;
        if start + size == self.cells.len() && start >= self.kept() {
            self.cells.truncate(start);
        }
    }

    fn leave(&mut self) -> Flow {
        let frame = self.frame_at(self.frame);
        let value = self.pop();
        if frame.caller == 0 {
            // The program goes on from here for its next output.
            self.push(Val::Null);
            self.fork(Resume::Nothing);
            return Flow::Output(value);
        }
        self.free_frame();
        self.frame = frame.caller;
        self.function = self.function_of(self.frame_at(self.frame).function);
        self.at = frame.back;
        self.push(value);
        Flow::On
    }

    // --- containers ---

    fn append(&mut self, slot: Slot) -> Step {
        let value = self.pop();
        let variable = self.local(slot);
        if let Val::Arr(list) = std::mem::replace(variable, Val::Null) {
            *variable = Val::Arr(List::edit(list, |items| items.push(value)));
        }
        Ok(Flow::On)
    }

    fn insert(&mut self) -> Step {
        let top = self.pop();
        let value = self.pop();
        let key = self.pop();
        let object = self.pop();
        match (object, key) {
            (Val::Obj(object), Val::Str(key)) => {
                let object = Object::edit(object, |members| {
                    members.insert(Key(key), value);
                });
                self.push(Val::Obj(object));
                self.push(top);
                Ok(Flow::On)
            }
            (_, key) => {
                let excerpt = writer::excerpt(&key, throw::SHORT);
                let text = format!("Cannot use {} ({excerpt}) as object key", key.kind());
                Ok(self.raise(Val::str(text)))
            }
        }
    }

    fn range(&mut self, slot: Slot, to: Val) -> Step {
        let (Val::Num(from), Val::Num(end)) = (self.local(slot).clone(), &to) else {
            return Ok(self.raise(Val::str("Range bounds must be numeric")));
        };
        // A NaN is not at its end.
        if from >= *end {
            return Ok(Flow::Back);
        }
        *self.local(slot) = Val::Num(from + 1.0);
        self.fork(Resume::Range(to));
        self.push(Val::Num(from));
        Ok(Flow::On)
    }

    fn index(&mut self, optional: bool) -> Step {
        let from = self.pop();
        let key = self.pop();
        if !self.host.on_path(&from) {
            let (key, from) = (writer::excerpt(&key, throw::SHORT), writer::excerpt(&from, throw::LONG));
            let text = format!("Invalid path expression near attempt to access element {key} of {from}");
            return Ok(self.raise(Val::str(text)));
        }
        match path::get(&from, &key) {
            Ok(value) => {
                self.host.follow(key, &value);
                self.push(value);
                Ok(Flow::On)
            }
            Err(Throw::Error(_)) if optional => Ok(Flow::Back),
            Err(throw) => self.throw(throw),
        }
    }

    fn each(&mut self, optional: bool) -> Step {
        let container = self.pop();
        if !self.host.on_path(&container) {
            let excerpt = writer::excerpt(&container, throw::LONG);
            let text = format!("Invalid path expression near attempt to iterate through {excerpt}");
            return Ok(self.raise(Val::str(text)));
        }
        match &container {
            Val::Arr(_) | Val::Obj(_) => self.item(container, 0),
            _ if optional => Ok(Flow::Back),
            _ => {
                let excerpt = writer::excerpt(&container, throw::SHORT);
                Ok(self.raise(Val::str(format!("Cannot iterate over {} ({excerpt})", container.kind()))))
            }
        }
    }

    /// Gives one item of a container, and remembers the next.
    fn item(&mut self, container: Val, at: usize) -> Step {
        let (key, value, last) = match &container {
            Val::Arr(list) => match list.items().get(at) {
                Some(item) => (Val::count(at), item.clone(), at + 1 == list.items().len()),
                None => return Ok(Flow::Back),
            },
            Val::Obj(object) => match object.members().get_index(at) {
                Some((key, item)) => (Val::Str(Rc::clone(&key.0)), item.clone(), false),
                None => return Ok(Flow::Back),
            },
            _ => return Ok(Flow::Back),
        };
        if !last {
            self.fork(Resume::Each(container, at + 1));
        }
        self.host.follow(key, &value);
        self.push(value);
        Ok(Flow::On)
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

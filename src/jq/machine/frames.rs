//! The machine's cells: values on their stack, frames of functions, closures.

use super::{Callee, Cell, Closure, Flow, Frame, FunctionId, Link, Machine, Resume};
use crate::jq::code::{At, Function, Slot};
use crate::jq::value::Val;

impl<'p> Machine<'p> {
    // --- the data stack ---

    pub(super) fn push(&mut self, value: Val) {
        self.cells.push(Cell::Value(value, self.top));
        self.top = self.cells.len() as Link;
    }

    /// Takes the top; where a fork needs it, a copy.
    pub(super) fn pop(&mut self) -> Val {
        let at = self.top as usize;
        if at == self.cells.len()
            && at > self.kept()
            && let Some(Cell::Value(value, below)) = self.cells.pop()
        {
            self.top = below;
            return value;
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
    pub(super) fn take(&mut self) -> Val {
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

    pub(super) fn peek(&self) -> &Val {
        match self.cells.get((self.top as usize).wrapping_sub(1)) {
            Some(Cell::Value(value, _)) => value,
            _ => &Val::Null,
        }
    }

    /// How many cells the last fork keeps.
    pub(super) fn kept(&self) -> usize {
        self.forks.last().map_or(0, |fork| fork.cells)
    }

    // --- frames ---

    pub(super) fn frame_at(&self, link: Link) -> Frame {
        match self.cells.get((link as usize).wrapping_sub(1)) {
            Some(Cell::Frame(frame)) => *frame,
            _ => Frame { function: FunctionId::Own(0), env: 0, caller: 0, back: 0 },
        }
    }

    pub(super) fn function_of(&self, id: FunctionId) -> &'p Function {
        match id {
            FunctionId::Own(id) => &self.program.functions[id as usize],
            FunctionId::Library(id) => self.library.function(id),
        }
    }

    /// The frame so many functions out.
    pub(super) fn outer(&self, level: u32) -> Link {
        (0..level).fold(self.frame, |link, _| self.frame_at(link).env)
    }

    /// A variable. The cell is there as the compiler counted it.
    pub(super) fn local(&mut self, slot: Slot) -> &mut Val {
        let link = self.outer(slot.level);
        let params = self.function_of(self.frame_at(link).function).params;
        let at = link as usize + (params + slot.index) as usize;
        match self.cells.get_mut(at) {
            Some(Cell::Local(value)) => value,
            _ => &mut self.nowhere,
        }
    }

    pub(super) fn closure(&self, callee: Callee) -> Closure {
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

    pub(super) fn call(&mut self, callee: Callee, args: &[Callee], tail: bool) {
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

    pub(super) fn enter(&mut self, closure: Closure, params: &[Closure], caller: Link, back: At) {
        let function = self.function_of(closure.function);
        self.cells.push(Cell::Frame(Frame { function: closure.function, env: closure.env, caller, back }));
        self.frame = self.cells.len() as Link;
        self.cells.extend(params.iter().map(|param| Cell::Closure(*param)));
        self.cells.extend((0..function.locals).map(|_| Cell::Local(Val::Null)));
        self.function = function;
        self.at = 0;
    }

    /// Frees the frame if it is the last thing and no fork needs it.
    pub(super) fn free_frame(&mut self) {
        let start = (self.frame as usize).wrapping_sub(1);
        let size = 1 + (self.function.params + self.function.locals) as usize;
        if start + size == self.cells.len() && start >= self.kept() {
            self.cells.truncate(start);
        }
    }

    pub(super) fn leave(&mut self) -> Flow {
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
}

//! Compiled programs: the instructions of jq 1.6's own machine.
//!
//! jq's meaning is that of its machine: what an error behind a `try` does, what a `reduce` without output leaves,
//! which paths can be followed. So the same instructions are made in the same order.
//!
//! Invariant: a jump stays inside its function, and every function ends with [`Op::Return`].

use super::builtin::Body;
use super::literal::Literal;

/// A place in a function.
pub(super) type At = u32;

/// A local variable: so many frames out, and its number there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub level: u32,
    pub index: u32,
}

/// What is called or handed on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    /// A parameter of the function so many frames out.
    Param(Slot),
    /// A function of the program; its environment is the frame so many frames out.
    Function { level: u32, id: u32 },
    /// A function of the library, which needs no environment.
    Library(u32),
}

/// An instruction. "The top" is the top of the data stack, which is the input on the way in.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Replaces the top by a constant.
    Const(Box<Literal>),
    /// Puts a constant under the top.
    ConstUnder(Box<Literal>),
    Dup,
    /// [`Op::Dup`] that leaves null where the value was, so that one holder can change it in place.
    DupTake,
    /// Puts a copy of the second value on top.
    Over,
    Pop,
    /// [`Op::Dup`], and paths rest until [`Op::SubEnd`].
    SubBegin,
    /// Swaps the two on top.
    SubEnd,
    Load(Slot),
    /// [`Op::Load`] that leaves null in the variable.
    Take(Slot),
    Store(Slot),
    /// [`Op::Store`] that sets the variable to null when the way back comes by.
    StoreFor(Slot),
    /// Appends the top to the array in a variable.
    Append(Slot),
    /// Puts a member into an object: object, key, value and input stand on the stack.
    Insert,
    /// Counts a variable up to the top.
    Range(Slot),
    /// Goes on, and on the way back from there at a place.
    Fork(At),
    /// The same for errors alone.
    ForkTry(At),
    /// The same for errors alone, and the error is forgotten.
    ForkElse(At),
    Jump(At),
    /// Jumps when the top is false or null.
    JumpFalse(At),
    /// Goes back to the last fork.
    Backtrack,
    PathBegin,
    PathEnd,
    /// Indexes the top with the second; the flag is the `?`.
    Index(bool),
    /// Each item of the top in turn.
    Each(bool),
    /// Makes a label's value.
    Label,
    /// A builtin with so many arguments.
    Builtin(Body, u32),
    Call(Callee, Box<[Callee]>),
    /// A call whose frame takes the place of this one.
    TailCall(Callee, Box<[Callee]>),
    Return,
}

/// A function.
#[derive(Debug, Default)]
pub(super) struct Function {
    pub ops: Vec<Op>,
    pub params: u32,
    pub locals: u32,
}

/// A compiled program. Its first function is the program itself.
#[derive(Debug)]
pub(super) struct Program {
    pub functions: Vec<Function>,
}

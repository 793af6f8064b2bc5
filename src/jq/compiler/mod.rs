//! From the syntax tree to instructions.
//!
//! Invariant: an expression takes its input from the top of the stack and leaves its output there, and nothing
//! else; so expressions follow each other as pipes do.

mod bind;
mod control;
mod scope;

use std::sync::Arc;

use super::ast::{Assign, Ast, Def, Entry, Math, Operator, Part, Piece};
use super::builtin;
use super::code::{At, Callee, Function, Op, Program, Slot};
use super::library::Library;
use super::literal::Literal;
use crate::limits::JQ_OPS_MAX;
use scope::Scope;

/// Compiles a program.
pub(super) fn program(ast: &Ast, library: &Arc<Library>) -> Result<Program, String> {
    let mut compiler = Compiler::new(Some(library));
    compiler.open(&[]);
    compiler.expression(ast)?;
    compiler.close(0);
    Ok(Program { functions: compiler.functions })
}

/// Compiles the definitions of the library: their names, how many parameters, and their functions.
pub(super) fn library(defs: &[Def]) -> Result<(Vec<(String, usize, u32)>, Vec<Function>), String> {
    let mut compiler = Compiler::new(None);
    compiler.library = true;
    let mut names = Vec::new();
    for def in defs {
        let id = compiler.define(def)?;
        names.push((def.name.clone(), def.params.len(), id));
    }
    Ok((names, compiler.functions))
}

struct Compiler<'l> {
    /// The functions made so far; the open ones are empty here.
    functions: Vec<Function>,
    /// The open functions, the innermost last, with their number.
    open: Vec<(u32, Function)>,
    scope: Scope,
    /// The library that the program can call.
    base: Option<&'l Arc<Library>>,
    /// Is this the library itself?
    library: bool,
    /// Instructions made so far.
    ops: usize,
}

type Done = Result<(), String>;

impl<'l> Compiler<'l> {
    fn new(base: Option<&'l Arc<Library>>) -> Compiler<'l> {
        let open = Vec::new();
        Compiler { functions: Vec::new(), open, scope: Scope::default(), base, library: false, ops: 0 }
    }

    /// How many functions stand around what is compiled.
    fn depth(&self) -> usize {
        self.open.len()
    }

    /// Begins a function.
    fn open(&mut self, params: &[String]) -> u32 {
        let id = self.functions.len() as u32;
        self.functions.push(Function::default());
        self.open.push((id, Function { params: params.len() as u32, ..Function::default() }));
        for (index, name) in params.iter().enumerate() {
            self.scope.param(name, index as u32, self.open.len());
        }
        id
    }

    /// Ends the function that began when the scope had so many names.
    fn close(&mut self, names: usize) {
        self.scope.forget(names);
        if let Some((id, mut function)) = self.open.pop() {
            function.ops.push(Op::Return);
            control::mark_tail_calls(&mut function.ops);
            self.functions[id as usize] = function;
        }
    }

    fn emit(&mut self, op: Op) -> At {
        self.ops += 1;
        let Some((_, function)) = self.open.last_mut() else { return 0 };
        function.ops.push(op);
        function.ops.len() as At - 1
    }

    /// Where the next instruction will stand.
    fn here(&self) -> At {
        self.open.last().map_or(0, |(_, function)| function.ops.len() as At)
    }

    /// Lets the jump or fork at a place go to the next instruction.
    fn land(&mut self, from: At) {
        let here = self.here();
        let Some((_, function)) = self.open.last_mut() else { return };
        if let Some(Op::Fork(to) | Op::ForkTry(to) | Op::ForkElse(to) | Op::Jump(to) | Op::JumpFalse(to)) =
            function.ops.get_mut(from as usize)
        {
            *to = here;
        }
    }

    /// A new variable of the function.
    fn local(&mut self) -> Slot {
        let Some((_, function)) = self.open.last_mut() else { return Slot { level: 0, index: 0 } };
        function.locals += 1;
        Slot { level: 0, index: function.locals - 1 }
    }

    fn constant(&mut self, literal: Literal) {
        self.emit(Op::Const(Box::new(literal)));
    }

    fn expression(&mut self, ast: &Ast) -> Done {
        if self.ops > JQ_OPS_MAX {
            return Err(format!("the program is too long: more than {JQ_OPS_MAX} instructions"));
        }
        match ast {
            Ast::Identity => Ok(()),
            Ast::Recurse => self.call("recurse", &[]),
            Ast::Literal(literal) => {
                self.constant(literal.clone());
                Ok(())
            }
            Ast::Var(name) => self.variable(name),
            Ast::Break(label) => self.break_out(label),
            Ast::Call(name, args) => self.call(name, args),
            Ast::Format(name) => self.format(name),
            Ast::Interpolated(format, pieces) => self.interpolated(format, pieces),
            Ast::Collect(inner) => self.collect(inner),
            Ast::Object(entries) => self.object(entries),
            Ast::Path(base, parts) => self.path(base, parts),
            Ast::Negate(inner) => {
                self.expression(inner)?;
                self.call("_negate", &[])
            }
            Ast::Pipe(parts) => parts.iter().try_for_each(|part| self.expression(part)),
            Ast::Chain(first, rest) => self.chain(first, rest),
            Ast::Alternative(a, b) => self.alternative(a, |compiler| compiler.expression(b)),
            Ast::Assign(path, assign, value) => self.assign(path, *assign, value),
            Ast::Try(body, handler) => self.try_catch(body, handler.as_deref()),
            Ast::If(condition, then, otherwise) => self.if_else(condition, then, otherwise),
            Ast::Bind(source, patterns, body) => self.bind(source, patterns, body),
            Ast::Reduce(source, patterns, init, update) => self.reduce(source, patterns, init, update),
            Ast::Foreach(source, patterns, init, update, extract) => {
                self.foreach(source, patterns, init, update, extract)
            }
            Ast::Label(name, body) => self.label(name, body),
            Ast::Def(def, rest) => {
                let names = self.scope.names();
                self.define(def)?;
                self.expression(rest)?;
                self.scope.forget(names);
                Ok(())
            }
        }
    }

    /// An expression beside the input: its output comes to stand under it.
    fn beside(&mut self, ast: &Ast) -> Done {
        match ast {
            Ast::Identity => {
                self.emit(Op::Dup);
            }
            Ast::Literal(literal) => {
                self.emit(Op::ConstUnder(Box::new(literal.clone())));
            }
            _ => {
                self.emit(Op::SubBegin);
                self.expression(ast)?;
                self.emit(Op::SubEnd);
            }
        }
        Ok(())
    }

    /// Operators from the left to the right; each takes what the ones before it made. Written from behind, as the
    /// right side of an operator runs before its left side.
    fn chain(&mut self, first: &Ast, rest: &[(Operator, Ast)]) -> Done {
        match rest {
            [] => self.expression(first),
            [.., (Operator::Math(_), _)] => {
                // All of one rank, so all of them are builtins: right sides first, the last one outermost.
                let maths: Vec<(Math, &Ast)> = rest
                    .iter()
                    .filter_map(|(operator, right)| match operator {
                        Operator::Math(math) => Some((*math, right)),
                        _ => None,
                    })
                    .collect();
                self.math(first, &maths)
            }
            [.., (Operator::Comma, _)] => {
                // `a, b, c`: a fork before each but the last.
                let mut jumps = Vec::new();
                let alternatives = std::iter::once(first).chain(rest.iter().map(|(_, right)| right));
                for (at, alternative) in alternatives.enumerate() {
                    if at == rest.len() {
                        self.expression(alternative)?;
                    } else {
                        let fork = self.emit(Op::Fork(0));
                        self.expression(alternative)?;
                        jumps.push(self.emit(Op::Jump(0)));
                        self.land(fork);
                    }
                }
                jumps.into_iter().for_each(|jump| self.land(jump));
                Ok(())
            }
            [.., (operator, _)] => self.logic(first, rest, *operator == Operator::Or),
        }
    }

    /// `first + a - b`: `_minus(_plus(first; a); b)`.
    fn math(&mut self, first: &Ast, maths: &[(Math, &Ast)]) -> Done {
        // Arguments are pushed from the last to the first: b, then (a, first, +), then -.
        for (at, (_, right)) in maths.iter().enumerate().rev() {
            self.beside(right)?;
            if at == 0 {
                self.beside(first)?;
            } else {
                self.emit(Op::SubBegin);
            }
        }
        for (at, (math, _)) in maths.iter().enumerate() {
            self.builtin(math.builtin(), 2)?;
            if at + 1 < maths.len() {
                self.emit(Op::SubEnd);
            }
        }
        Ok(())
    }

    fn builtin(&mut self, name: &str, args: usize) -> Done {
        let row = builtin::find(name, args).ok_or_else(|| format!("{name}/{args} is not defined"))?;
        self.emit(Op::Builtin(row.body, args as u32));
        Ok(())
    }

    fn format(&mut self, name: &str) -> Done {
        self.emit(Op::ConstUnder(Box::new(Literal::Str(name.into()))));
        self.builtin("format", 1)
    }

    /// A string with values in it is a sum of texts.
    fn interpolated(&mut self, format: &str, pieces: &[Piece]) -> Done {
        let text = |text: &String| Ast::Literal(Literal::Str(text.clone()));
        let mut operands = pieces.iter().map(|piece| match piece {
            Piece::Text(t) => text(t),
            Piece::Value(ast) => Ast::Pipe(vec![ast.clone(), Ast::Format(format.into())]),
        });
        // jq begins with the empty text, which makes no difference unless a value comes first.
        let first = match pieces.first() {
            Some(Piece::Text(t)) => {
                operands.next();
                text(t)
            }
            _ => text(&String::new()),
        };
        let rest: Vec<(Operator, Ast)> = operands.map(|ast| (Operator::Math(Math::Add), ast)).collect();
        self.chain(&first, &rest)
    }

    fn object(&mut self, entries: &[Entry]) -> Done {
        self.emit(Op::ConstUnder(Box::new(Literal::EmptyObject)));
        for entry in entries {
            self.beside(&entry.key)?;
            match &entry.value {
                Some(value) => self.beside(value)?,
                None => {
                    // The key stands under the input: the input is indexed with it.
                    for op in [Op::SubBegin, Op::Pop, Op::Over, Op::Over, Op::Index(false), Op::SubEnd] {
                        self.emit(op);
                    }
                }
            }
            self.emit(Op::Insert);
        }
        self.emit(Op::Pop);
        Ok(())
    }

    /// Keys run before what they index, the last key first.
    fn path(&mut self, base: &Ast, parts: &[Part]) -> Done {
        for part in parts.iter().rev() {
            match part {
                Part::Index(key, _) => self.beside(key)?,
                Part::Slice(from, to, _) => {
                    self.emit(Op::ConstUnder(Box::new(Literal::EmptyObject)));
                    for (name, bound) in [("start", from), ("end", to)] {
                        self.emit(Op::ConstUnder(Box::new(Literal::Str(name.into()))));
                        self.beside(bound)?;
                        self.emit(Op::Insert);
                    }
                }
                Part::Each(_) => {}
            }
        }
        self.expression(base)?;
        for part in parts {
            self.emit(match part {
                Part::Index(_, optional) | Part::Slice(_, _, optional) => Op::Index(*optional),
                Part::Each(optional) => Op::Each(*optional),
            });
        }
        Ok(())
    }

    /// `path = value` and its kin are calls; the value of `+=` is computed once, from the whole input.
    fn assign(&mut self, path: &Ast, assign: Assign, value: &Ast) -> Done {
        match assign {
            Assign::Set => self.call("_assign", &[path.clone(), value.clone()]),
            Assign::Update => self.call("_modify", &[path.clone(), value.clone()]),
            Assign::Math(math) => self.assign_computed(path, value, |var| {
                Ast::Chain(Box::new(Ast::Identity), vec![(Operator::Math(math), var)])
            }),
            Assign::Alternative => self
                .assign_computed(path, value, |var| Ast::Alternative(Box::new(Ast::Identity), Box::new(var))),
        }
    }

    fn assign_computed(&mut self, path: &Ast, value: &Ast, update: impl Fn(Ast) -> Ast) -> Done {
        // No program can name it.
        const VAR: &str = "*assigned";
        self.emit(Op::Dup);
        self.expression(value)?;
        let slot = self.local();
        self.emit(Op::Store(slot));
        let names = self.scope.names();
        // The path is the program's own and does not see the variable; it cannot name it either.
        self.scope.variable(VAR, slot.index, self.depth());
        self.call("_modify", &[path.clone(), update(Ast::Var(VAR.into()))])?;
        self.scope.forget(names);
        Ok(())
    }

    fn callee(&mut self, name: &str, args: usize) -> Option<Callee> {
        if let Some(found) = self.scope.function(name, args, self.depth()) {
            return Some(match found {
                // A definition of the library itself has no frame around it.
                Callee::Function { level, id } if self.library && level as usize == self.depth() => {
                    Callee::Library(id)
                }
                found => found,
            });
        }
        self.base.and_then(|library| library.find(name, args)).map(Callee::Library)
    }

    /// A function handed to another: an expression that runs in this frame.
    fn closure(&mut self, body: &Ast) -> Result<Callee, String> {
        if let Ast::Call(name, args) = body
            && args.is_empty()
            && let Some(Callee::Param(slot)) = self.scope.function(name, 0, self.depth())
        {
            return Ok(Callee::Param(slot));
        }
        let names = self.scope.names();
        let id = self.open(&[]);
        self.expression(body)?;
        self.close(names);
        Ok(Callee::Function { level: 0, id })
    }
}

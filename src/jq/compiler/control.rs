//! Conditions, loops, errors and labels.

use super::super::ast::{Ast, Operator, Pattern};
use super::super::code::{Callee, Op};
use super::super::literal::Literal;
use super::{Compiler, Done};

impl Compiler<'_> {
    /// `[f]`: all outputs are appended to a variable, then it is taken.
    pub(super) fn collect(&mut self, inner: &Ast) -> Done {
        let slot = self.local();
        self.emit(Op::Dup);
        self.constant(Literal::EmptyArray);
        self.emit(Op::Store(slot));
        let fork = self.emit(Op::Fork(0));
        self.expression(inner)?;
        self.emit(Op::Append(slot));
        self.emit(Op::Backtrack);
        self.land(fork);
        self.emit(Op::Take(slot));
        Ok(())
    }

    /// What follows a condition on the top, which both sides drop first.
    fn branch(
        &mut self,
        then: impl FnOnce(&mut Self) -> Done,
        otherwise: impl FnOnce(&mut Self) -> Done,
    ) -> Done {
        let no = self.emit(Op::JumpFalse(0));
        self.emit(Op::Pop);
        then(self)?;
        let end = self.emit(Op::Jump(0));
        self.land(no);
        self.emit(Op::Pop);
        otherwise(self)?;
        self.land(end);
        Ok(())
    }

    pub(super) fn if_else(&mut self, condition: &Ast, then: &Ast, otherwise: &Ast) -> Done {
        self.emit(Op::Dup);
        self.beside(condition)?;
        self.emit(Op::Pop);
        self.branch(|compiler| compiler.expression(then), |compiler| compiler.expression(otherwise))
    }

    /// `a or b or c`, `a and b and c`, from the left.
    pub(super) fn logic(&mut self, first: &Ast, rest: &[(Operator, Ast)], or: bool) -> Done {
        let mut ends = Vec::new();
        // Each operator keeps the input under its left side, for its right side.
        rest.iter().for_each(|_| {
            self.emit(Op::Dup);
        });
        self.expression(first)?;
        for (_, right) in rest {
            let no = self.emit(Op::JumpFalse(0));
            self.emit(Op::Pop);
            if or {
                self.constant(Literal::Bool(true));
                ends.push(self.emit(Op::Jump(0)));
                self.land(no);
                self.emit(Op::Pop);
                self.truth(right)?;
            } else {
                self.truth(right)?;
                ends.push(self.emit(Op::Jump(0)));
                self.land(no);
                self.emit(Op::Pop);
                self.constant(Literal::Bool(false));
            }
            ends.drain(..).for_each(|end| self.land(end));
        }
        Ok(())
    }

    /// An expression as true or false.
    fn truth(&mut self, ast: &Ast) -> Done {
        self.expression(ast)?;
        let no = self.emit(Op::JumpFalse(0));
        self.constant(Literal::Bool(true));
        let end = self.emit(Op::Jump(0));
        self.land(no);
        self.constant(Literal::Bool(false));
        self.land(end);
        Ok(())
    }

    /// `a // b`: all outputs of `a` that are true, or else those of `b`.
    pub(super) fn alternative(&mut self, a: &Ast, b: impl FnOnce(&mut Self) -> Done) -> Done {
        let found = self.local();
        self.emit(Op::Dup);
        self.constant(Literal::Bool(false));
        self.emit(Op::Store(found));
        let fork = self.emit(Op::Fork(0));
        self.expression(a)?;
        let no = self.emit(Op::JumpFalse(0));
        self.emit(Op::Dup);
        self.constant(Literal::Bool(true));
        self.emit(Op::Store(found));
        let end = self.emit(Op::Jump(0));
        self.land(no);
        self.emit(Op::Backtrack);
        self.land(fork);
        self.emit(Op::Dup);
        self.emit(Op::Load(found));
        let none = self.emit(Op::JumpFalse(0));
        self.emit(Op::Backtrack);
        self.land(none);
        self.emit(Op::Pop);
        b(self)?;
        self.land(end);
        Ok(())
    }

    /// The fork stays while what follows the `try` runs, so it catches the errors of that as well: jq 1.6 does so.
    pub(super) fn try_catch(&mut self, body: &Ast, handler: Option<&Ast>) -> Done {
        let fork = self.emit(Op::ForkTry(0));
        self.expression(body)?;
        let end = self.emit(Op::Jump(0));
        self.land(fork);
        match handler {
            None => {
                self.emit(Op::Backtrack);
            }
            Some(handler) => self.handler(handler)?,
        }
        self.land(end);
        Ok(())
    }

    /// `if "object" == . and .__jq then error else handler end`: jq 1.6 means to let its labels through, but asks
    /// for a text that is "object".
    fn handler(&mut self, handler: &Ast) -> Done {
        self.emit(Op::Dup);
        self.emit(Op::SubBegin);
        self.emit(Op::Dup);
        self.emit(Op::Dup);
        self.emit(Op::ConstUnder(Box::new(Literal::Str("object".into()))));
        self.builtin("_equal", 2)?;
        let no = self.emit(Op::JumpFalse(0));
        self.emit(Op::Pop);
        self.emit(Op::ConstUnder(Box::new(Literal::Str("__jq".into()))));
        self.emit(Op::Index(false));
        let end = self.emit(Op::Jump(0));
        self.land(no);
        self.emit(Op::Pop);
        self.constant(Literal::Bool(false));
        self.land(end);
        self.emit(Op::SubEnd);
        self.emit(Op::Pop);
        self.branch(|compiler| compiler.call("error", &[]), |compiler| compiler.expression(handler))
    }

    /// `label $name | body`: an error that is the label's own value ends the body.
    pub(super) fn label(&mut self, name: &str, body: &Ast) -> Done {
        let slot = self.local();
        self.emit(Op::Dup);
        self.emit(Op::Label);
        self.emit(Op::Store(slot));
        self.emit(Op::Pop);
        let names = self.scope.names();
        self.scope.label(name, slot.index, self.depth());
        let fork = self.emit(Op::ForkTry(0));
        self.expression(body)?;
        self.scope.forget(names);
        let end = self.emit(Op::Jump(0));
        self.land(fork);
        // The error is on the top: is it the label?
        self.emit(Op::Dup);
        self.emit(Op::SubBegin);
        self.emit(Op::SubBegin);
        self.emit(Op::Load(slot));
        self.emit(Op::SubEnd);
        self.emit(Op::Dup);
        self.builtin("_equal", 2)?;
        self.emit(Op::SubEnd);
        self.emit(Op::Pop);
        self.branch(
            |compiler| {
                compiler.emit(Op::Backtrack);
                Ok(())
            },
            |compiler| compiler.call("error", &[]),
        )?;
        self.land(end);
        Ok(())
    }

    pub(super) fn break_out(&mut self, name: &str) -> Done {
        let slot = self.scope.find_label(name, self.depth());
        let slot = slot.ok_or_else(|| format!("the label ${name} is not defined"))?;
        self.emit(Op::Load(slot));
        self.call("error", &[])
    }

    /// The state is in a variable; it is taken for an update, so an update without output leaves null.
    pub(super) fn reduce(&mut self, source: &Ast, patterns: &[Pattern], init: &Ast, update: &Ast) -> Done {
        let state = self.local();
        self.emit(Op::Dup);
        self.expression(init)?;
        self.emit(Op::Store(state));
        let fork = self.emit(Op::Fork(0));
        self.loop_source(source)?;
        let names = self.scope.names();
        self.patterns(patterns)?;
        self.emit(Op::Take(state));
        self.expression(update)?;
        self.scope.forget(names);
        self.emit(Op::Store(state));
        self.emit(Op::Backtrack);
        self.land(fork);
        self.emit(Op::Take(state));
        Ok(())
    }

    pub(super) fn foreach(
        &mut self,
        source: &Ast,
        patterns: &[Pattern],
        init: &Ast,
        update: &Ast,
        extract: &Ast,
    ) -> Done {
        let state = self.local();
        self.emit(Op::Dup);
        self.expression(init)?;
        self.emit(Op::Store(state));
        let fork = self.emit(Op::Fork(0));
        self.loop_source(source)?;
        let names = self.scope.names();
        self.patterns(patterns)?;
        self.emit(Op::Take(state));
        self.expression(update)?;
        self.emit(Op::Dup);
        self.emit(Op::Store(state));
        self.expression(extract)?;
        self.scope.forget(names);
        let end = self.emit(Op::Jump(0));
        self.land(fork);
        self.emit(Op::Backtrack);
        self.land(end);
        Ok(())
    }

    fn loop_source(&mut self, source: &Ast) -> Done {
        self.emit(Op::DupTake);
        self.expression(source)
    }
}

/// Calls that nothing follows, and that need nothing of this frame, take its place. A parameter is copied out of it.
pub(super) fn mark_tail_calls(ops: &mut [Op]) {
    let returns = |ops: &[Op], mut at: usize| {
        // Jumps go forward, so this ends.
        while let Some(Op::Jump(to)) = ops.get(at) {
            at = *to as usize;
        }
        matches!(ops.get(at), Some(Op::Return))
    };
    let outside = |callee: &Callee| match callee {
        Callee::Param(_) | Callee::Library(_) => true,
        Callee::Function { level, .. } => *level > 0,
    };
    for at in 0..ops.len() {
        let Op::Call(callee, args) = &ops[at] else { continue };
        if outside(callee) && args.iter().all(outside) && returns(ops, at + 1) {
            ops[at] = Op::TailCall(*callee, args.clone());
        }
    }
}

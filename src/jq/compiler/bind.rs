//! Variables, functions and calls.

use super::super::ast::{Ast, Def, Pattern};
use super::super::builtin;
use super::super::code::{Callee, Op, Slot};
use super::super::literal::Literal;
use super::{Compiler, Done};

impl Compiler<'_> {
    pub(super) fn variable(&mut self, name: &str) -> Done {
        if let Some(slot) = self.scope.find_variable(name, self.depth()) {
            self.emit(Op::Load(slot));
            return Ok(());
        }
        if name == "ENV" {
            // EMQX shows its whole environment, secrets and all; rulemill shows none.
            self.constant(Literal::EmptyObject);
            return Ok(());
        }
        Err(format!("${name} is not defined"))
    }

    /// Compiles a definition and names it for what follows.
    pub(super) fn define(&mut self, def: &Def) -> Result<u32, String> {
        let names = self.scope.names();
        let depth = self.depth();
        // It sees itself; its number is that of the next function.
        self.scope.define(&def.name, def.params.len(), self.functions.len() as u32, depth);
        let params: Vec<String> = def.params.iter().map(|param| param.name.clone()).collect();
        let id = self.open(&params);
        // `$x` is a parameter `x` and, in the body, a variable of its value.
        for param in def.params.iter().filter(|param| param.var) {
            self.emit(Op::Dup);
            self.emit(Op::SubBegin);
            self.call(&param.name, &[])?;
            self.emit(Op::SubEnd);
            self.emit(Op::Pop);
            let slot = self.local();
            self.emit(Op::Store(slot));
            self.scope.variable(&param.name, slot.index, self.depth());
        }
        self.expression(&def.body)?;
        self.close(names);
        self.scope.define(&def.name, def.params.len(), id, depth);
        Ok(id)
    }

    pub(super) fn call(&mut self, name: &str, args: &[Ast]) -> Done {
        if let Some(callee) = self.callee(name, args.len()) {
            let args: Vec<Callee> = args.iter().map(|arg| self.closure(arg)).collect::<Result<_, _>>()?;
            self.emit(Op::Call(callee, args.into()));
            return Ok(());
        }
        match (name, args) {
            ("empty", []) => {
                self.emit(Op::Backtrack);
                Ok(())
            }
            ("not", []) => {
                let otherwise = self.emit(Op::JumpFalse(0));
                self.constant(Literal::Bool(false));
                let end = self.emit(Op::Jump(0));
                self.land(otherwise);
                self.constant(Literal::Bool(true));
                self.land(end);
                Ok(())
            }
            ("path", [path]) => {
                self.emit(Op::PathBegin);
                self.expression(path)?;
                self.emit(Op::PathEnd);
                Ok(())
            }
            ("range", [from, to]) => self.range(from, to),
            _ => {
                let Some(row) = builtin::find(name, args.len()) else {
                    return Err(format!("{name}/{} is not defined in jq 1.6, which EMQX uses", args.len()));
                };
                // The last argument runs first.
                args.iter().rev().try_for_each(|arg| self.beside(arg))?;
                self.emit(Op::Builtin(row.body, args.len() as u32));
                Ok(())
            }
        }
    }

    fn range(&mut self, from: &Ast, to: &Ast) -> Done {
        let (start, next) = (self.local(), self.local());
        self.emit(Op::Dup);
        self.expression(from)?;
        self.emit(Op::Store(start));
        self.expression(to)?;
        self.emit(Op::Dup);
        self.emit(Op::Load(start));
        self.emit(Op::Store(next));
        self.emit(Op::Range(next));
        Ok(())
    }

    /// `source as patterns | body`
    pub(super) fn bind(&mut self, source: &Ast, patterns: &[Pattern], body: &Ast) -> Done {
        match patterns {
            [_] => {
                self.emit(Op::Dup);
                self.beside(source)?;
                self.emit(Op::Pop);
            }
            _ => {
                // The value is held for the other patterns.
                self.emit(Op::SubBegin);
                self.expression(source)?;
                self.emit(Op::Dup);
                self.emit(Op::SubEnd);
                self.emit(Op::Pop);
            }
        }
        let names = self.scope.names();
        self.patterns(patterns)?;
        self.expression(body)?;
        self.scope.forget(names);
        Ok(())
    }

    /// Binds the value on the top, and drops it.
    pub(super) fn patterns(&mut self, patterns: &[Pattern]) -> Done {
        let [others @ .., last] = patterns else { return Ok(()) };
        let mut names = Vec::new();
        patterns.iter().for_each(|pattern| variables(pattern, &mut names));
        let slots: Vec<(String, Slot)> = names.into_iter().map(|name| (name, self.local())).collect();
        let depth = self.depth();
        if others.is_empty() {
            self.pattern(last, &slots, false)?;
        } else {
            for (_, slot) in &slots {
                self.emit(Op::Dup);
                self.constant(Literal::Null);
                self.emit(Op::Store(*slot));
            }
        }
        // Several patterns can use their variables in their keys; a single one cannot.
        slots.iter().for_each(|(name, slot)| self.scope.variable(name, slot.index, depth));
        if others.is_empty() {
            return Ok(());
        }
        let mut jumps = Vec::new();
        for pattern in others {
            let fork = self.emit(Op::ForkElse(0));
            self.pattern(pattern, &slots, true)?;
            jumps.push(self.emit(Op::Jump(0)));
            self.land(fork);
        }
        self.pattern(last, &slots, false)?;
        jumps.into_iter().for_each(|jump| self.land(jump));
        Ok(())
    }

    /// `retried`: another pattern follows, before which the variables become null again.
    fn pattern(&mut self, pattern: &Pattern, slots: &[(String, Slot)], retried: bool) -> Done {
        match pattern {
            Pattern::Var(name) => self.store(name, slots, retried),
            Pattern::Array(items) => {
                // jq takes the items from the last to the first.
                for (at, item) in items.iter().enumerate().rev() {
                    self.emit(Op::Dup);
                    self.emit(Op::ConstUnder(Box::new(Literal::Num(at as f64))));
                    self.emit(Op::Index(false));
                    self.pattern(item, slots, retried)?;
                }
                self.emit(Op::Pop);
            }
            Pattern::Object(members) => {
                for member in members {
                    self.emit(Op::Dup);
                    self.beside(&member.key)?;
                    self.emit(Op::Index(false));
                    if let Some(name) = &member.var {
                        if member.pattern.is_some() {
                            self.emit(Op::Dup);
                        }
                        self.store(name, slots, retried);
                    }
                    if let Some(pattern) = &member.pattern {
                        self.pattern(pattern, slots, retried)?;
                    }
                }
                self.emit(Op::Pop);
            }
        }
        Ok(())
    }

    fn store(&mut self, name: &str, slots: &[(String, Slot)], retried: bool) {
        if let Some((_, slot)) = slots.iter().find(|(known, _)| known == name) {
            self.emit(if retried { Op::StoreFor(*slot) } else { Op::Store(*slot) });
        }
    }
}

/// The variables of a pattern, each once.
fn variables(pattern: &Pattern, names: &mut Vec<String>) {
    fn add(name: &String, names: &mut Vec<String>) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    match pattern {
        Pattern::Var(name) => add(name, names),
        Pattern::Array(items) => items.iter().for_each(|item| variables(item, names)),
        Pattern::Object(members) => {
            for member in members {
                if let Some(var) = &member.var {
                    add(var, names);
                }
                if let Some(pattern) = &member.pattern {
                    variables(pattern, names);
                }
            }
        }
    }
}

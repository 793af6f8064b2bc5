//! Lists.
//!
//! Invariant: positions count from 1, and a position that no item has is an error.

use num_traits::{Signed, ToPrimitive};

use super::table::builtins;
use super::{Call, FnError, args};
use crate::value::Value;

builtins! { pub(super) ROWS, "array":
    "nth"(n: INT, list: LIST) -> ANY, Pure, Both => nth,
        "The item at a position of a list, from 1.",
        ["nth(2, [10, 20, 30])" => Ok("20"), "nth(4, [10, 20, 30])" => Err("3 items")];
    "length"(list: LIST) -> INT, Pure, Both => |_, a| Ok(Value::Int(args::list(a, 0)?.len() as i64)),
        "How many items a list has. For strings there is strlen.",
        ["length([1, 2, 3])" => Ok("3"), "length('abc')" => Err("a list")];
    "sublist"(len: INT, list: LIST) -> LIST, Pure, Both => sublist,
        "The first items of a list, at most so many.",
        [
            "sublist(2, [1, 2, 3])" => Ok("[1,2]"),
            "sublist(9, [1, 2])" => Ok("[1,2]"),
            "sublist(-1, [1])" => Err("0 or more"),
        ];
    "sublist"(start: INT, len: INT, list: LIST) -> LIST, Pure, Both => sublist_from,
        "Items of a list from a position on, at most so many.",
        [
            "sublist(2, 2, [1, 2, 3, 4])" => Ok("[2,3]"),
            "sublist(9, 2, [1])" => Ok("[]"),
            "sublist(0, 2, [1])" => Err("1 or more"),
        ];
    "first"(list: LIST) -> ANY, Pure, Both => |_, a| end(args::list(a, 0)?.first()),
        "The first item of a list that is not empty.",
        ["first([1, 2])" => Ok("1"), "first([])" => Err("empty")];
    "last"(list: LIST) -> ANY, Pure, Both => |_, a| end(args::list(a, 0)?.last()),
        "The last item of a list that is not empty.",
        ["last([1, 2])" => Ok("2"), "last([])" => Err("empty")];
    "contains"(item: ANY, list: LIST) -> BOOL, Pure, Both =>
        |_, a| Ok(Value::Bool(args::list(a, 1)?.contains(&a[0]))),
        "Is the value an item of the list? 1 and 1.0 are two values here.",
        [
            "contains(2, [1, 2])" => Ok("true"),
            "contains(2.0, [1, 2])" => Ok("false"),
            "contains('a', 'abc')" => Err("a list"),
        ];
}

fn nth(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (n, items) = (args::integer(args, 0)?, args::list(args, 1)?);
    let found = n.to_usize().and_then(|n| items.get(n.checked_sub(1)?));
    found.cloned().ok_or_else(|| {
        let wanted = format!("a position from 1 in a list of {} items", items.len());
        FnError::argument(1, wanted, &args[0])
    })
}

fn end(item: Option<&Value>) -> Result<Value, FnError> {
    item.cloned().ok_or_else(|| FnError::failed("the list is empty"))
}

fn sublist(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (len, items) = (args::integer(args, 0)?, args::list(args, 1)?);
    if len.is_negative() {
        return Err(FnError::argument(1, "0 or more", &args[0]));
    }
    let len = len.to_usize().unwrap_or(usize::MAX).min(items.len());
    Ok(Value::list(items[..len].to_vec()))
}

/// Erlang's `lists:sublist/3` walks to the start before it looks at the length: past the end any length will do.
fn sublist_from(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (start, len, items) = (args::integer(args, 0)?, args::integer(args, 1)?, args::list(args, 2)?);
    if !start.is_positive() {
        return Err(FnError::argument(1, "1 or more", &args[0]));
    }
    let from = start.to_usize().unwrap_or(usize::MAX) - 1;
    if from > items.len() {
        return Ok(Value::list(Vec::new()));
    }
    if len.is_negative() {
        return Err(FnError::argument(2, "0 or more", &args[1]));
    }
    let len = len.to_usize().unwrap_or(usize::MAX).min(items.len() - from);
    Ok(Value::list(items[from..from + len].to_vec()))
}

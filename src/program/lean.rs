//! FOREACH over a list in the payload whose items are read by known keys only: the items need not be made, only the
//! parts of them that are read.

use super::{Kind, Node, PlainList};
use crate::value::decode::{Each, Want};
use crate::value::path::Step;

/// Turns the reads of the item in INCASE and DO into parts of a row, and asks the decoder for the rows; says no where
/// the whole item or list is wanted somewhere.
pub(super) fn lean(
    collection: &Node,
    filter: &Node,
    incase: &mut Node,
    list: &mut PlainList,
    want: &mut Want,
) -> bool {
    let Kind::Payload(slot) = collection.kind else { return false };
    let uses =
        |node: &Node| node.any(&|n| matches!(n.kind, Kind::Var(_) | Kind::Path(..)) || n.is_payload(slot));
    let reads_item = |node: &Node| node.any(&|n| matches!(n.kind, Kind::Item));
    if uses(filter) || reads_item(filter) || filter.reads_columns_as_map() {
        return false;
    }
    let inner = || std::iter::once(&*incase).chain(&list.fields);
    if inner().any(|node| uses(node) || node.reads_columns_as_map() || whole_item(node)) {
        return false;
    }
    let Some(place) = place_of(want, slot) else { return false };
    if !place.keys.is_empty() || !place.items.is_empty() {
        return false;
    }
    let mut each = Each::default();
    take_parts(incase, &mut each);
    list.fields.iter_mut().for_each(|field| take_parts(field, &mut each));
    place.slot = None;
    place.each = Some(Box::new(each));
    true
}

fn place_of(want: &mut Want, slot: usize) -> Option<&mut Want> {
    if want.slot == Some(slot) {
        return Some(want);
    }
    let keys = want.keys.iter_mut().map(|(_, inner)| inner);
    keys.chain(want.items.iter_mut().map(|(_, inner)| inner)).find_map(|inner| place_of(inner, slot))
}

/// Is the item read otherwise than by keys below it?
fn whole_item(node: &Node) -> bool {
    match &node.kind {
        Kind::Walk(base, steps) if matches!(base.kind, Kind::Item) => {
            !steps.iter().all(|step| matches!(step, Step::Key(_)))
        }
        Kind::Item => true,
        _ => node.children().any(whole_item),
    }
}

fn take_parts(node: &mut Node, each: &mut Each) {
    if let Kind::Walk(base, steps) = &node.kind
        && matches!(base.kind, Kind::Item)
    {
        node.kind = Kind::ItemPart(each.part(steps));
        return;
    }
    node.children_mut().for_each(|child| take_parts(child, each));
}

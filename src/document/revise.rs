//! Values of a YAML or JSON file replaced, put in and taken out; comments, layout and all other values stay as they
//! are, byte for byte.
//!
//! Invariant: a text that [`Document::revised`] gives was read again, and says what the changes ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::write::{self, Fragment};
use super::{Data, Document, Edit, Entry, Format, Node, Style};
use crate::text::Span;

/// What changes in a file, by the places of its values. An alias has the place of its anchor, so both change.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    set: BTreeMap<Span, Node>,
    inserted: BTreeMap<Span, Vec<(Arc<str>, Node)>>,
    removed: BTreeSet<Span>,
    cut: BTreeMap<Span, usize>,
    appended: BTreeMap<Span, Vec<Node>>,
}

impl Changes {
    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
            && self.inserted.is_empty()
            && self.removed.is_empty()
            && self.cut.is_empty()
            && self.appended.is_empty()
    }

    /// Gives a value another one.
    pub fn set(&mut self, old: &Node, new: Node) {
        self.set.insert(old.span, new);
    }

    /// Puts an entry at the end of a map.
    pub fn insert(&mut self, map: &Node, key: impl Into<Arc<str>>, value: Node) {
        self.inserted.entry(map.span).or_default().push((key.into(), value));
    }

    /// Takes an entry out of its map.
    pub fn remove(&mut self, entry: &Entry) {
        self.removed.insert(entry.key_span);
    }

    /// Keeps so many items of a list.
    pub fn cut(&mut self, list: &Node, kept: usize) {
        self.cut.insert(list.span, kept);
    }

    /// Puts an item at the end of a list.
    pub fn append(&mut self, list: &Node, item: Node) {
        self.appended.entry(list.span).or_default().push(item);
    }

    /// These and others; the place of a value that both change to something else, where there is one.
    pub fn join(&mut self, other: &Changes) -> Result<(), Span> {
        fn add<T: Clone>(
            ours: &mut BTreeMap<Span, T>,
            theirs: &BTreeMap<Span, T>,
            same: impl Fn(&T, &T) -> bool,
        ) -> Result<(), Span> {
            for (span, new) in theirs {
                match ours.get(span) {
                    Some(old) if !same(old, new) => return Err(*span),
                    _ => ours.insert(*span, new.clone()),
                };
            }
            Ok(())
        }
        let same_items = |a: &Vec<Node>, b: &Vec<Node>| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| write::same(a, b))
        };
        let same_entries = |a: &Vec<(Arc<str>, Node)>, b: &Vec<(Arc<str>, Node)>| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && write::same(&a.1, &b.1))
        };
        add(&mut self.set, &other.set, write::same)?;
        add(&mut self.inserted, &other.inserted, same_entries)?;
        add(&mut self.cut, &other.cut, |a, b| a == b)?;
        add(&mut self.appended, &other.appended, same_items)?;
        self.removed.extend(&other.removed);
        Ok(())
    }

    /// The tree as it is to be.
    fn applied(&self, node: &Node) -> Node {
        if let Some(new) = self.set.get(&node.span) {
            return new.clone();
        }
        let data = match &node.data {
            Data::Map(entries) => {
                let kept = entries.iter().filter(|entry| !self.removed.contains(&entry.key_span));
                let kept = kept.map(|entry| Entry { value: self.applied(&entry.value), ..entry.clone() });
                let added = self.inserted.get(&node.span).into_iter().flatten();
                let added = added.map(|(key, value)| new_entry(key, value));
                Data::Map(Arc::new(kept.chain(added).collect()))
            }
            Data::List(items) => {
                let kept = self.cut.get(&node.span).copied().unwrap_or(items.len());
                let kept = items.iter().take(kept).map(|item| self.applied(item));
                let added = self.appended.get(&node.span).into_iter().flatten().cloned();
                Data::List(Arc::new(kept.chain(added).collect()))
            }
            other => other.clone(),
        };
        Node { data, ..node.clone() }
    }
}

/// A value that stands in no file yet.
pub fn new_node(data: Data) -> Node {
    Node { span: Span::new(0, 0), style: Style::Plain, data }
}

/// An entry that stands in no file yet.
pub fn new_entry(key: &Arc<str>, value: &Node) -> Entry {
    Entry { key: key.clone(), key_span: Span::new(0, 0), value: value.clone() }
}

impl Document {
    /// The file's text with the changes made; `None` where rulemill cannot make them without touching more.
    pub fn revised(&self, changes: &Changes) -> Option<String> {
        let format = Format::of(self.source.name().as_ref()).unwrap_or(Format::Yaml);
        let mut walk = Walk { document: self, changes, format, edits: Vec::new() };
        walk.node(&self.root, Place { in_flow: format == Format::Json, column: None, lead: 0 })?;
        let edits = walk.edits;
        let mut end = 0;
        let mut sorted: Vec<Span> = edits.iter().map(|edit| edit.span).collect();
        sorted.sort_unstable();
        for span in sorted {
            if span.start < end || span.end < span.start {
                return None;
            }
            end = span.end;
        }
        let text = self.edited(edits);
        let again = Document::read(self.source.name(), text.as_bytes(), format).ok()?;
        write::same(&changes.applied(&self.root), &again.root).then_some(text)
    }
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place {
    /// Between braces or brackets.
    in_flow: bool,
    /// Of the key or dash before it; none for the whole file.
    column: Option<usize>,
    /// Behind the colon or dash before it.
    lead: usize,
}

struct Walk<'a> {
    document: &'a Document,
    changes: &'a Changes,
    format: Format,
    edits: Vec<Edit>,
}

impl Walk<'_> {
    fn text(&self) -> &str {
        self.document.source.text()
    }

    fn edit(&mut self, start: usize, end: usize, text: String) {
        self.edits.push(Edit { span: Span::new(start, end), text });
    }

    fn line_start(&self, at: usize) -> usize {
        self.text()[..at].rfind('\n').map_or(0, |at| at + 1)
    }

    /// Where a line ends, before its line break.
    fn line_end(&self, at: usize) -> usize {
        self.text()[at..].find(['\r', '\n']).map_or(self.text().len(), |length| at + length)
    }

    /// Where the next line begins.
    fn next_line(&self, at: usize) -> usize {
        self.text()[at..].find('\n').map_or(self.text().len(), |length| at + length + 1)
    }

    /// Is there nothing but blanks before this on its line?
    fn begins_line(&self, at: usize) -> bool {
        self.text()[self.line_start(at)..at].trim().is_empty()
    }

    fn is_block(&self, node: &Node) -> bool {
        match node.data {
            Data::Map(_) | Data::List(_) => !self.document.source.slice(node.span).starts_with(['{', '[']),
            _ => matches!(node.style, Style::Literal | Style::Folded),
        }
    }

    fn node(&mut self, node: &Node, place: Place) -> Option<()> {
        if let Some(new) = self.changes.set.get(&node.span) {
            return self.replace(node, &new.clone(), place);
        }
        match &node.data {
            Data::Map(entries) => self.map(node, entries, place),
            Data::List(items) => self.list(node, items, place),
            _ => Some(()),
        }
    }

    /// Another value in the place of one.
    fn replace(&mut self, old: &Node, new: &Node, place: Place) -> Option<()> {
        let (start, end) = (old.span.start as usize, old.span.end as usize);
        if start >= end {
            return None;
        }
        let fragment = self.fragment(new, place)?;
        let was_block = self.is_block(old) && !place.in_flow;
        match fragment {
            Fragment::Line(line) if !was_block => self.edit(start, end, line),
            Fragment::Line(line) => {
                place.column?;
                let comment = self.comment(place.lead, self.line_end(place.lead).min(end));
                self.edit(place.lead, end, format!(" {line}{comment}"));
            }
            Fragment::Lines { head, lines } => {
                place.column?;
                let (end, comment) = match was_block {
                    true => (end, self.comment(place.lead, self.line_end(place.lead).min(end))),
                    false => (self.line_end(end), self.comment(end, self.line_end(end))),
                };
                let text = self.behind(place, &head, &comment, &lines);
                self.edit(place.lead, end, text);
            }
        }
        Some(())
    }

    /// A comment between two places of one line, with a blank before it.
    fn comment(&self, start: usize, end: usize) -> String {
        let text = self.text().get(start..end).unwrap_or_default();
        text.find('#').map(|at| format!(" {}", text[at..].trim_end())).unwrap_or_default()
    }

    /// Lines behind a key or dash.
    fn behind(&self, place: Place, head: &str, comment: &str, lines: &str) -> String {
        let line_end = self.document.line_end();
        let lines = lines.trim_end_matches('\n').replace('\n', line_end);
        let is_item = self.text()[..place.lead].ends_with('-');
        match (is_item && comment.is_empty(), head) {
            (true, "") => format!(" {}", lines.trim_start()),
            (_, "") => format!("{comment}{line_end}{lines}"),
            _ => format!(" {head}{comment}{line_end}{lines}"),
        }
    }

    fn fragment(&self, new: &Node, place: Place) -> Option<Fragment> {
        let column = if place.in_flow { None } else { place.column };
        write::fragment(new, self.format, column, place.lead - self.line_start(place.lead)).ok()
    }

    fn map(&mut self, node: &Node, entries: &[Entry], place: Place) -> Option<()> {
        let added = self.changes.inserted.get(&node.span).cloned().unwrap_or_default();
        let is_removed = |entry: &Entry| self.changes.removed.contains(&entry.key_span);
        let removed: Vec<bool> = entries.iter().map(is_removed).collect();
        if !added.is_empty() || removed.contains(&true) {
            let Some(last) = removed.iter().rposition(|removed| !removed) else {
                let all = added.iter().map(|(key, value)| new_entry(key, value)).collect();
                return self.replace(node, &new_node(Data::Map(Arc::new(all))), place);
            };
            self.entries(node, entries, place)?;
            self.remove_runs(node, entries, &removed)?;
            return self.insert(node, &entries[last], &added, place);
        }
        self.entries(node, entries, place)
    }

    fn entries(&mut self, node: &Node, entries: &[Entry], place: Place) -> Option<()> {
        let in_flow = place.in_flow || !self.is_block(node);
        for entry in entries {
            let key = entry.key_span;
            // What an alias stands for changes where its anchor is.
            if self.changes.removed.contains(&key) || entry.value.span.start < key.start {
                continue;
            }
            let column = key.start as usize - self.line_start(key.start as usize);
            let lead = self.lead(entry)?;
            self.node(&entry.value, Place { in_flow, column: Some(column), lead })?;
        }
        Some(())
    }

    /// Behind the colon of an entry.
    fn lead(&self, entry: &Entry) -> Option<usize> {
        let end = entry.key_span.end as usize;
        self.text()[end..].find(':').map(|at| end + at + 1)
    }

    /// Where an entry ends.
    fn end(&self, entry: &Entry) -> Option<usize> {
        Some(self.lead(entry)?.max(entry.value.span.end as usize))
    }

    fn remove_runs(&mut self, node: &Node, entries: &[Entry], removed: &[bool]) -> Option<()> {
        let mut at = 0;
        while at < entries.len() {
            if !removed[at] {
                at += 1;
                continue;
            }
            let first = at;
            while at < entries.len() && removed[at] {
                at += 1;
            }
            let start = entries[first].key_span.start as usize;
            let end = self.end(&entries[at - 1])?;
            let next = entries.get(at).map(|entry| entry.key_span.start as usize);
            let in_lines = self.is_block(node) && self.begins_line(start);
            match (next, first.checked_sub(1)) {
                _ if in_lines => self.edit(self.line_start(start), self.next_line(end), String::new()),
                (Some(next), _) => self.edit(start, next, String::new()),
                (None, Some(before)) => {
                    let before = self.end(&entries[before])?;
                    self.edit(before, end, String::new());
                }
                (None, None) => return None,
            }
        }
        Some(())
    }

    /// New entries behind the last one that stays.
    fn insert(&mut self, node: &Node, last: &Entry, added: &[(Arc<str>, Node)], place: Place) -> Option<()> {
        let in_flow = place.in_flow || !self.is_block(node);
        let end = self.end(last)?;
        for (key, value) in added {
            let key = write::key(key, self.format);
            if in_flow {
                let Fragment::Line(line) = write::fragment(value, self.format, None, 0).ok()? else {
                    return None;
                };
                self.edit(end, end, format!(", {key}: {line}"));
                continue;
            }
            let start = last.key_span.start as usize;
            let column = start - self.line_start(start);
            let used = column + key.len() + 1;
            let value = match write::fragment(value, self.format, Some(column), used).ok()? {
                Fragment::Line(line) => format!(" {line}"),
                Fragment::Lines { head, lines } => {
                    let head = if head.is_empty() { head } else { format!(" {head}") };
                    format!("{head}\n{}", lines.trim_end_matches('\n'))
                }
            };
            let text = format!("\n{:column$}{key}:{value}", "").replace('\n', self.document.line_end());
            let at = self.line_end(end);
            self.edit(at, at, text);
        }
        Some(())
    }

    fn list(&mut self, node: &Node, items: &[Node], place: Place) -> Option<()> {
        let kept = self.changes.cut.get(&node.span).copied().unwrap_or(items.len());
        let added = self.changes.appended.get(&node.span).cloned().unwrap_or_default();
        if kept == 0 && (!added.is_empty() || !items.is_empty()) {
            return self.replace(node, &new_node(Data::List(Arc::new(added))), place);
        }
        let in_flow = place.in_flow || !self.is_block(node);
        let mut before = node.span.start;
        for item in &items[..kept] {
            // What an alias stands for changes where its anchor is.
            if item.span.start < before {
                continue;
            }
            before = item.span.end;
            let place = match in_flow {
                true => Place { in_flow, column: None, lead: item.span.start as usize },
                false => {
                    let dash = self.dash(item)?;
                    Place { in_flow, column: Some(dash - self.line_start(dash)), lead: dash + 1 }
                }
            };
            self.node(item, place)?;
        }
        let Some(last) = items[..kept].last() else { return Some(()) };
        let end = last.span.end as usize;
        if kept < items.len() {
            let cut_end = items.last()?.span.end as usize;
            match in_flow {
                true => self.edit(end, cut_end, String::new()),
                false => {
                    let dash = self.dash(&items[kept])?;
                    self.begins_line(dash).then_some(())?;
                    self.edit(self.line_start(dash), self.next_line(cut_end), String::new());
                }
            }
        }
        for item in &added {
            self.append(last, item, in_flow)?;
        }
        Some(())
    }

    fn append(&mut self, last: &Node, item: &Node, in_flow: bool) -> Option<()> {
        let end = last.span.end as usize;
        if in_flow {
            let Fragment::Line(line) = write::fragment(item, self.format, None, 0).ok()? else { return None };
            self.edit(end, end, format!(", {line}"));
            return Some(());
        }
        let dash = self.dash(last)?;
        let column = dash - self.line_start(dash);
        let value = match write::fragment(item, self.format, Some(column), column + 1).ok()? {
            Fragment::Line(line) => line,
            Fragment::Lines { head, lines } if head.is_empty() => lines.trim().to_owned(),
            Fragment::Lines { head, lines } => format!("{head}\n{}", lines.trim_end_matches('\n')),
        };
        let text = format!("\n{:column$}- {value}", "").replace('\n', self.document.line_end());
        let at = self.line_end(end);
        self.edit(at, at, text);
        Some(())
    }

    /// Where the dash of an item of a block list stands.
    fn dash(&self, item: &Node) -> Option<usize> {
        let before = self.text()[..item.span.start as usize].trim_end();
        // The header of a block scalar, an anchor and a tag stand between dash and item.
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        match before.ends_with('-') {
            true => Some(before.len() - 1),
            false if self.is_block(item) && item.as_text().is_some() => {
                let header = before[line..].find("- ")?;
                Some(line + header)
            }
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Document {
        Document::read(name, text.as_bytes(), Format::of(name.as_ref()).unwrap()).unwrap()
    }

    /// Applies changes that a function makes to the value `e` of a file.
    #[track_caller]
    fn revised(file: &str, change: impl Fn(&Node, &mut Changes)) -> String {
        let document = read(if file.starts_with('{') { "t.json" } else { "t.yaml" }, file);
        let mut changes = Changes::default();
        change(document.root.get("e").unwrap(), &mut changes);
        document.revised(&changes).unwrap_or_else(|| panic!("cannot change {file:?}"))
    }

    fn value(text: &str) -> Node {
        read("v.yaml", text).root
    }

    fn long() -> Node {
        value(&format!("{{a: {}, b: [{{c: 1}}]}}", "x".repeat(100)))
    }

    #[test]
    fn values_are_replaced_where_they_stand() {
        let x = "x".repeat(100);
        let lines = format!("a: {x}\n    b:\n      - c: 1");
        for (file, new, expected) in [
            ("e: 1 # c\n", value("2"), "e: 2 # c\n".to_owned()),
            ("e: 'a'\nf: 1\n", value("\"1\""), "e: \"1\"\nf: 1\n".to_owned()),
            ("e: { a: 1 } # c\n", value("[1, {x: z}]"), "e: [1, { x: z }] # c\n".to_owned()),
            (
                "e:\n  a: 1\n  # d\n  b: 2 # c\nf: 1\n",
                value("no_match"),
                "e: no_match # c\nf: 1\n".to_owned(),
            ),
            ("e: # why\n  a: 1\nf: 1\n", value("7"), "e: 7 # why\nf: 1\n".to_owned()),
            ("e: |\n  a\n  b\nf: 1\n", value("c"), "e: c\nf: 1\n".to_owned()),
            ("e: a # c\nf: 1\n", value("\"b\\nc\""), "e: |- # c\n  b\n  c\nf: 1\n".to_owned()),
            ("e: a # c\r\nf: 1\r\n", value("\"b\\nc\""), "e: |- # c\r\n  b\r\n  c\r\nf: 1\r\n".to_owned()),
            ("e: a # c\n", long(), format!("e: # c\n    {lines}\n").replace("\n    ", "\n  ")),
            ("{\"e\": 1}", value("{a: x}"), "{\"e\": { \"a\": \"x\" }}".to_owned()),
        ] {
            assert_eq!(revised(file, |e, changes| changes.set(e, new.clone())), expected, "{file:?}");
        }
        let item = |e: &Node, changes: &mut Changes| changes.set(&e.as_list().unwrap()[0], long());
        assert_eq!(revised("e:\n  - a\n  - b\n", item), format!("e:\n  - {lines}\n  - b\n"));
        assert_eq!(
            revised("e:\n- a: 1\n  b: 2\n- b\n", item),
            format!("e:\n- {}\n- b\n", lines.replace("\n    ", "\n  "))
        );
    }

    #[test]
    fn entries_come_and_go() {
        let insert = |e: &Node, changes: &mut Changes| {
            changes.insert(e, "p", value("1.5"));
            changes.insert(e, "m", long());
        };
        let flow = format!("p: 1.5, m: {{ a: {}, b: [{{ c: 1 }}] }}", "x".repeat(100));
        assert_eq!(revised("e: { a: 1 }\n", insert), format!("e: {{ a: 1, {flow} }}\n"));
        assert_eq!(revised("e: {}\n", |e, c| c.insert(e, "p", value("1"))), "e: { p: 1 }\n");
        let block = format!("p: 1.5\n  m:\n    a: {}\n    b:\n      - c: 1", "x".repeat(100));
        assert_eq!(
            revised("e:\n  a: 1 # c\n# d\nf: 1\n", insert),
            format!("e:\n  a: 1 # c\n  {block}\n# d\nf: 1\n")
        );
        let remove =
            |at: usize| move |e: &Node, changes: &mut Changes| changes.remove(&e.as_map().unwrap()[at]);
        assert_eq!(revised("e: { a: 1, b: 2 }\n", remove(0)), "e: { b: 2 }\n");
        assert_eq!(revised("e: { a: 1, b: 2 }\n", remove(1)), "e: { a: 1 }\n");
        assert_eq!(revised("e: { a: 1 }\n", remove(0)), "e: {}\n");
        assert_eq!(revised("e:\n  a: 1 # c\n  # d\n  b: 2\nf: 1\n", remove(0)), "e:\n  # d\n  b: 2\nf: 1\n");
        assert_eq!(revised("e:\n  a: 1\n  b:\n    c: 2\nf: 1\n", remove(1)), "e:\n  a: 1\nf: 1\n");
        assert_eq!(revised("{\"e\": {\"a\": 1, \"b\": 2}}", remove(1)), "{\"e\": {\"a\": 1}}");
        let first =
            |e: &Node, changes: &mut Changes| changes.remove(&e.as_list().unwrap()[0].as_map().unwrap()[0]);
        assert_eq!(revised("e:\n  - a: 1\n    b: 2\n", first), "e:\n  - b: 2\n");
    }

    #[test]
    fn items_come_and_go() {
        let append = |e: &Node, changes: &mut Changes| changes.append(e, value("{id: http:a}"));
        assert_eq!(revised("e: [1]\n", append), "e: [1, { id: \"http:a\" }]\n");
        assert_eq!(revised("e: []\n", append), "e: [{ id: \"http:a\" }]\n");
        assert_eq!(revised("e:\n- 1 # c\nf: 1\n", append), "e:\n- 1 # c\n- { id: \"http:a\" }\nf: 1\n");
        assert_eq!(
            revised("e:\n  - a: |\n      x\n  - |\n    y\n", append),
            "e:\n  - a: |\n      x\n  - |\n    y\n  - { id: \"http:a\" }\n"
        );
        let cut = |e: &Node, changes: &mut Changes| changes.cut(e, 1);
        assert_eq!(revised("e: [1, 2, 3]\n", cut), "e: [1]\n");
        assert_eq!(
            revised("e:\n  - a: 1\n  # d\n  - b: 2\n    c: 3\n  - 4\nf: 1\n", cut),
            "e:\n  - a: 1\n  # d\nf: 1\n"
        );
        assert_eq!(revised("e: [1]\n", |e, changes| changes.cut(e, 0)), "e: []\n");
    }

    #[test]
    fn changes_that_contradict_each_other_are_seen() {
        let document = read("t.yaml", "e: 1\nf: &x { a: 1 }\ng: *x\n");
        let e = document.root.get("e").unwrap();
        let changed = |text: &str| {
            let mut changes = Changes::default();
            changes.set(e, value(text));
            changes
        };
        assert!(changed("2").join(&changed("2")).is_ok());
        assert_eq!(changed("2").join(&changed("3")), Err(e.span));
        let mut changes = Changes::default();
        changes.set(document.root.get("g").unwrap().get("a").unwrap(), value("2"));
        assert_eq!(document.revised(&changes).unwrap(), "e: 1\nf: &x { a: 2 }\ng: *x\n");
    }
}

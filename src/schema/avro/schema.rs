//! An Avro schema's JSON to types, by erlavro's rules (avro_json_decoder, avro_util:validate/2).

use std::collections::BTreeMap;

use num_traits::ToPrimitive;

use super::{Avro, Field, Type};
use crate::diag::{Diagnostic, nearest};
use crate::document::{Data, Document, Entry, Format, Node};
use crate::schema::bad;
use crate::text::{Source, Span};
use crate::value::{Map, Value};

/// Names that no type can have.
const RESERVED: &[&str] = &[
    "null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map",
    "union", "fixed",
];

pub(super) fn compile(name: &str, source: &Source) -> Result<Avro, Vec<Diagnostic>> {
    let document = Document::read(source.name(), source.text().as_bytes(), Format::Json)?;
    let mut parser = Parser { source, named: BTreeMap::new(), defaults: Vec::new() };
    let avro = parser.schema(name, &document.root);
    avro.map_err(|problem| vec![*problem])
}

type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;

struct Parser<'a> {
    source: &'a Source,
    /// Types by full name, and aliases as references to them.
    named: BTreeMap<String, Type>,
    /// Defaults are read when all types are known: the record, the field's position, the text.
    defaults: Vec<(String, usize, Node)>,
}

impl Parser<'_> {
    fn schema(&mut self, name: &str, root: &Node) -> Result<Avro> {
        let root_type = self.kind(root, "")?;
        if matches!(&root_type, Type::Named(full) if full == name) {
            // The registry's name becomes an alias of the type (avro_schema_store:add_type/3, name_clash).
            let message = format!("the schema is registered as '{name}' and defines a type of the same name");
            return Err(self.fail(root.span, message));
        }
        for (record, at, node) in std::mem::take(&mut self.defaults) {
            let Some(Type::Record(fields)) = self.named.get(&record) else { continue };
            let kind = fields[at].kind.clone();
            // The default of a union is one of its first member.
            let first = if let Type::Union(members) = &kind { &members[0] } else { &kind };
            let value = self.default(&node, first)?;
            if let Some(Type::Record(fields)) = self.named.get_mut(&record) {
                fields[at].default = Some(value);
            }
        }
        Ok(Avro { root: root_type, named: std::mem::take(&mut self.named) })
    }

    fn fail(&self, at: Span, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(bad(self.source, at, message))
    }

    fn kind(&mut self, node: &Node, namespace: &str) -> Result<Type> {
        match &node.data {
            Data::Map(entries) => self.object(node, entries, namespace),
            Data::List(members) => self.union(node, members, namespace),
            Data::Text(name) => match primitive(name) {
                Some(kind) => Ok(kind),
                None => self.reference(name, node.span, namespace),
            },
            _ => {
                let message = format!("a type is a name, an object or a list, not {}", node.kind_name());
                Err(self.fail(node.span, message))
            }
        }
    }

    fn reference(&self, name: &str, at: Span, namespace: &str) -> Result<Type> {
        self.check_dotted(name, at)?;
        let full = full_name(name, namespace);
        match self.named.get(&full) {
            Some(Type::Named(original)) => Ok(Type::Named(original.clone())),
            Some(_) => Ok(Type::Named(full)),
            None => {
                let problem = self.fail(at, format!("no type '{full}' is defined before this place"));
                let known = self.named.keys().map(String::as_str).chain(RESERVED.iter().copied());
                Err(match nearest(name, known) {
                    Some(near) => Box::new(problem.help(format!("did you mean '{near}'?"))),
                    None => problem,
                })
            }
        }
    }

    fn union(&mut self, node: &Node, members: &[Node], namespace: &str) -> Result<Type> {
        let mut names = Vec::new();
        let mut types = Vec::new();
        for member in members {
            if member.as_list().is_some() {
                return Err(self.fail(member.span, "a union cannot be a member of a union"));
            }
            let kind = self.kind(member, namespace)?;
            let name = name_of(&kind).to_owned();
            if names.contains(&name) {
                return Err(self.fail(member.span, format!("'{name}' is a member of the union twice")));
            }
            names.push(name);
            types.push(kind);
        }
        if types.is_empty() {
            return Err(self.fail(node.span, "a union has at least one member"));
        }
        Ok(Type::Union(types))
    }

    fn object(&mut self, node: &Node, entries: &[Entry], namespace: &str) -> Result<Type> {
        let kind = self.required(node, "type")?;
        match kind.as_text() {
            Some("record") => self.record(node, namespace),
            Some("enum") => self.enumeration(node, namespace),
            Some("fixed") => self.fixed(node, namespace),
            Some("array") => Ok(Type::Array(Box::new(self.kind(self.required(node, "items")?, namespace)?))),
            Some("map") => Ok(Type::Map(Box::new(self.kind(self.required(node, "values")?, namespace)?))),
            Some(name) => primitive(name).ok_or_else(|| {
                let problem = self.fail(kind.span, format!("Avro has no type '{name}'"));
                match nearest(name, RESERVED.iter().copied()) {
                    Some(near) => Box::new(problem.help(format!("did you mean '{near}'?"))),
                    None => Box::new(problem.help("a type defined before is named by a plain string")),
                }
            }),
            None => {
                let at = entries.iter().find(|e| &*e.key == "type").map_or(node.span, |e| e.value.span);
                Err(self.fail(at, "'type' inside an object is the name of a type"))
            }
        }
    }

    fn required<'n>(&self, node: &'n Node, key: &str) -> Result<&'n Node> {
        node.get(key).ok_or_else(|| self.fail(node.span, format!("the type has no '{key}'")))
    }

    fn text<'n>(&self, node: &'n Node, what: &str) -> Result<&'n str> {
        node.as_text()
            .ok_or_else(|| self.fail(node.span, format!("{what} is a string, not {}", node.kind_name())))
    }

    /// The full name and the namespace of a named type.
    fn define(&mut self, node: &Node, enclosing: &str) -> Result<(String, String)> {
        let name_node = self.required(node, "name")?;
        let name = self.text(name_node, "a name")?;
        let own = node.get("namespace").map(|ns| self.text(ns, "a namespace")).transpose()?;
        let namespace = own.filter(|ns| !ns.is_empty()).unwrap_or(enclosing);
        let full = full_name(name, namespace);
        self.check_dotted(&full, name_node.span)?;
        let (namespace, short) = full.rsplit_once('.').unwrap_or(("", &full));
        if RESERVED.contains(&short) {
            return Err(self.fail(name_node.span, format!("'{short}' is Avro's own name")));
        }
        let namespace = namespace.to_owned();
        let mut names = vec![full.clone()];
        for (alias, at) in self.aliases(node)? {
            self.check_dotted(&alias, at)?;
            names.push(full_name(&alias, &namespace));
        }
        for name in names {
            if self.named.contains_key(&name) {
                return Err(self.fail(name_node.span, format!("the type '{name}' is defined twice")));
            }
            self.named.insert(name, Type::Named(full.clone()));
        }
        Ok((full, namespace))
    }

    fn aliases(&self, node: &Node) -> Result<Vec<(String, Span)>> {
        let Some(list) = node.get("aliases") else { return Ok(Vec::new()) };
        let items = list.as_list().ok_or_else(|| self.fail(list.span, "'aliases' is a list of names"))?;
        items.iter().map(|item| Ok((self.text(item, "an alias")?.to_owned(), item.span))).collect()
    }

    fn record(&mut self, node: &Node, enclosing: &str) -> Result<Type> {
        let (full, namespace) = self.define(node, enclosing)?;
        let list = self.required(node, "fields")?;
        let items = list.as_list().ok_or_else(|| self.fail(list.span, "'fields' is a list of objects"))?;
        let mut fields = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if item.as_map().is_none() {
                return Err(self.fail(item.span, format!("a field is an object, not {}", item.kind_name())));
            }
            let name = self.text(self.required(item, "name")?, "a field's name")?.to_owned();
            let kind = self.kind(self.required(item, "type")?, &namespace)?;
            if let Some(order) = item.get("order")
                && !matches!(order.as_text(), Some("ascending" | "descending" | "ignore"))
            {
                return Err(self.fail(order.span, "'order' is ascending, descending or ignore"));
            }
            let aliases = self.aliases(item)?.into_iter().map(|(alias, _)| alias).collect();
            if let Some(default) = item.get("default") {
                self.defaults.push((full.clone(), at, default.clone()));
            }
            fields.push(Field { name, aliases, kind, default: None });
        }
        self.named.insert(full.clone(), Type::Record(fields));
        Ok(Type::Named(full))
    }

    fn enumeration(&mut self, node: &Node, enclosing: &str) -> Result<Type> {
        let (full, _) = self.define(node, enclosing)?;
        let list = self.required(node, "symbols")?;
        let items = list.as_list().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| self.fail(list.span, "'symbols' is a list of at least one name"))?;
        let mut symbols: Vec<String> = Vec::new();
        for item in items {
            let symbol = self.text(item, "a symbol")?;
            if !is_name(symbol) {
                return Err(self.fail(item.span, format!("'{symbol}' cannot be a symbol")));
            }
            if symbols.iter().any(|known| known == symbol) {
                return Err(self.fail(item.span, format!("the symbol '{symbol}' is here twice")));
            }
            symbols.push(symbol.to_owned());
        }
        self.named.insert(full.clone(), Type::Enum(symbols));
        Ok(Type::Named(full))
    }

    fn fixed(&mut self, node: &Node, enclosing: &str) -> Result<Type> {
        let (full, _) = self.define(node, enclosing)?;
        let size = self.required(node, "size")?;
        let bytes = match &size.data {
            Data::Int(_, n) => n.to_usize().filter(|n| *n > 0),
            _ => None,
        };
        let bytes = bytes.ok_or_else(|| self.fail(size.span, "'size' is an integer of at least 1"))?;
        self.named.insert(full.clone(), Type::Fixed(bytes));
        Ok(Type::Named(full))
    }

    fn check_dotted(&self, name: &str, at: Span) -> Result<()> {
        if name.split('.').all(is_name) {
            return Ok(());
        }
        let problem = self.fail(at, format!("'{name}' cannot be the name of a type"));
        Err(Box::new(problem.help("a name has letters, digits and '_', and does not begin with a digit")))
    }

    /// A default as the value that is encoded for it.
    fn default(&self, node: &Node, kind: &Type) -> Result<Value> {
        let value = match (kind, &node.data) {
            (Type::Null, Data::Null) => Some(Value::Null),
            (Type::Null, Data::Text(word)) if &**word == "null" => Some(Value::Null),
            (Type::Boolean, Data::Bool(b)) => Some(Value::Bool(*b)),
            (Type::Int, Data::Int(_, n)) => n.to_i32().map(|n| Value::Int(n.into())),
            (Type::Long, Data::Int(_, n)) => n.to_i64().map(Value::Int),
            (Type::Float | Type::Double, Data::Int(_, n)) => {
                n.to_f64().filter(|f| f.is_finite()).map(Value::Float)
            }
            (Type::Float | Type::Double, Data::Float(_, f)) => f.is_finite().then_some(Value::Float(*f)),
            (Type::Bytes | Type::Fixed(_), Data::Text(text)) => return self.bytes(text, node.span),
            (Type::String | Type::Enum(_), Data::Text(text)) => Some(Value::str(text.as_bytes())),
            (Type::Array(items), Data::List(list)) => {
                let values: Result<Vec<Value>> = list.iter().map(|item| self.default(item, items)).collect();
                Some(Value::list(values?))
            }
            (Type::Map(values), Data::Map(entries)) => {
                let entry = |e: &Entry| Ok((Value::str(e.key.as_bytes()), self.default(&e.value, values)?));
                Some(Value::Map(Map::from_entries(entries.iter().map(entry).collect::<Result<_>>()?)))
            }
            (Type::Record(fields), Data::Map(entries)) => {
                let mut map = Vec::new();
                for entry in entries.iter() {
                    let key = &*entry.key;
                    let is_it = |f: &&Field| f.name == key || f.aliases.iter().any(|alias| alias == key);
                    let field = fields.iter().find(is_it).ok_or_else(|| {
                        self.fail(entry.key_span, format!("the record has no field '{key}'"))
                    })?;
                    map.push((Value::str(key), self.default(&entry.value, &field.kind)?));
                }
                Some(Value::Map(Map::from_entries(map)))
            }
            (Type::Union(members), _) => return self.member(node, members),
            (Type::Named(name), _) => match self.named.get(name) {
                Some(kind) => return self.default(node, kind),
                None => None,
            },
            _ => None,
        };
        value.ok_or_else(|| {
            let message = format!("the default is {}, which is none of the type", node.kind_name());
            let problem = self.fail(node.span, message);
            Box::new(problem.help("a field of a union has a default of the union's first member"))
        })
    }

    /// A default of a union inside another type: null, or `{"member": value}`.
    fn member(&self, node: &Node, members: &[Type]) -> Result<Value> {
        let (name, inner) = match &node.data {
            Data::Null => ("null", node),
            Data::Map(entries) if entries.len() == 1 => (&*entries[0].key, &entries[0].value),
            _ => return Err(self.fail(node.span, "a default of a union is null or {\"member\": value}")),
        };
        match members.iter().find(|member| name_of(member) == name) {
            Some(member) => self.default(inner, member),
            None => Err(self.fail(node.span, format!("the union has no member '{name}'"))),
        }
    }

    /// erlavro reads each byte of a default as the six characters `\u00XX`, even after JSON's own unescaping.
    fn bytes(&self, text: &str, at: Span) -> Result<Value> {
        let mut out = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let byte = rest.strip_prefix("\\u00").and_then(|digits| {
                let byte = u8::from_str_radix(digits.get(..2)?, 16).ok()?;
                Some((byte, &digits[2..]))
            });
            let Some((byte, tail)) = byte else {
                let problem = self.fail(at, "EMQX reads no such default of bytes");
                return Err(Box::new(problem.help("each byte is written \\\\u00XX, with both backslashes")));
            };
            out.push(byte);
            rest = tail;
        }
        Ok(Value::bytes(out))
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        _ => return None,
    })
}

/// The name by which members of a union differ.
fn name_of(kind: &Type) -> &str {
    match kind {
        Type::Null => "null",
        Type::Boolean => "boolean",
        Type::Int => "int",
        Type::Long => "long",
        Type::Float => "float",
        Type::Double => "double",
        Type::Bytes => "bytes",
        Type::String => "string",
        Type::Array(_) => "array",
        Type::Map(_) => "map",
        Type::Union(_) => "union",
        Type::Record(_) => "record",
        Type::Enum(_) => "enum",
        Type::Fixed(_) => "fixed",
        Type::Named(name) => name,
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    match name.contains('.') || namespace.is_empty() {
        true => name.to_owned(),
        false => format!("{namespace}.{name}"),
    }
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

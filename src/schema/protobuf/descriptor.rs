//! A `.proto` text to messages and enums.

use std::collections::{HashMap, HashSet};

use miette::Diagnostic as _;
use protox::file::{File, FileResolver};
use protox::prost_reflect::prost_types::{DescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto};
use protox::prost_reflect::{
    Cardinality, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, Kind as Described, MessageDescriptor,
};
use protox::{Compiler, Error};

use super::{Enum, Field, Kind, Label, Message, Protobuf, Scalar};
use crate::diag::Diagnostic;
use crate::limits;
use crate::schema::bad;
use crate::text::{Source, Span};
use crate::value::Bytes;

/// The name under which protox sees the text.
const FILE: &str = "schema.proto";

pub(super) fn compile(source: &Source) -> Result<Protobuf, Vec<Diagnostic>> {
    let text = source.text();
    if let Some(at) = too_deep(text) {
        let message = format!("nested deeper than {} levels", limits::SCHEMA_NESTING_MAX);
        return Err(vec![bad(source, Span::new(at, at + 1), message)]);
    }
    if let Some(problem) = foreign_name(source) {
        return Err(vec![problem]);
    }
    let mut compiler = Compiler::with_file_resolver(Only(text.to_owned()));
    if let Err(error) = compiler.open_file(FILE) {
        return Err(vec![diagnostic(source, &error)]);
    }
    let pool = compiler.descriptor_pool();
    let Some(file) = pool.get_file_by_name(FILE) else { return Ok(Protobuf::collect(&[], &[], "")) };
    let mut messages = Vec::new();
    file.messages().for_each(|message| nested(message, &mut messages));
    let mut enums: Vec<EnumDescriptor> = file.enums().collect();
    enums.extend(messages.iter().flat_map(MessageDescriptor::child_enums));
    Ok(Protobuf::collect(&messages, &enums, file.package_name()))
}

/// Nothing but the text itself can be read: EMQX hands gpb no folder either.
struct Only(String);

impl FileResolver for Only {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        match name {
            FILE => File::from_source(name, &self.0),
            _ => Err(Error::file_not_found(name)),
        }
    }
}

/// The place of the first bracket that is nested too deeply: protox's parser recurses.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > limits::SCHEMA_NESTING_MAX
    })
}

/// The first type that is named with its package. gpb, as EMQX calls it, leaves packages out of all names, and finds
/// no such type.
fn foreign_name(source: &Source) -> Option<Diagnostic> {
    fn names(path: &str, messages: &[DescriptorProto], known: &mut HashSet<String>) {
        for message in messages {
            let path = joined(path, message.name());
            known.extend(message.enum_type.iter().map(|e| joined(&path, e.name())));
            names(&path, &message.nested_type, known);
            known.insert(path);
        }
    }
    fn search(path: &str, messages: &[DescriptorProto], known: &HashSet<String>) -> Option<String> {
        messages.iter().find_map(|message| {
            let path = joined(path, message.name());
            let missing = |field: &&FieldDescriptorProto| {
                let name = field.type_name();
                let absolute = name.strip_prefix('.').map(|name| known.contains(name));
                let mut scopes =
                    path.match_indices('.').map(|(at, _)| &path[..at]).chain(["", path.as_str()]);
                let relative = || scopes.any(|scope| known.contains(&joined(scope, name)));
                !name.is_empty() && !absolute.unwrap_or_else(relative)
            };
            let found = message.field.iter().find(missing).map(|field| field.type_name().to_owned());
            found.or_else(|| search(&path, &message.nested_type, known))
        })
    }
    // A text that does not parse is the compiler's to tell of.
    let file = File::from_source(FILE, source.text()).ok()?;
    let file = file.file_descriptor_proto();
    let mut known: HashSet<String> = file.enum_type.iter().map(|e| e.name().to_owned()).collect();
    names("", &file.message_type, &mut known);
    let name = search("", &file.message_type, &known)?;
    let package = file.package().split('.').next()?;
    let qualified = name.trim_start_matches('.').split('.').any(|part| part == package);
    if package.is_empty() || !(qualified || name.contains('.')) {
        return None;
    }
    let at = source.text().rfind(&name)?;
    let message = format!("EMQX finds no type '{name}': it leaves the package out of all names");
    let short = name.rsplit('.').next().unwrap_or_default();
    Some(bad(source, Span::new(at, at + name.len()), message).help(format!("write '{short}'")))
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn diagnostic(source: &Source, error: &Error) -> Diagnostic {
    let length = source.text().len();
    let label = error.labels().and_then(|mut labels| labels.next());
    let span = label.as_ref().map_or(Span::new(0, 0), |label| {
        let start = label.offset().min(length);
        Span::new(start, (start + label.len()).min(length))
    });
    let message = error.to_string();
    let problem = bad(source, span, message.strip_prefix(&format!("{FILE}: ")).unwrap_or(&message));
    if error.is_file_not_found() || message.starts_with("import") {
        return problem.help("EMQX finds no imported file: write all messages into this one text");
    }
    match error.help() {
        Some(help) => problem.help(help.to_string()),
        None => problem,
    }
}

fn nested(message: MessageDescriptor, all: &mut Vec<MessageDescriptor>) {
    if !message.is_map_entry() {
        all.push(message.clone());
        message.child_messages().for_each(|child| nested(child, all));
    }
}

impl Protobuf {
    fn collect(messages: &[MessageDescriptor], enums: &[EnumDescriptor], package: &str) -> Protobuf {
        let short = |full: &str| {
            let inside = full.strip_prefix(package).and_then(|rest| rest.strip_prefix('.'));
            inside.filter(|_| !package.is_empty()).unwrap_or(full).to_owned()
        };
        let index = |names: &mut dyn Iterator<Item = &str>| -> HashMap<String, usize> {
            names.enumerate().map(|(at, name)| (name.to_owned(), at)).collect()
        };
        let places = Places {
            messages: index(&mut messages.iter().map(MessageDescriptor::full_name)),
            enums: index(&mut enums.iter().map(EnumDescriptor::full_name)),
        };
        let messages: Vec<Message> =
            messages.iter().map(|m| places.message(short(m.full_name()), m)).collect();
        let symbols = |e: &EnumDescriptor| -> Vec<(Bytes, i32)> {
            // `values()` goes by number; of two symbols of one number gpb takes the first.
            let written = e.enum_descriptor_proto().value.iter();
            let symbol =
                |v: &EnumValueDescriptorProto| (Bytes::copy_from_slice(v.name().as_bytes()), v.number());
            written.map(symbol).collect()
        };
        Protobuf {
            by_name: messages.iter().enumerate().map(|(at, m)| (m.name.clone(), at)).collect(),
            enums: enums.iter().map(|e| Enum { name: short(e.full_name()), symbols: symbols(e) }).collect(),
            messages,
        }
    }
}

/// Where each message and enum stands in the tables.
struct Places {
    messages: HashMap<String, usize>,
    enums: HashMap<String, usize>,
}

impl Places {
    fn message(&self, name: String, message: &MessageDescriptor) -> Message {
        // `fields()` goes by number; the proto keeps the order of the text.
        let written: Vec<i32> = message.descriptor_proto().field.iter().map(|f| f.number()).collect();
        let mut fields: Vec<Field> = message.fields().map(|field| self.field(&field)).collect();
        let place = |field: &Field| written.iter().position(|n| u32::try_from(*n) == Ok(field.number));
        fields.sort_by_key(place);
        fields.extend(message.extensions().map(|extension| self.extension(&extension)));
        let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
        Message {
            name,
            by_number: fields.iter().enumerate().map(|(at, f)| (f.number, at)).collect(),
            by_field: fields.iter().enumerate().map(|(at, f)| (f.name.clone(), at)).collect(),
            oneofs: oneofs.map(|oneof| oneof.name().to_owned()).collect(),
            fields,
        }
    }

    fn field(&self, field: &FieldDescriptor) -> Field {
        let kind = if field.is_map() { self.map(field) } else { self.kind(&field.kind(), field.is_group()) };
        let label = match field.cardinality() {
            Cardinality::Repeated => {
                Label::Repeated { packed: packed(field.field_descriptor_proto(), field.is_packed()) }
            }
            Cardinality::Required => Label::Required,
            Cardinality::Optional if field.supports_presence() => Label::Optional,
            Cardinality::Optional => Label::Implicit,
        };
        let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic());
        let oneof = oneof.and_then(|oneof| {
            let real = field.parent_message().oneofs().filter(|o| !o.is_synthetic());
            real.map(|o| o.name().to_owned()).position(|name| name == oneof.name())
        });
        Field {
            name: field_name(field.name(), &field.kind(), field.is_group()),
            number: field.number(),
            kind,
            label,
            oneof,
        }
    }

    fn extension(&self, field: &ExtensionDescriptor) -> Field {
        let label = match field.cardinality() {
            Cardinality::Repeated => {
                Label::Repeated { packed: packed(field.field_descriptor_proto(), field.is_packed()) }
            }
            _ => Label::Optional,
        };
        let kind = self.kind(&field.kind(), field.is_group());
        let name = field_name(field.name(), &field.kind(), field.is_group());
        Field { name, number: field.number(), kind, label, oneof: None }
    }

    fn map(&self, field: &FieldDescriptor) -> Kind {
        let Described::Message(entry) = field.kind() else { return Kind::Scalar(Scalar::Bytes) };
        let key = match self.kind(&entry.map_entry_key_field().kind(), false) {
            Kind::Scalar(scalar) => scalar,
            _ => Scalar::Bytes,
        };
        Kind::Map(key, Box::new(self.kind(&entry.map_entry_value_field().kind(), false)))
    }

    fn kind(&self, kind: &Described, group: bool) -> Kind {
        Kind::Scalar(match kind {
            Described::Message(message) => {
                let at = self.messages.get(message.full_name()).copied().unwrap_or_default();
                return if group { Kind::Group(at) } else { Kind::Message(at) };
            }
            Described::Enum(e) => {
                return Kind::Enum(self.enums.get(e.full_name()).copied().unwrap_or_default());
            }
            Described::Double => Scalar::Double,
            Described::Float => Scalar::Float,
            Described::Int32 => Scalar::Int32,
            Described::Int64 => Scalar::Int64,
            Described::Uint32 => Scalar::Uint32,
            Described::Uint64 => Scalar::Uint64,
            Described::Sint32 => Scalar::Sint32,
            Described::Sint64 => Scalar::Sint64,
            Described::Fixed32 => Scalar::Fixed32,
            Described::Fixed64 => Scalar::Fixed64,
            Described::Sfixed32 => Scalar::Sfixed32,
            Described::Sfixed64 => Scalar::Sfixed64,
            Described::Bool => Scalar::Bool,
            Described::String => Scalar::String,
            Described::Bytes => Scalar::Bytes,
        })
    }
}

/// gpb names the field of a group as the group is named, protox in lower case.
fn field_name(name: &str, kind: &Described, group: bool) -> String {
    match kind {
        Described::Message(message) if group => message.name().to_owned(),
        _ => name.to_owned(),
    }
}

/// The option that is written, or else what the syntax has for its default.
fn packed(field: &FieldDescriptorProto, otherwise: bool) -> bool {
    field.options.as_ref().and_then(|options| options.packed).unwrap_or(otherwise)
}

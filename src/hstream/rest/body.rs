//! Request bodies: those of generated routes, read as protojson reads them, and that of `:publish`.
//!
//! Invariant: both names of a field are known (`streamName`, `stream_name`), unknown fields are passed by, and
//! bytes after the first JSON value are ignored.

use super::gojson::{self, Member};

/// The fields of a request message that the stand-in knows.
pub(super) struct Fields<'t> {
    text: &'t [u8],
    members: Vec<Member<'t>>,
}

impl<'t> Fields<'t> {
    /// An empty body is an empty message.
    pub(super) fn read(text: &'t [u8]) -> Result<Fields<'t>, String> {
        let (start, end) = match gojson::value_end(text) {
            Ok(found) => found,
            Err(error) if error == "EOF" => return Ok(Fields { text, members: Vec::new() }),
            Err(error) => return Err(error),
        };
        let value = &text[..end];
        let Some(members) = gojson::members(value, start) else {
            let token = String::from_utf8_lossy(&value[start..]);
            let token: String = token.chars().take(32).collect();
            return Err(format!("proto: syntax error {}: unexpected token {token}", place(text, start)));
        };
        Ok(Fields { text, members })
    }

    pub(super) fn string(&self, camel: &str, snake: &str) -> Result<String, String> {
        let Some(member) = self.member(camel, snake)? else { return Ok(String::new()) };
        match gojson::type_word(member.value) {
            "string" => Ok(gojson::string(member.value)),
            "null" => Ok(String::new()),
            _ => Err(self.invalid(member, "string")),
        }
    }

    /// A number, or a string that holds one.
    pub(super) fn uint32(&self, camel: &str, snake: &str) -> Result<u32, String> {
        let Some(member) = self.member(camel, snake)? else { return Ok(0) };
        let text = match gojson::type_word(member.value) {
            "number" => String::from_utf8_lossy(member.value).into_owned(),
            "string" => gojson::string(member.value),
            "null" => return Ok(0),
            _ => return Err(self.invalid(member, "uint32")),
        };
        let whole = |n: &f64| n.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(n);
        let number = text.parse().ok().or_else(|| text.parse().ok().filter(whole).map(|n| n as u32));
        number.ok_or_else(|| self.invalid(member, "uint32"))
    }

    pub(super) fn bool(&self, camel: &str, snake: &str) -> Result<bool, String> {
        let Some(member) = self.member(camel, snake)? else { return Ok(false) };
        match member.value {
            b"true" => Ok(true),
            b"false" | b"null" => Ok(false),
            _ => Err(self.invalid(member, "bool")),
        }
    }

    /// The texts of an array.
    pub(super) fn strings(&self, camel: &str, snake: &str) -> Result<Vec<String>, String> {
        let Some(member) = self.member(camel, snake)? else { return Ok(Vec::new()) };
        serde_json::from_slice(member.value).map_err(|_| self.invalid(member, "string"))
    }

    fn member(&self, camel: &str, snake: &str) -> Result<Option<&Member<'t>>, String> {
        let mut found = self.members.iter().filter(|m| m.key == camel || m.key == snake);
        let first = found.next();
        match found.next() {
            Some(second) => {
                Err(format!("proto: {}: duplicate field {:?}", place(self.text, second.key_at), second.key))
            }
            None => Ok(first),
        }
    }

    fn invalid(&self, member: &Member<'_>, wanted: &str) -> String {
        let value: String = String::from_utf8_lossy(member.value).chars().take(64).collect();
        format!("proto: {}: invalid value for {wanted} type: {value}", place(self.text, member.value_at))
    }
}

fn place(text: &[u8], at: usize) -> String {
    let before = &text[..at.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
    format!("(line {line}:{column})")
}

/// What `:publish` takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PublishBody {
    pub(super) flag: i32,
    pub(super) payload: String,
}

/// Go decodes the body into `struct { Flag; Payload string "payload" }`: keys in any case, the first wrong type
/// is the error though all of the text is read, null changes nothing.
pub(super) fn publish_body(text: &[u8]) -> Result<PublishBody, String> {
    const FLAG_TYPE: &str = "hstream_http_server.HStreamRecordHeader_Flag";
    let (start, end) = gojson::value_end(text)?;
    let value = &text[..end];
    let mut body = PublishBody::default();
    let Some(members) = gojson::members(value, start) else {
        return match gojson::type_word(&value[start..]) {
            "null" => Ok(body),
            word => Err(format!(
                "json: cannot unmarshal {word} into Go value of type hstream_http_server.B64Payload"
            )),
        };
    };
    let mut wrong = None;
    for member in members {
        let word = gojson::type_word(member.value);
        if word == "null" {
            continue;
        }
        if member.key.eq_ignore_ascii_case("payload") {
            if word == "string" {
                body.payload = gojson::string(member.value);
            } else {
                let text = format!("{word} into Go struct field B64Payload.payload of type string");
                wrong.get_or_insert(text);
            }
        } else if member.key.eq_ignore_ascii_case("flag") {
            let number = std::str::from_utf8(member.value).unwrap_or_default();
            match number.parse() {
                Ok(flag) if word == "number" => body.flag = flag,
                _ => {
                    let shown = if word == "number" { format!("number {number}") } else { word.to_owned() };
                    wrong.get_or_insert(format!(
                        "{shown} into Go struct field B64Payload.Flag of type {FLAG_TYPE}"
                    ));
                }
            }
        }
    }
    wrong.map_or(Ok(body), |what| Err(format!("json: cannot unmarshal {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publish_bodies_are_read_as_go_reads_them() {
        let ok = |flag, payload: &str| Ok(PublishBody { flag, payload: payload.to_owned() });
        let err = |text: &str| Err(text.to_owned());
        let field = "into Go struct field B64Payload";
        let flag = "of type hstream_http_server.HStreamRecordHeader_Flag";
        let cases = [
            (r#"{"payload":"{\"msg\":\"hi\"}","flag":0}"#, ok(0, r#"{"msg":"hi"}"#)),
            (r#"{"FLAG":7,"PayLoad":"a","other":{}} trailing"#, ok(7, "a")),
            (r#"{"payload":"a","payload":"b"}"#, ok(0, "b")),
            (r#"{"payload":null,"flag":null}"#, ok(0, "")),
            ("{}", ok(0, "")),
            ("null", ok(0, "")),
            (r#"{"flag":-0}"#, ok(0, "")),
            (r#"{"flag":"JSON"}"#, err(&format!("json: cannot unmarshal string {field}.Flag {flag}"))),
            (r#"{"flag":1.5}"#, err(&format!("json: cannot unmarshal number 1.5 {field}.Flag {flag}"))),
            (
                r#"{"flag":99999999999}"#,
                err(&format!("json: cannot unmarshal number 99999999999 {field}.Flag {flag}")),
            ),
            (r#"{"flag":true}"#, err(&format!("json: cannot unmarshal bool {field}.Flag {flag}"))),
            (
                r#"{"payload":{},"flag":""}"#,
                err(&format!("json: cannot unmarshal object {field}.payload of type string")),
            ),
            (
                r#"{"payload":5}"#,
                err(&format!("json: cannot unmarshal number {field}.payload of type string")),
            ),
            ("[]", err("json: cannot unmarshal array into Go value of type hstream_http_server.B64Payload")),
            ("1", err("json: cannot unmarshal number into Go value of type hstream_http_server.B64Payload")),
            ("", err("EOF")),
        ];
        for (text, expected) in cases {
            assert_eq!(publish_body(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn message_fields_have_two_names_and_one_type() {
        let read = |text: &'static str| {
            let fields = Fields::read(text.as_bytes())?;
            Ok::<_, String>((fields.string("streamName", "stream_name")?, fields.uint32("n", "n")?))
        };
        let err = |text: &str| Err(text.to_owned());
        let cases = [
            (r#"{"streamName":"s","n":3,"x":[]}"#, Ok(("s".to_owned(), 3))),
            (r#"{"stream_name":"s","n":"3"} {"#, Ok(("s".to_owned(), 3))),
            (r#"{"n":1e2}"#, Ok((String::new(), 100))),
            ("", Ok((String::new(), 0))),
            (r#"{"streamName":5}"#, err("proto: (line 1:15): invalid value for string type: 5")),
            ("{\n \"n\": -1}", err("proto: (line 2:7): invalid value for uint32 type: -1")),
            (
                r#"{"streamName":"a","stream_name":"b"}"#,
                err("proto: (line 1:19): duplicate field \"stream_name\""),
            ),
            ("[1]", err("proto: syntax error (line 1:1): unexpected token [1]")),
            ("{bad", err("invalid character 'b' looking for beginning of object key string")),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}

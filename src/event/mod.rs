//! Messages, events and their columns, per profile.

pub mod id;
mod message;
pub mod occurrence;
pub mod table;

pub use id::Ids;
pub use message::{Message, Properties, Republished};
pub use occurrence::Occurrence;
pub use table::{COLUMNS, Column, EVENTS, Event, Sample};

use crate::profile::Profile;
use crate::value::{Bytes, Map, Value, decode};

/// The event of this name: `client.connected`.
pub fn by_name(name: &str) -> Option<&'static Event> {
    EVENTS.iter().find(|event| event.name == name)
}

/// The event whose topic stands in FROM. 4.3 looks at the start of the topic only (emqx_rule_events:event_name).
pub fn by_topic(topic: &str, profile: Profile) -> Option<&'static Event> {
    let found = |event: &&Event| match profile {
        Profile::V5_8 => event.topic == topic,
        Profile::V4_3 => topic.starts_with(event.topic),
    };
    EVENTS.iter().filter(|event| !event.columns(profile).is_empty()).find(found)
}

/// Is this FROM item an event rather than a topic filter?
pub fn is_event_topic(topic: &str) -> bool {
    topic.starts_with("$events/") || topic.starts_with("$bridges/")
}

/// What the tester fills in for an event (emqx_rule_events:columns_with_exam).
pub fn samples(event: &Event, profile: Profile, now_ms: i64, id: &str) -> Map {
    let columns = event.columns(profile).iter().map(|name| {
        let exception =
            table::SAMPLES.iter().find(|(p, e, c, _)| *p == profile && *e == event.name && c == name);
        let usual = COLUMNS.iter().find(|column| column.name == *name).map(|column| column.sample);
        let sample = exception.map(|(.., sample)| *sample).or(usual).unwrap_or(Sample::Undefined);
        let value = match sample {
            // 4.3 makes up its sample of a published message elsewhere, without the event.
            _ if *name == "event" && (profile, event.name) == (Profile::V4_3, "message.publish") => {
                Value::Undefined
            }
            _ if *name == "event" => Value::atom(event.name),
            Sample::Undefined => Value::Undefined,
            Sample::Atom(name) => Value::atom(name),
            Sample::Text(text) => Value::str(text),
            Sample::Json(text) => {
                decode::decode(&Bytes::from_static(text.as_bytes())).unwrap_or(Value::Undefined)
            }
            Sample::Now => Value::Int(now_ms),
            Sample::Id => Value::str(id),
        };
        (Value::static_atom(name), value)
    });
    Map::from_entries(columns.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_every_event_is_described() {
        for event in EVENTS {
            let supplied = Profile::ALL.into_iter().flat_map(|profile| event.supplied(profile));
            for name in event.columns_5_8.iter().chain(event.columns_4_3).copied().chain(supplied) {
                assert!(COLUMNS.iter().any(|c| c.name == name && !c.doc.is_empty()), "{} {name}", event.name);
            }
            assert!(event.columns_5_8.contains(&"event"), "{}", event.name);
        }
    }

    #[test]
    fn the_engine_supplies_what_the_tester_shows_but_for_some() {
        let supplied = |name: &str, profile| by_name(name).unwrap().supplied(profile);
        assert!(supplied("client.connected", Profile::V5_8).contains(&"receive_maximum"));
        assert!(!supplied("client.connack", Profile::V5_8).contains(&"connected_at"));
        assert!(supplied("message.acked", Profile::V4_3).contains(&"puback_props"));
        assert!(supplied("client.connack", Profile::V4_3).is_empty());
        for (_, event, more, less) in table::ENGINE_ONLY {
            let event = by_name(event).unwrap();
            assert!(more.iter().all(|name| !event.columns_5_8.is_empty() && !name.is_empty()));
            assert!(less.iter().all(|name| event.columns_5_8.contains(name)), "{}", event.name);
        }
    }

    #[test]
    fn events_are_found_as_each_profile_finds_them() {
        let name = |topic, profile| by_topic(topic, profile).map(|e| e.name);
        assert_eq!(name("$events/client_connected", Profile::V5_8), Some("client.connected"));
        assert_eq!(name("$events/client_connected/x", Profile::V5_8), None);
        assert_eq!(name("$events/client_connected/x", Profile::V4_3), Some("client.connected"));
        assert_eq!(name("$events/client_connack", Profile::V4_3), None);
    }
}

//! The table of events: complete, with the columns that EMQX's tester shows, per profile.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use rulemill::event::{self, EVENTS};
use rulemill::profile::Profile;

type Columns<'a> = BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>;

/// One event a line: its name, its topic, and its columns after a colon that ends the topic.
fn emqx(profile: Profile) -> Columns<'static> {
    let text = match profile {
        Profile::V5_8 => include_str!("data/events-5.8.txt"),
        Profile::V4_3 => include_str!("data/events-4.3.txt"),
    };
    let parse = |line: &'static str| {
        let (head, columns) = line.split_once(": ").unwrap();
        (head.split_once(' ').unwrap(), columns.split(' ').collect())
    };
    text.lines().map(parse).collect()
}

#[test]
fn every_event_has_its_columns() {
    for profile in Profile::ALL {
        let known = EVENTS.iter().filter(|event| !event.columns(profile).is_empty());
        let ours: Columns<'_> = known
            .map(|event| ((event.name, event.topic), event.columns(profile).iter().copied().collect()))
            .collect();
        assert_eq!(ours, emqx(profile), "under {profile}");
    }
}

#[test]
fn every_column_has_a_sample() {
    for profile in Profile::ALL {
        for ((name, topic), columns) in emqx(profile) {
            let event = event::by_name(name).unwrap();
            let samples = event::samples(event, profile, 1, "id");
            let shown: BTreeSet<&str> = samples
                .entries()
                .iter()
                .map(|(key, _)| key.atom_name().unwrap())
                .map(|key| std::str::from_utf8(key).unwrap())
                .collect();
            assert_eq!(shown, columns, "{name} under {profile}");
            let found = event::by_topic(topic, profile).map(|event| event.name);
            assert_eq!(found, Some(name), "{topic} under {profile}");
        }
    }
}

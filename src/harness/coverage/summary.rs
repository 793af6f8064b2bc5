//! What a run reached, held against the places of its rules.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::hits::{Hits, RuleHits};
use super::spot::{self, Entry, Spot, Way};
use crate::profile::Profile;
use crate::rule::{Loaded, Place, Rule};

/// The coverage of rules.
#[derive(Clone, Debug)]
pub struct Coverage {
    /// By file and place.
    pub rules: Vec<RuleCoverage>,
}

/// The coverage of one rule.
#[derive(Clone, Debug)]
pub struct RuleCoverage {
    /// The rule.
    pub rule: Arc<Rule>,
    /// How often it ran.
    pub runs: u64,
    /// Its places, in the order of its text.
    pub places: Vec<Covered>,
}

/// One place and how often its ways were gone.
#[derive(Clone, Debug)]
pub struct Covered {
    /// Which.
    pub spot: Spot,
    /// Where it stands in its file.
    pub place: Place,
    /// Its text, on one line.
    pub text: String,
    /// The ways.
    pub ways: Vec<Taken>,
    operands: Vec<String>,
}

/// One way and how often it was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub way: Way,
    /// It is good to know, and counts for nothing.
    pub advisory: bool,
    /// How often.
    pub count: u64,
}

/// How many ways there are, and how many were gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All.
    pub points: usize,
    /// Those that were gone.
    pub reached: usize,
}

impl Count {
    /// In whole percent, rounded down: 100 means all. Nothing of nothing is all.
    pub fn percent(self) -> usize {
        (self.reached * 100).checked_div(self.points).unwrap_or(100)
    }

    fn add(&mut self, more: Count) {
        self.points += more.points;
        self.reached += more.reached;
    }
}

impl Coverage {
    /// The coverage of the rules of these files, and of others that ran.
    pub fn of(loaded: &BTreeMap<Profile, Loaded>, files: &BTreeSet<String>, hits: &Hits) -> Coverage {
        let mut rules: BTreeMap<Arc<str>, RuleCoverage> = BTreeMap::new();
        // The newest first: its text is shown where they differ.
        for (profile, loaded) in loaded.iter().rev() {
            for (id, rule) in &loaded.set.rules {
                let own = hits.of(id);
                let wanted = match own {
                    Some(own) => own.profiles.contains(profile),
                    None => files.contains(rule.place.file()) && !rules.contains_key(id),
                };
                if wanted {
                    let entries = spot::entries(rule, &loaded.documents);
                    let coverage = rules.entry(id.clone()).or_insert_with(|| RuleCoverage {
                        rule: rule.clone(),
                        runs: own.map_or(0, |own| own.runs),
                        places: Vec::new(),
                    });
                    entries.into_iter().for_each(|entry| coverage.add(entry, own));
                }
            }
        }
        let mut rules: Vec<RuleCoverage> = rules.into_values().collect();
        rules.iter_mut().for_each(RuleCoverage::sort);
        rules.sort_by_cached_key(|c| (c.rule.place.file().to_owned(), c.rule.place.span.start));
        Coverage { rules }
    }

    /// All that counts, of all rules.
    pub fn count(&self) -> Count {
        self.sum(false)
    }

    /// All that is good to know, of all rules.
    pub fn advisory(&self) -> Count {
        self.sum(true)
    }

    fn sum(&self, advisory: bool) -> Count {
        let mut sum = Count::default();
        self.rules.iter().for_each(|rule| sum.add(rule.sum(advisory)));
        sum
    }

    /// Why the rules do not reach a minimum together; names those that are below it.
    pub fn below(&self, minimum: u8) -> Option<String> {
        let (all, minimum) = (self.count(), usize::from(minimum));
        let is_below = |count: Count| count.reached * 100 < count.points * minimum;
        if !is_below(all) {
            return None;
        }
        let low = self.rules.iter().filter(|rule| is_below(rule.count()));
        let names: Vec<String> =
            low.map(|rule| format!("{} has {} %", rule.rule.id, rule.count().percent())).collect();
        Some(format!(
            "coverage is {} %, below its minimum of {minimum} %: {}",
            all.percent(),
            names.join(", ")
        ))
    }
}

impl RuleCoverage {
    /// How often it ran, in words.
    pub fn ran(&self) -> String {
        match self.runs {
            0 => "never ran".to_owned(),
            1 => "ran once".to_owned(),
            runs => format!("ran {runs} times"),
        }
    }

    /// What counts.
    pub fn count(&self) -> Count {
        self.sum(false)
    }

    /// What is good to know.
    pub fn advisory(&self) -> Count {
        self.sum(true)
    }

    fn sum(&self, advisory: bool) -> Count {
        let ways = self.places.iter().flat_map(|place| &place.ways).filter(|way| way.advisory == advisory);
        ways.fold(Count::default(), |mut sum, way| {
            sum.add(Count { points: 1, reached: usize::from(way.count > 0) });
            sum
        })
    }

    /// Adds a place as another profile has it: what both have is one.
    fn add(&mut self, entry: Entry, hits: Option<&RuleHits>) {
        let Entry { spot, place, text, operands, ways } = entry;
        let counts = |(way, advisory): (Way, bool)| {
            // Whether an action can fail is a question only where a test decides it.
            let asked = way != Way::Failed
                || matches!(spot, Spot::Action(at) if hits.is_some_and(|hits| hits.faulted.contains(&at)));
            asked.then(|| Taken { way, advisory, count: hits.map_or(0, |hits| hits.count(&spot, way)) })
        };
        let ways: Vec<Taken> = ways.into_iter().filter_map(counts).collect();
        match self.places.iter_mut().find(|known| known.spot == spot) {
            Some(known) => {
                let new = ways.into_iter().filter(|way| known.ways.iter().all(|w| w.way != way.way));
                let new: Vec<Taken> = new.collect();
                known.ways.extend(new);
                let new = operands.into_iter().filter(|name| !known.operands.contains(name));
                let new: Vec<String> = new.collect();
                known.operands.extend(new);
            }
            None => self.places.push(Covered { spot, place, text, ways, operands }),
        }
    }

    fn sort(&mut self) {
        let sql = (self.rule.sql.file.name().to_owned(), self.rule.sql.span);
        self.places.sort_by_cached_key(|covered| {
            let (file, span) = (covered.place.file().to_owned(), covered.place.span);
            let in_sql = file == sql.0 && span.start >= sql.1.start && span.end <= sql.1.end;
            (!in_sql, file, span.start, Reverse(span.end))
        });
    }
}

impl Covered {
    /// The sentence for what no test reached, of what counts or of what is good to know.
    pub fn gap(&self, advisory: bool) -> Option<String> {
        let missing: Vec<String> = self
            .ways
            .iter()
            .filter(|way| way.advisory == advisory && way.count == 0)
            .map(|way| self.never(way.way))
            .collect();
        (!missing.is_empty()).then(|| missing.join(", "))
    }

    fn never(&self, way: Way) -> String {
        match (&self.spot, way) {
            (Spot::From(_), _) => "no message came on a topic that it matches".to_owned(),
            (Spot::Arm(_), _) => "never taken".to_owned(),
            (Spot::NoArm(_), _) => "never past all of its arms".to_owned(),
            (Spot::Action(_), Way::Failed) => "never failed".to_owned(),
            (Spot::Action(_), _) => "never rendered".to_owned(),
            (Spot::Placeholder(..), Way::Undefined) => "never rendered while undefined".to_owned(),
            (Spot::Placeholder(..), _) => "never rendered with a value".to_owned(),
            (_, Way::NoItem) => "never over an empty list".to_owned(),
            (_, Way::OneItem) => "never over one item".to_owned(),
            (_, Way::Items) => "never over several items".to_owned(),
            (_, Way::Undefined) => {
                let names: Vec<String> = self.operands.iter().map(|name| format!("`{name}`")).collect();
                format!("never with {} undefined", names.join(" or "))
            }
            (_, way) => format!("never {}", way.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Input, load};

    fn coverage(hits: &Hits) -> Coverage {
        let input = Input { path: "r.sql".to_owned(), bytes: b"SELECT * FROM \"t\"".to_vec() };
        let loaded = BTreeMap::from([(Profile::V5_8, load(&[input], Profile::V5_8))]);
        Coverage::of(&loaded, &BTreeSet::from(["r.sql".to_owned()]), hits)
    }

    #[test]
    fn failing_is_asked_for_only_where_tests_let_deliveries_fail() {
        let advisory = |hits: &Hits| coverage(hits).advisory();
        let mut hits = Hits::default();
        assert_eq!(advisory(&hits), Count { points: 0, reached: 0 });
        let mut other = Hits::default();
        other.note_fault(&Arc::from("r"), 0, false, Profile::V5_8);
        hits.merge(&other);
        assert_eq!(advisory(&hits), Count { points: 1, reached: 0 });
        let sentences: Vec<String> =
            coverage(&hits).rules[0].places.iter().filter_map(|place| place.gap(true)).collect();
        assert_eq!(sentences, ["never failed"]);
        other.note_fault(&Arc::from("r"), 0, true, Profile::V5_8);
        hits.merge(&other);
        assert_eq!(advisory(&hits), Count { points: 1, reached: 1 });
        assert_eq!(coverage(&hits).count(), Count { points: 2, reached: 0 });
    }

    #[test]
    fn percent_is_rounded_down_and_all_of_nothing() {
        let percent = |reached, points| Count { points, reached }.percent();
        assert_eq!(
            [percent(0, 0), percent(0, 3), percent(2, 3), percent(999, 1000), percent(3, 3)],
            [100, 0, 66, 99, 100]
        );
        assert_eq!(Coverage { rules: Vec::new() }.below(100), None);
        let none = coverage(&Hits::default());
        assert_eq!(none.below(0), None);
        assert_eq!(none.below(1).unwrap(), "coverage is 0 %, below its minimum of 1 %: r has 0 %");
    }
}

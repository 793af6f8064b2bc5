//! Dates: C's broken down time as an array of year, month from 0, day, hour, minute, second, weekday and day of
//! the year.

use super::super::meter;
use super::super::throw::{Answer, Throw, error};
use super::super::value::Val;
use super::arithmetic::whole;
use super::{Host, Row, row, strftime, strptime};

pub(super) const ROWS: &[Row] = &[
    row("strptime", 1, |_, v| parse(&v[0], &v[1])),
    row("strftime", 1, |_, v| write(&v[0], &v[1], "strftime", 0)),
    row("strflocaltime", 1, |host, v| write(&v[0], &v[1], "strflocaltime", host.zone_offset)),
    row("mktime", 0, |_, v| seconds(&v[0])),
    row("gmtime", 0, |_, v| broken_down(&v[0], 0, "gmtime")),
    row("localtime", 0, local),
];

/// C's `struct tm`: years from 1900, months from 0.
#[derive(Clone, Copy, Default)]
pub(super) struct Time {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub weekday: i64,
    pub yearday: i64,
}

impl Time {
    /// The time at so many seconds since the epoch, `None` where the year does not fit C's `int`.
    pub(super) fn at(seconds: i64) -> Option<Time> {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        i32::try_from(year - 1900).ok()?;
        Some(Time {
            year: year - 1900,
            month: month - 1,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 4).rem_euclid(7),
            yearday: days - days_to(year, 1, 1),
        })
    }

    /// Seconds since the epoch; months and the rest may be out of their range.
    pub(super) fn seconds(&self) -> i64 {
        let year = self.year + 1900 + self.month.div_euclid(12);
        let days = days_to(year, self.month.rem_euclid(12) + 1, 1) + self.day - 1;
        days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second
    }

    fn value(&self) -> Vec<Val> {
        let fields = [
            self.year + 1900,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.weekday,
            self.yearday,
        ];
        fields.iter().map(|n| Val::Num(*n as f64)).collect()
    }

    /// The time in an array; its eight fields must be numbers.
    fn of(items: &[Val]) -> Option<Time> {
        let field = |at: usize| match items.get(at) {
            // C's `int`, so that no sum can overflow.
            Some(Val::Num(n)) => Some(i64::from(whole(*n) as i32)),
            _ => None,
        };
        Some(Time {
            year: field(0)? - 1900,
            month: field(1)?,
            day: field(2)?,
            hour: field(3)?,
            minute: field(4)?,
            second: field(5)?,
            weekday: field(6)?,
            yearday: field(7)?,
        })
    }
}

/// Days since the epoch of a date in the Gregorian calendar.
pub(super) fn days_to(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day since the epoch.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

fn broken_down(value: &Val, offset: i32, name: &str) -> Answer {
    let Val::Num(n) = value else { return Err(error(format!("{name}() requires numeric inputs"))) };
    let time = Time::at(whole(*n).saturating_add(i64::from(offset)));
    let problem = if name == "gmtime" { "errror" } else { "error" };
    let problem = || error(format!("{problem} converting number of seconds since epoch to datetime"));
    let mut fields = time.ok_or_else(problem)?.value();
    if let Some(Val::Num(second)) = fields.get_mut(5) {
        *second += n - n.floor();
    }
    Ok(Val::list(fields))
}

fn local(host: &mut Host, v: &mut [Val]) -> Answer {
    broken_down(&v[0], host.zone_offset, "localtime")
}

fn seconds(value: &Val) -> Answer {
    let Some(items) = value.as_list() else { return Err(error("mktime requires array inputs")) };
    let time = (items.len() >= 6).then(|| Time::of(items)).flatten();
    let time = time.ok_or_else(|| error("mktime requires parsed datetime inputs"))?;
    match time.seconds() {
        // C cannot tell the second before the epoch from an error.
        -1 => Err(error("invalid gmtime representation")),
        seconds => Ok(Val::Num(seconds as f64)),
    }
}

fn write(value: &Val, format: &Val, name: &str, offset: i32) -> Answer {
    let zone = if name == "strftime" { "gmtime" } else { "localtime" };
    let fields = match value {
        Val::Num(_) => broken_down(value, offset, zone)?,
        Val::Arr(_) => value.clone(),
        _ => return Err(error(format!("{name}/1 requires parsed datetime inputs"))),
    };
    let Some(format) = format.as_str() else {
        return Err(error(format!("{name}/1 requires a string format")));
    };
    let time = fields.as_list().and_then(Time::of);
    let time = time.ok_or_else(|| error(format!("{name}/1 requires parsed datetime inputs")))?;
    meter::read(format.len())?;
    let text = strftime::format(format, &time);
    // jq's buffer is 100 bytes longer than the format, and an empty text looks like a failure to it.
    if text.is_empty() || text.len() >= format.len() + 100 {
        return Err(error(format!("{name}/1: unknown system failure")));
    }
    Ok(Val::str(text))
}

fn parse(value: &Val, format: &Val) -> Answer {
    let (Some(text), Some(format)) = (value.as_str(), format.as_str()) else {
        return Err(error("strptime/1 requires string inputs and arguments"));
    };
    meter::read(text.len() + format.len())?;
    let mismatch = || -> Throw { error(format!("date \"{text}\" does not match format \"{format}\"")) };
    let (time, rest) = strptime::parse(text, format).ok_or_else(mismatch)?;
    if !(rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '\u{b}')) {
        return Err(mismatch());
    }
    let mut fields = time.value();
    if !rest.is_empty() {
        fields.push(Val::str(rest));
    }
    Ok(Val::list(fields))
}

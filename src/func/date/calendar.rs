//! The Gregorian calendar, carried back to the year 0.
//!
//! Invariant: days count from 1970-01-01, and a date is checked before it is counted.

/// Days from 0000-01-01 to 1970-01-01.
pub(super) const DAYS_TO_1970: i64 = 719_528;
/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// The first second of the year 0.
pub(super) const FIRST_SECOND: i64 = -DAYS_TO_1970 * DAY;
/// The first second of the year 10000.
pub(super) const END_SECOND: i64 = 2_932_897 * DAY;

/// Days before a year, from 0000-01-01; 0 for years before.
pub(super) fn days_before_year(year: i128) -> i128 {
    if year <= 0 {
        return 0;
    }
    let past = year - 1;
    past / 4 - past / 100 + past / 400 + past * 365 + 366
}

fn is_leap(year: i128) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

/// Days before each month of a year that is no leap year.
pub(super) const DAYS_BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// Days before a month of a year; months from 0.
fn days_before_month(year: i128, month: usize) -> i128 {
    i128::from(DAYS_BEFORE_MONTH[month]) + i128::from(month > 1 && is_leap(year))
}

/// The day count of a date that exists.
pub(super) fn days_of(year: i128, month: i128, day: i128) -> Option<i128> {
    let at = usize::try_from(month.checked_sub(1)?).ok().filter(|m| *m < 12)?;
    let last = match month {
        2 => 28 + i128::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if year < 0 || !(1..=last).contains(&day) {
        return None;
    }
    Some(days_before_year(year) + days_before_month(year, at) + day - 1 - i128::from(DAYS_TO_1970))
}

/// A moment, part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) year: i128,
    pub(super) month: i128,
    pub(super) day: i128,
    /// Second of the day.
    pub(super) second: i128,
}

/// The moment so many seconds after 1970-01-01, if it is not before the year 0.
pub(super) fn moment(seconds: i128) -> Option<Moment> {
    let seconds = seconds.checked_sub(i128::from(FIRST_SECOND)).filter(|s| *s >= 0)?;
    let (days, second) = (seconds / i128::from(DAY), seconds % i128::from(DAY));
    // 146097 days are 400 years; the guess is at most one year too high.
    let mut year = days * 400 / 146_097 + 1;
    while days_before_year(year) > days {
        year -= 1;
    }
    let rest = days - days_before_year(year);
    let month = (0..12).rev().find(|m| days_before_month(year, *m) <= rest).unwrap_or(0);
    Some(Moment { year, month: month as i128 + 1, day: rest - days_before_month(year, month) + 1, second })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_agree() {
        let mut days = -i128::from(DAYS_TO_1970);
        while days < 3_000_000 {
            let at = moment(days * i128::from(DAY) + 5).unwrap();
            assert_eq!(days_of(at.year, at.month, at.day), Some(days), "{at:?}");
            assert_eq!(at.second, 5);
            days += 13;
        }
        for (date, days) in [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((2024, 12, 31), 20_088)] {
            assert_eq!(days_of(date.0, date.1, date.2), Some(days));
        }
        assert_eq!(days_of(2023, 2, 29), None);
        assert_eq!(days_of(2023, 13, 1), None);
        assert_eq!(days_of(-1, 1, 1), None);
        assert_eq!(moment(i128::from(FIRST_SECOND) - 1), None);
        assert_eq!(moment(i128::from(END_SECOND)).unwrap().year, 10_000);
    }
}

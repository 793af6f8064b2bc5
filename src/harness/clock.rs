//! Times and zones as test files write them.

/// Nanoseconds since the Unix epoch of an RFC 3339 time: `2022-05-05T10:00:00Z`, `2022-05-05 10:00:00.5+08:00`.
pub fn parse_time(text: &str) -> Option<i128> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let mut parts = date.split('-').map(digits);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if date.len() != 10 || parts.next().is_some() || !(1..=12).contains(&month) {
        return None;
    }
    if day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone_at);
    let (time, fraction) = time.split_once('.').map_or((time, ""), |(time, fraction)| (time, fraction));
    let mut parts = time.split(':').map(digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || time.len() != 8 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let nanos = fraction_ns(rest.contains('.'), fraction)?;
    let offset = parse_zone(zone)?;
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((i128::from(seconds) - i128::from(offset)) * 1_000_000_000 + i128::from(nanos))
}

/// Seconds east of UTC: `Z`, `UTC`, `+08:00`, `-03:30`, `+0800`.
pub fn parse_zone(text: &str) -> Option<i32> {
    if matches!(text, "Z" | "z" | "UTC" | "utc") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let rest = text.get(1..)?;
    let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let within = hours <= 14 && minutes <= 59;
    within.then(|| i32::try_from(hours * 3600 + minutes * 60).ok().map(|s| s * sign))?
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn fraction_ns(has_dot: bool, fraction: &str) -> Option<i64> {
    if !has_dot {
        return Some(0);
    }
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    Some(digits(fraction)? * 10i64.pow(9 - fraction.len() as u32))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from March, so that the leap day is
/// the last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let second = 1_000_000_000;
        let good = [
            ("1970-01-01T00:00:00Z", 0),
            ("2022-05-05T10:00:00Z", 1_651_744_800 * second),
            ("2022-05-05 18:00:00+08:00", 1_651_744_800 * second),
            ("2000-02-29T23:59:59.25-00:30", 951_870_599 * second + 250_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1),
            ("0001-01-01T00:00:00Z", -62_135_596_800 * second),
        ];
        good.iter().for_each(|(text, ns)| assert_eq!(parse_time(text), Some(*ns), "{text}"));
        let bad = [
            "",
            "2022-05-05",
            "2022-05-05T10:00:00",
            "2022-13-05T10:00:00Z",
            "2023-02-29T00:00:00Z",
            "2022-05-05T24:00:00Z",
            "2022-5-05T10:00:00Z",
            "2022-05-05T10:00Z",
            "2022-05-05T10:00:00.Z",
            "é022-05-05T1",
        ];
        bad.iter().for_each(|text| assert_eq!(parse_time(text), None, "{text}"));
    }

    #[test]
    fn zones() {
        let good = [("Z", 0), ("UTC", 0), ("+08:00", 28_800), ("-0330", -12_600), ("+14:00", 50_400)];
        good.iter().for_each(|(text, s)| assert_eq!(parse_zone(text), Some(*s), "{text}"));
        ["", "8", "+8", "+08:60", "+15:00", "CET", "+08:0"]
            .iter()
            .for_each(|t| assert_eq!(parse_zone(t), None, "{t}"));
    }
}

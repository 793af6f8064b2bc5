//! C's `strftime` in the C locale, as glibc has it.

use super::date::Time;

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The widest field that a format can ask for; glibc's own bound is its buffer.
const WIDTH_MAX: usize = 100;

/// How a field is written.
#[derive(Clone, Copy, Default)]
struct Style {
    /// `_`, `-` or `0`: with what a number is filled up.
    fill: Option<char>,
    /// `^`
    upper: bool,
    /// `#`
    swap: bool,
    width: usize,
}

/// The time in a format.
pub(super) fn format(format: &str, time: &Time) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (style, tail) = style(&rest[at + 1..]);
        let Some(code) = tail.chars().next() else {
            out.push_str(&rest[at..]);
            return out;
        };
        let end = rest.len() - tail.len() + code.len_utf8();
        match field(code, time, style) {
            Some(text) => pad(&mut out, &text, code, style),
            // What it does not know it writes as it stands.
            None => out.push_str(&rest[at..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Flags, width and the modifiers `E` and `O`, which mean nothing in the C locale.
fn style(text: &str) -> (Style, &str) {
    let mut style = Style::default();
    let mut rest = text;
    while let Some(flag) = rest.chars().next().filter(|c| "_-0^#".contains(*c)) {
        match flag {
            '^' => style.upper = true,
            '#' => style.swap = true,
            fill => style.fill = Some(fill),
        }
        rest = &rest[1..];
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    style.width =
        rest[..digits].parse::<usize>().unwrap_or(WIDTH_MAX * usize::from(digits > 0)).min(WIDTH_MAX);
    rest = &rest[digits..];
    (style, rest.strip_prefix(['E', 'O']).unwrap_or(rest))
}

fn pad(out: &mut String, text: &str, code: char, style: Style) {
    let text = match style {
        Style { swap: true, .. } if code == 'p' => text.to_ascii_lowercase(),
        Style { swap: true, .. } if matches!(code, 'a' | 'A' | 'b' | 'B' | 'h') => text.to_ascii_uppercase(),
        Style { upper: true, .. } => text.to_ascii_uppercase(),
        _ => text.to_owned(),
    };
    for _ in text.chars().count()..style.width {
        out.push(if style.fill == Some('0') { '0' } else { ' ' });
    }
    out.push_str(&text);
}

fn name(names: &[&'static str], at: i64) -> &'static str {
    usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or("?")
}

fn short(name: &'static str) -> String {
    name.chars().take(3).collect()
}

/// A number filled up to so many digits, with zeros unless the format says else.
fn number(n: i64, digits: usize, fill: char, style: Style) -> String {
    let digits = style.width.max(digits);
    match style.fill.unwrap_or(fill) {
        '-' => n.to_string(),
        '_' => format!("{n:digits$}"),
        _ => format!("{n:0digits$}"),
    }
}

fn field(code: char, time: &Time, style: Style) -> Option<String> {
    let zeros = |n, digits| number(n, digits, '0', style);
    let spaces = |n, digits| number(n, digits, '_', style);
    let twelve = (time.hour + 11).rem_euclid(12) + 1;
    let year = time.year + 1900;
    let composed = |inner: &str| Some(format(inner, time));
    Some(match code {
        'a' => short(name(&WEEKDAYS, time.weekday)),
        'A' => name(&WEEKDAYS, time.weekday).into(),
        'b' | 'h' => short(name(&MONTHS, time.month)),
        'B' => name(&MONTHS, time.month).into(),
        'c' => return composed("%a %b %e %H:%M:%S %Y"),
        'C' => zeros(year.div_euclid(100), 2),
        'd' => zeros(time.day, 2),
        'D' | 'x' => return composed("%m/%d/%y"),
        'e' => spaces(time.day, 2),
        'F' => return composed("%Y-%m-%d"),
        'g' => zeros(iso_week(time).0.rem_euclid(100), 2),
        'G' => zeros(iso_week(time).0, 1),
        'H' => zeros(time.hour, 2),
        'I' => zeros(twelve, 2),
        'j' => zeros(time.yearday + 1, 3),
        'k' => spaces(time.hour, 2),
        'l' => spaces(twelve, 2),
        'm' => zeros(time.month + 1, 2),
        'M' => zeros(time.minute, 2),
        'n' => "\n".into(),
        'p' => (if time.hour > 11 { "PM" } else { "AM" }).into(),
        'P' => (if time.hour > 11 { "pm" } else { "am" }).into(),
        'r' => return composed("%I:%M:%S %p"),
        'R' => return composed("%H:%M"),
        's' => zeros(time.seconds(), 1),
        'S' => zeros(time.second, 2),
        't' => "\t".into(),
        'T' | 'X' => return composed("%H:%M:%S"),
        'u' => zeros((time.weekday + 6).rem_euclid(7) + 1, 1),
        'U' => zeros((time.yearday - time.weekday + 7).div_euclid(7), 2),
        'V' => zeros(iso_week(time).1, 2),
        'w' => zeros(time.weekday, 1),
        'W' => zeros((time.yearday - (time.weekday + 6).rem_euclid(7) + 7).div_euclid(7), 2),
        'y' => zeros(year.rem_euclid(100), 2),
        'Y' => zeros(year, 1),
        'z' => "+0000".into(),
        'Z' => "UTC".into(),
        '%' => "%".into(),
        _ => return None,
    })
}

/// Year and week of ISO 8601: weeks begin on Monday, and the first has the year's first Thursday.
fn iso_week(time: &Time) -> (i64, i64) {
    let leap = |year: i64| i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let year = time.year + 1900;
    let week_days = |yearday: i64| yearday - (yearday - time.weekday + 382).rem_euclid(7) + 3;
    let days = week_days(time.yearday);
    if days < 0 {
        return (year - 1, week_days(time.yearday + 365 + leap(year - 1)).div_euclid(7) + 1);
    }
    let next = week_days(time.yearday - 365 - leap(year));
    if next >= 0 { (year + 1, next / 7 + 1) } else { (year, days / 7 + 1) }
}

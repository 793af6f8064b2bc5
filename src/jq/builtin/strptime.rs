//! C's `strptime` in the C locale, as glibc has it.

use super::date::{Time, days_to};
use super::strftime::{MONTHS, WEEKDAYS};

/// What the text has told so far.
#[derive(Default)]
struct Seen {
    afternoon: bool,
    twelve: bool,
    century: Option<i64>,
    month: bool,
    day: bool,
    weekday: bool,
    yearday: bool,
    /// Is there a reason to compute the weekday and the day of the year?
    date: bool,
}

struct Parser<'t> {
    text: &'t str,
    time: Time,
    seen: Seen,
}

/// jq's marks for a weekday and a day of the year that the text does not tell.
const NO_WEEKDAY: i64 = 8;
const NO_YEARDAY: i64 = 367;

/// The time in a text, and the text behind it. jq sets all fields to 0 first, so the day is 0 and the year 1900.
pub(super) fn parse<'t>(text: &'t str, format: &str) -> Option<(Time, &'t str)> {
    let time = Time { weekday: NO_WEEKDAY, yearday: NO_YEARDAY, ..Time::default() };
    let mut parser = Parser { text, time, seen: Seen::default() };
    parser.format(format)?;
    parser.finish();
    Some((parser.time, parser.text))
}

fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

impl Parser<'_> {
    fn format(&mut self, format: &str) -> Option<()> {
        let mut rest = format.chars();
        while let Some(c) = rest.next() {
            if is_space(c) {
                self.text = self.text.trim_start_matches(is_space);
                continue;
            }
            if c != '%' {
                self.text = self.text.strip_prefix(c)?;
                continue;
            }
            let mut code = rest.next()?;
            while "_-0^#EO".contains(code) {
                code = rest.next()?;
            }
            self.field(code)?;
        }
        Some(())
    }

    /// A number of at most so many digits within bounds, behind spaces.
    fn number(&mut self, least: i64, most: i64, digits: usize) -> Option<i64> {
        self.text = self.text.trim_start_matches(' ');
        let mut n: Option<i64> = None;
        let mut read = 0;
        for digit in self.text.bytes().take(digits).take_while(u8::is_ascii_digit) {
            let so_far = n.unwrap_or(0) * 10;
            if n.is_some() && so_far > most {
                break;
            }
            n = Some(so_far + i64::from(digit - b'0'));
            read += 1;
        }
        self.text = &self.text[read..];
        n.filter(|n| (least..=most).contains(n))
    }

    /// A full or short name, in any case.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        for (at, name) in names.iter().enumerate() {
            for length in [name.len(), 3] {
                let matches =
                    self.text.get(..length).is_some_and(|text| text.eq_ignore_ascii_case(&name[..length]));
                if matches {
                    self.text = &self.text[length..];
                    return Some(at as i64);
                }
            }
        }
        None
    }

    fn field(&mut self, code: char) -> Option<()> {
        match code {
            '%' => self.text = self.text.strip_prefix('%')?,
            'a' | 'A' => {
                self.time.weekday = self.name(&WEEKDAYS)?;
                self.seen.weekday = true;
            }
            'b' | 'B' | 'h' => {
                self.time.month = self.name(&MONTHS)?;
                (self.seen.month, self.seen.date) = (true, true);
            }
            'c' => self.format("%a %b %e %H:%M:%S %Y")?,
            'C' => {
                self.seen.century = Some(self.number(0, 99, 2)?);
                self.seen.date = true;
            }
            'd' | 'e' => {
                self.time.day = self.number(1, 31, 2)?;
                (self.seen.day, self.seen.date) = (true, true);
            }
            'D' | 'x' => self.format("%m/%d/%y")?,
            'F' => self.format("%Y-%m-%d")?,
            'j' => {
                self.time.yearday = self.number(1, 366, 3)? - 1;
                self.seen.yearday = true;
            }
            'm' => {
                self.time.month = self.number(1, 12, 2)? - 1;
                (self.seen.month, self.seen.date) = (true, true);
            }
            'y' => {
                let n = self.number(0, 99, 2)?;
                self.time.year = if n >= 69 { n } else { n + 100 };
                self.seen.date = true;
            }
            'Y' => {
                self.time.year = self.number(0, 9999, 4)? - 1900;
                self.seen.century = None;
                self.seen.date = true;
            }
            'u' | 'w' => {
                let (least, most) = if code == 'u' { (1, 7) } else { (0, 6) };
                self.time.weekday = self.number(least, most, 1)? % 7;
                self.seen.weekday = true;
            }
            'g' | 'U' | 'V' | 'W' => {
                self.number(0, if code == 'g' { 99 } else { 53 }, 2)?;
            }
            'G' => {
                self.number(0, 9999, 4)?;
            }
            _ => return self.clock(code),
        }
        Some(())
    }

    fn clock(&mut self, code: char) -> Option<()> {
        match code {
            'H' | 'k' => {
                self.time.hour = self.number(0, 23, 2)?;
                self.seen.twelve = false;
            }
            'I' | 'l' => {
                self.time.hour = self.number(1, 12, 2)? % 12;
                self.seen.twelve = true;
            }
            'M' => self.time.minute = self.number(0, 59, 2)?,
            'S' => self.time.second = self.number(0, 61, 2)?,
            'p' => self.seen.afternoon = self.name(&["AM ", "PM "].map(|name| &name[..2])).map(|n| n == 1)?,
            'r' => self.format("%I:%M:%S %p")?,
            'R' => self.format("%H:%M")?,
            'T' | 'X' => self.format("%H:%M:%S")?,
            'n' | 't' => self.text = self.text.trim_start_matches(is_space),
            's' => {
                let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
                let seconds = self.text[..digits].parse::<i64>().ok()?;
                self.text = &self.text[digits..];
                self.time = Time::at(seconds)?;
            }
            'z' => self.offset()?,
            'Z' => {
                let text = self.text.trim_start_matches(is_space);
                self.text = text.trim_start_matches(|c| !is_space(c));
            }
            _ => return None,
        }
        Some(())
    }

    /// `Z`, `+hh`, `+hhmm` or `+hh:mm`; jq has no field for it.
    fn offset(&mut self) -> Option<()> {
        let text = self.text.trim_start_matches(is_space);
        if let Some(rest) = text.strip_prefix('Z') {
            self.text = rest;
            return Some(());
        }
        let mut rest = text.strip_prefix(['+', '-'])?;
        let mut digits = 0;
        let mut number = 0;
        while let Some(c) = rest.chars().next().filter(|_| digits < 4) {
            match c.to_digit(10) {
                Some(digit) => {
                    number = number * 10 + digit;
                    digits += 1;
                }
                None if c == ':' && digits == 2 && rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {}
                None => break,
            }
            rest = &rest[1..];
        }
        let minutes = match digits {
            2 => 0,
            4 => number % 100,
            _ => return None,
        };
        self.text = rest;
        (minutes < 60).then_some(())
    }

    /// Computes what the text has not told but implied.
    fn finish(&mut self) {
        let (seen, time) = (&self.seen, &mut self.time);
        if seen.twelve && seen.afternoon {
            time.hour += 12;
        }
        if let Some(century) = seen.century {
            time.year = time.year.rem_euclid(100) + (century - 19) * 100;
        }
        if !seen.date {
            return;
        }
        let year = time.year + 1900;
        if !(seen.month && seen.day) && seen.yearday {
            if let Some(date) = Time::at((days_to(year, 1, 1) + time.yearday) * 86_400) {
                time.month = if seen.month { time.month } else { date.month };
                time.day = if seen.day { time.day } else { date.day };
            }
        }
        let days = days_to(year, time.month + 1, 1) + time.day - 1;
        if !seen.weekday {
            time.weekday = (days + 4).rem_euclid(7);
        }
        if !seen.yearday && (seen.month || seen.day) {
            time.yearday = days - days_to(year, 1, 1);
        }
    }
}

//! Floats as text, the way the engines write them.

use std::fmt::Write;

/// Erlang's `float_to_binary(F, [{decimals, N}, compact])`, `None` where it raises `badarg`.
///
/// The runtime (erts `sys_double_to_chars_fast`) has two ways. Up to 2^53 and 18 decimals it scales the fraction
/// in floating point and rounds half away from zero; past that it prints the exact decimal expansion and cuts
/// zeros, and with no decimals it cuts the zeros of the integer as well (1.0e16 gives "1").
pub fn to_decimals(f: f64, decimals: i64) -> Option<String> {
    let n = usize::try_from(decimals).ok().filter(|n| *n <= 253)?;
    let sign = if f.is_sign_negative() { "-" } else { "" };
    let magnitude = f.abs();
    if magnitude > 9_007_199_254_740_992.0 || n > 18 {
        let exact = format!("{magnitude:.n$}");
        if exact.len() + sign.len() >= 256 {
            return None;
        }
        return Some(format!("{sign}{}", cut_zeros(&exact)));
    }
    let mut whole = magnitude.trunc() as u64;
    if n == 0 {
        return Some(format!("{sign}{}", magnitude.round() as u64));
    }
    let scale = 10u64.pow(n as u32);
    let mut fraction = ((magnitude - whole as f64) * scale as f64).round() as u64;
    if fraction >= scale {
        whole += 1;
        fraction -= scale;
    }
    Some(format!("{sign}{}", cut_zeros(&format!("{whole}.{fraction:0n$}"))))
}

/// Cuts trailing zeros but one after a dot.
fn cut_zeros(text: &str) -> &str {
    let cut = text.trim_end_matches('0');
    match cut.ends_with('.') {
        true => &text[..(cut.len() + 1).min(text.len())],
        false => cut,
    }
}

/// The JSON text of a float: shortest digits that read back, plain from 1e-6 to below 1e21, always with a dot
/// or an exponent so that it stays a float.
pub fn write_json(out: &mut Vec<u8>, f: f64) {
    if f == f.trunc() && f.abs() < 1e15 {
        // The engines' encoder writes negative zero without its sign.
        if f < 0.0 {
            out.push(b'-');
        }
        super::encode::write_u64(out, f.abs() as u64);
        out.extend_from_slice(b".0");
        return;
    }
    let mut shortest = zmij::Buffer::new();
    let text = shortest.format_finite(f);
    // Between its two exponent forms zmij writes plain digits with a dot, as the engines do.
    if !text.contains('e') && text.contains('.') {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut buffer = Scratch::default();
    // `{:e}` gives the shortest round-trip digits: d.ddde[-]x.
    let _ = write!(buffer, "{f:e}");
    write_shortest(out, buffer.text());
}

/// A small stack buffer for one number.
#[derive(Default)]
struct Scratch {
    bytes: [u8; 32],
    len: usize,
}

impl Scratch {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("0e0")
    }
}

impl Write for Scratch {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        let end = self.len + s.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(s.as_bytes());
        self.len = end;
        Ok(())
    }
}

fn write_shortest(out: &mut Vec<u8>, scientific: &str) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = match mantissa.strip_prefix('-') {
        Some(rest) => {
            out.push(b'-');
            rest
        }
        None => mantissa,
    };
    if !(-6..21).contains(&exponent) {
        out.extend_from_slice(mantissa.as_bytes());
        let sign = if exponent < 0 { "" } else { "+" };
        out.extend_from_slice(format!("e{sign}{exponent}").as_bytes());
        return;
    }
    let digits = mantissa.bytes().filter(|b| *b != b'.');
    let count = digits.clone().count() as i32;
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', (-exponent - 1) as usize));
        out.extend(digits);
        return;
    }
    for (at, digit) in digits.enumerate() {
        if at as i32 == exponent + 1 {
            out.push(b'.');
        }
        out.push(digit);
    }
    if count <= exponent + 1 {
        out.extend(std::iter::repeat_n(b'0', (exponent + 1 - count) as usize));
        out.extend_from_slice(b".0");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        let cases = [
            (12_345_678.9, 17, "12345678.90000000037252896"),
            (1e-12, 10, "0.0"),
            (-1e-11, 10, "-0.0"),
            (12345678.9, 10, "12345678.9000000004"),
            (1e22, 10, "10000000000000000000000.0"),
            (1.0e16, 0, "1"),
            (0.1, 17, "0.1"),
            (2.5, 0, "3"),
            (1.5, 3, "1.5"),
        ];
        for (f, n, text) in cases {
            assert_eq!(to_decimals(f, n).as_deref(), Some(text), "{f} with {n}");
        }
        assert_eq!(to_decimals(1.0, 254), None);
        assert_eq!(to_decimals(1e244, 10), None);
        assert!(to_decimals(1e243, 10).is_some());
    }

    #[test]
    fn json() {
        let cases = [
            (1.0, "1.0"),
            (-0.0, "0.0"),
            (0.1, "0.1"),
            (1.5e300, "1.5e+300"),
            (1e20, "100000000000000000000.0"),
            (1e21, "1e+21"),
            (1e-5, "0.00001"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (123456.789, "123456.789"),
            (5e-324, "5e-324"),
            (1234567890123456.7, "1234567890123456.8"),
            (-116.296011, "-116.296011"),
        ];
        for (f, text) in cases {
            let mut out = Vec::new();
            write_json(&mut out, f);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}

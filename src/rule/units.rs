//! Durations and sizes as EMQX's configuration writes them.

/// Milliseconds of a duration: `5s`, `100ms`, `1h30m`, or a bare number of milliseconds
/// (hocon's `hocon_postprocess:duration/1`, emqx_schema:to_duration_ms/1).
pub fn duration_ms(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        sum += number.parse::<f64>().ok()? * unit_ms(unit)?;
        rest = tail;
    }
    (!text.is_empty() && sum <= u64::MAX as f64).then(|| sum.round() as u64)
}

fn unit_ms(unit: &str) -> Option<f64> {
    const SECOND: f64 = 1000.0;
    Some(match unit {
        "ms" | "MS" => 1.0,
        "s" | "S" => SECOND,
        "m" | "M" => 60.0 * SECOND,
        "h" | "H" => 3600.0 * SECOND,
        "d" | "D" => 24.0 * 3600.0 * SECOND,
        "w" | "W" => 7.0 * 24.0 * 3600.0 * SECOND,
        "f" | "F" => 14.0 * 24.0 * 3600.0 * SECOND,
        _ => return None,
    })
}

/// Bytes of a size: `256MB`, `10kb`, or a bare number of bytes (`hocon_postprocess:bytesize/1`).
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" | "b" | "B" => 1,
        "kb" | "KB" => 1 << 10,
        "mb" | "MB" => 1 << 20,
        "gb" | "GB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let good = [
            ("5s", 5000),
            ("100ms", 100),
            ("1h30m", 5_400_000),
            ("1.5s", 1500),
            ("250", 250),
            ("2d", 172_800_000),
        ];
        good.iter().for_each(|(text, ms)| assert_eq!(duration_ms(text), Some(*ms), "{text}"));
        for bad in ["", "5", "s", "5 s", "5x", "-5s", "5s5", "1..5s", "infinity"] {
            assert_eq!(duration_ms(bad), (bad == "5").then_some(5), "{bad}");
        }
    }

    #[test]
    fn sizes() {
        let good = [("256MB", 256 << 20), ("10kb", 10 << 10), ("1GB", 1 << 30), ("7", 7), ("7B", 7)];
        good.iter().for_each(|(text, n)| assert_eq!(bytes(text), Some(*n), "{text}"));
        for bad in ["", "MB", "1.5GB", "10 kb", "1TB", "99999999999999999999"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}

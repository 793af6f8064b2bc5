//! `format`: what jesse looks at (check_format/3 of its drafts 4 and 6).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Draft;

/// Does a string have the form? Forms that jesse does not know hold always.
pub(super) fn holds(format: &str, text: &str, draft: Draft) -> bool {
    match format {
        _ if draft == Draft::D3 => true,
        "date-time" => date_time(text.as_bytes()).is_some(),
        "email" => {
            matches!(text.split_once('@'), Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@'))
        }
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        "uri-reference" if draft == Draft::D6 => uri_reference(text),
        _ => true,
    }
}

/// calendar:rfc3339_to_system_time/1: any character between date and time, hours of any size, an offset with a colon.
fn date_time(text: &[u8]) -> Option<()> {
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        // list_to_integer/1 takes a sign.
        let digits = std::str::from_utf8(digits).ok()?;
        digits.parse::<i32>().ok()?.try_into().ok()
    };
    let signs = |at: usize, sign: u8| (text.get(at) == Some(&sign)).then_some(());
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    signs(4, b'-')?;
    signs(7, b'-')?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(())?;
    for (from, colon) in [(11, 13), (14, 16), (17, 19)] {
        number(from, from + 2)?;
        if colon < 19 {
            signs(colon, b':')?;
        }
    }
    let rest = text.get(19..)?;
    let zone = rest.iter().position(|b| matches!(b, b'Z' | b'z' | b'+' | b'-'))?;
    let fraction = &rest[..zone];
    let fraction_fits = match fraction {
        [] => true,
        [b'.', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let zone_fits = match &rest[zone..] {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit),
        _ => false,
    };
    (fraction_fits && zone_fits).then_some(())
}

/// uri_string:parse/1, as far as characters, brackets and ports go.
fn uri_reference(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b);
    if !text.bytes().all(allowed) {
        return false;
    }
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    if fragment.contains('#') {
        return false;
    }
    let (path, _) = before.split_once('?').unwrap_or((before, ""));
    let Some(at) = path.find("//").filter(|at| *at == 0 || path[..*at].ends_with(':')) else {
        return !path.contains(['[', ']']);
    };
    let authority = path[at + 2..].split('/').next().unwrap_or_default();
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host_port.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("", port),
            _ => return false,
        },
        None => match host_port.split_once(':') {
            Some((host, _)) => (host, &host_port[host.len()..]),
            None => (host_port, ""),
        },
    };
    let port_fits =
        port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    port_fits && !host.contains(['[', ']'])
}

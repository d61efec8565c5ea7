use std::time::{Duration, SystemTime};

/// A moment as RFC 3339 §5.6 writes it (`2026-01-31T12:00:00.5Z`, `2026-01-31T13:00:00+01:00`), to the second.
pub(crate) fn rfc3339(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone_at)?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time.split('.').next()?, ':')?;
    let is_date = (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let clock = hour * 3600 + minute * 60 + second;
    let seconds = days(year, month, day) * 86_400 + clock - offset(zone)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.try_into().ok()?))
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let is_digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = text
        .split(separator)
        .map(|part| Some(part).filter(is_digits)?.parse().ok())
        .collect::<Option<_>>()?;
    parts.try_into().ok()
}

/// How many seconds a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let [hours, minutes] = numbers(rest, ':')?;
    let seconds = (hours < 24 && minutes < 60).then(|| hours * 3600 + minutes * 60)?;
    Some(if sign == "-" { -seconds } else { seconds })
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that the leap day comes last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_in_any_zone() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", at(0)),
            ("2000-02-29T23:59:59Z", at(951_868_799)),
            ("2026-01-31T12:00:00.123456Z", at(1_769_860_800)),
            ("2026-01-31T13:30:00+01:30", at(1_769_860_800)),
            ("2026-01-31t07:00:00-05:00", at(1_769_860_800)),
            ("2100-03-01T00:00:00z", at(4_107_542_400)),
        ] {
            assert_eq!(rfc3339(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for junk in [
            "",
            "soon",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-13-01T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:00Z",
            "1900-01-01T00:00:00Z",
            "-2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00+99999999999999999999:00",
            "2026-01-31T12:00:00-2562047788015215:30", // as far as an i64 reaches
            "2026-01-31T12:00:00+9223372036854775807:00",
            "2026-01-31T12:00:00+24:00",
            "99999999999999999999-01-31T12:00:00Z",
        ] {
            assert_eq!(rfc3339(junk), None, "{junk}");
        }
    }
}

//! Halves of characters.

/// JSON with `\ufffd`, the replacement character, in place of each escaped half of a character (RFC 8259 §8.2); none if it has none.
///
/// Gateways in languages whose texts are UTF-16 cut a text anywhere, within an emoji, too, and tell the halves in two events.
/// No reader in Rust takes them.
pub(crate) fn mended(json: &str) -> Option<String> {
    let mut mended = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = json.get(at..)?.find('\\') {
        let escape = at + found;
        at = match (half(json, escape), half(json, escape + ESCAPE)) {
            (Some(Half::High), Some(Half::Low)) => escape + 2 * ESCAPE,
            (Some(_), _) => {
                mended.push_str(json.get(done..escape)?);
                mended.push_str(r"\ufffd");
                done = escape + ESCAPE;
                done
            }
            // With the character after it, which may be another backslash.
            (None, _) => escape + 1 + json.get(escape + 1..)?.chars().next()?.len_utf8(),
        };
    }
    if done == 0 {
        return None;
    }
    mended.push_str(json.get(done..)?);
    Some(mended)
}

/// As long as `\ud83e` is.
const ESCAPE: usize = 6;

enum Half {
    High,
    Low,
}

/// The half that is escaped at `at`.
fn half(json: &str, at: usize) -> Option<Half> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix(r"\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_replaced_and_whole_characters_stay() {
        for (json, expected) in [
            (r#"{"a":"x\ud83e"}"#, Some(r#"{"a":"x\ufffd"}"#)),
            (r#""\uDD80 y\ud83e\u0041""#, Some(r#""\ufffd y\ufffd\u0041""#)),
            (r#""\ud83e\ud83e\udd80""#, Some(r#""\ufffd\ud83e\udd80""#)),
            (r#""\ud83e\udd80 \u00e9 \\ud83e \n""#, None),
            (r#""\\\ud83e""#, Some(r#""\\\ufffd""#)),
            (r#""\ud83"#, None),
            (r#"\"#, None),
            ("\"\\\u{1f980}\"", None),
            ("", None),
        ] {
            assert_eq!(mended(json).as_deref(), expected, "{json}");
        }
    }
}

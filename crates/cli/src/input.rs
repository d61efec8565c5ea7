//! What a command reads: the prompt, and a schema.

use crate::failure::Failure;
use serde_json::Value;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

/// The most bytes that are read from stdin or a file.
const LIMIT: u64 = 10 << 20;

/// The prompt as it was given, or from stdin.
pub(crate) async fn prompt(given: Option<&str>) -> Result<String, Failure> {
    let prompt = match given {
        Some(prompt) if prompt != "-" => prompt.to_owned(),
        None if io::stdin().is_terminal() => {
            return Err(Failure::usage(
                "there is no prompt",
                "write it as the last argument, or pipe it in",
            ));
        }
        // On a thread of its own: Ctrl-C must not wait for it.
        _ => match tokio::task::spawn_blocking(|| read("the prompt", io::stdin().lock())).await {
            Ok(prompt) => prompt?,
            Err(_) => {
                return Err(Failure::usage(
                    "stdin can't be read",
                    "write the prompt as the last argument",
                ));
            }
        },
    };
    if prompt.trim().is_empty() {
        return Err(Failure::usage(
            "the prompt is empty",
            "write it as the last argument, or pipe it in",
        ));
    }
    Ok(prompt)
}

/// The JSON Schema in a file.
pub(crate) fn schema(path: &Path) -> Result<Value, Failure> {
    let name = path.display();
    let file = std::fs::File::open(path).map_err(|error| {
        Failure::usage(
            format!("the schema {name} can't be read: {error}"),
            "check the path",
        )
    })?;
    let text = read(&format!("the schema {name}"), file)?;
    match serde_json::from_str(&text) {
        Ok(schema @ Value::Object(_)) => Ok(schema),
        Ok(_) => Err(Failure::usage(
            format!("the schema {name} is no JSON Schema"),
            r#"write an object, such as {"type": "object", "properties": { … }}"#,
        )),
        Err(error) => Err(Failure::usage(
            format!("the schema {name} is no JSON: {error}"),
            "correct the file at that line and column",
        )),
    }
}

/// Text without a byte order mark and without the line break at its end.
fn read(what: &str, source: impl Read) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    source.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| {
        Failure::usage(
            format!("{what} can't be read: {error}"),
            "check where it comes from",
        )
    })?;
    if bytes.len() as u64 > LIMIT {
        return Err(Failure::usage(
            format!("{what} is larger than {} MiB", LIMIT >> 20),
            "shorten it",
        ));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!("{what} is not UTF-8 (byte {at})"), "convert it to UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(source: impl Read) -> String {
        read("the prompt", source).unwrap_err().to_string()
    }

    #[test]
    fn a_byte_order_mark_and_the_last_line_break_are_not_part_of_the_text() {
        let text = |bytes: &str| read("the prompt", bytes.as_bytes()).unwrap();
        assert_eq!(text("\u{feff}hello\r\n"), "hello");
        assert_eq!(text("two\n\n"), "two\n");
        assert_eq!(text("none"), "none");
    }

    #[test]
    fn what_is_too_large_or_no_text_is_refused() {
        assert_eq!(problem(io::repeat(b'x')), "the prompt is larger than 10 MiB");
        assert_eq!(problem(&b"ab\xff"[..]), "the prompt is not UTF-8 (byte 2)");
        assert_eq!(
            read("it", io::repeat(b'x').take(LIMIT)).unwrap().len() as u64,
            LIMIT
        );
    }
}

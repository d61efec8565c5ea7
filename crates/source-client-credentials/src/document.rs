//! JSON and TOML become one tree; what is wrong gets a line and a column, and is never quoted.

use gatepass_core::{ConfigError, JsonObject, printable};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::fmt;
use std::path::Path;

/// Reads a file's bytes; TOML if its name ends in `.toml`, JSON otherwise.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<JsonObject, ConfigError> {
    let text = text_of(path, bytes)?;
    let root = match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("toml") => parse_toml(path, text)?,
        _ => parse_json(path, text)?,
    };
    match root {
        Value::Object(root) => Ok(root),
        _ => Err(syntax(path, 1, 1, "the file must hold an object")),
    }
}

fn text_of<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, ConfigError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(syntax(path, 1, 1, "the file is UTF-16; save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = place_of(bytes, error.valid_up_to());
        syntax(path, line, column, "the file is not UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn parse_json(path: &Path, text: &str) -> Result<Value, ConfigError> {
    let tree: Tree = serde_json::from_str(text).map_err(|error| {
        let full = error.to_string();
        // The place is told apart from the message.
        let message = full
            .rsplit_once(" at line ")
            .map_or(full.as_str(), |(message, _)| message);
        let is_yaml = path.extension().is_some_and(|extension| {
            extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
        });
        let message = if is_yaml {
            "the file is no JSON, and YAML isn't read: write JSON, or TOML in a file .toml"
        } else {
            message
        };
        syntax(path, error.line().max(1), error.column().max(1), message)
    })?;
    Ok(tree.0)
}

fn parse_toml(path: &Path, text: &str) -> Result<Value, ConfigError> {
    let tree: Tree = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = place_of(text.as_bytes(), at);
        syntax(path, line, column, error.message())
    })?;
    Ok(tree.0)
}

fn syntax(path: &Path, line: usize, column: usize, message: &str) -> ConfigError {
    ConfigError::Syntax {
        path: path.to_owned(),
        line,
        column,
        message: printable(message),
    }
}

/// Line and column of an offset, both from 1, the column in characters.
fn place_of(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = bytes.get(..at).unwrap_or(bytes);
    let line_start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    let column = before
        .get(line_start..)
        .map_or(0, |rest| String::from_utf8_lossy(rest).chars().count());
    (line, column + 1)
}

/// A tree in which no object has a key twice, of which the last one would win silently, and in which each number
/// is one: TOML's `nan` and `inf` would silently be nothing.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut object = JsonObject::new();
        while let Some(key) = access.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!(
                    "the key '{}' is there twice",
                    printable(&key)
                )));
            }
            object.insert(key, access.next_value::<Tree>()?.0);
        }
        Ok(Tree(Value::Object(object)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(value)) = access.next_element()? {
            list.push(value);
        }
        Ok(Tree(Value::Array(list)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree(Value::from(text)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree(Value::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree(Value::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree(Value::from(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number must be finite"))?;
        Ok(Tree(Value::Number(number)))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, text: impl AsRef<[u8]>) -> (usize, usize, String) {
        match parse(Path::new(name), text.as_ref()).unwrap_err() {
            ConfigError::Syntax {
                line,
                column,
                message,
                ..
            } => (line, column, message),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_has_a_line_and_a_column() {
        assert_eq!(place("c.json", "{\n  \"a\": 1,\n}").0, 3);
        assert_eq!(place("c.json", "").0, 1);
        assert_eq!(place("c.json", "{\"a\": \"canary").0, 1);
        let (line, column, _) = place("c.toml", "a = 1\nb = = 2\n");
        assert_eq!((line, column), (2, 5));
        assert_eq!(
            place("c.json", b"{\n \"\xff\"}"),
            (2, 3, "the file is not UTF-8".into())
        );
        assert_eq!(
            place("c.json", b"\xff\xfe{\x00}\x00").2,
            "the file is UTF-16; save it as UTF-8"
        );
        assert_eq!(place("c.json", "[]").2, "the file must hold an object");
    }

    #[test]
    fn the_text_itself_is_never_quoted() {
        for text in [
            "{\"client_secret\": canary}",
            "{\"client_secret\": \"canary",
            "canary",
            "{\"a\": 'canary'}",
        ] {
            assert!(!place("c.json", text).2.contains("canary"), "{text}");
        }
        for text in [
            "client_secret = canary",
            "client_secret = \"canary",
            "canary",
            "a = 'canary' 'canary'",
        ] {
            assert!(
                !place("c.toml", text).2.contains("canary"),
                "{text}: {}",
                place("c.toml", text).2
            );
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_an_error() {
        let (line, _, message) = place("c.json", "{\"a\": {\n \"b\": 1,\n \"b\": 2}}");
        assert_eq!((line, message.as_str()), (3, "the key 'b' is there twice"));
        assert_eq!(place("c.toml", "a = 1\na = 2\n").0, 2);
    }

    #[test]
    fn a_number_that_is_none_is_an_error() {
        for number in ["nan", "-nan", "inf", "+inf", "-inf"] {
            let (line, column, message) = place("c.toml", format!("a = 1\ntimeout = {number}\n"));
            assert_eq!(
                (line, message.as_str()),
                (2, "a number must be finite"),
                "{number}"
            );
            assert_eq!(column, 11);
        }
        assert!(
            parse(
                Path::new("c.toml"),
                b"a = 1.5\nb = 1979-05-27T07:32:00Z\nc = [1, true]"
            )
            .is_ok()
        );
    }

    #[test]
    fn a_byte_order_mark_does_no_harm() {
        assert!(parse(Path::new("c.json"), "\u{feff}{\"a\": 1}".as_bytes()).is_ok());
        assert!(parse(Path::new("c.toml"), "\u{feff}a = 1".as_bytes()).is_ok());
    }
}

use serde::de::IgnoredAny;

/// The longest text that counts as a whole number, `true`, `false` or `null`. Nobody calls with one of those alone,
/// and whether one is whole can only be told by reading it again.
const WORD_LIMIT: usize = 32;

/// The arguments of a tool call, as far as they have come. Whether they are whole may be asked with every piece:
/// no byte is read again for it.
#[derive(Debug, Default)]
pub struct Arguments {
    text: String,
    /// So many bytes have been looked at.
    seen: usize,
    extent: Extent,
}

/// How far their JSON value reaches in what has been seen.
#[derive(Debug, Default, Clone, Copy)]
enum Extent {
    #[default]
    Before,
    /// Neither an object nor a list nor a text.
    Word,
    Within {
        depth: usize,
    },
    Quoted {
        depth: usize,
        escaped: bool,
    },
    /// Nothing but white space may follow.
    Whole,
    /// No continuation is JSON.
    Invalid,
}

impl Arguments {
    /// So many bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing has come.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds a piece.
    pub fn push_str(&mut self, piece: &str) {
        self.text.push_str(piece);
    }

    /// The text, as it came.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// Whether they are a whole JSON value.
    pub fn are_whole(&mut self) -> bool {
        self.look();
        match self.extent {
            Extent::Whole => true,
            Extent::Word => self.text.len() <= WORD_LIMIT && is_json(&self.text),
            _ => false,
        }
    }

    /// Looks at what has come since the last time.
    fn look(&mut self) {
        let new = self.text.bytes().enumerate().skip(self.seen);
        for (position, byte) in new {
            self.extent = match self.extent.after(byte) {
                // The brackets may still be of different kinds, or there may be no comma between two items.
                Extent::Whole if !matches!(self.extent, Extent::Whole) => {
                    let value = self.text.get(..=position).unwrap_or_default();
                    if is_json(value) {
                        Extent::Whole
                    } else {
                        Extent::Invalid
                    }
                }
                extent => extent,
            };
            if matches!(self.extent, Extent::Word | Extent::Invalid) {
                break;
            }
        }
        self.seen = self.text.len();
    }
}

impl Extent {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Before | Self::Whole, b' ' | b'\t' | b'\n' | b'\r') => self,
            (Self::Whole | Self::Invalid, _) => Self::Invalid,
            (Self::Word, _) => self,
            (Self::Before, b'"') => Self::Quoted {
                depth: 0,
                escaped: false,
            },
            (Self::Before, b'{' | b'[') => Self::Within { depth: 1 },
            (Self::Before, _) => Self::Word,
            (Self::Within { depth }, b'"') => Self::Quoted {
                depth,
                escaped: false,
            },
            (Self::Within { depth }, b'{' | b'[') => Self::Within { depth: depth + 1 },
            (Self::Within { depth }, b'}' | b']') => Self::outside(depth - 1),
            (Self::Within { .. }, _) => self,
            (
                Self::Quoted {
                    depth,
                    escaped: false,
                },
                b'"',
            ) => Self::outside(depth),
            (Self::Quoted { depth, escaped }, _) => Self::Quoted {
                depth,
                escaped: byte == b'\\' && !escaped,
            },
        }
    }

    const fn outside(depth: usize) -> Self {
        if depth == 0 {
            Self::Whole
        } else {
            Self::Within { depth }
        }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_whole_exactly_where_a_reader_says_so() {
        for text in [
            r#" {"a":[1,{"b":"}\"]\\"}],"c":"\\\"{"} "#,
            "{\"city\":\"Z\u{fc}rich \u{1f980}\"}\n{\"city\":1}",
            r#"[[],{},"]"] x"#,
            r#""text \" \\" "#,
            r#"{"a":1]"#,
            r#"{"a" 1} "#,
            "{]}",
            "12.5e3 ",
            "true",
            "nul",
            " \t",
            "select 1",
            "}",
            "",
        ] {
            let mut arguments = Arguments::default();
            assert!(!arguments.are_whole());
            for piece in text.split_inclusive(|_| true) {
                arguments.push_str(piece);
                let so_far = arguments.text.clone();
                assert_eq!(arguments.are_whole(), is_json(&so_far), "{so_far}");
            }
            let mut at_once = Arguments::default();
            at_once.push_str(text);
            assert_eq!(at_once.are_whole(), is_json(text), "{text}");
        }
    }
}

//! A stream that is one JSON array.

/// Turns the items of an array into events: so Google streams where nobody asks for `alt=sse`, or a proxy drops that.
/// What is no object is passed over.
#[derive(Debug, Default)]
pub(crate) struct Array {
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl Array {
    /// Whether a stream that begins so is one.
    pub(crate) fn begins(chunk: &[u8]) -> bool {
        chunk.trim_ascii_start().starts_with(b"[")
    }

    /// The events of the next chunk, as far as they have come.
    pub(crate) fn events(&mut self, chunk: &[u8]) -> Vec<u8> {
        const BETWEEN_ITEMS: usize = 1;
        let mut events = Vec::with_capacity(chunk.len() + chunk.len() / 16);
        for &byte in chunk {
            let was_between = self.depth <= BETWEEN_ITEMS;
            self.step(byte);
            match (was_between, self.depth <= BETWEEN_ITEMS) {
                (true, true) => {}
                (true, false) => events.extend([b"data: ".as_slice(), &[byte]].concat()),
                // An event's data has no line end, and JSON needs none.
                (false, is_over) => {
                    events.push(if byte.is_ascii_whitespace() { b' ' } else { byte });
                    if is_over {
                        events.extend(b"\n\n");
                    }
                }
            }
        }
        events
    }

    const fn step(&mut self, byte: u8) {
        if self.quoted {
            self.quoted = self.escaped || byte != b'"';
            self.escaped = byte == b'\\' && !self.escaped;
            return;
        }
        match byte {
            b'"' => self.quoted = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_is_an_event_wherever_the_chunks_end() {
        let text =
            " [{\n  \"a\": [1, {\"b\": \"}]\\\" \\\\\"}]\r\n}\n,\n{}, 7, \"]{\", {\"c\":\"\u{1f980}\"}\n]\n";
        let expected = "data: {   \"a\": [1, {\"b\": \"}]\\\" \\\\\"}]  }\n\ndata: {}\n\ndata: {\"c\":\"\u{1f980}\"}\n\n";
        assert!(Array::begins(text.as_bytes()));
        for size in 1..=text.len() {
            let mut array = Array::default();
            let events: Vec<_> = text
                .as_bytes()
                .chunks(size)
                .map(|chunk| array.events(chunk))
                .collect();
            assert_eq!(
                String::from_utf8(events.concat()).unwrap(),
                expected,
                "in chunks of {size}"
            );
        }
    }

    #[test]
    fn what_is_no_array_of_objects_has_no_events() {
        for text in ["[]", "[1, \"x\"]", "]]]", ""] {
            assert_eq!(Array::default().events(text.as_bytes()), b"", "{text}");
        }
    }
}

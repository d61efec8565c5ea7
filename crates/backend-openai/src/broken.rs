//! Answers as no server should send them: cut, doubled, with other bytes and other values. For tests.

/// The same mutations every time.
pub(crate) const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// A source of mutations.
pub(crate) struct Mutations(u64);

impl Mutations {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Marsaglia's xorshift.
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap();
        usize::try_from(self.next() % limit).unwrap()
    }

    /// One to three mutations of a text.
    pub(crate) fn mutate(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            self.mutate_once(&mut bytes);
        }
        bytes
    }

    /// The text as it is, four times out of five.
    pub(crate) fn mutate_rarely(&mut self, text: &str) -> Vec<u8> {
        match self.below(5) {
            0 => self.mutate(text),
            _ => text.as_bytes().to_vec(),
        }
    }

    fn mutate_once(&mut self, bytes: &mut Vec<u8>) {
        const VALUES: [&str; 10] = [
            "null",
            "-1",
            "1e400",
            "18446744073709551616",
            "\"\"",
            "[]",
            "{}",
            "true",
            "[[{}]]",
            "\"\\ud800\"",
        ];
        let at = self.below(bytes.len());
        match self.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.drain(at..(at + 1).min(bytes.len())).for_each(drop),
            2 => {
                let byte = u8::try_from(self.below(256)).unwrap();
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            3 => {
                let end = (at + self.below(40)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again).for_each(drop);
            }
            // Another value in place of one.
            _ => {
                let Some(colon) = bytes[at..].iter().position(|byte| *byte == b':') else {
                    return;
                };
                let begin = at + colon + 1;
                let end = bytes[begin..]
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b']'));
                let end = end.map_or(bytes.len(), |end| begin + end);
                let value = VALUES[self.below(VALUES.len())];
                bytes.splice(begin..end, value.bytes()).for_each(drop);
            }
        }
    }

    /// Items, one of which is left out, doubled, or stands elsewhere now and then.
    pub(crate) fn shuffle(&mut self, items: &[String]) -> Vec<String> {
        let mut items = items.to_vec();
        let (from, to) = (self.below(items.len()), self.below(items.len()));
        match self.below(6) {
            0 => drop(items.remove(from)),
            1 => items.insert(to, items[from].clone()),
            2 => items.swap(from, to),
            _ => {}
        }
        items
    }
}

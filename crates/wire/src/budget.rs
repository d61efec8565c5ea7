use crate::stream::Fault;
use serde_json::Value;

/// As much as a whole answer may have.
const LIMIT: usize = 64 << 20;

/// How much of a streamed answer may be held back until it ends, in bytes of its text.
#[derive(Debug)]
pub struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: LIMIT }
    }
}

impl Budget {
    /// Holds back so many bytes more.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] if there aren't so many left.
    pub fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(Fault::TooLarge(
            "its tool calls and extra members are larger than 64 MiB",
        ))?;
        Ok(())
    }

    /// What was held back and isn't any more.
    pub const fn give_back(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes);
    }
}

/// About as many bytes as the text of `value` has.
#[must_use]
pub fn weight(value: &Value) -> usize {
    const WORD: usize = 4;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => WORD,
        Value::String(text) => WORD + text.len(),
        Value::Array(items) => WORD + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => {
            let members = members.iter();
            WORD + members
                .map(|(name, value)| member_weight(name, value))
                .sum::<usize>()
        }
    }
}

/// As [`weight`], of a member of an object.
#[must_use]
pub fn member_weight(name: &str, value: &Value) -> usize {
    name.len() + weight(value)
}

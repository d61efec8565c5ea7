use gatepass_core::JsonObject;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// An object on its way out. `extra` members come last and win over ours.
#[derive(Debug)]
pub struct Members<'a, M> {
    members: M,
    extra: &'a JsonObject,
}

impl<'a, M: SerializeMap> Members<'a, M> {
    /// Begins it.
    ///
    /// # Errors
    /// The serializer's.
    pub fn start<S>(serializer: S, extra: &'a JsonObject) -> Result<Self, S::Error>
    where
        S: Serializer<SerializeMap = M, Error = M::Error>,
    {
        let members = serializer.serialize_map(None)?;
        Ok(Self { members, extra })
    }

    /// Writes a member, unless `extra` has it.
    ///
    /// # Errors
    /// The serializer's.
    pub fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        if self.extra.contains_key(name) {
            return Ok(());
        }
        self.members.serialize_entry(name, value)
    }

    /// Writes a member if there is a value.
    ///
    /// # Errors
    /// The serializer's.
    pub fn optional(&mut self, name: &str, value: Option<&impl Serialize>) -> Result<(), M::Error> {
        value.map_or(Ok(()), |value| self.member(name, value))
    }

    /// A list; left out if it is empty.
    ///
    /// # Errors
    /// The serializer's.
    pub fn list(&mut self, name: &str, items: &[impl Serialize]) -> Result<(), M::Error> {
        self.optional(name, (!items.is_empty()).then_some(&items))
    }

    /// Writes the `extra` members and ends.
    ///
    /// # Errors
    /// The serializer's.
    pub fn end(mut self) -> Result<M::Ok, M::Error> {
        for (name, value) in self.extra {
            self.members.serialize_entry(name, value)?;
        }
        self.members.end()
    }
}

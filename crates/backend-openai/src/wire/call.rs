use gatepass_wire::pass_over;
use gatepass_wire::{Count, Text};
use gatepass_wire::{Object, Optional, Place, read_into};
use serde::de::MapAccess;
use serde_json::Value;

/// A tool call, or the next piece of one.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) index: Count,
    pub(super) id: Text<'a>,
    function: Function<'a>,
    custom: Option<Box<Function<'a>>>,
    extra_content: Option<Box<Value>>,
}

impl<'de> Object<'de> for Call<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "index" => self.index = members.next_value()?,
            "id" => self.id = members.next_value()?,
            "function" => read_into(Place(&mut self.function), members)?,
            "custom" => read_into(Optional(&mut self.custom), members)?,
            "extra_content" => self.extra_content = members.next_value()?,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

/// What a tool call calls.
#[derive(Debug, Default)]
pub(super) struct Function<'a> {
    pub(super) name: Text<'a>,
    /// Any text, for a custom tool.
    pub(super) arguments: Text<'a>,
}

impl<'de> Object<'de> for Function<'de> {
    fn read<A: MapAccess<'de>>(&mut self, name: Text<'de>, members: &mut A) -> Result<(), A::Error> {
        match name.as_str() {
            "name" => self.name = members.next_value()?,
            "arguments" | "input" => self.arguments = members.next_value()?,
            _ => pass_over(members)?,
        }
        Ok(())
    }
}

impl<'a> Call<'a> {
    /// What it calls. Servers that send every member send empty ones, too.
    pub(super) fn take_function(&mut self) -> Function<'a> {
        let function = std::mem::take(&mut self.function);
        match self.custom.take() {
            Some(custom) if function.is_empty() => *custom,
            _ => function,
        }
    }

    /// What Google's compatible API wants back with the call: its proof of a thought.
    pub(super) fn signature(&self) -> Option<String> {
        let signature = self
            .extra_content
            .as_ref()?
            .pointer("/google/thought_signature")?;
        signature.as_str().map(str::to_owned)
    }
}

impl<'a> From<Function<'a>> for Call<'a> {
    fn from(function: Function<'a>) -> Self {
        Self {
            function,
            ..Self::default()
        }
    }
}

impl Function<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.arguments.is_empty()
    }
}

/// For servers that number their calls at best: a result has to name its call.
pub(super) fn made_up_id(index: usize) -> String {
    format!("call_{index}")
}

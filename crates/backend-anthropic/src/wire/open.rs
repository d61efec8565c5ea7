use super::event::Delta;
use super::part::{Piece, or_none};
use gatepass_core::{ChatEvent, JsonObject, Part, Reasoning, Text, ToolCall};
use gatepass_wire::{Budget, Fault, member_weight, weight};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// A piece of the answer that is being written.
#[derive(Debug)]
pub(super) struct Open {
    /// The server's.
    pub(super) index: Option<u64>,
    pub(super) kind: Kind,
    /// What is held back until it ends.
    piece: Piece,
    /// A call's arguments, so far.
    input: String,
    signature: String,
    /// Whether any of it has been told.
    is_told: bool,
}

/// What kind of part it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Thought,
    Call { index: usize, id: String, name: String },
    Other,
}

/// What has been told, and the kind of part that came last in it.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) events: VecDeque<ChatEvent>,
    pub(super) last: Option<Kind>,
    pub(super) calls: usize,
}

impl Open {
    pub(super) fn start(
        index: Option<u64>,
        mut piece: Piece,
        told: &mut Told,
        budget: &mut Budget,
    ) -> Result<Self, Fault> {
        let (mut text, mut thought, mut signature) = Default::default();
        let kind = match piece.kind() {
            "text" => {
                text = piece.take_text("text");
                Kind::Text
            }
            "thinking" => {
                thought = piece.take_text("thinking");
                signature = piece.take_text("signature");
                Kind::Thought
            }
            "tool_use" => {
                let index = told.calls;
                let (id, name) = (piece.take_id(index), piece.take_text("name"));
                told.calls += 1;
                told.events.push_back(ChatEvent::ToolCallStart {
                    index,
                    id: id.clone(),
                    name: name.clone(),
                });
                Kind::Call { index, id, name }
            }
            _ => Kind::Other,
        };
        budget.take(
            piece
                .0
                .iter()
                .map(|(name, value)| member_weight(name, value))
                .sum(),
        )?;
        budget.take(signature.len())?;
        let mut this = Self {
            index,
            kind,
            piece,
            input: String::new(),
            signature,
            is_told: false,
        };
        this.tell_text(text, told);
        this.tell_thought(thought, told);
        Ok(this)
    }

    /// Adds what an event tells; returns what is no part of the piece. To send it back with that would be refused.
    pub(super) fn add(
        &mut self,
        mut delta: Delta<'_>,
        told: &mut Told,
        budget: &mut Budget,
    ) -> Result<JsonObject, Fault> {
        match (&self.kind, delta.kind.as_str()) {
            (Kind::Text, "text_delta") => {
                if let Some(text) = delta.text.into_owned() {
                    self.tell_text(text, told);
                }
            }
            (Kind::Thought, "thinking_delta") => {
                if let Some(thought) = delta.thinking.into_owned() {
                    self.tell_thought(thought, told);
                }
            }
            (Kind::Thought, "signature_delta") => {
                budget.take(delta.signature.as_str().len())?;
                self.signature.push_str(delta.signature.as_str());
            }
            (kind, "input_json_delta") => {
                let Some(arguments) = delta.partial_json.into_owned() else {
                    return Ok(delta.rest);
                };
                budget.take(arguments.len())?;
                self.input.push_str(&arguments);
                if let Kind::Call { index, .. } = *kind {
                    told.events
                        .push_back(ChatEvent::ToolCallArguments { index, arguments });
                }
            }
            (_, "citations_delta") => {
                if let Some(citation) = delta.rest.remove("citation") {
                    budget.take(weight(&citation))?;
                    grow(&mut self.piece.0, "citations".into(), json!([citation]));
                }
            }
            _ => {
                for (name, value) in delta.into_members() {
                    budget.take(member_weight(&name, &value))?;
                    grow(&mut self.piece.0, name, value);
                }
                return Ok(JsonObject::new());
            }
        }
        Ok(delta.rest)
    }

    /// Tells what is left of it.
    pub(super) fn close(mut self, told: &mut Told) {
        match std::mem::replace(&mut self.kind, Kind::Other) {
            Kind::Text => {
                let extra = std::mem::take(&mut self.piece).into_rest();
                self.close_text(extra, told);
            }
            Kind::Thought => {
                let mut proof = Reasoning::default();
                proof.signature = Some(std::mem::take(&mut self.signature)).filter(|proof| !proof.is_empty());
                proof.extra = std::mem::take(&mut self.piece).into_rest();
                if proof != Reasoning::default() {
                    self.begin(Kind::Thought, told);
                    told.events.push_back(ChatEvent::Reasoning(proof));
                }
            }
            Kind::Call { id, name, .. } => {
                let given = self.piece.take_text("input");
                let arguments = if self.input.is_empty() { given } else { self.input };
                let mut call = ToolCall::new(id, name, or_none(arguments));
                call.extra = self.piece.into_rest();
                told.events.push_back(ChatEvent::ToolCall(call));
                told.last = Some(Kind::Other);
            }
            Kind::Other => {
                if !self.input.is_empty() {
                    let input = serde_json::from_str(&self.input)
                        .unwrap_or_else(|_| json!({ "INVALID_JSON": self.input }));
                    self.piece.0.insert("input".into(), input);
                }
                if let Some(part) = self.piece.into_part(told.calls) {
                    told.events.push_back(ChatEvent::Part(part));
                    told.last = Some(Kind::Other);
                }
            }
        }
    }

    /// Whether it can be told as it is, though its end hasn't come.
    pub(super) const fn may_be_cut(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Thought)
    }

    fn close_text(&mut self, extra: JsonObject, told: &mut Told) {
        if extra.is_empty() {
            return;
        }
        if self.is_told {
            told.events.push_back(ChatEvent::PartExtra(extra));
        } else {
            let mut text = Text::default();
            text.extra = extra;
            told.events.push_back(ChatEvent::Part(Part::Text(text)));
            told.last = Some(Kind::Text);
        }
    }

    fn tell_text(&mut self, text: String, told: &mut Told) {
        if !text.is_empty() {
            self.begin(Kind::Text, told);
            told.events.push_back(ChatEvent::Text(text));
        }
    }

    fn tell_thought(&mut self, thought: String, told: &mut Told) {
        if !thought.is_empty() {
            self.begin(Kind::Thought, told);
            told.events
                .push_back(ChatEvent::Reasoning(Reasoning::new(thought)));
        }
    }

    /// Two pieces of one kind side by side stay two.
    fn begin(&mut self, kind: Kind, told: &mut Told) {
        if !self.is_told && told.last.as_ref() == Some(&kind) {
            let empty = match kind {
                Kind::Thought => Part::Reasoning(Reasoning::default()),
                _ => Part::text(""),
            };
            told.events.push_back(ChatEvent::Part(empty));
        }
        self.is_told = true;
        told.last = Some(kind);
    }
}

/// Adds to a member: text to text, a list to a list; anything else takes its place.
fn grow(members: &mut JsonObject, name: String, more: Value) {
    match (members.get_mut(&name), more) {
        (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
        (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
        (_, more) => {
            members.insert(name, more);
        }
    }
}

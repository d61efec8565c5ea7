use super::block::{Block, Place};
use super::generation::Generation;
use super::ids::Ids;
use gatepass_core::{ChatRequest, JsonObject, Message, Role};
use gatepass_wire::Members;
use serde::{Serialize, Serializer};

/// The messages of a request, as this wire has them.
pub(super) struct Conversation<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) turns: Vec<Turn<'a>>,
}

pub(super) struct Turn<'a> {
    role: &'static str,
    blocks: Vec<Block<'a>>,
    extra: &'a JsonObject,
    /// Whether what the person says next belongs to it: all results of one answer's calls stand in one message,
    /// before anything else.
    is_open: bool,
}

impl<'a> Conversation<'a> {
    /// `nothing` is empty.
    ///
    /// # Errors
    /// Why this wire can't say it.
    pub(super) fn of(request: &'a ChatRequest, nothing: &'a JsonObject) -> Result<Self, String> {
        let takes_system_turns = Generation::asked(request).is_some_and(Generation::takes_system_turns);
        let mut this = Self {
            system: Vec::new(),
            turns: Vec::new(),
        };
        // A system message may stand after what the person says, and nowhere else.
        let mut waiting = Vec::new();
        let mut ids = Ids::default();
        for message in &request.messages {
            let Some(turn) = Turn::of(message, nothing, &mut ids)? else {
                continue;
            };
            if message.role != Role::System {
                if turn.role == "assistant" && this.ends_with_the_person() {
                    this.turns.append(&mut waiting);
                }
                this.add(turn);
            } else if takes_system_turns && !this.turns.is_empty() {
                waiting.push(turn);
            } else {
                this.system.extend(turn.blocks);
            }
        }
        if this.ends_with_the_person() {
            this.turns.append(&mut waiting);
        }
        this.system
            .extend(waiting.into_iter().flat_map(|turn| turn.blocks));
        if this.turns.is_empty() {
            return Err("there are no messages".into());
        }
        Ok(this)
    }

    fn ends_with_the_person(&self) -> bool {
        self.turns.last().is_some_and(|turn| turn.role == "user")
    }

    fn add(&mut self, turn: Turn<'a>) {
        match self.turns.last_mut() {
            Some(last) if last.is_open && turn.role == "user" && turn.extra.is_empty() => {
                last.blocks.extend(turn.blocks);
                last.is_open = turn.is_open;
            }
            _ => self.turns.push(turn),
        }
    }
}

impl<'a> Turn<'a> {
    /// None for a message of which nothing is left to say: an answer that was empty, say.
    fn of(message: &'a Message, nothing: &'a JsonObject, ids: &mut Ids<'a>) -> Result<Option<Self>, String> {
        let place = Place::of(message, nothing);
        if message.role == Role::Assistant {
            ids.begin_answer();
        }
        let mut blocks = Vec::with_capacity(message.parts.len());
        for part in &message.parts {
            blocks.extend(Block::of(part, place, ids)?);
        }
        let role = match message.role {
            Role::System => "system",
            Role::Assistant => "assistant",
            _ => "user",
        };
        if blocks.is_empty() {
            return match role {
                "user" => Err("a message of the person or of a tool says nothing".into()),
                _ => Ok(None),
            };
        }
        let extra = if message.belongs_to(super::WIRE) {
            &message.extra
        } else {
            nothing
        };
        Ok(Some(Self {
            role,
            blocks,
            extra,
            is_open: message.role == Role::Tool,
        }))
    }
}

impl Serialize for Turn<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut turn = Members::start(serializer, self.extra)?;
        turn.member("role", self.role)?;
        turn.member("content", &self.blocks)?;
        turn.end()
    }
}

/// `system`: one plain text as it is, anything else as a list.
pub(super) struct System<'a>(pub(super) &'a [Block<'a>]);

impl Serialize for System<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [block] if block.as_plain_text().is_some() => block.as_plain_text().serialize(serializer),
            blocks => blocks.serialize(serializer),
        }
    }
}

//! How items and their pieces become events.

use super::{Decoder, Last};
use crate::responses::item::{Item, Kind, Pieces, tell_item};
use crate::responses::open::OpenItem;
use crate::responses::reply::is_refusal;
use gatepass_core::{ChatEvent, JsonObject, Part, Reasoning, ToolCall};

impl Decoder {
    /// Tells an item, as far as it hasn't been told.
    pub(super) fn tell_item(&mut self, told: Item, open: Option<OpenItem>) {
        match told {
            Item::Pieces(pieces) => self.tell_pieces(pieces, open),
            Item::Whole(Part::ToolCall(call)) => {
                let position = open.as_ref().and_then(|open| open.call_position);
                let pieces = open.and_then(|open| open.call).unwrap_or_default();
                let call = pieces.completed_by(call);
                self.tell_call(position, call);
            }
            Item::Whole(part) => {
                self.leave();
                self.events.push_back(ChatEvent::Part(part));
            }
        }
    }

    pub(super) fn tell_pieces(&mut self, mut told: Pieces, open: Option<OpenItem>) {
        let mut open = open.unwrap_or_else(|| self.items.unknown());
        let (kind, id, own) = (told.kind, told.id(), told.take_own());
        let signature = told.signature.take();
        let pieces = std::mem::take(&mut told.pieces);
        let count = pieces.len();
        for (position, (place, mut part)) in pieces.into_iter().enumerate() {
            self.refused |= is_refusal(&part);
            let mut extra = std::mem::take(part.extra_mut());
            let last = Last {
                kind,
                item: open.number,
                place,
            };
            if !open.has_piece(place) {
                if !matches!(part, Part::Text(_) | Part::Reasoning(_)) {
                    self.leave();
                    tell_item(&mut extra, id.clone());
                    self.events.push_back(ChatEvent::Part(Part::Other(extra)));
                    continue;
                }
                self.go_on(last, text_of(part));
            } else if self.last != Some(last) {
                continue;
            }
            if open.has_ended(place) {
                extra = JsonObject::new();
            } else {
                open.annotate(place, &mut extra);
                if position + 1 < count {
                    tell_item(&mut extra, id.clone());
                }
            }
            self.tell_extra(extra);
        }
        if self.last.is_some_and(|last| last.item == open.number) {
            self.tell_own(kind, own, signature);
        } else {
            // Nothing was told of it, or others were told since: a part without text belongs to it, too.
            self.leave();
            self.events.push_back(ChatEvent::Part(kind.empty(own, signature)));
        }
    }

    /// Tells what an item says of itself, with its last piece.
    pub(super) fn tell_own(&mut self, kind: Kind, own: JsonObject, signature: Option<String>) {
        let mut extra = JsonObject::new();
        tell_item(&mut extra, own);
        match (kind, signature) {
            (Kind::Thought, Some(signature)) => {
                let mut proof = Reasoning::default().with_signature(signature);
                proof.extra = extra;
                self.events.push_back(ChatEvent::Reasoning(proof));
            }
            _ => self.tell_extra(extra),
        }
    }

    pub(super) fn tell_call(&mut self, position: Option<usize>, (announced, mut call): (bool, ToolCall)) {
        let position = position.unwrap_or_else(|| {
            self.calls += 1;
            self.calls - 1
        });
        self.leave();
        self.has_called = true;
        if call.id.is_empty() {
            call.id = format!("call_{position}");
        }
        if !announced {
            self.events.push_back(ChatEvent::ToolCallStart {
                index: position,
                id: call.id.clone(),
                name: call.name.clone(),
            });
        }
        self.events.push_back(ChatEvent::ToolCall(call));
    }

    /// Tells more of a part, which is a new one if it isn't that which was told last.
    pub(super) fn go_on(&mut self, part: Last, more: String) {
        let goes_on = self.last == Some(part);
        let left = if goes_on { None } else { self.leave() };
        let is_alike = left.is_some_and(|last| last.kind == part.kind);
        if !goes_on && (is_alike || more.is_empty()) {
            let empty = part.kind.empty(JsonObject::new(), None);
            self.events.push_back(ChatEvent::Part(empty));
        }
        self.last = Some(part);
        if !more.is_empty() {
            self.events.push_back(match part.kind {
                Kind::Text => ChatEvent::Text(more),
                Kind::Thought => ChatEvent::Reasoning(Reasoning::new(more)),
            });
        }
    }

    /// Before another part is told: says whose piece the last one is, if its item hasn't ended.
    pub(super) fn leave(&mut self) -> Option<Last> {
        let last = self.last.take()?;
        if let Some(item) = self.items.numbered(last.item)
            && item.end_piece(last.place)
        {
            let mut extra = JsonObject::new();
            if last.kind == Kind::Thought {
                extra.insert("type".into(), last.place.thought_type().into());
            }
            item.annotate(last.place, &mut extra);
            tell_item(&mut extra, item.id_member());
            self.tell_extra(extra);
        }
        Some(last)
    }

    pub(super) fn tell_extra(&mut self, extra: JsonObject) {
        if !extra.is_empty() {
            self.events.push_back(ChatEvent::PartExtra(extra));
        }
    }
}

fn text_of(part: Part) -> String {
    match part {
        Part::Text(text) => text.text,
        Part::Reasoning(thought) => thought.text,
        _ => String::new(),
    }
}

//! The items of a stream that have begun and not ended.

use super::event::Event;
use super::item::{Item, Place, text_of};
use gatepass_core::{ChatEvent, JsonObject, Part, ToolCall};
use gatepass_wire::{Budget, Fault, ITEMS_LIMIT};
use serde_json::Value;
use std::collections::HashSet;

/// What is wrong with an answer that begins items and never ends them.
pub(super) const TOO_MANY: &str = "it has more than 1024 items under way";

/// The items under way, and which ones have ended.
///
/// An event names its item by `output_index`, by `item_id`, or by both; some servers number nothing, and some
/// name an item anew with every event.
#[derive(Debug, Default)]
pub(super) struct OpenItems {
    open: Vec<OpenItem>,
    /// The next item's number.
    next: usize,
    ended_indexes: HashSet<u64>,
    ended_ids: HashSet<String>,
}

/// An item under way.
#[derive(Debug)]
pub(super) struct OpenItem {
    /// Ours, from 0, in the order in which they began.
    pub(super) number: usize,
    index: Option<u64>,
    id: String,
    /// The tool call that it is, if it is one …
    pub(super) call: Option<CallPieces>,
    /// … and which one of the answer.
    pub(super) call_position: Option<usize>,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    place: Place,
    has_ended: bool,
    annotations: Vec<Value>,
}

/// A tool call, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct CallPieces {
    announced: bool,
    call: Option<ToolCall>,
    arguments: String,
}

impl OpenItems {
    pub(super) fn push(&mut self, mut item: OpenItem) -> Result<(), Fault> {
        if self.open.len() >= ITEMS_LIMIT {
            return Err(Fault::TooLarge(TOO_MANY));
        }
        item.number = self.take_number();
        self.open.push(item);
        Ok(())
    }

    const fn take_number(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    /// An item that nothing was told of.
    pub(super) fn unknown(&mut self) -> OpenItem {
        OpenItem {
            number: self.take_number(),
            index: None,
            id: String::new(),
            call: None,
            call_position: None,
            pieces: Vec::new(),
        }
    }

    fn position(&self, index: Option<u64>, id: &str) -> Option<usize> {
        let by = |is: &dyn Fn(&OpenItem) -> bool| self.open.iter().rposition(is);
        match index {
            Some(index) => by(&|item| item.index == Some(index)),
            None => None,
        }
        .or_else(|| by(&|item| !id.is_empty() && item.id == id))
        .or_else(|| match index {
            // Neither numbers nor names: it can only be the last one.
            None if id.is_empty() => self.open.len().checked_sub(1),
            _ => None,
        })
    }

    /// The item that an event is about.
    pub(super) fn existing(&mut self, event: &Event<'_>) -> Option<&mut OpenItem> {
        let position = self.position(event.output_index.0, event.item_id.as_str())?;
        self.open.get_mut(position)
    }

    /// The item with our number, unless it has ended.
    pub(super) fn numbered(&mut self, number: usize) -> Option<&mut OpenItem> {
        self.open.iter_mut().rfind(|item| item.number == number)
    }

    /// As [`existing`](Self::existing); begins it if the server hasn't.
    pub(super) fn find(&mut self, event: &Event<'_>) -> Result<&mut OpenItem, Fault> {
        let position = match self.position(event.output_index.0, event.item_id.as_str()) {
            Some(position) => position,
            None => {
                let mut item = self.unknown();
                item.index = event.output_index.0;
                event.item_id.as_str().clone_into(&mut item.id);
                if self.open.len() >= ITEMS_LIMIT {
                    return Err(Fault::TooLarge(TOO_MANY));
                }
                self.open.push(item);
                self.open.len() - 1
            }
        };
        self.open.get_mut(position).ok_or(Fault::TooLarge(TOO_MANY))
    }

    /// Ends the item that an event tells whole.
    pub(super) fn close(
        &mut self,
        event: &Event<'_>,
        told: &Item,
        budget: &mut Budget,
    ) -> Result<Option<OpenItem>, Fault> {
        let id = told.own_id().unwrap_or_default();
        budget.take(size_of::<u64>() + id.len())?;
        self.ended_indexes.extend(event.output_index.0);
        if !id.is_empty() {
            self.ended_ids.insert(id.to_owned());
        }
        let position = self.position(event.output_index.0, id);
        Ok(position.map(|position| self.open.remove(position)))
    }

    /// For an item of the whole response, at `position`: what was told of it, unless all was.
    pub(super) fn untold(&mut self, position: usize, told: &Item) -> Option<Option<OpenItem>> {
        let id = told.own_id().unwrap_or_default();
        let index = u64::try_from(position).ok();
        let has_ended =
            index.is_some_and(|index| self.ended_indexes.contains(&index)) || self.ended_ids.contains(id);
        if has_ended {
            return None;
        }
        let by = |is: &dyn Fn(&OpenItem) -> bool| self.open.iter().position(is);
        // A server may leave its calls out of the whole: what stands in their place is another item.
        let is_call = matches!(told, Item::Whole(Part::ToolCall(_)));
        let may_be = |item: &OpenItem| is_call || item.call.is_none();
        let open = by(&|item| item.index.is_some() && item.index == index && may_be(item))
            .or_else(|| by(&|item| !id.is_empty() && item.id == id))
            // Of a server that neither numbers nor names what it tells.
            .or_else(|| by(&|item| item.index.is_none() && item.id.is_empty() && may_be(item)));
        Some(open.map(|open| self.open.remove(open)))
    }

    /// Whether an item that stands before `item` is still under way.
    pub(super) fn has_earlier(&self, item: &OpenItem) -> bool {
        self.open.iter().any(|open| open.order() < item.order())
    }

    pub(super) fn take_all(&mut self) -> Vec<OpenItem> {
        std::mem::take(&mut self.open)
    }
}

impl OpenItem {
    /// An item as it begins.
    pub(super) fn begin(members: &JsonObject, index: Option<u64>, calls: usize) -> Self {
        let text = |name: &str| members.get(name).cloned().map(text_of).unwrap_or_default();
        let is_call = matches!(text("type").as_str(), "function_call" | "custom_tool_call");
        Self {
            number: 0,
            index,
            id: text("id"),
            call: is_call.then(|| CallPieces::begin(members.clone())),
            call_position: is_call.then_some(calls),
            pieces: Vec::new(),
        }
    }

    /// Where it stands: by the server's number, or else by ours.
    pub(super) fn order(&self) -> u64 {
        self.index.unwrap_or(self.number as u64)
    }

    /// Whether the server's number is this.
    pub(super) fn is_at(&self, position: usize) -> bool {
        self.index == u64::try_from(position).ok()
    }

    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.id.len()
    }

    pub(super) fn id_member(&self) -> JsonObject {
        if self.id.is_empty() {
            return JsonObject::new();
        }
        JsonObject::from_iter([("id".to_owned(), self.id.as_str().into())])
    }

    /// Whether this piece is new.
    pub(super) fn add_piece(&mut self, place: Place) -> bool {
        if self.has_piece(place) {
            return false;
        }
        self.pieces.push(Piece {
            place,
            has_ended: false,
            annotations: Vec::new(),
        });
        true
    }

    fn piece(&mut self, place: Place) -> Option<&mut Piece> {
        self.pieces.iter_mut().rfind(|piece| piece.place == place)
    }

    pub(super) fn has_piece(&self, place: Place) -> bool {
        self.pieces.iter().rev().any(|piece| piece.place == place)
    }

    pub(super) fn has_ended(&self, place: Place) -> bool {
        self.pieces
            .iter()
            .any(|piece| piece.place == place && piece.has_ended)
    }

    /// Whether this piece has ended with that.
    pub(super) fn end_piece(&mut self, place: Place) -> bool {
        match self.piece(place) {
            Some(piece) if !piece.has_ended => {
                piece.has_ended = true;
                true
            }
            _ => false,
        }
    }

    pub(super) fn add_annotation(&mut self, place: Place, annotation: Value) {
        self.add_piece(place);
        if let Some(piece) = self.piece(place) {
            piece.annotations.push(annotation);
        }
    }

    /// Adds the annotations that came on their own, if none come with the piece.
    pub(super) fn annotate(&mut self, place: Place, extra: &mut JsonObject) {
        if let Some(piece) = self.piece(place)
            && !piece.annotations.is_empty()
            && !extra.contains_key("annotations")
        {
            let annotations = std::mem::take(&mut piece.annotations);
            extra.insert("annotations".into(), annotations.into());
        }
    }
}

impl CallPieces {
    fn begin(members: JsonObject) -> Self {
        match Item::read(members) {
            Item::Whole(Part::ToolCall(mut call)) => Self {
                announced: !call.name.is_empty() && !call.id.is_empty(),
                arguments: std::mem::take(&mut call.arguments),
                call: Some(call),
            },
            _ => Self::default(),
        }
    }

    /// Announces it, if it has a name.
    pub(super) fn start(&self, position: usize) -> Option<ChatEvent> {
        let call = self.call.as_ref().filter(|_| self.announced)?;
        Some(ChatEvent::ToolCallStart {
            index: position,
            id: call.id.clone(),
            name: call.name.clone(),
        })
    }

    pub(super) const fn is_announced(&self) -> bool {
        self.announced
    }

    /// Whether no arguments have come.
    pub(super) const fn is_empty(&self) -> bool {
        self.arguments.is_empty()
    }

    pub(super) fn push(&mut self, arguments: &str) {
        self.arguments.push_str(arguments);
    }

    /// The call that the server has told whole, and whether it was announced.
    pub(super) fn completed_by(self, mut told: ToolCall) -> (bool, ToolCall) {
        if let Some(begun) = self.call.filter(|_| self.announced) {
            // The names that it was announced with stay.
            told.id = begun.id;
            told.name = begun.name;
        }
        if told.arguments.is_empty() {
            told.arguments = self.arguments;
        }
        (self.announced, told)
    }

    /// The call as far as it has come.
    pub(super) fn whole(self) -> (bool, ToolCall) {
        let mut call = self.call.unwrap_or_else(|| ToolCall::new("", "", ""));
        call.arguments = self.arguments;
        (self.announced, call)
    }
}

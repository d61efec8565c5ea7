mod telling;

use super::WIRE;
use super::event::{Event, object};
use super::item::{Item, Kind, Place, said, tell_item, thought};
use super::open::{CallPieces, OpenItem, OpenItems};
use super::reply::{Response, item};
use gatepass_core::{ChatEvent, FinishReason, JsonObject};
use gatepass_wire::{Budget, Fault, Progress, StreamDecoder, from_str};
use serde_json::Value;
use std::collections::VecDeque;

/// Reads the events of a streamed answer into ours.
///
/// Text, thoughts and arguments are told as they come; an item is told whole with its end, and what a server
/// doesn't end is told with the response that stands in its last event.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    events: VecDeque<ChatEvent>,
    items: OpenItems,
    started: Started,
    refused: bool,
    /// Items that ended before earlier ones did.
    held: Vec<Held>,
    /// So many tool calls have been announced …
    calls: usize,
    /// … and whether one has been told: what begins as a call may be the server's own, and end as something else.
    has_called: bool,
    /// The part that was told last, if it can go on.
    last: Option<Last>,
    finish: Option<FinishReason>,
    rest: JsonObject,
    pub(super) budget: Budget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Last {
    kind: Kind,
    item: usize,
    place: Place,
}

/// Whether the answer has been begun. A server that names its model at the end alone has it told once more then.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Started {
    #[default]
    No,
    Nameless,
    Named,
}

#[derive(Debug)]
struct Held {
    told: Item,
    open: OpenItem,
}

impl StreamDecoder for Decoder {
    fn read(&mut self, name: &str, data: &str) -> Result<Progress, Fault> {
        match from_str::<Event<'_>>(data) {
            Ok(event) => self.take(event, name, data),
            // An event of another kind, a sign of life for instance.
            Err(_) if !(name.is_empty() || name == "message" || name.starts_with("response.")) => {
                Ok(Progress::More)
            }
            Err(error) => Err(Fault::Unreadable(error)),
        }
    }

    fn events(&mut self) -> &mut VecDeque<ChatEvent> {
        &mut self.events
    }

    fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    fn end(&mut self) {
        self.end_calls();
        self.break_off();
    }

    fn break_off(&mut self) {
        self.tell_all_held();
        let reply = std::mem::take(&mut self.rest);
        if !reply.is_empty() {
            let message = JsonObject::new();
            self.events.push_back(ChatEvent::Extra { message, reply });
        }
    }
}

impl Decoder {
    fn take(&mut self, mut event: Event<'_>, name: &str, data: &str) -> Result<Progress, Fault> {
        let kind = std::mem::take(&mut event.kind);
        let kind = if kind.is_empty() { name } else { kind.as_str() };
        let content = Place::Content(event.content_index.0.unwrap_or_default());
        let summary = Place::Summary(event.summary_index.0.unwrap_or_default());
        match kind {
            "response.output_text.delta" | "response.refusal.delta" => {
                self.refused |= kind == "response.refusal.delta";
                self.add_piece(event, Kind::Text, content)?;
            }
            "response.reasoning_text.delta" => self.add_piece(event, Kind::Thought, content)?,
            "response.reasoning_summary_text.delta" => self.add_piece(event, Kind::Thought, summary)?,
            "response.output_text.done" | "response.refusal.done" => {
                self.refused |= kind == "response.refusal.done";
                self.end_text(event, Kind::Text, content)?;
            }
            "response.reasoning_text.done" => self.end_text(event, Kind::Thought, content)?,
            "response.reasoning_summary_text.done" => self.end_text(event, Kind::Thought, summary)?,
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.add_arguments(&event)?;
            }
            "response.function_call_arguments.done" | "response.custom_tool_call_input.done" => {
                self.end_arguments(event)?;
            }
            "response.output_text.annotation.added" => self.add_annotation(event, content)?,
            "response.content_part.done" => self.end_piece(event, content)?,
            "response.reasoning_summary_part.done" => self.end_piece(event, summary)?,
            "response.output_item.added" => self.begin_item(event)?,
            "response.output_item.done" => self.end_item(event, data.len())?,
            "response.completed"
            | "response.incomplete"
            | "response.cancelled"
            | "response.failed"
            | "response.done" => {
                return self.end_response(event);
            }
            // The second is OpenRouter's.
            "error" | "response.error" => return Err(Fault::Told(told(event.error, data))),
            // Gateways tell their own errors without a type.
            "" | "message" if event.error.is_some() => return Err(Fault::Told(told(event.error, data))),
            _ => self.start(event.response),
        }
        Ok(Progress::More)
    }

    /// Any event may tell of the response; the first one that does so begins the answer.
    fn start(&mut self, response: Option<Box<Value>>) {
        if self.started != Started::Named
            && let Some(members) = object(response)
        {
            let response = Response::read(members);
            self.start_with(response.id, response.model);
        }
    }

    fn start_with(&mut self, id: Option<String>, model: Option<String>) {
        match self.started {
            Started::Named => return,
            Started::Nameless if model.is_none() => return,
            _ => {}
        }
        self.started = if model.is_some() {
            Started::Named
        } else {
            Started::Nameless
        };
        let wire = Some(WIRE.into());
        self.events.push_back(ChatEvent::Started { id, model, wire });
    }

    fn begin_item(&mut self, mut event: Event<'_>) -> Result<(), Fault> {
        self.start_with(None, None);
        let members = object(event.item.take()).unwrap_or_default();
        let open = OpenItem::begin(&members, event.output_index.0, self.calls);
        self.budget.take(open.weight())?;
        if let Some(call) = &open.call {
            self.events.extend(call.start(self.calls));
            self.calls += 1;
        }
        self.items.push(open)
    }

    /// More of a text or a thought.
    fn add_piece(&mut self, event: Event<'_>, kind: Kind, place: Place) -> Result<(), Fault> {
        self.start_with(None, None);
        let item = self.items.find(&event)?;
        let number = item.number;
        if item.add_piece(place) {
            self.budget.take(size_of::<Place>())?;
        }
        if let Some(more) = event.delta.into_owned() {
            self.go_on(
                Last {
                    kind,
                    item: number,
                    place,
                },
                more,
            );
        }
        Ok(())
    }

    /// All of a text at once, of servers that don't tell it in pieces.
    fn end_text(&mut self, mut event: Event<'_>, kind: Kind, place: Place) -> Result<(), Fault> {
        let open = self.items.existing(&event);
        if !event.text.is_empty() && open.is_some_and(|item| !item.has_piece(place)) {
            event.delta = std::mem::take(&mut event.text);
            self.add_piece(event, kind, place)?;
        }
        Ok(())
    }

    fn add_arguments(&mut self, event: &Event<'_>) -> Result<(), Fault> {
        self.start_with(None, None);
        let calls = &mut self.calls;
        let open = self.items.find(event)?;
        let call = open.call.get_or_insert_default();
        let position = *open.call_position.get_or_insert_with(|| {
            *calls += 1;
            *calls - 1
        });
        let arguments = event.delta.as_str();
        call.push(arguments);
        self.budget.take(arguments.len())?;
        if !arguments.is_empty() && call.is_announced() {
            self.events.push_back(ChatEvent::ToolCallArguments {
                index: position,
                arguments: arguments.to_owned(),
            });
        }
        Ok(())
    }

    /// All arguments at once, of servers that don't tell them in pieces.
    fn end_arguments(&mut self, mut event: Event<'_>) -> Result<(), Fault> {
        let open = self.items.existing(&event);
        let is_untold = open
            .and_then(|item| item.call.as_ref())
            .is_some_and(CallPieces::is_empty);
        if is_untold {
            event.delta = std::mem::take(&mut event.arguments);
            self.add_arguments(&event)?;
        }
        Ok(())
    }

    /// Kept for servers that don't tell them again with the piece.
    fn add_annotation(&mut self, mut event: Event<'_>, place: Place) -> Result<(), Fault> {
        if let Some(annotation) = event.annotation.take() {
            self.budget.take(gatepass_wire::weight(&annotation))?;
            let item = self.items.find(&event)?;
            item.add_annotation(place, *annotation);
        }
        Ok(())
    }

    /// The end of a piece tells what came with it.
    fn end_piece(&mut self, mut event: Event<'_>, place: Place) -> Result<(), Fault> {
        let Some(piece) = object(event.part.take()) else {
            return Ok(());
        };
        let Some(item) = self.items.existing(&event) else {
            return Ok(());
        };
        let is_last = self
            .last
            .is_some_and(|last| last.item == item.number && last.place == place);
        if !is_last || !item.end_piece(place) {
            return Ok(());
        }
        let mut part = match self.last {
            Some(Last {
                kind: Kind::Thought, ..
            }) => thought(piece.into()),
            _ => said(piece.into()),
        };
        let mut extra = std::mem::take(part.extra_mut());
        item.annotate(place, &mut extra);
        tell_item(&mut extra, item.id_member());
        self.tell_extra(extra);
        Ok(())
    }

    fn end_item(&mut self, mut event: Event<'_>, event_size: usize) -> Result<(), Fault> {
        self.start_with(None, None);
        let Some(told) = event.item.take().and_then(|told| item(*told)) else {
            return Ok(());
        };
        let open = self.items.close(&event, &told, &mut self.budget)?;
        match open {
            // Nobody waits for it word by word: it comes in its turn.
            Some(open) if told.is_whole() && self.items.has_earlier(&open) => {
                self.budget.take(event_size)?;
                self.held.push(Held { told, open });
            }
            open => self.tell_item(told, open),
        }
        self.tell_held();
        Ok(())
    }

    /// Tells the items that were held back, as far as all earlier ones have ended.
    fn tell_held(&mut self) {
        self.held.sort_by_key(|held| held.open.order());
        while let Some(held) = self.held.first()
            && !self.items.has_earlier(&held.open)
        {
            let Held { told, open } = self.held.remove(0);
            self.tell_item(told, Some(open));
        }
    }

    fn tell_all_held(&mut self) {
        for Held { told, open } in std::mem::take(&mut self.held) {
            self.tell_item(told, Some(open));
        }
    }

    /// Tells the calls that the server hasn't ended.
    fn end_calls(&mut self) {
        for open in self.items.take_all() {
            if let Some(call) = open.call {
                self.tell_call(open.call_position, call.whole());
            }
        }
    }

    /// The last event has the whole response once more; some servers leave its output out.
    fn end_response(&mut self, event: Event<'_>) -> Result<Progress, Fault> {
        let mut response = Response::read(object(event.response).unwrap_or_default());
        self.start_with(response.id.take(), response.model.take());
        for (position, told) in std::mem::take(&mut response.output).into_iter().enumerate() {
            let held = self.held.iter().position(|held| held.open.is_at(position));
            if let Some(Held { told, open }) = held.map(|held| self.held.remove(held)) {
                self.tell_item(told, Some(open));
            } else if let Some(open) = self.items.untold(position, &told) {
                self.tell_item(told, open);
            }
        }
        self.tell_all_held();
        self.rest = response.take_rest();
        self.events.extend(response.usage.take().map(ChatEvent::Usage));
        if response.has_failed() {
            let error = response.error.take();
            return Err(Fault::Told(
                error
                    .or_else(|| event.error.map(|error| *error))
                    .unwrap_or_default(),
            ));
        }
        self.end_calls();
        let finish = response
            .finish(self.has_called, self.refused)
            .unwrap_or(FinishReason::Stop);
        self.events.push_back(ChatEvent::Finish(finish.clone()));
        self.finish = Some(finish);
        Ok(Progress::Done)
    }
}

/// What an event says of an error: in a member, or in its own.
fn told(error: Option<Box<Value>>, data: &str) -> Value {
    match error.map(|error| *error) {
        Some(error) if !error.is_null() => error,
        _ => serde_json::from_str(data).unwrap_or_default(),
    }
}

use super::call::{Call, Function, made_up_id};
use gatepass_core::{ChatEvent, JsonObject, ToolCall};
use gatepass_wire::Arguments;
use gatepass_wire::Budget;
use gatepass_wire::Fault;
use gatepass_wire::Text;
use gatepass_wire::{ITEMS_LIMIT, member_weight};
use std::collections::VecDeque;

/// What is wrong with an answer that has more calls than [`ITEMS_LIMIT`].
pub(crate) const TOO_MANY: &str = "it has more than 1024 tool calls";

/// Puts the calls of a stream together.
///
/// By the wire's rule a piece belongs to the call of its `index`. Some servers leave the index out, or give
/// all calls the same one; some repeat id and name with every piece.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Started>,
    /// So many of them have been told as a whole.
    told: usize,
}

#[derive(Debug)]
struct Started {
    /// The server's.
    index: Option<u64>,
    id: Option<String>,
    name: String,
    arguments: Arguments,
    signature: Option<String>,
    extra: JsonObject,
    announced: bool,
}

impl Calls {
    /// Adds the pieces of one chunk.
    ///
    /// Several that say neither which call they belong to nor begin one go on with the last calls, in their order.
    pub(super) fn add_all(
        &mut self,
        pieces: Vec<Call<'_>>,
        budget: &mut Budget,
        events: &mut VecDeque<ChatEvent>,
    ) -> Result<(), Fault> {
        let are_nameless = pieces.len() > 1 && pieces.iter().all(Call::is_nameless);
        let first = self
            .calls
            .len()
            .checked_sub(pieces.len())
            .filter(|_| are_nameless);
        for (number, piece) in pieces.into_iter().enumerate() {
            let position = first.map(|first| first + number);
            self.add_to(position, piece, budget, events)?;
        }
        Ok(())
    }

    /// Adds a piece.
    pub(super) fn add(
        &mut self,
        piece: Call<'_>,
        budget: &mut Budget,
        events: &mut VecDeque<ChatEvent>,
    ) -> Result<(), Fault> {
        self.add_to(None, piece, budget, events)
    }

    /// Adds a piece to the call at `position`, or else to the one that it names.
    fn add_to(
        &mut self,
        position: Option<usize>,
        mut piece: Call<'_>,
        budget: &mut Budget,
        events: &mut VecDeque<ChatEvent>,
    ) -> Result<(), Fault> {
        let function = piece.take_function();
        let position = match position.or_else(|| self.continued(&piece, &function)) {
            Some(position) => position,
            None => self.start(&piece, events)?,
        };
        let Some(call) = self.calls.get_mut(position) else {
            return Ok(());
        };
        let before = call.size();
        call.add(position, piece, function, events);
        budget.take(call.size().saturating_sub(before))
    }

    /// Tells the calls that are whole.
    pub(super) fn tell_whole(&mut self, events: &mut VecDeque<ChatEvent>) {
        self.tell(|call| call.arguments.are_whole(), events);
    }

    /// Tells all calls that haven't been told as a whole.
    pub(super) fn close(&mut self, events: &mut VecDeque<ChatEvent>) {
        self.tell(|_| true, events);
    }

    /// The call that `piece` is a piece of; `None` for the first piece of another one.
    fn continued(&mut self, piece: &Call<'_>, function: &Function<'_>) -> Option<usize> {
        let by = |is: &dyn Fn(&Started) -> bool| self.calls.iter().rposition(is);
        let last = self.calls.len().checked_sub(1);
        let position = match piece.index.0 {
            Some(index) => by(&|call| call.index == Some(index)),
            None if piece.id.is_empty() => last,
            None => by(&|call| call.is(&piece.id)).or_else(|| last.filter(|_| function.name.is_empty())),
        }?;
        let call = self.calls.get_mut(position)?;
        (!call.is_followed_by(piece, function)).then_some(position)
    }

    fn start(&mut self, piece: &Call<'_>, events: &mut VecDeque<ChatEvent>) -> Result<usize, Fault> {
        if self.calls.len() >= ITEMS_LIMIT {
            return Err(Fault::TooLarge(TOO_MANY));
        }
        // A call without arguments may be one whose arguments are still to come.
        self.tell_whole(events);
        self.calls.push(Started {
            index: piece.index.0,
            id: None,
            name: String::new(),
            arguments: Arguments::default(),
            signature: None,
            extra: JsonObject::new(),
            announced: false,
        });
        Ok(self.calls.len() - 1)
    }

    /// Tells the next calls as long as they are `ready`; the order stays.
    fn tell(&mut self, ready: impl Fn(&mut Started) -> bool, events: &mut VecDeque<ChatEvent>) {
        for (position, call) in self.calls.iter_mut().enumerate().skip(self.told) {
            if !ready(call) {
                break;
            }
            call.announce(position, events);
            events.push_back(ChatEvent::ToolCall(call.whole(position)));
            self.told += 1;
        }
    }
}

impl Started {
    fn is(&self, id: &Text<'_>) -> bool {
        self.id.as_deref() == Some(id.as_str())
    }

    /// Whether `piece`, which should belong to this call, begins another one: it has a name, and another id or
    /// more arguments than this call can take.
    fn is_followed_by(&mut self, piece: &Call<'_>, function: &Function<'_>) -> bool {
        if function.name.is_empty() {
            return false;
        }
        if self.id.is_some() && !piece.id.is_empty() {
            return !self.is(&piece.id);
        }
        !function.arguments.is_empty() && self.arguments.are_whole()
    }

    /// So many bytes are held back.
    fn size(&self) -> usize {
        let told = [&self.id, &self.signature].into_iter().flatten();
        let extra = self.extra.iter().map(|(name, value)| member_weight(name, value));
        told.map(String::len).sum::<usize>() + extra.sum::<usize>() + self.name.len() + self.arguments.len()
    }

    fn add(
        &mut self,
        position: usize,
        mut piece: Call<'_>,
        function: Function<'_>,
        events: &mut VecDeque<ChatEvent>,
    ) {
        let signature = piece.take_signature();
        self.signature = self.signature.take().or(signature);
        self.extra.append(&mut piece.rest);
        if self.id.is_none() {
            self.id = piece.id.into_owned();
        }
        self.add_name(function.name);
        if !self.name.is_empty() || !function.arguments.is_empty() {
            self.announce(position, events);
        }
        self.arguments.push_str(function.arguments.as_str());
        events.extend(
            function
                .arguments
                .into_owned()
                .map(|arguments| ChatEvent::ToolCallArguments {
                    index: position,
                    arguments,
                }),
        );
    }

    /// A name comes whole as a rule, is repeated by some, and cut to pieces by a few.
    fn add_name(&mut self, name: Text<'_>) {
        if self.name.is_empty() {
            self.name = name.into_owned().unwrap_or_default();
        } else if self.arguments.is_empty() && self.name != name.as_str() {
            self.name.push_str(name.as_str());
        }
    }

    fn announce(&mut self, position: usize, events: &mut VecDeque<ChatEvent>) {
        if !self.announced {
            self.announced = true;
            events.push_back(ChatEvent::ToolCallStart {
                index: position,
                id: self.id_or_made_up(position),
                name: self.name.clone(),
            });
        }
    }

    fn whole(&mut self, position: usize) -> ToolCall {
        let id = self.id_or_made_up(position);
        let arguments = std::mem::take(&mut self.arguments).into_text();
        let mut call = ToolCall::new(id, self.name.as_str(), arguments);
        call.signature = self.signature.take();
        call.extra = std::mem::take(&mut self.extra);
        call
    }

    fn id_or_made_up(&self, position: usize) -> String {
        self.id.clone().unwrap_or_else(|| made_up_id(position))
    }
}

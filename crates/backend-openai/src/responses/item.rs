//! What the model puts out: items, and the parts that they are to us.

use gatepass_core::{JsonObject, Media, Part, Reasoning, Text, ToolCall};
use serde_json::Value;

/// The member of a part's `extra` that holds what the item around the piece says of itself: its `id`, first of all.
/// Pieces that stand side by side and name the same item are sent back as that item.
pub(super) const ITEM: &str = "item";

/// An item of an answer's `output`.
#[derive(Debug)]
pub(super) enum Item {
    /// A message or a thought: pieces of text, and what the item says of itself.
    Pieces(Pieces),
    /// Anything else: one part.
    Whole(Part),
}

#[derive(Debug)]
pub(super) struct Pieces {
    pub(super) kind: Kind,
    pub(super) pieces: Vec<(Place, Part)>,
    /// The item without its pieces.
    own: JsonObject,
    /// What proves a thought: `encrypted_content`.
    pub(super) signature: Option<String>,
}

/// What a piece is a piece of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Thought,
}

/// Where a piece stands in its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Content(u64),
    Summary(u64),
}

impl Place {
    /// The type of a thought's piece that stands here.
    pub(super) const fn thought_type(self) -> &'static str {
        match self {
            Self::Content(_) => "reasoning_text",
            Self::Summary(_) => "summary_text",
        }
    }
}

impl Item {
    pub(super) fn read(mut item: JsonObject) -> Self {
        match kind(&item) {
            "message" => Self::Pieces(Pieces::message(item)),
            "reasoning" => Self::Pieces(Pieces::thought(item)),
            "function_call" => Self::Whole(Part::ToolCall(call(item, "arguments"))),
            "custom_tool_call" => {
                let mut call = call(item, "input");
                call.extra.insert("type".into(), "custom_tool_call".into());
                Self::Whole(Part::ToolCall(call))
            }
            "image_generation_call" => match item.remove("result") {
                Some(Value::String(image)) if !image.is_empty() => Self::Whole(self::image(item, image)),
                result => {
                    item.extend(result.map(|result| ("result".to_owned(), result)));
                    Self::Whole(Part::Other(item))
                }
            },
            _ => Self::Whole(Part::Other(item)),
        }
    }

    /// Whether it is no text that is told as it is written.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// The provider's id of it.
    pub(super) fn own_id(&self) -> Option<&str> {
        let own = match self {
            Self::Pieces(pieces) => &pieces.own,
            Self::Whole(part) => part.extra(),
        };
        own.get("id")?.as_str()
    }

    /// The parts that say it; the last one tells all that the item says of itself, the others whose piece they are.
    pub(super) fn into_parts(self) -> Vec<Part> {
        let pieces = match self {
            Self::Pieces(pieces) => pieces,
            Self::Whole(part) => return vec![part],
        };
        let last = pieces.pieces.len().checked_sub(1);
        let (id, own) = (pieces.id(), pieces.own);
        if last.is_none() {
            return vec![pieces.kind.empty(own, pieces.signature)];
        }
        let parts = pieces.pieces.into_iter().enumerate();
        let mut parts: Vec<_> = parts
            .map(|(position, (_, mut part))| {
                let own = if Some(position) == last { &own } else { &id };
                tell_item(part.extra_mut(), own.clone());
                part
            })
            .collect();
        if let (Some(Part::Reasoning(thought)), Some(signature)) = (parts.last_mut(), pieces.signature) {
            thought.signature = Some(signature);
        }
        parts
    }
}

impl Kind {
    /// A part without text.
    pub(super) fn empty(self, own: JsonObject, signature: Option<String>) -> Part {
        let mut part = match self {
            Self::Text => Part::text(""),
            Self::Thought => {
                let mut thought = Reasoning::default();
                thought.signature = signature;
                Part::Reasoning(thought)
            }
        };
        tell_item(part.extra_mut(), own);
        part
    }
}

impl Pieces {
    fn message(mut item: JsonObject) -> Self {
        item.remove("type");
        if item.get("role").and_then(Value::as_str) == Some("assistant") {
            item.remove("role");
        }
        let pieces = match item.remove("content") {
            Some(Value::Array(pieces)) => pieces,
            Some(Value::Null) | None => Vec::new(),
            Some(piece) => vec![piece],
        };
        Self {
            kind: Kind::Text,
            pieces: numbered(pieces, Place::Content, said),
            own: item,
            signature: None,
        }
    }

    fn thought(mut item: JsonObject) -> Self {
        item.remove("type");
        let mut list = |name: &str| match item.remove(name) {
            Some(Value::Array(pieces)) => pieces,
            _ => Vec::new(),
        };
        let mut pieces = numbered(list("summary"), Place::Summary, thought);
        pieces.extend(numbered(list("content"), Place::Content, thought));
        let signature = match item.remove("encrypted_content") {
            Some(Value::String(signature)) if !signature.is_empty() => Some(signature),
            _ => None,
        };
        Self {
            kind: Kind::Thought,
            pieces,
            own: item,
            signature,
        }
    }

    /// Takes what the item says of itself.
    pub(super) fn take_own(&mut self) -> JsonObject {
        std::mem::take(&mut self.own)
    }

    /// What the item says of itself, as far as it names it.
    pub(super) fn id(&self) -> JsonObject {
        let id = self.own.get_key_value("id");
        id.map(|(name, id)| (name.clone(), id.clone()))
            .into_iter()
            .collect()
    }
}

/// Adds the item to what a piece of it says.
pub(super) fn tell_item(extra: &mut JsonObject, own: JsonObject) {
    if !own.is_empty() {
        extra.insert(ITEM.into(), own.into());
    }
}

fn numbered(
    pieces: Vec<Value>,
    place: impl Fn(u64) -> Place,
    part: impl Fn(Value) -> Part,
) -> Vec<(Place, Part)> {
    let places = (0..).map(place);
    places.zip(pieces.into_iter().map(part)).collect()
}

fn kind(members: &JsonObject) -> &str {
    members.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// A piece of a message.
pub(super) fn said(piece: Value) -> Part {
    let mut piece = match piece {
        Value::Object(piece) => piece,
        other => return Part::text(text_of(other)),
    };
    match kind(&piece) {
        "output_text" | "text" => {
            piece.remove("type");
            text_part(piece, "text")
        }
        // It stays a refusal: `type` is kept.
        "refusal" => text_part(piece, "refusal"),
        _ => Part::Other(piece),
    }
}

fn text_part(mut piece: JsonObject, name: &str) -> Part {
    let mut text = Text::new(piece.remove(name).map(text_of).unwrap_or_default());
    drop_empty_lists(&mut piece);
    text.extra = piece;
    Part::Text(text)
}

/// A piece of a thought: `summary_text`, `reasoning_text`.
pub(super) fn thought(piece: Value) -> Part {
    let mut piece = match piece {
        Value::Object(piece) => piece,
        other => return Part::Reasoning(Reasoning::new(text_of(other))),
    };
    let mut thought = Reasoning::new(piece.remove("text").map(text_of).unwrap_or_default());
    drop_empty_lists(&mut piece);
    thought.extra = piece;
    Part::Reasoning(thought)
}

/// A text; anything else as JSON.
pub(super) fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `annotations` and `logprobs` stand in every piece, mostly empty.
fn drop_empty_lists(piece: &mut JsonObject) {
    piece.retain(|_, value| !matches!(value, Value::Array(items) if items.is_empty()));
}

fn call(mut item: JsonObject, arguments: &str) -> ToolCall {
    let mut take = |name: &str| item.remove(name).map(text_of).unwrap_or_default();
    let mut call = ToolCall::new(take("call_id"), take("name"), take(arguments));
    if call.id.is_empty() {
        // A result has to name its call.
        call.id = item.get("id").cloned().map(text_of).unwrap_or_default();
    }
    item.remove("type");
    call.extra = item;
    call
}

/// An image that the model drew. `type` is kept: it makes the image an item again.
fn image(item: JsonObject, content: String) -> Part {
    let format = item.get("output_format").and_then(Value::as_str);
    let media_type = format!("image/{}", format.unwrap_or("png"));
    let mut image = Media::base64(media_type, content);
    image.extra = item;
    Part::Image(image)
}

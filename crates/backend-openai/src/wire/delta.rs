//! A message's members without a name here, as a stream tells them: piece by piece.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gatepass_core::JsonObject;
use gatepass_wire::{Budget, Fault, append, merge, weight};
use serde_json::Value;

/// What the model speaks.
const AUDIO: &str = "audio";

/// Adds what a chunk tells.
///
/// Lists go on, and of `reasoning_details` the pieces of one thought become that thought again; of `audio` the sound and
/// the words go on; of anything else the last one counts.
pub(super) fn add(into: &mut JsonObject, mut delta: JsonObject, budget: &mut Budget) -> Result<(), Fault> {
    if delta.is_empty() {
        return Ok(());
    }
    if let Some(Value::Object(sound)) = into.get_mut(AUDIO)
        && let Some(Value::Object(more)) = delta.get_mut(AUDIO)
    {
        for (name, join) in [
            ("data", join_base64 as JoinText),
            ("transcript", String::push_str),
        ] {
            if let (Some(Value::String(text)), Some(Value::String(next))) =
                (sound.get_mut(name), more.get(name))
            {
                budget.take(next.len())?;
                join(text, next);
                more.remove(name);
            }
        }
    }
    merge(into, delta, go_on, budget)
}

type JoinText = fn(&mut String, &str);

/// Each piece may have been encoded on its own, and end with padding: then its last four letters, which hold a byte or two,
/// are encoded once more with what follows.
fn join_base64(text: &mut String, next: &str) {
    let end = text.len().saturating_sub(4);
    if text.ends_with('=')
        && let Some(Ok(mut bytes)) = text.get(end..).map(|padded| STANDARD.decode(padded))
        && let Ok(more) = STANDARD.decode(next)
    {
        bytes.extend(more);
        text.truncate(end);
        STANDARD.encode_string(bytes, text);
    } else {
        text.push_str(next);
    }
}

/// As [`append`], but for the pieces of a thought: OpenRouter tells the text, or the summary, of one thought in many
/// items, and takes it back as one.
fn go_on(items: &mut Vec<Value>, more: Vec<Value>, budget: &mut Budget) -> Result<(), Fault> {
    for item in more {
        match items.last_mut().and_then(|last| text_to_go_on_with(last, &item)) {
            None => append(items, vec![item], budget)?,
            Some(name) => {
                budget.take(weight(&item))?;
                if let (Some(Value::Object(last)), Value::Object(item)) = (items.last_mut(), item) {
                    add_piece(last, item, name);
                }
            }
        }
    }
    Ok(())
}

/// The member of `last` that `item` goes on with, if it is another piece of the same thought. Its `index` is no help alone:
/// in a stream thoughts of two kinds may have the same. A thought that is signed is whole.
fn text_to_go_on_with(last: &Value, item: &Value) -> Option<&'static str> {
    let name = match item.get("type")?.as_str()? {
        "reasoning.text" => "text",
        "reasoning.summary" => "summary",
        _ => return None,
    };
    let agree = |member: &str| match (last.get(member), item.get(member)) {
        (Some(one), Some(other)) => one.is_null() || other.is_null() || one == other,
        _ => true,
    };
    let says = |thought: &Value, member: &str| {
        let text = thought.get(member).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty())
    };
    let is_alike = last.get("type") == item.get("type") && agree("index") && agree("id");
    let is_whole = says(last, "signature") && (says(item, name) || says(item, "signature"));
    (is_alike && !is_whole).then_some(name)
}

fn add_piece(last: &mut JsonObject, item: JsonObject, name: &str) {
    for (member, value) in item {
        match (last.get_mut(&member), value) {
            (_, Value::Null) => {}
            (Some(Value::String(text)), Value::String(next)) if member == name => text.push_str(&next),
            (_, value) => {
                last.insert(member, value);
            }
        }
    }
}

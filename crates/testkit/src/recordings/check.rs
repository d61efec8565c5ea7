use super::expect::{ExpectedCall, calls};
use super::{Problem, Recording};
use gatepass_core::{ChatReply, FinishReason, Part, Usage};
use serde_json::Value;
use std::collections::BTreeSet;

/// Says how many of `recordings` hold, and what doesn't; a failure begins with its recording's id and a colon. Exceptions
/// are known by their ids and have a reason.
///
/// # Panics
/// If one fails that is no exception.
#[expect(clippy::print_stdout, reason = "the count is what the test is run for")]
pub fn report(what: &str, recordings: &[Recording], mut failures: Vec<String>, exceptions: &[(&str, &str)]) {
    let is_known = |id: &str| exceptions.iter().any(|(known, _)| *known == id);
    failures.retain(|failure| !failure.split_once(':').is_some_and(|(id, _)| is_known(id)));
    let known = recordings.iter().filter(|recording| is_known(&recording.id));
    let all = recordings.len();
    let passed = all - failures.len() - known.count();
    println!("{passed} of {all} {what}");
    for (id, reason) in exceptions {
        println!("not {id}: {reason}");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Compares what was read with what was expected.
///
/// # Errors
/// A sentence with both.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, read: &T, expected: &T) -> Result<(), Problem> {
    if read == expected {
        return Ok(());
    }
    Err(format!("{what}: read {read:?}, expected {expected:?}"))
}

/// All thoughts, joined.
#[must_use]
pub fn thoughts(reply: &ChatReply) -> String {
    let thoughts = reply.message.parts.iter().filter_map(|part| match part {
        Part::Reasoning(thought) => Some(thought.text.as_str()),
        _ => None,
    });
    thoughts.collect()
}

/// What a reply says, however it was told: text, thoughts, calls, finish and counted tokens.
#[must_use]
pub fn said(reply: &ChatReply) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut usage: Option<Usage> = reply.usage.clone();
    usage.iter_mut().for_each(|usage| usage.extra.clear());
    let calls: Vec<ExpectedCall> = calls(reply);
    let finish: Option<FinishReason> = reply.finish.clone();
    (reply.text(), thoughts(reply), calls, finish, usage)
}

/// Looks for each text, number and truth of `told` in `kept`, but for those that `is_said_otherwise` knows by their
/// place.
///
/// # Errors
/// What is lost.
pub fn check_nothing_is_lost(
    kept: &impl serde::Serialize,
    told: &[Value],
    is_said_otherwise: impl Fn(&str, &Value) -> bool,
) -> Result<(), Problem> {
    let kept = serde_json::to_value(kept).map_err(|error| error.to_string())?;
    let mut leaves_kept = BTreeSet::new();
    leaves(&kept, "", &mut |_, leaf| {
        leaves_kept.insert(leaf.to_string());
    });
    let mut lost = Vec::new();
    for chunk in told {
        leaves(chunk, "", &mut |path, leaf| {
            if !is_said_otherwise(path, leaf) && !leaves_kept.contains(&leaf.to_string()) {
                lost.push(format!("{path}: {leaf}"));
            }
        });
    }
    if lost.is_empty() {
        return Ok(());
    }
    Err(format!("lost: {}", lost.join(", ")))
}

/// Calls `visit` with each text, number and truth that says something, and where it stands.
pub fn leaves(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                leaves(member, &format!("{path}/{name}"), visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, visit)),
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        leaf => visit(path, leaf),
    }
}

//! Members that have no name here.

use crate::budget::{Budget, member_weight, weight};
use crate::lenient::Text;
use crate::stream::Fault;
use gatepass_core::JsonObject;
use serde::de::{IgnoredAny, MapAccess};
use serde_json::Value;

/// A member that nobody needs.
///
/// # Errors
/// The reader's.
pub fn pass_over<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>().map(|_| ())
}

/// A member of any kind; none if it says nothing.
///
/// # Errors
/// The reader's.
pub fn said<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Option<Value>, A::Error> {
    let value: Value = members.next_value()?;
    Ok((!says_nothing(&value)).then_some(value))
}

/// Keeps a member in `rest`, unless it says nothing.
///
/// # Errors
/// The reader's.
pub fn keep<'de, A: MapAccess<'de>>(
    rest: &mut JsonObject,
    name: Text<'de>,
    members: &mut A,
) -> Result<(), A::Error> {
    let value = said(members)?;
    rest.extend(value.and_then(|value| Some((name.into_owned()?, value))));
    Ok(())
}

/// As [`keep`], of an object of counts, where zero says nothing either.
///
/// # Errors
/// The reader's.
pub fn keep_count<'de, A: MapAccess<'de>>(
    rest: &mut JsonObject,
    name: Text<'de>,
    members: &mut A,
) -> Result<(), A::Error> {
    let value = said(members)?.filter(|value| !is_zero(value));
    rest.extend(value.and_then(|value| Some((name.into_owned()?, value))));
    Ok(())
}

/// `null`, an empty text, an empty list, and objects of nothing but those and zeros: what servers write in
/// place of a member that they don't have.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members
            .values()
            .all(|value| is_zero(value) || says_nothing(value)),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

/// Adds members that come in several chunks. Objects are merged, `join` joins two lists, and of anything else
/// the last one counts.
///
/// # Errors
/// [`Fault::TooLarge`] if the budget is used up.
pub fn merge(
    into: &mut JsonObject,
    members: impl IntoIterator<Item = (String, Value)>,
    join: Join,
    budget: &mut Budget,
) -> Result<(), Fault> {
    for (name, value) in members {
        match (into.get_mut(&name), value) {
            (Some(Value::Array(items)), Value::Array(more)) => join(items, more, budget)?,
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more, join, budget)?,
            (Some(old), value) => {
                budget.give_back(weight(old));
                budget.take(weight(&value))?;
                *old = value;
            }
            (None, value) => {
                budget.take(member_weight(&name, &value))?;
                into.insert(name, value);
            }
        }
    }
    Ok(())
}

/// How two lists become one.
pub type Join = fn(&mut Vec<Value>, Vec<Value>, &mut Budget) -> Result<(), Fault>;

/// A list comes in pieces.
///
/// # Errors
/// [`Fault::TooLarge`] if the budget is used up.
pub fn append(items: &mut Vec<Value>, more: Vec<Value>, budget: &mut Budget) -> Result<(), Fault> {
    budget.take(more.iter().map(weight).sum())?;
    items.extend(more);
    Ok(())
}

/// A list comes whole, and maybe again.
///
/// # Errors
/// [`Fault::TooLarge`] if the budget is used up.
pub fn replace(items: &mut Vec<Value>, again: Vec<Value>, budget: &mut Budget) -> Result<(), Fault> {
    budget.give_back(items.iter().map(weight).sum());
    budget.take(again.iter().map(weight).sum())?;
    *items = again;
    Ok(())
}

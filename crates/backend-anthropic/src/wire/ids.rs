use std::borrow::Cow;
use std::collections::HashMap;

/// The ids of an answer's calls, as the API takes them: of letters, digits, `_` and `-`, and each one once. Other
/// providers make ids of more than that, and some servers give all calls of an answer the same.
#[derive(Debug, Default)]
pub(super) struct Ids<'a> {
    calls: Vec<Named<'a>>,
    /// Each id that was sent, and the last number that was put after it.
    numbers: HashMap<Cow<'a, str>, usize>,
}

#[derive(Debug)]
struct Named<'a> {
    id: &'a str,
    sent: Cow<'a, str>,
    is_answered: bool,
}

impl<'a> Ids<'a> {
    /// Another answer begins, whose calls may have the ids of those before.
    pub(super) fn begin_answer(&mut self) {
        self.calls.clear();
        self.numbers.clear();
    }

    /// The id of the next call.
    pub(super) fn of_call(&mut self, id: &'a str) -> Cow<'a, str> {
        let wanted = sendable(id);
        let mut sent = wanted.clone();
        while self.numbers.contains_key(&sent) {
            let number = self.numbers.entry(wanted.clone()).or_insert(1);
            *number += 1;
            sent = Cow::Owned(format!("{wanted}_{number}"));
        }
        self.numbers.insert(sent.clone(), 1);
        self.calls.push(Named {
            id,
            sent: sent.clone(),
            is_answered: false,
        });
        sent
    }

    /// The id that a call's answer names: that of the first call so called that has none yet.
    pub(super) fn of_result(&mut self, id: &'a str) -> Cow<'a, str> {
        let mut named = self.calls.iter_mut().filter(|call| call.id == id);
        if let Some(call) = named.find(|call| !call.is_answered) {
            call.is_answered = true;
            return call.sent.clone();
        }
        let last = self.calls.iter().rfind(|call| call.id == id);
        last.map_or_else(|| sendable(id), |call| call.sent.clone())
    }
}

fn sendable(id: &str) -> Cow<'_, str> {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if id.is_empty() {
        Cow::Borrowed("call")
    } else if id.chars().all(is_taken) {
        Cow::Borrowed(id)
    } else {
        Cow::Owned(id.replace(|c| !is_taken(c), "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_has_an_id_of_its_own_and_its_answer_names_it() {
        let mut ids = Ids::default();
        let calls = ["call_0", "call_0", "a:b", "a_b", ""].map(|id| ids.of_call(id));
        assert_eq!(calls, ["call_0", "call_0_2", "a_b", "a_b_2", "call"]);
        let results = ["a_b", "call_0", "", "call_0", "a:b", "call_0", "unknown id"];
        let results = results.map(|id| ids.of_result(id));
        let expected = [
            "a_b_2",
            "call_0",
            "call",
            "call_0_2",
            "a_b",
            "call_0_2",
            "unknown_id",
        ];
        assert_eq!(results, expected);
        assert_eq!(ids.of_call("b_2"), "b_2");
        assert_eq!(ids.of_call("b"), "b");
        assert_eq!(ids.of_call("b"), "b_3", "the second one is there");
        ids.begin_answer();
        assert_eq!(ids.of_call("call_0"), "call_0", "in the next answer");
        assert_eq!(ids.of_result("call_0"), "call_0");
    }
}

use crate::lock;
use std::collections::VecDeque;
use std::sync::Mutex;

/// What a server says instead of what it normally would: first the queue, then `always`, then `None`.
#[derive(Debug)]
pub(crate) struct Script<T>(Mutex<Lines<T>>);

#[derive(Debug)]
struct Lines<T> {
    queue: VecDeque<T>,
    always: Option<T>,
}

impl<T: Clone> Script<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Lines {
            queue: VecDeque::new(),
            always: None,
        }))
    }

    pub(crate) fn push(&self, line: T) {
        lock(&self.0).queue.push_back(line);
    }

    pub(crate) fn always(&self, line: T) {
        lock(&self.0).always = Some(line);
    }

    pub(crate) fn clear(&self) {
        let mut lines = lock(&self.0);
        lines.queue.clear();
        lines.always = None;
    }

    pub(crate) fn next(&self) -> Option<T> {
        let mut lines = lock(&self.0);
        lines.queue.pop_front().or_else(|| lines.always.clone())
    }
}

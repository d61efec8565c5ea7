//! A token that many threads use at once.

use crate::token::AccessToken;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// As many threads as have a copy of their own; the next share one with them.
const THREADS: usize = 8;

/// One token, for all threads.
///
/// To clone a token is to count a reference, and each clone of its header counts another, of which an HTTP stack makes a few
/// for a request. Threads that count in the same place wait for each other's cache line; so a thread that looks has a
/// copy of its own to clone, made at its first look. It takes the memory of a header, and goes when the token does.
#[derive(Debug)]
pub(crate) struct Copies {
    first: AccessToken,
    /// Nothing for a token that is looked at once.
    others: Option<Box<[OnceLock<AccessToken>; THREADS - 1]>>,
}

impl Copies {
    /// A token that is looked at again and again.
    pub(crate) fn of(token: AccessToken) -> Self {
        Self {
            first: token,
            others: Some(Box::default()),
        }
    }

    /// A token that is looked at once.
    pub(crate) const fn only(token: AccessToken) -> Self {
        Self {
            first: token,
            others: None,
        }
    }

    /// For who looks at it and clones nothing.
    pub(crate) const fn first(&self) -> &AccessToken {
        &self.first
    }

    /// The calling thread's.
    #[inline]
    pub(crate) fn mine(&self) -> &AccessToken {
        // The first thread that ever asks needs none.
        let number = (thread_number() % THREADS).checked_sub(1);
        let other = number.and_then(|number| self.others.as_ref()?.get(number));
        other.map_or(&self.first, |other| other.get_or_init(|| self.first.apart()))
    }
}

/// Counts the threads that ask: 0, 1, 2, …
#[inline]
fn thread_number() -> usize {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = ASKED.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn each_thread_looks_at_a_copy_of_its_own_and_always_at_the_same() {
        let copies = Copies::of(AccessToken::bearer("abc").unwrap());
        let look = || {
            let token = copies.mine();
            assert_eq!(token, &copies.first);
            assert_eq!(token.header(), "Bearer abc");
            assert!(token.header().is_sensitive());
            assert!(std::ptr::eq(token, copies.mine()));
            std::ptr::from_ref(token).addr()
        };
        let mut seen: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(look)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        seen.sort_unstable();
        seen.dedup();
        // Other tests run beside this one, in threads that are counted, too.
        assert!(seen.len() > THREADS / 2, "{} copies", seen.len());
    }

    #[test]
    fn a_token_that_is_looked_at_once_is_not_copied() {
        let copies = Copies::only(AccessToken::bearer("abc").unwrap());
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| assert!(std::ptr::eq(copies.mine(), &copies.first)));
            }
        });
    }
}

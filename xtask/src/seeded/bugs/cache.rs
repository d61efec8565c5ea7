//! Bugs of the cache.

use crate::seeded::Bug;

pub(super) const BUGS: &[Bug] = &[
    Bug {
        what: "a token is handed out after its end",
        file: "crates/core/src/cache/mod.rs",
        text: "if !now.is_before(&in_hand.windows.expiry) {",
        instead: "if now.is_before(&Windows::passed().expiry) {",
        test: "gatepass-core --lib cache::tests::a_failed_refresh_never_takes_a_valid_token_away",
    },
    Bug {
        what: "every caller makes a request of their own",
        file: "crates/core/src/cache/mod.rs",
        text: "(Some(flight), _) => Turn::Wait(flight.clone()),",
        instead: "(Some(_), _) => self.take_off(state, now),",
        test: "gatepass-core --lib cache::tests::a_thousand_callers_at_expiry_make_one_request",
    },
    Bug {
        what: "a late refusal takes the new token away",
        file: "crates/core/src/cache/mod.rs",
        text: "if self.in_hand.load().token.first() != token {",
        instead: "if self.in_hand.load().token.first() == &AccessToken::none() {",
        test: "gatepass-core --lib cache::tests::reject_compares_and_takes_away_only_the_token_in_hand",
    },
    Bug {
        what: "a refresh that began before a refusal brings the refused token back",
        file: "crates/core/src/cache/mod.rs",
        text: "if landing.generation != state.generation\n",
        instead: "if landing.generation > state.generation\n",
        test: "gatepass-core --lib cache::tests::a_refresh_begun_before_a_refusal_cannot_bring_the_bad_token_back",
    },
    Bug {
        what: "a server that refuses everything is hammered",
        file: "crates/core/src/cache/mod.rs",
        text: "if !state.refusals.take(self.clock.now().monotonic) {",
        instead: "if !state.refusals.take(self.clock.now().monotonic) && state.failures > 9 {",
        test: "gatepass-core --lib cache::tests::endless_refusals_lead_to_few_requests",
    },
    Bug {
        what: "a failure is not remembered",
        file: "crates/core/src/cache/breaker.rs",
        text: "self.quiet_until.store(after(pause), Ordering::Release);",
        instead: "self.quiet_until.store(after(Duration::ZERO), Ordering::Release);",
        test: "gatepass-core --lib cache::tests::a_failure_is_shared_and_remembered_for_a_growing_time",
    },
    Bug {
        what: "a rate limit's pause is not remembered",
        file: "crates/core/src/cache/policy.rs",
        text: "pause.saturating_sub(spent).max(asked)",
        instead: "pause.saturating_sub(spent).min(asked)",
        test: "gatepass-core --lib cache::tests::retry_after_lengthens_the_memory_of_a_failure",
    },
    Bug {
        what: "every caller waits for a server that hangs",
        file: "crates/core/src/cache/mod.rs",
        text: "(Some(_), Some(error)) if open =>",
        instead: "(Some(_), Some(error)) if open && quiet =>",
        test: "gatepass-core --lib cache::tests::outages::only_who_asks_a_hanging_server_again_waits_for_it",
    },
];

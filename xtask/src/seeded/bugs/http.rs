//! Bugs of HTTP.

use crate::seeded::Bug;

pub(super) const BUGS: &[Bug] = &[
    Bug {
        what: "secrets follow a redirect",
        file: "crates/http/src/client.rs",
        text: "redirect::Policy::none()",
        instead: "redirect::Policy::limited(10)",
        test: "gatepass-http --test it redirects::a_redirect_on_the_same_server_is_not_followed_either",
    },
    Bug {
        what: "requests to this machine go through the proxy",
        file: "crates/http/src/client.rs",
        text: "builder(&options, tls).no_proxy()",
        instead: "builder(&options, tls)",
        test: "gatepass-http --test it proxy::loopback_requests_never_go_to_the_systems_proxy",
    },
    Bug {
        what: "a hanging server is waited for twenty times too long",
        file: "crates/http/src/client.rs",
        text: "Alarm::new(self.options.first_byte_timeout,",
        instead: "Alarm::new(self.options.first_byte_timeout * 20,",
        test: "gatepass-http --test it timeouts::a_server_that_never_answers_is_given_up",
    },
    Bug {
        what: "the timer of a runtime that doesn't run is waited for",
        file: "crates/http/src/alarm.rs",
        text: "Some(last) if last.runtime == runtime => (kept.pop(), Vec::new()),",
        instead: "Some(_) => (kept.pop(), Vec::new()),",
        test: "gatepass-http --lib alarm::tests::a_timer_of_a_runtime_that_does_not_run_is_not_used",
    },
    Bug {
        what: "a timer that served before rings for the next as it was set",
        file: "crates/http/src/alarm.rs",
        text: "timer.sleep.as_mut().reset(moment);",
        instead: "_ = moment;",
        test: "gatepass-http --lib alarm::tests::a_timer_that_was_kept_rings_at_its_next_time_and_no_sooner",
    },
    Bug {
        what: "secrets are sent unencrypted to another machine",
        file: "crates/http/src/server_url.rs",
        text: "!url.is_loopback() && transport == Transport::Encrypted {",
        instead: "url.is_loopback() && transport != Transport::Encrypted {",
        test: "gatepass-http --lib server_url::tests::what_is_no_safe_address_is_refused_without_being_shown",
    },
    Bug {
        what: "a token is sent to the host that a path names",
        file: "crates/http/src/server_url.rs",
        text: "url.set_path(&joined);",
        instead: "url.set_path(&joined);\n        url = url.join(path).unwrap_or(url);",
        test: "gatepass-http --test it authorized::a_token_never_leaves_its_server_whatever_the_path",
    },
    Bug {
        what: "a refused token is not rejected",
        file: "crates/http/src/authorized.rs",
        text: "self.source.reject(&token);",
        instead: "",
        test: "gatepass-http --test it authorized::a_refused_token_is_replaced_and_the_call_sent_once_more",
    },
    Bug {
        what: "a refused call is sent again and again",
        file: "crates/http/src/authorized.rs",
        text: "Self::Answer { error, .. } => error.advice(),",
        instead: "Self::Answer { error, .. } if error.status == 401 => Advice::Retry { after: None },\n            Self::Answer { error, .. } => error.advice(),",
        test: "gatepass-http --test it authorized::a_server_that_refuses_every_token_gets_two_requests_and_the_caller_a_401",
    },
    Bug {
        what: "a server's error shows the token that it quotes",
        file: "crates/http/src/authorized.rs",
        text: "Concealer::of(token, self.secret_headers.clone())",
        instead: "Concealer::default()",
        test: "gatepass-http --test it authorized::a_token_that_the_server_quotes_is_concealed",
    },
    Bug {
        what: "a final error is tried again",
        file: "crates/http/src/status.rs",
        text: "_ => ErrorKind::InvalidRequest,",
        instead: "_ => ErrorKind::Server,",
        test: "gatepass-http --test it retries::what_may_pass_is_tried_again_and_what_will_not_is_not",
    },
    Bug {
        what: "Retry-After is ignored",
        file: "crates/http/src/retry.rs",
        text: ".max(asked);",
        instead: ";",
        test: "gatepass-http --lib retry::tests::a_servers_pause_is_honoured_up_to_a_cap",
    },
    Bug {
        what: "any Retry-After is waited for",
        file: "crates/http/src/retry.rs",
        text: "if asked > self.longest_wait {",
        instead: "if asked > self.longest_wait * 9999 {",
        test: "gatepass-http --lib retry::tests::a_servers_pause_is_honoured_up_to_a_cap",
    },
];

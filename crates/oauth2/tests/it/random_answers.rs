//! L11: whatever comes to the listener, what goes out is ours.

use crate::person::{Asked, flow, log_in, send_raw};
use gatepass_testkit::AuthorizationServer;
use std::fmt::Write;

/// How many queries: as a variable says, or a few.
#[expect(clippy::disallowed_methods, reason = "a person may want more of them")]
fn queries() -> usize {
    let wanted = std::env::var("GATEPASS_TEST_QUERIES").ok();
    wanted.map_or(5_000, |number| number.parse().expect("a number of queries"))
}

const NAMES: &[&str] = &[
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "redirect_uri",
    "next",
    "url",
    "return_to",
    "location",
    "Location",
    "id_token",
    "access_token",
    "",
    "x",
];
const VALUES: &[&str] = &[
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/result",
    "javascript:alert(1)",
    "<script>alert('canary')</script>",
    "\"><img src=x onerror=alert('canary')>",
    "'canary'",
    "&lt;canary>",
    "x\r\nLocation: https://evil.example/",
    "x\nSet-Cookie: canary=1",
    "\u{0}",
    "\u{2028}",
    "access_denied",
    "canary-code",
    "",
    "%",
    "+",
    "STATE",
];

/// The ends of some, as the state is right in them.
const LAST: usize = 100;

/// L11
#[tokio::test]
async fn no_query_gets_anything_out_but_our_own_headers_and_words() {
    let server = AuthorizationServer::start().await;
    let flow = flow(&server).await;
    let queries = queries();
    let (mut sent, mut pages, mut shown) = (0, 0, 0);
    while sent < queries {
        let seed = sent as u64;
        let (login, (answers, page)) = log_in(&flow, move |asked: Asked| converse(asked, seed)).await;
        sent += answers.len();
        assert!(login.is_err(), "no code of ours was in there");
        for (query, answer) in answers {
            assert_ours(&query, &answer);
        }
        pages += 1;
        shown += usize::from(page.contains("canary"));
        assert_ours("the last page", &page);
    }
    assert!(
        shown > 0,
        "no text of the provider was ever shown on {pages} pages"
    );
    eprintln!("{sent} queries, {pages} last pages, {shown} of them with the provider's words");
}

/// Sends queries until one of them ends the login; tells the answers, and the last page.
async fn converse(asked: Asked, seed: u64) -> (Vec<(String, String)>, String) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (host, state) = (asked.authority(), asked.parameter("state"));
    let mut answers = Vec::new();
    for number in 1.. {
        let query = match number < LAST {
            true => query(&mut random, &state),
            false => {
                let value = percent(random.choice(VALUES).unwrap());
                format!("error=server_error&error_description=canary{value}&state={state}")
            }
        };
        let answer = get(&host, &format!("/?{query}")).await;
        let is_last = answer.starts_with("HTTP/1.1 303 ");
        answers.push((query, answer));
        if is_last {
            break;
        }
    }
    (answers, get(&host, "/result").await)
}

async fn get(host: &str, target: &str) -> String {
    send_raw(
        host,
        format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes(),
    )
    .await
}

fn query(random: &mut fastrand::Rng, state: &str) -> String {
    let mut query = String::new();
    for _ in 0..random.usize(0..8) {
        let name = random.choice(NAMES).unwrap();
        let value = match random.u8(0..4) {
            0 => (0..random.usize(0..40)).fold(String::new(), |mut text, _| {
                _ = write!(text, "%{:02x}", random.u8(..));
                text
            }),
            _ => percent(&random.choice(VALUES).unwrap().replace("STATE", state)),
        };
        let parts = match random.u8(0..10) {
            0 => format!("{name}&"),
            1 => format!("{value}={name}&"),
            _ => format!("{name}={value}&"),
        };
        query.push_str(&parts);
    }
    query
}

fn percent(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The names and values of the headers, all of them; and no markup but ours.
fn assert_ours(query: &str, answer: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut names = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let good = match name {
            "location" => status == "303" && value == "/result",
            "cache-control" => value == "no-store",
            "referrer-policy" => value == "no-referrer",
            "x-content-type-options" => value == "nosniff",
            "connection" => value == "close",
            "content-type" => ["text/plain; charset=utf-8", "text/html; charset=utf-8"].contains(&value),
            "content-security-policy" => {
                let rest = value.strip_prefix("default-src 'none'; style-src 'sha256-");
                let hash = rest.and_then(|rest| {
                    rest.strip_suffix("='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
                });
                hash.is_some_and(|hash| hash.len() == 43 && !hash.contains(['\'', ';']))
            }
            "content-length" => value.parse() == Ok(body.len()),
            "date" => value.ends_with(" GMT"),
            _ => false,
        };
        assert!(good, "{query}: {line}");
        names.push(name);
    }
    names.sort_unstable();
    let mut expected = vec![
        "cache-control",
        "connection",
        "content-length",
        "content-security-policy",
        "content-type",
        "date",
        "referrer-policy",
        "x-content-type-options",
    ];
    if status == "303" {
        expected.retain(|name| *name != "content-type");
        expected.push("location");
        expected.sort_unstable();
    }
    assert_eq!(names, expected, "{query}");
    let markup = [
        "<script",
        "<img",
        "canary'",
        "canary\"",
        "canary>",
        "href",
        "onerror=alert('",
    ];
    for markup in markup {
        assert!(!body.contains(markup), "{query}: {body}");
    }
    let ours = ["200", "303", "400"].contains(&status);
    assert!(ours, "{query}: {status}");
    assert!(status == "200" || !body.contains("canary"), "{query}: {body}");
}

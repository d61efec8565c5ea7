//! An hour's work in minutes: tokens that live for seconds, and 200 calls a second that go the whole way, from the facade
//! by a stored login and by client credentials to a model server, in a process of its own whose memory is watched.
//!
//! For long, on a machine that has nothing else to do, with tokens of 2 s (in the ordinary run 8 s) and the figures:
//! `GATEPASS_TEST_ENDURANCE=480 cargo test -p gatepass --test gatepass endurance -- --nocapture`.

use crate::logged_in::Willing;
use gatepass::{Llm, LlmConfig, LoginOptions, LoginProvider, Profile};
use gatepass_testkit::{AuthorizationServer, ModelServer};
use serde_json::json;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const CALLS_PER_SECOND: u64 = 200;
/// The most calls at the same time: when the machine stands still, they don't all come at once after.
const AT_ONCE: usize = 32;

/// Tells the second process where all is.
const DIRECTORY: &str = "GATEPASS_TEST_DIRECTORY";
const SECONDS: &str = "GATEPASS_TEST_ENDURANCE";

/// How long it takes, and how long a token lives. A machine that stands still for longer than the last quarter of that
/// life makes a token expire on its way.
#[expect(clippy::disallowed_methods, reason = "a person may want it longer")]
fn times() -> (Duration, Duration) {
    let (duration, life) = match std::env::var(SECONDS) {
        Ok(seconds) => (seconds.parse().expect("a number of seconds"), 2),
        Err(_) => (20, 8),
    };
    (Duration::from_secs(duration), Duration::from_secs(life))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_fails_and_nothing_grows_in_an_hours_work() {
    let (authorization, model) = (AuthorizationServer::start().await, ModelServer::start().await);
    let (duration, life) = times();
    authorization.set_lifetime(life);
    authorization.rotate_refresh_tokens(true);
    model.require_token(&authorization);
    model.reply_text("Paris");
    let directory = tempfile::tempdir().unwrap();
    configure(directory.path(), &authorization, &model);
    log_in(directory.path()).await;
    _ = authorization.take_requests();

    let mut working = tokio::task::spawn_blocking({
        let directory = directory.path().to_owned();
        move || work(&directory)
    });
    let mut servers = Seen::default();
    let mut stood_still = Duration::ZERO;
    let report = loop {
        let began = Instant::now();
        tokio::select! {
            report = &mut working => break report.unwrap(),
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                stood_still = stood_still.max(began.elapsed() - Duration::from_secs(1));
                servers.look(&authorization, &model);
            }
        }
    };
    servers.look(&authorization, &model);

    println!("{report}");
    println!(
        "{} token requests for {} tokens, all of them used; {} calls reached the model",
        servers.token_requests,
        servers.tokens.len(),
        servers.calls
    );
    let figure = |name: &str| -> u64 {
        let line = report
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .expect(name);
        line.trim().parse().expect(name)
    };
    let expected = CALLS_PER_SECOND * duration.as_secs();
    stood_still = stood_still.max(Duration::from_millis(figure("ms that it stood still")));
    let all_at_once = figure("failures") == 0 && servers.calls == figure("calls");
    if !all_at_once && stood_still > life / 8 {
        println!(
            "*** LEFT OUT: the machine stood still for {stood_still:?}, too long for tokens of {life:?} ***"
        );
        return;
    }
    assert_eq!(figure("failures"), 0);
    assert!(figure("calls") >= expected * 95 / 100, "it was too slow");
    assert_eq!(
        servers.calls,
        figure("calls"),
        "no call was sent twice: no token was refused"
    );
    // The last one of each source, and the one that the login brought.
    let in_vain = servers.token_requests + 1 - servers.tokens.len() as u64;
    assert!(in_vain <= 3, "{in_vain} tokens were asked for in vain");
    // Two sources, whose tokens are renewed at half their life at the earliest.
    let most = 2 * (duration.as_millis() / (life / 2).as_millis()) as u64 + 4;
    assert!(
        servers.token_requests <= most,
        "{} token requests",
        servers.token_requests
    );
    let (quarter, end) = (figure("KiB after a quarter"), figure("KiB at the end"));
    // What a jam of calls takes on a busy machine; in a long run, 100 bytes that each call left would be more.
    assert!(end <= quarter + 8192, "it grew from {quarter} to {end} KiB");
}

/// What the servers have seen.
#[derive(Default)]
struct Seen {
    token_requests: u64,
    calls: u64,
    tokens: HashSet<String>,
}

impl Seen {
    fn look(&mut self, authorization: &AuthorizationServer, model: &ModelServer) {
        let asked = authorization.take_requests();
        self.token_requests += asked.iter().filter(|request| request.path == "/token").count() as u64;
        for request in model.take_requests() {
            self.calls += 1;
            self.tokens.extend(request.bearer().map(str::to_owned));
        }
    }
}

fn configure(directory: &Path, authorization: &AuthorizationServer, model: &ModelServer) {
    let entry = |grant: &str| {
        json!({
            "grant_type": grant,
            "client_id": AuthorizationServer::CLIENT_ID,
            "client_secret": AuthorizationServer::CLIENT_SECRET,
            "base_url": model.base_url(),
            "token_url": authorization.token_url(),
        })
    };
    let mut team = entry("authorization_code");
    team["authorization_url"] = authorization.authorization_url().into();
    let providers = json!({ "oauth2_providers": { "team": team, "corp": entry("client_credentials") } });
    std::fs::write(directory.join("config.json"), providers.to_string()).unwrap();
}

fn profile(directory: &Path) -> Profile {
    Profile::new(directory.join("profile"))
}

async fn log_in(directory: &Path) {
    let path = directory.join("config.json");
    let provider = LoginProvider::find("team", &profile(directory), Some(&path)).unwrap();
    let login = provider.log_in(&LoginOptions::default(), &Willing).await.unwrap();
    let store = profile(directory).store().unwrap();
    provider.save(&*store, &login, None).await.unwrap();
}

/// Runs the second process to its end; what it reports.
fn work(directory: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "endurance::in_a_process_of_its_own",
            "--ignored",
            "--nocapture",
        ])
        .env(DIRECTORY, directory)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the process that works has failed");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above"]
#[expect(clippy::disallowed_methods, reason = "the test above says where all is")]
async fn in_a_process_of_its_own() {
    let directory = PathBuf::from(std::env::var(DIRECTORY).unwrap());
    let llm = async |model: &str| {
        let config = LlmConfig::new(model).with_config_path(directory.join("config.json"));
        Arc::new(
            Llm::with_config(&config.with_profile(profile(&directory)))
                .await
                .unwrap(),
        )
    };
    let llms = [llm("team/my-model").await, llm("corp/my-model").await];
    let calls = CALLS_PER_SECOND * times().0.as_secs();
    let failures = Arc::new(AtomicU64::new(0));
    // Made now, so that it doesn't grow.
    let times: Arc<[AtomicU64]> = (0..calls).map(|_| AtomicU64::new(0)).collect();
    let mut pace = tokio::time::interval(Duration::from_secs(1) / CALLS_PER_SECOND as u32);
    let (mut memory, mut stood_still) = (Vec::new(), Duration::ZERO);
    let mut calling = tokio::task::JoinSet::new();
    let few = Arc::new(Semaphore::new(AT_ONCE));
    for call in 0..calls {
        let began = Instant::now();
        pace.tick().await;
        stood_still = stood_still.max(began.elapsed());
        let turn = Arc::clone(&few).acquire_owned().await.unwrap();
        let (llm, failures, times) = (
            Arc::clone(&llms[call as usize % 2]),
            Arc::clone(&failures),
            Arc::clone(&times),
        );
        calling.spawn(async move {
            let _turn = turn;
            let began = Instant::now();
            if let Err(error) = llm.ask("Where?").await {
                eprintln!("call {call}: {error}");
                failures.fetch_add(1, Ordering::Relaxed);
            }
            times[call as usize].store(began.elapsed().as_micros() as u64, Ordering::Relaxed);
        });
        while calling.try_join_next().is_some() {}
        if call % (calls / 4) == 0 {
            memory.push(resident());
        }
    }
    calling.join_all().await;
    memory.push(resident());
    let mut times: Vec<u64> = times.iter().map(|time| time.load(Ordering::Relaxed)).collect();
    times.sort_unstable();
    let at = |share: f64| Duration::from_micros(times[(times.len() as f64 * share) as usize]);
    println!("calls {calls}\nfailures {}", failures.load(Ordering::Relaxed));
    println!("ms that it stood still {}", stood_still.as_millis());
    println!(
        "p50 {:?}, p99 {:?}, p99.9 {:?}, slowest {:?}",
        at(0.5),
        at(0.99),
        at(0.999),
        at(0.999_999)
    );
    println!(
        "KiB after a quarter {}\nKiB after a half {}\nKiB at the end {}",
        memory[1], memory[2], memory[4]
    );
}

/// The memory that this process has, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

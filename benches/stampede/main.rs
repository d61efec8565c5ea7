//! What a thousand callers cost that need a token at the same moment.

#![expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]

mod load;

use gatepass_benches::{Effort, Run, Spread, Table, runtime};
use gatepass_client_credentials::{ClientCredentialsSource, Environment, ProvidersFile};
use gatepass_core::{CachedTokenSource, Clock, Moment, RefreshPolicy, SystemClock, TokenError, TokenSource};
use gatepass_testkit::{Answer, AuthorizationServer};
use serde_json::json;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const ENDPOINT: Duration = Duration::from_millis(50);
const LIFETIME: Duration = Duration::from_secs(3600);

/// What the callers meet.
struct Scene {
    name: &'static str,
    callers: usize,
    /// How long ago the token in hand was fetched.
    age: Duration,
    refused: bool,
}

const SCENES: [Scene; 4] = [
    Scene {
        name: "reference: one caller, token expired",
        callers: 1,
        age: LIFETIME,
        refused: false,
    },
    Scene {
        name: "1,000 callers, token expired",
        callers: 1000,
        age: LIFETIME,
        refused: false,
    },
    Scene {
        name: "1,000 callers, token expired, refresh refused",
        callers: 1000,
        age: LIFETIME,
        refused: true,
    },
    Scene {
        name: "1,000 callers, token near its end",
        callers: 1000,
        age: LIFETIME.saturating_sub(Duration::from_secs(120)),
        refused: false,
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    let run = Run::from_arguments("stampede")?;
    let repetitions = match run.effort() {
        Effort::Full => 40,
        Effort::Quick => 10,
        _ => 1,
    };
    let mut scenes = SCENES.into_iter().collect::<Vec<_>>();
    scenes.retain(|scene| scene.callers == 1 || run.wants(scene.name));

    let (callers, servers) = (runtime()?, runtime()?);
    let server = servers.block_on(AuthorizationServer::start());
    let mut waits = vec![Vec::new(); scenes.len()];
    for _ in 0..repetitions {
        for (scene, waits) in scenes.iter().zip(&mut waits) {
            waits.push(callers.block_on(scene.play(&server))?);
        }
    }
    if run.effort() == Effort::Test {
        println!("stampede: {} scenes end as they must", scenes.len());
        return load::compare(&run, &callers, &server);
    }
    println!(
        "Stampede on a token endpoint that takes {ENDPOINT:?}: ms waited, median (5th–95th percentile)\n"
    );
    println!("{}", table(&scenes, &waits));
    load::compare(&run, &callers, &server)
}

impl Scene {
    /// How long each caller waited. Asserts what must hold: one request, and the same outcome for all.
    async fn play(&self, server: &AuthorizationServer) -> Result<Spread, Box<dyn Error>> {
        let clock = Arc::new(Later::default());
        let source = source(server, Arc::clone(&clock))?;
        server.normal();
        server.set_lifetime(LIFETIME);
        server.set_delay(Duration::ZERO);
        source.token().await?;

        clock.0.store(self.age.as_secs(), Ordering::SeqCst);
        server.set_delay(ENDPOINT);
        if self.refused {
            server.always(Answer::json(400, &json!({ "error": "invalid_grant" })));
        }
        let before = server.token_requests();
        let answers = crowd(source, self.callers).await;
        // Long enough for a second request to show itself, and for the one that nobody waits for.
        tokio::time::sleep(2 * ENDPOINT).await;
        assert_eq!(server.token_requests() - before, 1, "{}", self.name);
        let all_alike = answers.iter().all(|(_, outcome)| self.expects(outcome));
        assert!(all_alike && answers.len() == self.callers, "{}", self.name);
        let waits = answers.iter().map(|(wait, _)| wait.as_secs_f64() * 1e3);
        Ok(Spread::of(waits))
    }

    fn expects(&self, outcome: &Result<(), TokenError>) -> bool {
        match outcome {
            Ok(()) => !self.refused,
            Err(TokenError::Refused(refusal)) => self.refused && refusal.error == "invalid_grant",
            Err(_) => false,
        }
    }
}

/// The system's clock, so many seconds ahead.
#[derive(Debug, Default)]
struct Later(AtomicU64);

impl Clock for Later {
    fn now(&self) -> Moment {
        SystemClock
            .now()
            .after(Duration::from_secs(self.0.load(Ordering::SeqCst)))
    }
}

/// Lets so many callers loose at once.
async fn crowd(source: Arc<dyn TokenSource>, callers: usize) -> Vec<(Duration, Result<(), TokenError>)> {
    let gate = Arc::new(Semaphore::new(0));
    let mut crowd = JoinSet::new();
    for _ in 0..callers {
        let (source, gate) = (Arc::clone(&source), Arc::clone(&gate));
        crowd.spawn(async move {
            _ = gate.acquire().await.map(|permit| permit.forget());
            let began = Instant::now();
            let outcome = source.token().await;
            (began.elapsed(), outcome.map(drop))
        });
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    gate.add_permits(callers);
    crowd.join_all().await
}

/// The real thing: config entry, HTTP client and all.
fn source(server: &AuthorizationServer, clock: Arc<Later>) -> Result<Arc<dyn TokenSource>, Box<dyn Error>> {
    let config = json!({ "oauth2_providers": { "bench": {
        "client_id": AuthorizationServer::CLIENT_ID,
        "client_secret": AuthorizationServer::CLIENT_SECRET,
        "token_url": server.token_url(),
    } } });
    let file = ProvidersFile::parse(Path::new("litellm_config.json"), config.to_string().as_bytes())?;
    let provider = file
        .provider("bench", &Environment::default())?
        .ok_or("it was just written")?;
    let source = ClientCredentialsSource::new(provider)?;
    let policy = RefreshPolicy::default();
    Ok(Arc::new(CachedTokenSource::with(source, policy, clock)))
}

fn table(scenes: &[Scene], waits: &[Vec<Spread>]) -> Table {
    let mut table = Table::new(&["what", "token requests", "p50", "p99", "max", "× p99"]);
    let at = |waits: &[Spread], percent| Spread::of(waits.iter().map(|wait| wait.percentile(percent)));
    let reference = waits.first().map_or(f64::NAN, |waits| at(waits, 99).median());
    for (scene, waits) in scenes.iter().zip(waits) {
        let mut cells = vec![scene.name.to_owned(), "1".to_owned()];
        cells.extend([50, 99, 100].map(|percent| at(waits, percent).to_string()));
        cells.push(format!("{:.2}", at(waits, 99).median() / reference));
        table.push(cells);
    }
    table
}

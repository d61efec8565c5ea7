//! Callers who never stop asking, while the token is renewed behind their backs.

use crate::{ENDPOINT, LIFETIME, Later, source};
use gatepass_benches::{Effort, Run, Spread, Table};
use gatepass_core::TokenSource;
use gatepass_testkit::AuthorizationServer;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::{JoinSet, yield_now};

const CALLERS: usize = 8;

/// What the callers meet: how old the token is, and how many renewals that asks for.
const SCENES: [(&str, Duration, usize); 2] = [
    ("reference: a fresh token", Duration::ZERO, 0),
    (
        "a token near its end, renewed meanwhile",
        LIFETIME.saturating_sub(Duration::from_secs(120)),
        1,
    ),
];

pub(crate) fn compare(
    run: &Run,
    callers: &Runtime,
    server: &AuthorizationServer,
) -> Result<(), Box<dyn Error>> {
    let repetitions = match run.effort() {
        Effort::Full => 20,
        Effort::Quick => 5,
        _ => 1,
    };
    let mut waits = vec![Vec::new(); SCENES.len()];
    for _ in 0..repetitions {
        for ((name, age, renewals), waits) in SCENES.into_iter().zip(&mut waits) {
            let before = server.token_requests();
            waits.push(callers.block_on(play(age, server))?);
            // One more made the token that grew old.
            assert_eq!(server.token_requests() - before, 1 + renewals, "{name}");
        }
    }
    if run.effort() == Effort::Test {
        println!("load: {} scenes end as they must", SCENES.len());
        return Ok(());
    }
    println!(
        "{CALLERS} callers without a pause, for as long as a renewal takes ({ENDPOINT:?}): ns a call, \
         median (5th–95th percentile)\n"
    );
    println!("{}", table(&waits));
    Ok(())
}

/// How long each call took.
async fn play(age: Duration, server: &AuthorizationServer) -> Result<Spread, Box<dyn Error>> {
    let clock = Arc::new(Later::default());
    let source = source(server, Arc::clone(&clock))?;
    server.normal();
    server.set_lifetime(LIFETIME);
    server.set_delay(Duration::ZERO);
    source.token().await?;
    server.set_delay(ENDPOINT);
    clock.0.store(age.as_secs(), Ordering::SeqCst);

    let mut crowd = JoinSet::new();
    for _ in 0..CALLERS {
        crowd.spawn(ask_without_a_pause(Arc::clone(&source)));
    }
    let waits = crowd.join_all().await;
    // So that the renewal ends in this scene.
    tokio::time::sleep(ENDPOINT).await;
    Ok(Spread::of(waits.into_iter().flatten()))
}

async fn ask_without_a_pause(source: Arc<dyn TokenSource>) -> Vec<f64> {
    let mut waits = Vec::with_capacity(100_000);
    let began = Instant::now();
    while began.elapsed() < ENDPOINT {
        for _ in 0..32 {
            let asked = Instant::now();
            assert!(source.token().await.is_ok());
            waits.push(asked.elapsed().as_nanos() as f64);
        }
        // The renewal needs a worker, too.
        yield_now().await;
    }
    waits
}

fn table(waits: &[Vec<Spread>]) -> Table {
    let mut table = Table::new(&["what", "p50", "p99", "p99.9", "× p99.9"]);
    let at = |waits: &[Spread], thousandths| Spread::of(waits.iter().map(|wait| wait.per_mille(thousandths)));
    let reference = waits.first().map_or(f64::NAN, |waits| at(waits, 999).median());
    for ((name, ..), waits) in SCENES.into_iter().zip(waits) {
        let mut cells = vec![name.to_owned()];
        cells.extend([500, 990, 999].map(|thousandths| at(waits, thousandths).to_string()));
        cells.push(format!("{:.2}", at(waits, 999).median() / reference));
        table.push(cells);
    }
    table
}

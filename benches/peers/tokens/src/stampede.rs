//! A thousand callers without a token, and twenty whose refresh is refused.

use crate::sources::{self, AZURE, Expired, GCP_AUTH, GOOGLE, HUSKARL, SCOPES, YUP};
use azure_core::credentials::TokenCredential;
use gatepass_benches::{Effort, Run, Spread, Stub, Table, runtime};
use gatepass_client_credentials::{ClientCredentialsSource, Environment, ProvidersFile};
use gatepass_core::{CachedTokenSource, TokenSource};
use http::Extensions;
use huskarl::cache::TokenSource as _;
use serde_json::json;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the callers meet.
struct Scene {
    title: &'static str,
    callers: usize,
    repetitions: usize,
    /// Of the token endpoint, once the callers come.
    script: &'static str,
}

const COLD: Scene = Scene {
    title: "1,000 callers, no valid token, the endpoint takes 50 ms",
    callers: 1000,
    repetitions: 9,
    script: "/script?status=200&delay_ms=50&expires_in=3600",
};

// More callers would take some peers minutes: each asks for himself, in turn.
const REFUSED: Scene = Scene {
    title: "20 callers, no valid token, the endpoint refuses (400 invalid_grant) after 20 ms",
    callers: 20,
    repetitions: 3,
    script: "/script?status=400&delay_ms=20",
};

/// What one stampede cost.
struct Outcome {
    requests: f64,
    errors: f64,
    p50: f64,
    max: f64,
}

pub(crate) fn compare(run: &Run, stub: &Stub) -> Result<()> {
    let runtime = runtime()?;
    for scene in [COLD, REFUSED] {
        let mut table = Table::new(&["what", "token requests", "errors", "p50", "max", "× max"]);
        let mut reference = None;
        for what in ["gatepass", HUSKARL, AZURE, GOOGLE, GCP_AUTH, YUP] {
            let repetitions = if run.effort() == Effort::Full {
                scene.repetitions
            } else {
                1
            };
            let mut outcomes = Vec::new();
            for _ in 0..repetitions {
                outcomes.extend(runtime.block_on(play(&scene, what, stub))?);
            }
            if outcomes.is_empty() {
                continue;
            }
            let at = |of: fn(&Outcome) -> f64| Spread::of(outcomes.iter().map(of));
            let max = at(|outcome| outcome.max);
            let reference = *reference.get_or_insert(max.median());
            table.push([
                what.to_owned(),
                format!("{:.0}", at(|outcome| outcome.requests).median()),
                format!("{:.0}", at(|outcome| outcome.errors).median()),
                at(|outcome| outcome.p50).to_string(),
                max.to_string(),
                format!("{:.1}", max.median() / reference),
            ]);
        }
        println!(
            "{}: ms waited, median (5th–95th percentile)\n\n{table}",
            scene.title
        );
    }
    Ok(())
}

/// One stampede on a source of its own; none where the peer can't be set up here.
async fn play(scene: &Scene, what: &str, stub: &Stub) -> Result<Option<Outcome>> {
    // A token of 5 s counts as expired for all but google-cloud-auth, which is cold then.
    control(stub, "/script?status=200&delay_ms=0&expires_in=5").await?;
    Ok(Some(match what {
        HUSKARL => {
            let source = Arc::new(sources::huskarl(stub).await?);
            control(stub, scene.script).await?;
            stampede(scene, stub, move || {
                let source = Arc::clone(&source);
                async move { source.token().await.is_ok() }
            })
            .await?
        }
        AZURE => {
            let source = sources::azure(stub)?;
            source.get_token(SCOPES, None).await?;
            control(stub, scene.script).await?;
            stampede(scene, stub, move || {
                let source = Arc::clone(&source);
                async move { source.get_token(SCOPES, None).await.is_ok() }
            })
            .await?
        }
        GOOGLE => {
            // Before it is built: it begins to fetch at once.
            control(stub, scene.script).await?;
            let source = sources::google(stub)?;
            stampede(scene, stub, move || {
                let source = source.clone();
                async move { source.headers(Extensions::new()).await.is_ok() }
            })
            .await?
        }
        GCP_AUTH => {
            let Some(source) = sources::gcp_auth(stub)? else {
                return Ok(None);
            };
            source.token(SCOPES).await?;
            control(stub, scene.script).await?;
            stampede(scene, stub, move || {
                let source = Arc::clone(&source);
                async move { source.token(SCOPES).await.is_ok() }
            })
            .await?
        }
        YUP => {
            let source = Arc::new(sources::yup(stub, Expired::Yes).await?);
            control(stub, scene.script).await?;
            stampede(scene, stub, move || {
                let source = Arc::clone(&source);
                async move { source.token(SCOPES).await.is_ok() }
            })
            .await?
        }
        _ => {
            let source = ours(stub)?;
            control(stub, scene.script).await?;
            stampede(scene, stub, move || {
                let source = Arc::clone(&source);
                async move { source.token().await.is_ok() }
            })
            .await?
        }
    }))
}

fn ours(stub: &Stub) -> Result<Arc<dyn TokenSource>> {
    let config = json!({ "oauth2_providers": { "bench": {
        "client_id": "id", "client_secret": "secret", "token_url": stub.url("/token"),
    } } });
    let file = ProvidersFile::parse(Path::new("litellm_config.json"), config.to_string().as_bytes())?;
    let provider = file
        .provider("bench", &Environment::default())?
        .ok_or("it was just written")?;
    Ok(Arc::new(CachedTokenSource::new(ClientCredentialsSource::new(
        provider,
    )?)))
}

/// Lets the callers loose at once.
async fn stampede<F, T>(scene: &Scene, stub: &Stub, ask: F) -> Result<Outcome>
where
    F: Fn() -> T + Clone + Send + 'static,
    T: Future<Output = bool> + Send,
{
    let gate = Arc::new(Semaphore::new(0));
    let mut crowd = JoinSet::new();
    for _ in 0..scene.callers {
        let (gate, ask) = (Arc::clone(&gate), ask.clone());
        crowd.spawn(async move {
            _ = gate.acquire().await.map(|permit| permit.forget());
            let began = Instant::now();
            let well = ask().await;
            (began.elapsed().as_secs_f64() * 1e3, well)
        });
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    gate.add_permits(scene.callers);
    let answers = crowd.join_all().await;
    let requests = control(stub, "/requests").await?.trim().parse()?;
    let waits = Spread::of(answers.iter().map(|(wait, _)| *wait));
    Ok(Outcome {
        requests,
        errors: answers.iter().filter(|(_, well)| !well).count() as f64,
        p50: waits.median(),
        max: waits.percentile(100),
    })
}

async fn control(stub: &Stub, path: &str) -> Result<String> {
    Ok(reqwest::get(stub.url(path)).await?.text().await?)
}

//! What it costs to read and to save a login.

use crate::calls::{cells, one_thread};
use crate::job::{Job, Load, measure};
use crate::{Effort, Run, Table};
use gatepass_core::{
    AccessToken, Credential, CredentialKey, CredentialStore, MemoryStore, ProviderName, RefreshToken,
};
use gatepass_file_store::{FileStore, KeySource};
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// As long as real ones.
const SECRET: &str = "ya29.a0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQa0ARW5m7kQ";

const LOADS: Load = Load {
    rounds: 15,
    times: 500,
    at_once: 1,
};

/// Fewer: each waits for the disk.
const SAVES: Load = Load {
    rounds: 15,
    times: 50,
    at_once: 1,
};

/// Measures plain files, the stores, and prints both tables.
///
/// # Errors
/// If the temporary directory can't be written.
#[expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
pub fn compare(run: &Run) -> Result<(), Box<dyn Error>> {
    let runtime = one_thread()?;
    let places = runtime.block_on(Places::new())?;
    for (title, load, jobs) in [
        ("A login is read", LOADS, places.loads()),
        ("A login is saved", SAVES, places.saves()),
    ] {
        let costs = measure(&runtime, run, &jobs, load);
        if run.effort() == Effort::Test {
            println!("store: {}: {} ways work", title.to_lowercase(), jobs.len());
            continue;
        }
        println!("{title}: µs, median (5th–95th percentile), and × the reference's CPU time\n");
        let mut table = Table::new(&["what", "wall", "CPU", "×"]);
        for (job, own) in jobs.iter().zip(&costs) {
            let [wall, cpu, ratio] = cells(own, &costs, 1e3);
            table.push([job.name().to_owned(), wall, cpu, ratio]);
        }
        println!("{table}");
    }
    Ok(())
}

/// A directory with one login, one with fifty, and a plain file as large as the first.
struct Places {
    directory: TempDir,
    one: Arc<FileStore>,
    fifty: Arc<FileStore>,
    memory: MemoryStore,
    key: CredentialKey,
    credential: Credential,
}

impl Places {
    async fn new() -> Result<Self, Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let open = |name: &str| FileStore::open(directory.path().join(name), KeySource::KeyFile);
        let (one, fifty) = (Arc::new(open("one")?), Arc::new(open("fifty")?));
        let memory = MemoryStore::default();
        let key = CredentialKey::new(ProviderName::parse("corp")?);
        let token = AccessToken::bearer(SECRET)?.with_lifetime(Duration::from_secs(3600));
        let credential = Credential::new("https://login.corp.example/token", "client")
            .with_access_token(token)
            .with_refresh_token(RefreshToken::new(SECRET));
        one.save(&key, &credential).await?;
        memory.save(&key, &credential).await?;
        fifty.save(&key, &credential).await?;
        for number in 1..50 {
            let other = key.clone().with_account(&format!("jane-{number}@corp.example"))?;
            fifty.save(&other, &credential).await?;
        }
        fs::copy(one.path(), directory.path().join("plain"))?;
        Ok(Self {
            directory,
            one,
            fifty,
            memory,
            key,
            credential,
        })
    }

    fn plain(&self) -> PathBuf {
        self.directory.path().join("plain")
    }

    fn loads(&self) -> Vec<Job> {
        let plain = self.plain();
        let size = fs::metadata(&plain)
            .map_or(0, |data| data.len())
            .try_into()
            .unwrap_or(0);
        vec![
            Job::new("reference: the same bytes by std::fs::read", size, move || {
                let plain = plain.clone();
                async move { fs::read(plain).map_or(0, |bytes| bytes.len()) }
            }),
            self.load("FileStore, one login", Arc::clone(&self.one)),
            self.load("FileStore, fifty logins", Arc::clone(&self.fifty)),
            self.load("MemoryStore", self.memory.clone()),
        ]
    }

    fn load(&self, name: &str, store: impl CredentialStore + Clone + 'static) -> Job {
        let key = self.key.clone();
        Job::new(name, 1, move || {
            let (store, key) = (store.clone(), key.clone());
            async move { usize::from(matches!(store.load(&key).await, Ok(Some(_)))) }
        })
    }

    fn saves(&self) -> Vec<Job> {
        let plain = self.plain();
        let bytes = fs::read(&plain).unwrap_or_default();
        vec![
            Job::new(
                "reference: write, fsync, rename, fsync of the directory",
                1,
                move || {
                    let saved = replace(&plain, &bytes);
                    async move { usize::from(saved.is_ok()) }
                },
            ),
            self.save("FileStore, one login", Arc::clone(&self.one)),
            self.save("FileStore, fifty logins", Arc::clone(&self.fifty)),
            self.save("MemoryStore", self.memory.clone()),
            self.refresh("FileStore, one login: lock, read, save", Arc::clone(&self.one)),
        ]
    }

    fn save(&self, name: &str, store: impl CredentialStore + Clone + 'static) -> Job {
        let (key, credential) = (self.key.clone(), self.credential.clone());
        Job::new(name, 1, move || {
            let (store, key, credential) = (store.clone(), key.clone(), credential.clone());
            async move { usize::from(store.save(&key, &credential).await.is_ok()) }
        })
    }

    /// What a refresh does to a store.
    fn refresh(&self, name: &str, store: impl CredentialStore + Clone + 'static) -> Job {
        let key = self.key.clone();
        Job::new(name, 1, move || {
            let (store, key) = (store.clone(), key.clone());
            async move {
                let Ok(_lock) = store.lock(&key).await else {
                    return 0;
                };
                let Ok(Some(credential)) = store.load(&key).await else {
                    return 0;
                };
                usize::from(store.save(&key, &credential).await.is_ok())
            }
        })
    }
}

/// The least that a save must do so that a loss of power leaves the old file or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    path.parent()
        .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

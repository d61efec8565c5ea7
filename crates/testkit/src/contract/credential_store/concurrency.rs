//! Many write at once, and nothing is lost or torn.

use super::Sure;
use super::sample::{bare, full, jane, key};
use crate::contract::within;
use gatepass_core::{Credential, CredentialStore};
use tokio::task::JoinSet;

pub(super) async fn suite<S: CredentialStore + 'static>(empty: impl Fn() -> Sure<S> + Send + Sync) {
    saves_to_many_keys_lose_nothing(empty()).await;
    saves_to_one_key_leave_one_whole(empty()).await;
    a_reader_sees_one_whole_credential_at_any_time(empty()).await;
    deletions_take_nothing_else_away(empty()).await;
    one_deletion_is_the_one(empty()).await;
    a_deletion_beside_saves_leaves_one_whole_or_none(empty()).await;
    no_change_that_is_made_under_the_lock_is_lost(empty()).await;
}

async fn saves_to_many_keys_lose_nothing<S: CredentialStore + 'static>(store: Sure<S>) {
    let accounts: Vec<String> = (10..30).map(|number| format!("account-{number}")).collect();
    let mut writers = JoinSet::new();
    for account in accounts.clone() {
        let store = store.clone();
        writers.spawn(async move { store.save(&key("many", &account), &full(&account)).await });
    }
    within("save() to many keys at once", writers.join_all()).await;
    for account in &accounts {
        assert!(
            store.load(&key("many", account)).await == Some(full(account)),
            "saves to different keys at once must all be kept"
        );
    }
    assert_eq!(
        store.list().await.len(),
        accounts.len(),
        "saves to different keys at once must all be listed"
    );
}

async fn saves_to_one_key_leave_one_whole<S: CredentialStore + 'static>(store: Sure<S>) {
    write_at_once(&store).await;
    assert!(
        store.load(&jane()).await.is_some_and(|it| is_whole(&it)),
        "saves to one key at once must leave one of them, whole"
    );
    assert_eq!(
        store.list().await,
        [jane()],
        "saves to one key at once must leave one entry"
    );
}

async fn a_reader_sees_one_whole_credential_at_any_time<S: CredentialStore + 'static>(store: Sure<S>) {
    store.save(&jane(), &numbered(0)).await;
    let reader = tokio::spawn({
        let store = store.clone();
        async move {
            for _ in 0..50 {
                let seen = store.load(&jane()).await;
                assert!(
                    seen.is_some_and(|it| is_whole(&it)),
                    "load() during a save() must give the old credential or the new one, whole"
                );
                tokio::task::yield_now().await;
            }
        }
    });
    write_at_once(&store).await;
    if let Err(failed) = within("load() during saves", reader).await {
        std::panic::resume_unwind(failed.into_panic());
    }
}

async fn deletions_take_nothing_else_away<S: CredentialStore + 'static>(store: Sure<S>) {
    let gone: Vec<_> = (0..10).map(|number| key("gone", &number.to_string())).collect();
    for key in &gone {
        store.save(key, &bare()).await;
    }
    let mut tasks = JoinSet::new();
    for gone in gone {
        let keeper = store.clone();
        let kept = key("kept", gone.account());
        tasks.spawn(async move { keeper.save(&kept, &bare()).await });
        let deleter = store.clone();
        tasks.spawn(async move {
            deleter.delete(&gone).await;
        });
    }
    within("save() and delete() at once", tasks.join_all()).await;
    let kept: Vec<_> = (0..10).map(|number| key("kept", &number.to_string())).collect();
    assert_eq!(
        store.list().await,
        kept,
        "saves and deletions of different keys at once must not disturb each other"
    );
}

async fn one_deletion_is_the_one<S: CredentialStore + 'static>(store: Sure<S>) {
    store.save(&jane(), &bare()).await;
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        tasks.spawn(async move { store.delete(&jane()).await });
    }
    let found = within("delete() by many at once", tasks.join_all()).await;
    assert_eq!(
        found.into_iter().filter(|found| *found).count(),
        1,
        "of many deletions at once, exactly one must find the credential"
    );
}

async fn a_deletion_beside_saves_leaves_one_whole_or_none<S: CredentialStore + 'static>(store: Sure<S>) {
    let deleter = tokio::spawn({
        let store = store.clone();
        async move {
            for _ in 0..10 {
                store.delete(&jane()).await;
                tokio::task::yield_now().await;
            }
        }
    });
    write_at_once(&store).await;
    if let Err(failed) = within("delete() beside saves", deleter).await {
        std::panic::resume_unwind(failed.into_panic());
    }
    let (left, listed) = (store.load(&jane()).await, store.list().await.len());
    assert!(
        left.as_ref().is_none_or(is_whole) && listed == usize::from(left.is_some()),
        "a deletion beside saves must leave one of them, whole, or nothing"
    );
}

/// What a refresh does: load, change, save, with nobody in between.
async fn no_change_that_is_made_under_the_lock_is_lost<S: CredentialStore + 'static>(store: Sure<S>) {
    store.save(&jane(), &bare().with_subject("0")).await;
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        tasks.spawn(async move {
            let _held = store.lock(&jane()).await;
            add_one(&store).await;
        });
    }
    within("changes under the lock", tasks.join_all()).await;
    assert_eq!(
        count(&store).await,
        Some(20),
        "what each holder of the lock has changed must be seen by the next one"
    );
}

async fn add_one<S: CredentialStore>(store: &Sure<S>) {
    let number = count(store).await.unwrap_or_default();
    tokio::task::yield_now().await;
    let changed = bare().with_subject((number + 1).to_string());
    store.save(&jane(), &changed).await;
}

async fn count<S: CredentialStore>(store: &Sure<S>) -> Option<u32> {
    store.load(&jane()).await?.subject?.parse().ok()
}

async fn write_at_once<S: CredentialStore + 'static>(store: &Sure<S>) {
    let mut writers = JoinSet::new();
    for number in 1..=20 {
        let store = store.clone();
        writers.spawn(async move { store.save(&jane(), &numbered(number)).await });
    }
    within("save() by many at once", writers.join_all()).await;
}

/// Long and short ones in turn, so that a torn one shows.
fn numbered(number: usize) -> Credential {
    full(&format!("{number}-").repeat(1 + number % 3 * 500))
}

fn is_whole(credential: &Credential) -> bool {
    (0..=20).any(|number| *credential == numbered(number))
}

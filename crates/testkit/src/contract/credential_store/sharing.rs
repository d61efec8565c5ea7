//! Two handles, one store.

use super::Sure;
use super::sample::{full, jane, key};
use crate::contract::{A_MOMENT, within};
use gatepass_core::CredentialStore;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(super) async fn suite<S: CredentialStore + 'static>(open: impl Fn() -> Sure<S> + Send + Sync) {
    all_who_make_it_at_once_keep_their_first_saves(&open).await;
    let (one, other) = (open(), open());
    what_one_saves_the_other_loads(&one, &other).await;
    what_one_deletes_is_gone_for_the_other(&one, &other).await;
    a_lock_of_one_keeps_the_other_waiting(&one, &other).await;
    both_may_save_at_once(&one, &other).await;
    what_was_saved_outlives_its_handle(open).await;
}

/// The first run of many processes at once: none of them finds a store yet.
async fn all_who_make_it_at_once_keep_their_first_saves<S: CredentialStore + 'static>(
    open: &(impl Fn() -> Sure<S> + Send + Sync),
) {
    let all: Vec<_> = (10..30)
        .map(|number| (key("first", &format!("account-{number}")), open()))
        .collect();
    let mut tasks = JoinSet::new();
    for (key, handle) in all.clone() {
        tasks.spawn(async move { handle.save(&key, &full(key.account())).await });
    }
    within("the first save() of many handles at once", tasks.join_all()).await;
    let keys: Vec<_> = all.iter().map(|(key, _)| key.clone()).collect();
    for (key, _) in &all {
        // Each reads through its neighbour's handle, too.
        for handle in [open(), all.first().map_or_else(open, |(_, first)| first.clone())] {
            assert!(
                handle.load(key).await == Some(full(key.account())),
                "whoever makes a store at the same time as others must load what another saved first"
            );
        }
    }
    assert_eq!(open().list().await, keys, "the first saves of all must be listed");
    for (key, handle) in all {
        assert!(
            handle.delete(&key).await,
            "the first saves must be there to be deleted"
        );
    }
}

async fn what_one_saves_the_other_loads<S: CredentialStore>(one: &Sure<S>, other: &Sure<S>) {
    assert!(
        other.load(&jane()).await.is_none(),
        "the store must be empty at first"
    );
    for mark in ["1", "2"] {
        one.save(&jane(), &full(mark)).await;
        assert!(
            other.load(&jane()).await == Some(full(mark)),
            "one handle must load what another saved, each time"
        );
        assert_eq!(
            other.list().await,
            [jane()],
            "one handle must list what another saved"
        );
    }
}

async fn what_one_deletes_is_gone_for_the_other<S: CredentialStore>(one: &Sure<S>, other: &Sure<S>) {
    one.save(&jane(), &full("1")).await;
    assert!(
        other.delete(&jane()).await,
        "one handle must delete what another saved"
    );
    assert!(
        one.load(&jane()).await.is_none() && one.list().await.is_empty(),
        "what one handle deleted must be gone for another"
    );
}

async fn a_lock_of_one_keeps_the_other_waiting<S: CredentialStore + 'static>(one: &Sure<S>, other: &Sure<S>) {
    let held = one.lock(&jane()).await;
    let waiter = tokio::spawn({
        let other = other.clone();
        async move { other.lock(&jane()).await }
    });
    sleep(A_MOMENT).await;
    assert!(
        !waiter.is_finished(),
        "lock() must wait while another handle holds the lock"
    );
    one.save(&jane(), &full("renewed")).await;
    drop(held);
    let taken = within("lock() after another handle let go", waiter).await;
    assert!(taken.is_ok(), "lock() must succeed when another handle lets go");
    assert!(
        other.load(&jane()).await == Some(full("renewed")),
        "who gets the lock must see what its last holder saved"
    );
    other.delete(&jane()).await;
}

async fn both_may_save_at_once<S: CredentialStore + 'static>(one: &Sure<S>, other: &Sure<S>) {
    let mut writers = JoinSet::new();
    for (provider, handle) in [("one", one), ("other", other)] {
        for number in 0..10 {
            let handle = handle.clone();
            let key = key(provider, &number.to_string());
            writers.spawn(async move { handle.save(&key, &full("1")).await });
        }
    }
    within("save() through two handles at once", writers.join_all()).await;
    for handle in [one, other] {
        let listed = handle.list().await.len();
        assert_eq!(listed, 20, "saves through two handles at once must all be kept");
    }
    for key in one.list().await {
        other.delete(&key).await;
    }
}

async fn what_was_saved_outlives_its_handle<S: CredentialStore>(open: impl Fn() -> Sure<S> + Send + Sync) {
    open().save(&jane(), &full("1")).await;
    assert!(
        open().load(&jane()).await == Some(full("1")),
        "what was saved must be there when the store is opened again"
    );
}

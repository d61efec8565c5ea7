//! One refreshes, the others wait.

use super::Sure;
use super::sample::{full, jane, key};
use crate::contract::{A_MOMENT, within};
use gatepass_core::CredentialStore;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(super) async fn suite<S: CredentialStore + 'static>(empty: impl Fn() -> Sure<S> + Send + Sync) {
    a_lock_excludes_until_it_is_dropped(empty()).await;
    locks_of_different_keys_are_independent(empty()).await;
    a_waiter_that_left_holds_nothing(empty()).await;
    a_holder_that_was_cancelled_holds_nothing(empty()).await;
    one_holder_at_a_time_and_each_gets_a_turn(empty()).await;
    loading_does_not_wait_for_a_lock(empty()).await;
    the_holder_may_load_save_and_delete(empty()).await;
    a_lock_survives_a_deletion(empty()).await;
    a_lock_is_not_a_credential(empty()).await;
}

async fn a_lock_excludes_until_it_is_dropped<S: CredentialStore + 'static>(store: Sure<S>) {
    for _ in 0..3 {
        let held = store.lock(&jane()).await;
        let second = tokio::spawn({
            let store = store.clone();
            async move { store.lock(&jane()).await }
        });
        sleep(A_MOMENT).await;
        assert!(
            !second.is_finished(),
            "a second lock() must wait while the first is held"
        );
        drop(held);
        let second = within("lock() after the first was dropped", second).await;
        assert!(
            second.is_ok(),
            "a second lock() must succeed when the first is dropped"
        );
    }
}

async fn locks_of_different_keys_are_independent(store: Sure<impl CredentialStore>) {
    let _jane = store.lock(&key("google", "jane")).await;
    let _joe = within("lock() of another account", store.lock(&key("google", "joe"))).await;
    let _corp = within("lock() of another provider", store.lock(&key("corp", "jane"))).await;
}

async fn a_waiter_that_left_holds_nothing(store: Sure<impl CredentialStore>) {
    let held = store.lock(&jane()).await;
    assert!(store.is_locked(&jane()).await, "a second lock() must wait");
    drop(held);
    let _free = within("lock() after a waiter was dropped", store.lock(&jane())).await;
}

async fn a_holder_that_was_cancelled_holds_nothing<S: CredentialStore + 'static>(store: Sure<S>) {
    let holder = tokio::spawn({
        let store = store.clone();
        async move {
            let _held = store.lock(&jane()).await;
            std::future::pending::<()>().await;
        }
    });
    sleep(A_MOMENT).await;
    assert!(
        store.is_locked(&jane()).await,
        "a task must be able to hold a lock"
    );
    holder.abort();
    let _free = within("lock() after the holder was cancelled", store.lock(&jane())).await;
}

async fn one_holder_at_a_time_and_each_gets_a_turn<S: CredentialStore + 'static>(store: Sure<S>) {
    const HOLDERS: usize = 16;
    let inside = Arc::new(AtomicUsize::new(0));
    let mut holders = JoinSet::new();
    for _ in 0..HOLDERS {
        let (store, inside) = (store.clone(), Arc::clone(&inside));
        holders.spawn(async move {
            let _held = store.lock(&jane()).await;
            let others = inside.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            inside.fetch_sub(1, Ordering::SeqCst);
            others
        });
    }
    let others = within("lock() from many tasks", holders.join_all()).await;
    assert_eq!(others, [0; HOLDERS], "a lock must have one holder at a time");
}

async fn loading_does_not_wait_for_a_lock(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &full("1")).await;
    let _held = store.lock(&jane()).await;
    let loaded = within("load() while the lock is held", store.load(&jane())).await;
    assert!(loaded == Some(full("1")), "load() must not wait for a lock");
    let listed = within("list() while a lock is held", store.list()).await;
    assert_eq!(listed, [jane()], "list() must not wait for a lock");
}

async fn the_holder_may_load_save_and_delete(store: Sure<impl CredentialStore>) {
    let _held = store.lock(&jane()).await;
    within("save() by the holder", store.save(&jane(), &full("1"))).await;
    let loaded = within("load() by the holder", store.load(&jane())).await;
    assert!(loaded == Some(full("1")), "the holder must see what it saved");
    let deleted = within("delete() by the holder", store.delete(&jane())).await;
    assert!(deleted, "the holder must be able to delete");
}

async fn a_lock_survives_a_deletion(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &full("1")).await;
    let held = store.lock(&jane()).await;
    store.delete(&jane()).await;
    assert!(
        store.is_locked(&jane()).await,
        "delete() must not open a lock that is held"
    );
    store.save(&jane(), &full("2")).await;
    assert!(
        store.is_locked(&jane()).await,
        "save() must not open a lock that is held"
    );
    drop(held);
    let _free = within("lock() after a deletion", store.lock(&jane())).await;
}

async fn a_lock_is_not_a_credential(store: Sure<impl CredentialStore>) {
    let held = store.lock(&jane()).await;
    assert!(
        store.load(&jane()).await.is_none(),
        "lock() must not make a credential"
    );
    assert!(
        store.list().await.is_empty(),
        "list() must not name what is only locked"
    );
    drop(held);
    assert!(
        !store.delete(&jane()).await,
        "a lock must leave no credential behind"
    );
}

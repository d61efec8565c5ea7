//! One key, one credential.

use super::Sure;
use super::sample::{full, jane, key};
use gatepass_core::{CredentialKey, CredentialStore};

pub(super) async fn suite<S: CredentialStore>(empty: impl Fn() -> Sure<S> + Send + Sync) {
    the_list_is_sorted_and_has_only_what_is_there(empty()).await;
    accounts_and_providers_are_apart(empty()).await;
    deleting_one_leaves_the_others(empty()).await;
    names_that_look_alike_are_apart(empty()).await;
    odd_names_are_names(empty()).await;
    the_default_account_is_an_account(empty()).await;
    dozens_of_keys_are_kept_and_listed(empty()).await;
}

async fn the_list_is_sorted_and_has_only_what_is_there(store: Sure<impl CredentialStore>) {
    let sorted = [
        key("a", "z"),
        key("b", "a"),
        key("b", "default"),
        key("b", "y"),
        key("c", "default"),
    ];
    let [first, second, third, fourth, fifth] = &sorted;
    for key in [fourth, second, fifth, first, third] {
        store.save(key, &full("1")).await;
    }
    assert_eq!(
        store.list().await,
        sorted,
        "list() must be sorted by provider, then account"
    );
    store.delete(third).await;
    let left = [first, second, fourth, fifth].map(Clone::clone);
    assert_eq!(store.list().await, left, "list() must not have what was deleted");
}

async fn accounts_and_providers_are_apart(store: Sure<impl CredentialStore>) {
    keep_apart(
        &store,
        &[
            key("google", "jane"),
            key("google", "joe"),
            key("google", "default"),
            key("corp", "jane"),
        ],
    )
    .await;
}

async fn deleting_one_leaves_the_others(store: Sure<impl CredentialStore>) {
    let (jane, joe) = (key("google", "jane"), key("google", "joe"));
    store.save(&jane, &full("jane")).await;
    store.save(&joe, &full("joe")).await;
    store.delete(&jane).await;
    assert!(
        store.load(&joe).await == Some(full("joe")),
        "delete() must leave other accounts alone"
    );
}

/// However a store joins provider and account to one name.
async fn names_that_look_alike_are_apart(store: Sure<impl CredentialStore>) {
    let mut keys = Vec::new();
    for separator in [
        "-", "--", "_", "__", ".", ":", "@", "%", "+", "=", "%2F", "|", "#",
    ] {
        keys.push(key(&format!("a{separator}b"), "c"));
        keys.push(key("a", &format!("b{separator}c")));
    }
    keys.extend([
        key("case", "Jane"),
        key("case", "jane"),
        key("Case", "jane"),
        key("dot", "x"),
        key("dot", "x."),
        key("accent", "jos\u{e9}"),
        key("accent", "jose\u{301}"),
    ]);
    keep_apart(&store, &keys).await;
}

/// Names that are allowed, but special to a file system, a shell, a URL or a database.
async fn odd_names_are_names(store: Sure<impl CredentialStore>) {
    let odd = [
        "...",
        ".hidden",
        "~",
        "-rf",
        "*",
        "?",
        "$HOME",
        "`id`",
        "';--",
        "\"",
        "<a>",
        "a:b",
        "CON",
        "nul.txt",
        "COM1",
        "%00",
        "%2e%2e%2f",
        "lock",
        "x.lock",
        "x.tmp",
        "x.json",
        "index",
        "default",
        "jane@example.com",
        "日本語",
        "Ünï",
        "🦀",
    ];
    let long = "n".repeat(64);
    let names = odd.into_iter().chain([long.as_str()]);
    let keys: Vec<_> = names
        .flat_map(|name| [key(name, "default"), key("odd", name)])
        .collect();
    keep_apart(&store, &keys).await;
}

/// Whether it is named or not.
async fn the_default_account_is_an_account(store: Sure<impl CredentialStore>) {
    store.save(&jane(), &full("1")).await;
    let named = key("corp", CredentialKey::DEFAULT_ACCOUNT);
    assert!(
        store.load(&named).await == Some(full("1")),
        "the default account must be the one of that name"
    );
    assert!(
        store.delete(&named).await && store.list().await.is_empty(),
        "the default account must be deleted by its name"
    );
}

async fn dozens_of_keys_are_kept_and_listed(store: Sure<impl CredentialStore>) {
    let keys: Vec<_> = (0..48)
        .map(|number| key(&format!("provider-{}", number % 6), &format!("account-{number}")))
        .collect();
    keep_apart(&store, &keys).await;
    for key in &keys {
        assert!(
            store.delete(key).await,
            "each of many credentials must be deleted once"
        );
    }
    assert!(
        store.list().await.is_empty(),
        "nothing must be left when all is deleted"
    );
}

/// Saves something else under each key, and finds it there again.
async fn keep_apart(store: &Sure<impl CredentialStore>, keys: &[CredentialKey]) {
    for (index, key) in keys.iter().enumerate() {
        store.save(key, &full(&index.to_string())).await;
    }
    for (index, key) in keys.iter().enumerate() {
        assert!(
            store.load(key).await == Some(full(&index.to_string())),
            "{key:?} must have a credential of its own"
        );
    }
    let mut sorted = keys.to_vec();
    sorted.sort();
    assert_eq!(
        store.list().await,
        sorted,
        "list() must name each key as it was given, sorted"
    );
}

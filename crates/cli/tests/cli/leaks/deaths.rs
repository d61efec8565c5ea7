//! The process dies in the middle.

use super::stores::logged_in_and_expired;
use super::{files, look_at_files};
use crate::support::world::API_KEY;
use crate::support::{Outcome, World};

const TOKEN: [&str; 3] = ["token", "--provider", "team"];

/// With hardly the memory that it takes: it aborts or panics, wherever that may be, with a login in its hands.
#[tokio::test]
async fn without_enough_memory() {
    let mut enough = 8_000;
    while with_memory(enough).await.code != Some(0) {
        enough += 2_000;
        assert!(enough < 1_000_000, "it never works");
    }
    let mut deaths = 0;
    for kib in (enough - 2_000..enough + 6_000).step_by(200) {
        let outcome = with_memory(kib).await;
        let died = outcome.stderr.contains("panicked at") || outcome.stderr.contains("memory allocation");
        deaths += usize::from(died);
    }
    println!("{enough} KiB are enough; {deaths} of 40 died of less, or a little more");
    assert!(deaths > 0, "it never died: this test is of no use");
}

async fn with_memory(kib: u32) -> Outcome {
    let mut world = World::new().await;
    world.set("RUST_LOG", "trace");
    world.set("OPENAI_API_KEY", API_KEY);
    logged_in_and_expired(&world);
    world.limit(format!("ulimit -v {kib}"));
    let before = files(world.directory());
    let outcome = world.run(&TOKEN).await;
    look_at_files(&world, &before);
    outcome
}

//! H05: what is in memory stays there.

use crate::support::World;
use gatepass_testkit::{Answer, eventually};
use rustix::process::{Pid, Signal, getuid, kill_process};
use std::os::unix::fs::chown;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tokio::process::{Child, Command};

const TOKEN: [&str; 3] = ["token", "--provider", "corp"];
const NOBODY: u32 = 65534;

/// H05. Root may read everything, so a test that runs as root is two processes of nobody's.
#[tokio::test]
async fn another_process_of_the_same_person_reads_neither_environment_nor_memory() {
    let world = hanging_world().await;
    let program = world.path("gatepass");
    std::fs::copy(env!("CARGO_BIN_EXE_gatepass"), &program).unwrap();
    if getuid().is_root() {
        for path in [world.directory(), &world.path("litellm_config.json")] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let Ok(other) = person("sleep").arg("60").spawn() else {
        return eprintln!("NOT RUN: this user can't start a process of nobody's");
    };
    assert!(person_reads(&other, "environ").await && person_reads(&other, "maps").await);
    let ours = person(&program)
        .args(TOKEN)
        .env_clear()
        .env("HOME", world.directory())
        .current_dir(world.directory())
        .spawn()
        .unwrap();
    is_at_work(&world).await;
    // Each asks for the right that a debugger needs, as `mem` does.
    for file in ["environ", "maps"] {
        assert!(!person_reads(&ours, file).await, "{file}");
    }
}

/// H05
#[tokio::test]
async fn a_process_that_is_aborted_leaves_no_core() {
    let mut world = hanging_world().await;
    world.limit("ulimit -c unlimited");
    let mut other = Command::new("/bin/sh");
    other.args(["-c", "ulimit -c unlimited; kill -ABRT $$"]);
    let other = other.current_dir(world.directory()).status().await.unwrap();
    if !other.core_dumped() {
        return eprintln!("NOT RUN: nothing leaves a core on this machine");
    }
    let child = world.command(&TOKEN).spawn().unwrap();
    is_at_work(&world).await;
    let ended = aborted(child).await;
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(6), false));
}

async fn hanging_world() -> World {
    let world = World::new().await;
    world.authorization.always(Answer::hang());
    world
}

/// It has the client's secret in its hands.
async fn is_at_work(world: &World) {
    eventually("the token is asked for", || {
        world.authorization.token_requests() == 1
    })
    .await;
}

/// A program that runs as a person who isn't root.
fn person(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.kill_on_drop(true);
    command
}

async fn person_reads(process: &Child, file: &str) -> bool {
    let file = format!("/proc/{}/{file}", process.id().unwrap());
    let output = person("cat").arg(file).output().await.unwrap();
    output.status.success() && !output.stdout.is_empty()
}

async fn aborted(mut child: Child) -> ExitStatus {
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::ABORT).unwrap();
    child.wait().await.unwrap()
}

//! Memory that holds secrets stays with this process.

/// From here on there is no core dump, and other processes of the same person, but root's, can't attach to this one
/// or read its memory and environment (`/proc/PID`). What it starts is as it would be otherwise: `exec` ends this.
#[cfg(target_os = "linux")]
pub(crate) fn forbid() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    // Where it can't be had, all works as it does on other systems.
    _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Other systems have no such switch, or one that the programs inherit that are started here.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn forbid() {}

//! Why a step did not do all that it is there for.

/// The reason goes into the table at the end.
#[derive(Debug, PartialEq)]
pub(crate) enum Stop {
    Failed(String),
    /// Nothing is known to be wrong, but something was not looked at.
    LeftOut(String),
}

/// What a step hands back.
pub(crate) type Done = Result<(), Stop>;

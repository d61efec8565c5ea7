use crate::error::TokenError;
use crate::token::AccessToken;
use tokio::sync::watch;

type Outcome = Result<AccessToken, TokenError>;

/// A refresh under way, as those who wait for it see it.
#[derive(Clone)]
pub(super) struct Flight(watch::Receiver<Option<Outcome>>);

/// The same refresh, as the task that runs it sees it.
pub(super) struct Landing {
    sender: watch::Sender<Option<Outcome>>,
    /// The cache's generation when it began.
    pub(super) generation: u64,
}

pub(super) fn take_off(generation: u64) -> (Landing, Flight) {
    let (sender, receiver) = watch::channel(None);
    (Landing { sender, generation }, Flight(receiver))
}

impl Flight {
    /// Waits for the end; `None` if it ended without an outcome.
    pub(super) async fn outcome(mut self) -> Option<Outcome> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl Landing {
    /// Tells all who wait.
    pub(super) fn land(&self, outcome: Outcome) {
        self.sender.send_replace(Some(outcome));
    }

    pub(super) fn is_of(&self, flight: &Flight) -> bool {
        self.sender.subscribe().same_channel(&flight.0)
    }
}

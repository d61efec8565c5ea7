//! rig's models and agents over gatepass's backends, against a live model server.

mod agent;
mod call;
mod failure;
mod kept;

use gatepass_core::{AccessToken, StaticTokenSource};
use gatepass_openai::OpenAiBackend;
use gatepass_testkit::ModelServer;
use rig_core::DynModel;
use rig_core::operation::Completion;

const KEY: &str = "sk-canary";

/// A model of this server.
fn model_of(server: &ModelServer) -> DynModel<Completion> {
    let key = StaticTokenSource::new(AccessToken::bearer(KEY).expect("fits a header"));
    let backend = OpenAiBackend::new(&server.base_url(), key).expect("a loopback address");
    gatepass_rig::completion_model(backend, "test-model")
}

use crate::document::Document;
use crate::reply::Reader;
use crate::request;
use crate::transport::Answering;
use gatepass_core::{ChatEvent, ChatRequest, LlmBackend};
use rig_core::completion::options::{Mapping, OptionFields, OptionMap};
use rig_core::completion::{Accepts, CompletionRequest, Effort, Reasoning, ReplayTarget};
use rig_core::error::EncodeError;
use rig_core::message::Api;
use rig_core::operation::Completion;
use rig_core::wire::{Descriptor, Mode, Wire};
use rig_core::{DynModel, Model};
use serde_json::json;
use std::sync::Arc;

/// The model `name` of a gatepass backend, as a model of rig.
///
/// Cheap to clone. Each request of an agent is one call of the backend, which checks its token, refreshes it where
/// that is due, and retries as it does without rig. Dropping a call or a stream closes the connection.
///
/// What the model's answer holds and rig has no words for (signatures of thoughts, fields of one provider) is kept
/// beside rig's blocks and sent back with them, as long as the conversation stays with this model.
///
/// # Errors
/// Those of the calls are [`ProviderError`](rig_core::ProviderError)s: a provider's answer keeps its status, message,
/// code and request id; a [`BackendError`](gatepass_core::BackendError) of another kind is the error's source, or its
/// text where rig's error has room for text alone.
pub fn completion_model(backend: impl LlmBackend + 'static, name: impl Into<String>) -> DynModel<Completion> {
    let chat = Chat {
        model: name.into().into(),
    };
    Model::new(chat, Answering::new(backend)).erase()
}

/// What a backend is asked, and how its answer is read.
#[derive(Debug, Clone)]
pub(crate) struct Chat {
    model: Arc<str>,
}

const NAME: &str = "gatepass";

impl Wire for Chat {
    type Op = Completion;
    type Payload = ChatRequest;
    type Frame = ChatEvent;
    type Decoder<'id> = Reader<'id>;
    type Reassembler = Document;

    fn describe(&self) -> Descriptor<'_> {
        Descriptor::new(NAME).replay(self).model(&*self.model)
    }

    fn encode(&self, request: CompletionRequest, _: Mode) -> Result<ChatRequest, EncodeError> {
        request::translate(request)
    }

    fn decoder<'id>(&self) -> Reader<'id> {
        Reader::default()
    }
}

impl ReplayTarget for Chat {
    fn api(&self) -> Api {
        Api::from_static("gatepass.chat")
    }

    fn provider(&self) -> &str {
        NAME
    }

    fn model(&self) -> &str {
        &self.model
    }

    /// The backend refuses what its provider can't take.
    fn accepts(&self, _: &str) -> Accepts {
        Accepts::ALL
    }

    /// Not all servers say why they stopped.
    fn states_finish_reason(&self) -> bool {
        false
    }

    fn map_options(&self, _: &CompletionRequest, fields: OptionFields<'_>) -> OptionMap {
        let OptionFields {
            reasoning,
            cache,
            service_tier,
            verbosity,
            parallel_tool_calls,
            top_p,
            seed,
            stop,
        } = fields;
        let by_provider =
            || Mapping::unsupported("each provider words it differently: use additional_params");
        OptionMap {
            reasoning: Mapping::of(reasoning, |reasoning| match reasoning {
                Reasoning::Effort(Effort::XHigh | Effort::Max) => {
                    Mapping::unsupported("the highest effort is high")
                }
                known => Mapping::Send(json!({ "reasoning": known })),
            }),
            cache: Mapping::of(cache, |_| by_provider()),
            service_tier: Mapping::of(service_tier, |_| by_provider()),
            verbosity: Mapping::of(verbosity, |_| by_provider()),
            parallel_tool_calls: Mapping::of(parallel_tool_calls, |parallel| {
                Mapping::Send(json!({ "parallel_tool_calls": parallel }))
            }),
            top_p: Mapping::of(top_p, |top_p| Mapping::Send(json!({ "top_p": top_p }))),
            seed: Mapping::of(seed, |seed| Mapping::Send(json!({ "seed": seed }))),
            stop: Mapping::of_stop(stop, |stop| Mapping::Send(json!({ "stop": stop }))),
        }
    }
}

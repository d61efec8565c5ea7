use crate::calls::{
    ASYNC_OPENAI, GENAI, RIG, async_openai, async_openai_request, genai, genai_request, rig, rig_request,
};
use futures_util::StreamExt;
use gatepass_benches::clients::MODEL;
use gatepass_benches::{Job, stream_bytes};
use genai::chat::ChatStreamEvent;
use rig_core::streaming::{Item, StreamEvent};
use std::error::Error;

pub(crate) fn jobs(base_url: &str) -> Result<Vec<Job>, Box<dyn Error>> {
    let (async_openai, genai, rig) = (async_openai(base_url), genai(base_url)?, rig(base_url));
    Ok(vec![
        Job::new(ASYNC_OPENAI, stream_bytes(), move || {
            let client = async_openai.clone();
            async move {
                let Ok(request) = async_openai_request() else {
                    return 0;
                };
                let Ok(mut events) = client.chat().create_stream(request).await else {
                    return 0;
                };
                let mut bytes = 0;
                while let Some(Ok(event)) = events.next().await {
                    let texts = event
                        .choices
                        .into_iter()
                        .filter_map(|choice| choice.delta.content);
                    bytes += texts.map(|text| text.len()).sum::<usize>();
                }
                bytes
            }
        }),
        Job::new(GENAI, stream_bytes(), move || {
            let client = genai.clone();
            async move {
                let Ok(reply) = client.exec_chat_stream(MODEL, genai_request(), None).await else {
                    return 0;
                };
                let (mut events, mut bytes) = (reply.stream, 0);
                while let Some(Ok(event)) = events.next().await {
                    if let ChatStreamEvent::Chunk(chunk) = event {
                        bytes += chunk.content.len();
                    }
                }
                bytes
            }
        }),
        Job::new(RIG, stream_bytes(), move || {
            let model = rig.clone();
            async move {
                let Ok(mut events) = model.stream(rig_request()) else {
                    return 0;
                };
                let mut bytes = 0;
                while let Some(Ok(event)) = events.next().await {
                    if let Item::Event(StreamEvent::Text { text, .. }) = event {
                        bytes += text.len();
                    }
                }
                bytes
            }
        }),
    ])
}

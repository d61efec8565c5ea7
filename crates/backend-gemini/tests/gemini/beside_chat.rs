//! Token counts, vectors and models.

use crate::{backend, backend_at, key, question};
use gatepass_core::{ChatRequest, EmbeddingRequest, LlmBackend, Message, ToolChoice};
use gatepass_testkit::{Answer, ModelServer};
use serde_json::json;

#[tokio::test]
async fn tokens_are_counted_as_each_place_wants_to_be_asked() {
    let server = ModelServer::start().await;
    let plain = question();
    let full = ChatRequest::new([Message::system("Be brief."), Message::user("two words")])
        .with_model("test-model")
        .with_max_tokens(1)
        .with_tool_choice(ToolChoice::None);
    assert_eq!(backend(&server).count_tokens(&plain).await.unwrap(), 2);
    _ = backend(&server).count_tokens(&full).await;
    let vertex = backend_at(
        &server,
        "/v1beta1/projects/p/locations/l/publishers/google",
        key(),
    );
    assert_eq!(vertex.count_tokens(&full).await.unwrap(), 2);
    let contents = json!([{ "role": "user", "parts": [{ "text": "two words" }] }]);
    let instruction = json!({ "role": "user", "parts": [{ "text": "Be brief." }] });
    let requests = server.requests();
    assert_eq!(
        requests[0].json,
        json!({ "contents": [{ "role": "user", "parts": [{ "text": "Say something." }] }] })
    );
    assert_eq!(
        requests[1].json,
        json!({ "generateContentRequest": {
            "model": "models/test-model",
            "contents": contents,
            "systemInstruction": instruction,
            "generationConfig": { "maxOutputTokens": 1 },
            "toolConfig": { "functionCallingConfig": { "mode": "NONE" } },
        } })
    );
    assert_eq!(
        requests[2].json,
        json!({
            "contents": contents,
            "systemInstruction": instruction,
            "generationConfig": { "maxOutputTokens": 1 },
        })
    );
    let path = "/v1beta1/projects/p/locations/l/publishers/google/models/test-model:countTokens";
    assert_eq!(requests[2].path, path);
}

#[tokio::test]
async fn texts_become_vectors_in_as_many_requests_as_it_takes() {
    let server = ModelServer::start().await;
    let texts: Vec<_> = (0..250).map(|length| "x".repeat(length)).collect();
    let request = EmbeddingRequest::new(texts)
        .with_model("gemini-embedding-001")
        .with_dimensions(3);
    let all = backend(&server)
        .embed(request.with_extra("taskType", "CLUSTERING"))
        .await
        .unwrap();
    let lengths: Vec<_> = all.vectors.iter().map(|vector| vector[0]).collect();
    assert_eq!(lengths, (0..250u16).map(f32::from).collect::<Vec<_>>());
    let sizes: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.json["requests"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(
        server.requests()[0].json["requests"][2],
        json!({
            "model": "models/gemini-embedding-001",
            "content": { "parts": [{ "text": "xx" }] },
            "outputDimensionality": 3,
            "taskType": "CLUSTERING",
        })
    );
}

#[tokio::test]
async fn vertex_ai_is_asked_for_vectors_as_each_model_wants_it() {
    let server = ModelServer::start().await;
    let vertex = backend_at(&server, "/v1beta1/projects/p/locations/l", key());
    let prediction = |tokens: u64| {
        let statistics = json!({ "token_count": tokens, "truncated": false });
        json!({ "embeddings": { "values": [tokens as f64], "statistics": statistics } })
    };
    let ask = |model: &str| {
        let request = EmbeddingRequest::new(["one", "two"])
            .with_model(model)
            .with_dimensions(1);
        request
            .with_extra("taskType", "CLUSTERING")
            .with_extra("autoTruncate", false)
    };
    let both =
        json!({ "predictions": [prediction(3), prediction(4)], "metadata": { "billableCharacterCount": 6 } });
    server.push(Answer::json(200, &both));
    let all = vertex.embed(ask("text-embedding-005")).await.unwrap();
    assert_eq!(all.vectors, [[3.0], [4.0]]);
    assert_eq!(all.usage.unwrap().input_tokens, Some(7));
    assert_eq!(all.extra["metadata"]["billableCharacterCount"], 6);
    assert_eq!(
        server.requests()[0].json,
        json!({
            "instances": [
                { "content": "one", "task_type": "CLUSTERING" },
                { "content": "two", "task_type": "CLUSTERING" },
            ],
            "parameters": { "outputDimensionality": 1, "autoTruncate": false },
        })
    );
    for tokens in [3, 4] {
        server.push(Answer::json(200, &json!({ "predictions": [prediction(tokens)] })));
    }
    assert_eq!(
        vertex.embed(ask("gemini-embedding-001")).await.unwrap().vectors,
        [[3.0], [4.0]]
    );
    for value in [5.0, 6.0] {
        let usage = json!({ "promptTokenCount": 2 });
        server.push(Answer::json(
            200,
            &json!({ "embedding": { "values": [value] }, "usageMetadata": usage }),
        ));
    }
    let all = vertex.embed(ask("gemini-embedding-2")).await.unwrap();
    assert_eq!(
        (all.vectors, all.usage.unwrap().input_tokens),
        (vec![vec![5.0], vec![6.0]], Some(4))
    );
    let requests = server.requests();
    let methods: Vec<_> = requests
        .iter()
        .map(|request| request.path.rsplit(':').next().unwrap())
        .collect();
    assert_eq!(
        methods,
        ["predict", "predict", "predict", "embedContent", "embedContent"]
    );
    let asked = json!({
        "content": { "parts": [{ "text": "two" }] },
        "outputDimensionality": 1,
        "taskType": "CLUSTERING",
        "autoTruncate": false,
    });
    assert_eq!(requests[4].json, asked);
}

#[tokio::test]
async fn a_list_of_models_is_read_to_its_last_page() {
    let server = ModelServer::start().await;
    let page = |field: &str, name: &str, next: &str| {
        Answer::json(
            200,
            &json!({ (field): [{ "name": name, "version": "1" }], "nextPageToken": next }),
        )
    };
    server.push(page("models", "models/a", "t/1&"));
    server.push(page("models", "tunedModels/b", ""));
    let models = backend(&server).models().await.unwrap();
    let ids: Vec<_> = models.iter().map(|model| &*model.id).collect();
    assert_eq!(ids, ["a", "tunedModels/b"]);
    assert_eq!(models[0].extra["version"], "1");
    let requests = server.requests();
    assert_eq!(
        (&*requests[0].path, requests[0].query_value("pageToken")),
        ("/v1beta/models", None)
    );
    assert_eq!(requests[1].query_value("pageToken"), Some("t/1&"));

    let vertex = backend_at(
        &server,
        "/v1beta1/projects/p/locations/l/publishers/google",
        key(),
    );
    server.push(page("publisherModels", "publishers/google/models/c", "again"));
    server.always(page("publisherModels", "publishers/google/models/d", "again"));
    let models = vertex.models().await.unwrap();
    let ids: Vec<_> = models.iter().map(|model| &*model.id).collect();
    assert_eq!(ids, ["c", "d"], "a page that names itself is the last");
    assert_eq!(server.requests()[2].path, "/v1beta1/publishers/google/models");
}

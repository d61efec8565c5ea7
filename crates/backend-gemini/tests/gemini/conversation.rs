//! What is asked and what is answered, when all goes well.

use crate::{CANARY, backend, backend_at, key, question};
use gatepass_core::{
    ChatEvent, ChatReply, ChatRequest, FinishReason, JsonObject, LlmBackend, Media, Message, Part, Reasoning,
    ReasoningEffort, ResponseFormat, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use gatepass_testkit::{Answer, ModelServer, Value, contract};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_of_all_backends_holds() {
    let server = ModelServer::start().await;
    for path in ["/v1beta", "/v1beta1/projects/p/locations/l"] {
        let make = || backend_at(&server, path, key());
        contract::llm_backend(make, &server).await;
        contract::complete_backend(make, &server, CANARY).await;
    }
}

/// The body that is sent for `request`.
async fn sent(request: ChatRequest) -> Value {
    let server = ModelServer::start().await;
    backend(&server).chat(request).await.unwrap();
    server.requests()[0].json.clone()
}

/// The whole answer to a body of `parts`.
async fn read(parts: &Value) -> ChatReply {
    let server = ModelServer::start().await;
    server.push(answer(parts));
    backend(&server).chat(question()).await.unwrap()
}

fn answer(parts: &Value) -> Answer {
    let candidate = json!({ "content": { "role": "model", "parts": parts }, "finishReason": "STOP" });
    Answer::json(200, &json!({ "candidates": [candidate], "responseId": "R-1" }))
}

/// The reply to a stream of these lists of parts, and its events.
async fn streamed(chunks: &[Value]) -> (ChatReply, Vec<ChatEvent>) {
    let server = ModelServer::start().await;
    let last = chunks.len() - 1;
    server.push(Answer::sse(chunks.iter().enumerate().map(|(at, parts)| {
        let reason = (at == last).then_some("STOP");
        let candidate = json!({ "content": { "parts": parts }, "finishReason": reason });
        format!(
            "data: {}\r\n\r\n",
            json!({ "candidates": [candidate], "responseId": "R-1" })
        )
    })));
    let mut stream = backend(&server).chat_stream(question()).await.unwrap();
    let (mut reply, mut events) = (ChatReply::default(), Vec::new());
    while let Some(event) = stream.try_next().await.unwrap() {
        events.push(event.clone());
        reply.add(event);
    }
    (reply, events)
}

#[tokio::test]
async fn a_request_is_said_in_geminis_words() {
    let weather = Tool::new("weather", json!({ "type": "object" })).with_description("Tells it.");
    let request = ChatRequest::new([
        Message::system("Be brief."),
        Message::system("Be kind."),
        Message::user("Hi"),
    ])
    .with_model("gemini-2.5-flash")
    .with_tools([weather])
    .with_provider_tool(JsonObject::from_iter([("googleSearch".into(), json!({}))]))
    .with_tool_choice(ToolChoice::Tool("weather".into()))
    .with_temperature(0.5)
    .with_top_p(0.9)
    .with_top_k(40)
    .with_max_tokens(100)
    .with_stop(["END"])
    .with_seed(-7)
    .with_reasoning(ReasoningEffort::Low)
    .with_json_schema("answer", json!({ "const": 1 }))
    .with_extra("safetySettings", json!([{ "category": "C", "threshold": "OFF" }]))
    .with_extra(
        "generationConfig",
        json!({ "responseModalities": ["TEXT"], "topK": 1 }),
    )
    .with_extra("toolConfig", json!({ "includeServerSideToolInvocations": true }));
    let expected = json!({
        "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }],
        "systemInstruction": { "role": "user", "parts": [{ "text": "Be brief." }, { "text": "Be kind." }] },
        "tools": [
            { "googleSearch": {} },
            { "functionDeclarations": [{
                "name": "weather",
                "description": "Tells it.",
                "parametersJsonSchema": { "type": "object" },
            }] },
        ],
        "toolConfig": {
            "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["weather"] },
            "includeServerSideToolInvocations": true,
        },
        "generationConfig": {
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 1,
            "maxOutputTokens": 100,
            "stopSequences": ["END"],
            "seed": -7,
            "responseMimeType": "application/json",
            "responseJsonSchema": { "enum": [1] },
            "thinkingConfig": { "thinkingBudget": 1024 },
            "responseModalities": ["TEXT"],
        },
        "safetySettings": [{ "category": "C", "threshold": "OFF" }],
    });
    assert_eq!(sent(request).await, expected);
}

#[tokio::test]
async fn every_choice_of_tools_has_its_mode() {
    let tool = Tool::new("a", json!({ "type": "object" }));
    let strict = tool.clone().with_strict(true);
    for (choice, tool, expected) in [
        (None, &tool, Value::Null),
        (Some(ToolChoice::Auto), &tool, json!({ "mode": "AUTO" })),
        (Some(ToolChoice::None), &tool, json!({ "mode": "NONE" })),
        (Some(ToolChoice::Required), &strict, json!({ "mode": "ANY" })),
        (None, &strict, json!({ "mode": "VALIDATED" })),
        (Some(ToolChoice::Auto), &strict, json!({ "mode": "VALIDATED" })),
    ] {
        let mut request = question().with_tools([tool.clone()]);
        request.tool_choice = choice;
        assert_eq!(
            sent(request).await["toolConfig"]["functionCallingConfig"],
            expected
        );
    }
    let json = question().with_response_format(ResponseFormat::Json);
    assert_eq!(
        sent(json).await["generationConfig"],
        json!({ "responseMimeType": "application/json" })
    );
}

#[tokio::test]
async fn media_is_sent_along_or_named_by_its_address() {
    let clip = Part::File(Media::url("gs://b/c.mp4").with_media_type("video/mp4"));
    let parts = [
        Part::Image(Media::base64("image/png", "aGk=").with_name("hi.png")),
        clip.with_extra("videoMetadata", json!({ "fps": 1 })),
        Part::File(Media::id("files/abc").with_media_type("application/pdf")),
        Part::Audio(Media::url("https://youtu.be/x")),
    ];
    let request = ChatRequest::new([Message::new(Role::User, parts)]).with_model("m");
    let expected = json!([
        { "inlineData": { "mimeType": "image/png", "data": "aGk=", "displayName": "hi.png" } },
        { "fileData": { "mimeType": "video/mp4", "fileUri": "gs://b/c.mp4" }, "videoMetadata": { "fps": 1 } },
        { "fileData": {
            "mimeType": "application/pdf",
            "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc",
        } },
        { "fileData": { "fileUri": "https://youtu.be/x" } },
    ]);
    assert_eq!(sent(request).await["contents"][0]["parts"], expected);
}

/// The answers' messages in one, in the order of the calls; ids only where the server gave them.
#[tokio::test]
async fn parallel_calls_are_answered_together_in_their_order() {
    let reply = read(&json!([
        { "functionCall": { "name": "a", "args": { "z": 1, "a": u64::MAX } }, "thoughtSignature": "sig" },
        { "functionCall": { "name": "a" } },
        { "functionCall": { "name": "b", "id": "srv-1", "args": null } },
    ]))
    .await;
    assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
    let calls: Vec<_> = reply.tool_calls().cloned().collect();
    assert_eq!(calls[0].arguments, r#"{"a":18446744073709551615,"z":1}"#);
    assert_eq!((&*calls[1].arguments, &*calls[2].id), ("{}", "srv-1"));
    assert_ne!(calls[0].id, calls[1].id);

    let mut failed = ToolResult::to_call(&calls[0], "no such city");
    failed.is_error = true;
    let image = ToolResult::new(&*calls[2].id, r#"{"x":[1]}"#)
        .with_part(Part::Image(Media::base64("image/png", "aGk=")));
    let messages = [
        Message::user("?"),
        reply.message.clone(),
        Message::new(Role::Tool, [Part::ToolResult(image)]),
        Message::tool_result(&*calls[1].id, "sunny"),
        Message::new(Role::Tool, [Part::ToolResult(failed)]),
    ];
    let body = sent(ChatRequest::new(messages).with_model("gemini-3-pro-preview")).await;
    let expected = json!([
        { "functionResponse": { "name": "a", "response": { "error": "no such city" } } },
        { "functionResponse": { "name": "a", "response": { "output": "sunny" } } },
        { "functionResponse": {
            "id": "srv-1",
            "name": "b",
            "response": { "x": [1] },
            "parts": [{ "inlineData": { "mimeType": "image/png", "data": "aGk=" } }],
        } },
    ]);
    assert_eq!(body["contents"][2], json!({ "role": "user", "parts": expected }));
    assert_eq!(body["contents"].as_array().unwrap().len(), 3);
    let calls = &body["contents"][1]["parts"];
    assert_eq!(calls[0]["thoughtSignature"], "sig");
    assert_eq!(calls[1], json!({ "functionCall": { "name": "a", "args": {} } }));
}

/// All that Gemini says, and what a future Gemini might say, is sent back as it came.
#[tokio::test]
async fn what_was_answered_is_sent_back_as_it_came() {
    let parts = json!([
        { "text": "Let me think.", "thought": true },
        { "text": "Hm.", "thought": true, "thoughtSignature": "s1" },
        { "text": "", "thought": true, "thoughtSignature": "s2" },
        { "text": "A" },
        { "text": "B", "thoughtSignature": "s3" },
        { "text": "C", "partMetadata": { "a": { "b": 1 } } },
        { "executableCode": { "language": "PYTHON", "code": "1", "id": "x" }, "thoughtSignature": "s4" },
        { "codeExecutionResult": { "outcome": "OUTCOME_OK", "output": "" } },
        { "toolCall": { "toolType": "GOOGLE_SEARCH_WEB", "args": {}, "id": "t" } },
        { "inlineData": { "mimeType": "image/png", "data": "aGk=" }, "thought": true },
        { "inlineData": { "mimeType": "image/png", "data": "aGk=" }, "thoughtSignature": "s5" },
        { "fileData": { "mimeType": "audio/wav", "fileUri": "gs://b/c" } },
        { "functionCall": { "name": "f", "args": { "a": [] }, "newer": { "x": 1 } }, "thoughtSignature": "s6", "newer": 2 },
        { "holographicData": { "x": 1 } },
        { "text": "", "thoughtSignature": "s7" },
    ]);
    let server = ModelServer::start().await;
    for streamed in [false, true] {
        let (reply, _) = if streamed {
            let chunks: Vec<_> = parts
                .as_array()
                .unwrap()
                .iter()
                .map(|part| json!([part]))
                .collect();
            self::streamed(&chunks).await
        } else {
            (read(&parts).await, Vec::new())
        };
        assert_eq!(reply.text(), "ABC");
        let saved = serde_json::to_string(&reply.message).unwrap();
        let message: Message = serde_json::from_str(&saved).unwrap();
        let request = ChatRequest::new([Message::user("?"), message]).with_model("gemini-3-pro-preview");
        backend(&server).chat(request).await.unwrap();
        let sent = server.requests().pop().unwrap().json;
        assert_eq!(
            sent["contents"][1],
            json!({ "role": "model", "parts": parts }),
            "streamed: {streamed}"
        );
    }
}

/// A chunk is no part: texts and thoughts of several are one.
#[tokio::test]
async fn a_streams_chunks_are_put_together_but_for_what_was_signed() {
    let (reply, events) = streamed(&[
        json!([{ "text": "I th", "thought": true }]),
        json!([{ "text": "ink", "thought": true }]),
        json!([{ "text": "Par" }]),
        json!([{ "text": "is" }, { "text": "Rome" }]),
        json!([{ "text": "!", "thoughtSignature": "s" }]),
        json!([{ "functionCall": { "name": "f", "args": { "a": 1 } } }]),
    ])
    .await;
    let proof = Part::Reasoning(Reasoning::default().with_signature("s"));
    let call = ToolCall::new("unnamed-R-1-0", "f", r#"{"a":1}"#);
    let expected = [
        Part::Reasoning(Reasoning::new("I think")),
        Part::text("Paris"),
        Part::text("Rome"),
        Part::text("!"),
        proof,
        Part::ToolCall(call.clone()),
    ];
    assert_eq!(reply.message.parts, expected);
    assert_eq!(reply.finish, Some(FinishReason::ToolCalls));
    let of_call: Vec<_> = events
        .into_iter()
        .filter(|event| {
            matches!(
                event,
                ChatEvent::ToolCallStart { .. }
                    | ChatEvent::ToolCallArguments { .. }
                    | ChatEvent::ToolCall(_)
            )
        })
        .collect();
    let (index, id, name) = (0, call.id.clone(), call.name.clone());
    let arguments = call.arguments.clone();
    assert_eq!(
        of_call,
        [
            ChatEvent::ToolCallStart { index, id, name },
            ChatEvent::ToolCallArguments { index, arguments },
            ChatEvent::ToolCall(call),
        ]
    );
}

/// What only the other provider understands stays behind; Gemini 3 is told that calls have no proof.
#[tokio::test]
async fn a_conversation_of_another_provider_is_sent_with_what_gemini_can_take() {
    let mut call = ToolCall::new("call_9", "f", "");
    call.signature = Some("theirs".into());
    let theirs = Message::new(
        Role::Assistant,
        [
            Part::Reasoning(Reasoning::new("secret thought").with_signature("theirs")),
            Part::text("Hi").with_extra("citations", json!([1])),
            Part::Other(JsonObject::from_iter([("type".into(), json!("web_search"))])),
            Part::File(Media::id("file-123")),
            Part::ToolCall(call),
        ],
    );
    let messages = [
        Message::user("?"),
        theirs.with_wire("openai-chat"),
        Message::tool_result("call_9", "ok").with_wire("openai-chat"),
    ];
    let request = ChatRequest::new(messages);
    let called = json!({ "functionCall": { "id": "call_9", "name": "f", "args": {} } });
    let mut signed = called.clone();
    signed["thoughtSignature"] = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=".into();
    for (model, called) in [("gemini-2.5-flash", called), ("gemini-3-flash-preview", signed)] {
        let body = sent(request.clone().with_model(model)).await;
        assert_eq!(body["contents"][1]["parts"], json!([{ "text": "Hi" }, called]));
        let response = json!({ "id": "call_9", "name": "f", "response": { "output": "ok" } });
        assert_eq!(
            body["contents"][2]["parts"],
            json!([{ "functionResponse": response }])
        );
    }
}

#[tokio::test]
async fn what_comes_beside_the_answer_is_kept() {
    let server = ModelServer::start().await;
    let body = json!({
        "candidates": [
            { "index": 1, "content": { "parts": [{ "text": "second" }] } },
            {
                "index": 0,
                "content": { "parts": [{ "text": "first" }], "role": "model" },
                "finishReason": "RECITATION",
                "finishMessage": "Recited.",
                "groundingMetadata": { "groundingChunks": [{ "web": { "uri": "u" } }] },
                "citationMetadata": { "citations": [{ "startIndex": 1 }] },
                "safetyRatings": [{ "category": "C", "probability": "LOW" }],
            },
        ],
        "promptFeedback": { "safetyRatings": [{ "category": "C", "probability": "NEGLIGIBLE" }] },
        "usageMetadata": { "promptTokenCount": 3, "promptTokensDetails": [{ "modality": "AUDIO", "tokenCount": 3 }] },
        "modelVersion": "m-1",
        "responseId": "R",
        "createTime": "now",
    });
    for answer in [
        Answer::json(200, &body),
        Answer::sse([format!("data: {body}\n\n")]),
    ] {
        server.push(answer.clone());
        server.push(answer);
        let asked = backend(&server).chat_stream(question()).await.unwrap();
        let mut replies = vec![asked.collect().await.unwrap()];
        replies.extend(backend(&server).chat(question()).await.ok());
        for reply in replies {
            assert_eq!(
                (&*reply.text(), reply.id.as_deref(), reply.model.as_deref()),
                ("first", Some("R"), Some("m-1"))
            );
            assert_eq!(reply.finish, Some(FinishReason::ContentFilter));
            let usage = reply.usage.unwrap();
            assert_eq!((usage.input_tokens, usage.output_tokens), (Some(3), None));
            assert_eq!(usage.extra["promptTokensDetails"][0]["modality"], "AUDIO");
            let names = reply.extra.keys().map(String::as_str);
            // A whole answer has the other candidates, too.
            let names: Vec<_> = names.filter(|name| *name != "candidates").collect();
            let kept = [
                "citationMetadata",
                "createTime",
                "finishMessage",
                "finishReason",
                "groundingMetadata",
                "promptFeedback",
                "safetyRatings",
            ];
            assert_eq!(names, kept);
            assert_eq!(reply.extra["finishReason"], "RECITATION");
        }
    }
}

/// A conversation goes on though one call in it failed.
#[tokio::test]
async fn arguments_that_are_no_object_are_wrapped() {
    for (arguments, expected) in [
        ("{\"a\": 1.50}", json!({ "a": 1.50 })),
        (" ", json!({})),
        ("city=Paris", json!({ "INVALID_JSON": "city=Paris" })),
        ("[1]", json!({ "INVALID_JSON": "[1]" })),
        ("{\"a\": 1} x", json!({ "INVALID_JSON": "{\"a\": 1} x" })),
    ] {
        let call = Part::ToolCall(ToolCall::new("1", "t", arguments));
        let request = ChatRequest::new([
            Message::user("?"),
            Message::new(Role::Assistant, [call]).with_wire("openai-chat"),
            Message::tool_result("1", "the arguments don't fit"),
        ]);
        let body = sent(request.with_model("gemini-2.5-flash")).await;
        assert_eq!(
            body["contents"][1]["parts"][0]["functionCall"]["args"], expected,
            "{arguments}"
        );
    }
}

#[tokio::test]
async fn the_other_candidates_are_kept_as_they_came() {
    let candidate = |index, text| json!({ "index": index, "content": { "parts": [{ "text": text }] }, "finishReason": "STOP" });
    let server = ModelServer::start().await;
    let all = json!({ "candidates": [candidate(0, "a"), candidate(1, "b")] });
    server.push(Answer::json(200, &all));
    let reply = backend(&server).chat(question()).await.unwrap();
    assert_eq!(reply.text(), "a");
    assert_eq!(reply.extra["candidates"], json!([candidate(1, "b")]));
}

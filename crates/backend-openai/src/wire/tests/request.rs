use crate::dialect::Dialect;
use crate::wire::{Mode, encode};
use gatepass_core::{
    ChatRequest, ErrorKind, JsonObject, Media, Message, Part, Reasoning, ReasoningEffort, ReasoningOptions,
    ResponseFormat, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use serde_json::{Value, json};

fn object(value: Value) -> JsonObject {
    serde_json::from_value(value).unwrap()
}

fn said_as(request: &ChatRequest, dialect: Dialect, mode: Mode) -> Value {
    serde_json::from_slice(&encode(request, dialect, mode).unwrap()).unwrap()
}

fn said(request: &ChatRequest) -> Value {
    said_as(request, Dialect::Compatible, Mode::Whole)
}

fn ask(messages: impl Into<Vec<Message>>) -> ChatRequest {
    ChatRequest::new(messages).with_model("m")
}

/// The messages on the wire.
fn messages(messages: impl Into<Vec<Message>>) -> Value {
    said(&ask(messages))["messages"].take()
}

#[test]
fn a_short_question_is_a_short_body() {
    let body = encode(&ask([Message::user("Hi 🦀")]), Dialect::OpenAi, Mode::Whole).unwrap();
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        r#"{"model":"m","messages":[{"role":"user","content":"Hi 🦀"}]}"#
    );
}

#[test]
fn every_setting_has_its_member() {
    let weather = Tool::new("weather", json!({ "type": "object" }))
        .with_description("Tells it.")
        .with_strict(true);
    let request = ask([Message::system("Be brief."), Message::user("Hi")])
        .with_temperature(0.5)
        .with_max_tokens(7)
        .with_top_p(0.9)
        .with_stop(["a", "b"])
        .with_seed(-3)
        .with_tools([weather, Tool::new("bare", json!({}))])
        .with_tool_choice(ToolChoice::Tool("weather".into()))
        .with_json_schema("city", json!({ "type": "string" }))
        .with_extra("reasoning_effort", "low");
    let expected = json!({
        "model": "m",
        "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": "Hi" }],
        "temperature": 0.5,
        "max_tokens": 7,
        "top_p": 0.9,
        "stop": ["a", "b"],
        "seed": -3,
        "tools": [
            { "type": "function", "function": {
                "name": "weather", "description": "Tells it.", "parameters": { "type": "object" }, "strict": true,
            } },
            { "type": "function", "function": { "name": "bare", "parameters": {} } },
        ],
        "tool_choice": { "type": "function", "function": { "name": "weather" } },
        "response_format": { "type": "json_schema", "json_schema": {
            "name": "city", "schema": { "type": "string" }, "strict": true,
        } },
        "reasoning_effort": "low",
    });
    assert_eq!(said(&request), expected);
}

#[test]
fn choices_and_formats_have_their_words() {
    for (choice, word) in [
        (ToolChoice::Auto, "auto"),
        (ToolChoice::None, "none"),
        (ToolChoice::Required, "required"),
    ] {
        let request = ask([Message::user("Hi")]).with_tool_choice(choice);
        assert_eq!(said(&request)["tool_choice"], word);
    }
    for (format, word) in [
        (ResponseFormat::Text, "text"),
        (ResponseFormat::Json, "json_object"),
    ] {
        let request = ask([Message::user("Hi")]).with_response_format(format);
        assert_eq!(said(&request)["response_format"], json!({ "type": word }));
    }
}

#[test]
fn dialects_differ_in_a_few_words() {
    let request = ask([Message::user("Hi")]).with_max_tokens(7).with_seed(3);
    let names = |dialect| {
        let body = said_as(&request, dialect, Mode::Streamed);
        let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        names.join(" ")
    };
    assert_eq!(
        names(Dialect::OpenAi),
        "max_completion_tokens messages model seed stream stream_options"
    );
    assert_eq!(
        names(Dialect::Compatible),
        "max_tokens messages model seed stream stream_options"
    );
    assert_eq!(
        names(Dialect::Mistral),
        "max_tokens messages model random_seed stream"
    );
}

#[test]
fn mistral_gets_ids_of_its_own_shape_and_the_same_ones_for_a_call_and_its_result() {
    let ids = |dialect, id: &str| {
        let call = Message::new(Role::Assistant, [Part::ToolCall(ToolCall::new(id, "time", "{}"))]);
        let body = said_as(
            &ask([call, Message::tool_result(id, "noon")]),
            dialect,
            Mode::Whole,
        );
        let id = body["messages"][0]["tool_calls"][0]["id"].clone();
        assert_eq!(id, body["messages"][1]["tool_call_id"]);
        id.as_str().unwrap().to_owned()
    };
    let mut seen = std::collections::BTreeSet::new();
    for id in [
        "toolu_01A09q90qw90lq917835lq9",
        "call_0",
        "call_1",
        "",
        "x",
        "123456_89",
        "\u{e4}bcdefgh",
    ] {
        let sent = ids(Dialect::Mistral, id);
        assert!(
            sent.len() == 9 && sent.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{sent}"
        );
        assert_eq!(sent, ids(Dialect::Mistral, id), "the same every time");
        assert!(seen.insert(sent), "{id}");
        assert_eq!(ids(Dialect::Compatible, id), id);
    }
    assert_eq!(ids(Dialect::Mistral, "D681PevKs"), "D681PevKs");
}

#[test]
fn a_stream_is_asked_to_tell_its_usage() {
    let body = said_as(&ask([Message::user("Hi")]), Dialect::Compatible, Mode::Streamed);
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({ "include_usage": true }));
}

#[test]
fn extra_members_are_added_once_and_win() {
    let mut message = Message::system("Be brief.");
    message.extra.insert("role".into(), "developer".into());
    message.extra.insert("name".into(), "boss".into());
    let request = ask([message])
        .with_temperature(1.0)
        .with_extra("temperature", Value::Null);
    let request = request
        .with_extra("model", "another")
        .with_extra("stream_options", json!({}));
    let body = encode(&request, Dialect::OpenAi, Mode::Streamed).unwrap();
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        r#"{"messages":[{"content":"Be brief.","name":"boss","role":"developer"}],"stream":true,"model":"another","stream_options":{},"temperature":null}"#
    );
}

#[test]
fn content_is_a_text_or_a_list() {
    let said = |parts: Vec<Part>| messages([Message::new(Role::User, parts)])[0]["content"].take();
    let text = |text: &str| Part::text(text);
    assert_eq!(said(vec![text("a")]), "a");
    assert_eq!(said(vec![]), "");
    assert_eq!(
        said(vec![text("a"), text("b")]),
        json!([{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }])
    );
    let other = json!({ "type": "document_url", "document_url": "https://d.example" });
    let Value::Object(members) = other.clone() else {
        panic!()
    };
    assert_eq!(said(vec![Part::Other(members)]), json!([other]));
}

#[test]
fn media_are_sent_as_their_kind_wants_it() {
    let said = |part: Part| messages([Message::new(Role::User, [part])])[0]["content"][0].take();
    assert_eq!(
        said(Part::Image(Media::url("https://i.example/a.png"))),
        json!({ "type": "image_url", "image_url": { "url": "https://i.example/a.png" } })
    );
    assert_eq!(
        said(Part::Image(Media::base64("image/png", "iVBO"))),
        json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBO" } })
    );
    for (media_type, format) in [
        ("audio/wav", "wav"),
        ("audio/x-wav", "wav"),
        ("audio/mpeg", "mp3"),
        ("audio/x-flac", "flac"),
    ] {
        assert_eq!(
            said(Part::Audio(Media::base64(media_type, "UklG"))),
            json!({ "type": "input_audio", "input_audio": { "data": "UklG", "format": format } })
        );
    }
    assert_eq!(
        said(Part::File(Media::base64("application/pdf", "JVBE"))),
        json!({ "type": "file", "file": { "filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE" } })
    );
    assert_eq!(
        said(Part::File(
            Media::url("https://f.example/a.pdf").with_name("a.pdf")
        )),
        json!({ "type": "file", "file": { "filename": "a.pdf", "file_data": "https://f.example/a.pdf" } })
    );
    assert_eq!(
        said(Part::File(Media::id("file-1"))),
        json!({ "type": "file", "file": { "file_id": "file-1" } })
    );
}

#[test]
fn tool_calls_and_their_results_are_said_in_turn() {
    let calls = Message::new(
        Role::Assistant,
        [
            Part::Reasoning(Reasoning::new("not sent")),
            Part::ToolCall(ToolCall::new("1", "weather", r#"{"city":"Paris"}"#)),
            Part::ToolCall(ToolCall::new("2", "time", "")),
        ],
    );
    let results = Message::new(
        Role::Tool,
        [
            Part::ToolResult(ToolResult::new("1", "sunny")),
            Part::ToolResult(ToolResult::new("2", "noon").with_error()),
        ],
    );
    let call = |id, name, arguments| json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    assert_eq!(
        messages([calls, results]),
        json!([
            { "role": "assistant", "content": null, "tool_calls": [
                call("1", "weather", r#"{"city":"Paris"}"#),
                call("2", "time", "{}"),
            ] },
            { "role": "tool", "tool_call_id": "1", "content": "sunny" },
            { "role": "tool", "tool_call_id": "2", "content": "noon" },
        ])
    );
}

#[test]
fn a_person_may_answer_for_a_tool_and_go_on() {
    let message = Message::user("And now?").with_part(Part::ToolResult(ToolResult::new("1", "sunny")));
    assert_eq!(
        messages([message]),
        json!([
            { "role": "tool", "tool_call_id": "1", "content": "sunny" },
            { "role": "user", "content": "And now?" },
        ])
    );
}

#[test]
fn a_proof_of_a_thought_goes_back_to_those_who_send_one() {
    let mut call = ToolCall::new("1", "weather", "{}");
    call.signature = Some("proof".into());
    let request = ask([Message::new(Role::Assistant, [Part::ToolCall(call)])]);
    let extra = |dialect| {
        said_as(&request, dialect, Mode::Whole)["messages"][0]["tool_calls"][0]["extra_content"].take()
    };
    assert_eq!(
        extra(Dialect::Compatible),
        json!({ "google": { "thought_signature": "proof" } })
    );
    assert_eq!(extra(Dialect::OpenAi), Value::Null);
}

#[test]
fn what_belongs_to_answers_alone_is_not_sent_back() {
    let mut message = Message::assistant("Paris");
    message
        .extra
        .insert("executed_tools".into(), json!([{ "type": "search" }]));
    message.extra.insert("channel".into(), "final".into());
    message.extra.insert("annotations".into(), json!([1]));
    message.extra.insert(
        "audio".into(),
        json!({ "id": "a", "data": "UklG", "expires_at": 7 }),
    );
    assert_eq!(
        messages([message]),
        json!([{ "role": "assistant", "content": "Paris", "annotations": [1], "audio": { "id": "a" } }])
    );
    let mut call = ToolCall::new("a", "time", "{}");
    call.extra
        .insert("function".into(), json!({ "description": "Tells it." }));
    let said = messages([Message::new(Role::Assistant, [Part::ToolCall(call)])]);
    let function = json!({ "name": "time", "arguments": "{}" });
    assert_eq!(said[0]["tool_calls"][0]["function"], function);
}

#[test]
fn what_cannot_be_said_is_refused_without_being_shown() {
    let with = |part| ask([Message::new(Role::User, [part])]);
    let tool = |name: &str| ask([Message::user("Hi")]).with_tools([Tool::new(name, json!({}))]);
    let mut untyped = Media::base64("", "canary");
    untyped.media_type = None;
    for (request, what) in [
        (ChatRequest::new([Message::user("canary")]), "no model is named"),
        (
            ask([Message::user("canary")]).with_model(""),
            "the model's name is empty",
        ),
        (
            ask([Message::user("Hi")]).with_model("canary\r\n"),
            "the model's name has a control character",
        ),
        (ask([]), "there are no messages"),
        (tool("canary\u{1b}[2J"), "a tool's name has a control character"),
        (tool(""), "a tool's name is empty"),
        (
            ask([Message::user("Hi")]).with_tool_choice(ToolChoice::Tool("canary\n".into())),
            "the chosen tool's name has a control character",
        ),
        (
            ask([Message::user("canary")]).with_temperature(f64::NAN),
            "temperature is not a number",
        ),
        (
            ask([Message::user("canary")]).with_top_p(f64::INFINITY),
            "top_p is not a number",
        ),
        (
            ask([Message::new(Role::Tool, [])]),
            "a message of a tool has to consist of tool results",
        ),
        (
            ask([Message::new(Role::Tool, [Part::text("canary")])]),
            "a message of a tool has to consist of tool results",
        ),
        (
            with(Part::ToolCall(ToolCall::new("1", "canary", "{}"))),
            "only the assistant can call a tool",
        ),
        (
            with(Part::Image(Media::id("canary"))),
            "an image by the id of an upload",
        ),
        (
            with(Part::Image(untyped.clone())),
            "an image without its media type",
        ),
        (with(Part::File(untyped)), "a file without its media type"),
        (
            with(Part::Audio(Media::url("https://canary.example"))),
            "sound that isn't sent along",
        ),
    ] {
        let error = encode(&request, Dialect::Compatible, Mode::Whole).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid request: {what}"));
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn an_answer_of_another_wire_goes_as_words_and_calls() {
    let mut call = ToolCall::new("toolu_1", "f", "{}");
    call.signature = Some("proof".into());
    call.extra.insert("caller".into(), json!({}));
    let mut foreign = Message::new(
        Role::Assistant,
        [
            Part::Reasoning(Reasoning::new("hm").with_signature("proof")).with_extra("field", "reasoning"),
            Part::text("Paris").with_extra("citations", json!([1])),
            Part::Image(Media::base64("image/png", "AAAA")),
            Part::Other(object(json!({ "type": "server_tool_use" }))),
            Part::ToolCall(call),
        ],
    )
    .with_wire("anthropic");
    foreign.extra.insert("stop_sequence".into(), "x".into());
    let mut thought_alone = Message::new(Role::Assistant, [Part::Reasoning(Reasoning::new("hm"))]);
    thought_alone.wire = Some("gemini".into());
    assert_eq!(
        messages([Message::user("?"), thought_alone, foreign]),
        json!([
            { "role": "user", "content": "?" },
            { "role": "assistant", "content": "Paris", "tool_calls": [
                { "id": "toolu_1", "type": "function", "function": { "name": "f", "arguments": "{}" } },
            ] },
        ])
    );
}

#[test]
fn thoughts_go_back_under_the_name_that_they_came_under() {
    let answer = |field: &str| {
        let thought = Part::Reasoning(Reasoning::new("hm")).with_extra("field", field);
        Message::new(Role::Assistant, [thought, Part::text("Paris")]).with_wire("openai-chat")
    };
    let said =
        |message: Message, dialect| said_as(&ask([message]), dialect, Mode::Whole)["messages"][0].take();
    for field in ["reasoning", "reasoning_content"] {
        let mut expected = json!({ "role": "assistant", "content": "Paris" });
        assert_eq!(said(answer(field), Dialect::OpenAi), expected);
        expected[field] = "hm".into();
        assert_eq!(said(answer(field), Dialect::OpenRouter), expected);
    }
    let piece = Part::Reasoning(Reasoning::new("hm")).with_extra("type", "thinking");
    let pieces = Message::new(Role::Assistant, [piece, Part::text("Paris")]).with_wire("openai-chat");
    assert_eq!(
        said(pieces, Dialect::Mistral)["content"],
        json!([
            { "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }] },
            { "type": "text", "text": "Paris" },
        ])
    );
    // DeepSeek refuses a call without the thought that led to it, wherever it came from.
    let call =
        Message::new(Role::Assistant, [Part::ToolCall(ToolCall::new("1", "f", "{}"))]).with_wire("anthropic");
    assert_eq!(said(call, Dialect::Thinking)["reasoning_content"], "");
}

#[test]
fn how_much_to_think_is_said_to_each_server_in_its_words() {
    let options = ReasoningOptions::effort(ReasoningEffort::Low).with_visible(true);
    let mut budget = options;
    budget.max_tokens = Some(100);
    let none = ReasoningOptions::effort(ReasoningEffort::None);
    for (options, dialect, expected) in [
        (options, Dialect::OpenAi, json!({ "reasoning_effort": "low" })),
        (
            options,
            Dialect::Groq,
            json!({ "reasoning_effort": "low", "reasoning_format": "parsed" }),
        ),
        (
            budget,
            Dialect::OpenRouter,
            json!({ "reasoning": { "effort": "low", "max_tokens": 100, "exclude": false } }),
        ),
        (options, Dialect::Thinking, json!({ "reasoning_effort": "low" })),
        (
            none,
            Dialect::Thinking,
            json!({ "thinking": { "type": "disabled" } }),
        ),
        (none, Dialect::Compatible, json!({ "reasoning_effort": "none" })),
    ] {
        let request = ask([Message::user("Hi")]).with_reasoning(options);
        let mut said = said_as(&request, dialect, Mode::Whole);
        let said = said.as_object_mut().unwrap();
        said.retain(|name, _| name != "model" && name != "messages");
        assert_eq!(Value::from(said.clone()), expected, "{dialect:?}");
    }
}

#[test]
fn fields_of_parts_results_and_tools_are_said() {
    let cached = json!({ "type": "ephemeral" });
    let mut result = ToolResult::new("1", "see").with_part(Part::Image(Media::url("https://a.example")));
    result.extra.insert("cache_control".into(), cached.clone());
    let mut sql = ToolCall::new("2", "sql", "select 1");
    sql.extra.insert("type".into(), "custom".into());
    let request = ask([
        Message::new(
            Role::User,
            [
                Part::text("Hi").with_extra("cache_control", cached.clone()),
                Part::Image(Media::url("https://a.example")).with_extra("detail", "low"),
            ],
        ),
        Message::new(Role::Assistant, [Part::ToolCall(sql)]),
        Message::new(Role::Tool, [Part::ToolResult(result)]),
    ])
    .with_provider_tool(object(json!({ "type": "openrouter:web_search" })))
    .with_top_k(5);
    let said = said_as(&request, Dialect::OpenRouter, Mode::Whole);
    assert_eq!(
        said["messages"],
        json!([
            { "role": "user", "content": [
                { "type": "text", "text": "Hi", "cache_control": cached },
                { "type": "image_url", "image_url": { "url": "https://a.example", "detail": "low" } },
            ] },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "2", "type": "custom", "custom": { "name": "sql", "input": "select 1" } },
            ] },
            { "role": "tool", "tool_call_id": "1", "cache_control": cached, "content": [
                { "type": "text", "text": "see" },
                { "type": "image_url", "image_url": { "url": "https://a.example" } },
            ] },
        ])
    );
    assert_eq!(said["tools"], json!([{ "type": "openrouter:web_search" }]));
    assert_eq!(said["top_k"], 5);
    // OpenAI takes neither a picture of a tool nor `top_k`.
    let error = encode(&request, Dialect::OpenAi, Mode::Whole).unwrap_err();
    assert!(error.to_string().contains("more than text"), "{error}");
}

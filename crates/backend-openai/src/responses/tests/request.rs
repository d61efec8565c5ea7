use super::{encode, object, read};
use crate::responses::request::{self, Mode};
use gatepass_core::{
    ChatRequest, ErrorKind, Media, Message, Part, Reasoning, ReasoningEffort, ReasoningOptions,
    ResponseFormat, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use serde_json::{Value, json};

fn ask(messages: impl Into<Vec<Message>>) -> ChatRequest {
    ChatRequest::new(messages).with_model("m")
}

fn input(messages: impl Into<Vec<Message>>) -> Value {
    encode(&ask(messages))["input"].take()
}

fn refusal(request: &ChatRequest) -> String {
    let error = request::encode(request, Mode::Whole).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    error.to_string()
}

#[test]
fn everything_that_can_be_asked_has_its_place() {
    let mut request = ask([Message::system("Be brief."), Message::user("Hi")])
        .with_tools([Tool::new("f", json!({ "type": "object" })).with_description("does f")])
        .with_provider_tool(object(json!({ "type": "web_search" })))
        .with_tool_choice(ToolChoice::Tool("f".into()))
        .with_parallel_tool_calls(false)
        .with_json_schema("city", json!({ "type": "object" }))
        .with_reasoning(ReasoningOptions::effort(ReasoningEffort::Low).with_visible(true))
        .with_temperature(0.5)
        .with_top_p(0.9)
        .with_max_tokens(7)
        .with_extra("text", json!({ "verbosity": "low" }))
        .with_extra("store", false)
        .with_extra("previous_response_id", "resp_1");
    request.seed = Some(1);
    let mut expected = json!({
        "model": "m", "instructions": "Be brief.", "input": [{ "role": "user", "content": "Hi" }],
        "tools": [
            { "type": "function", "name": "f", "description": "does f", "parameters": { "type": "object" }, "strict": false },
            { "type": "web_search" },
        ],
        "tool_choice": { "type": "function", "name": "f" }, "parallel_tool_calls": false,
        "text": { "format": { "type": "json_schema", "name": "city", "schema": { "type": "object" }, "strict": true }, "verbosity": "low" },
        "reasoning": { "effort": "low", "summary": "auto" },
        "max_output_tokens": 7, "temperature": 0.5, "top_p": 0.9, "include": ["reasoning.encrypted_content"],
        "store": false, "previous_response_id": "resp_1",
    });
    assert_eq!(encode(&request), expected);
    let counted = request::encode(&request, Mode::Counted).unwrap();
    let members = expected.as_object_mut().unwrap();
    for name in ["max_output_tokens", "temperature", "top_p", "include", "store"] {
        members.remove(name);
    }
    assert_eq!(serde_json::from_slice::<Value>(&counted).unwrap(), expected);
    let streamed = request::encode(&ask([Message::user("Hi")]), Mode::Streamed).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&streamed).unwrap()["stream"],
        true
    );
}

#[test]
fn only_a_first_plain_system_message_is_the_instructions() {
    let late = [Message::user("Hi"), Message::system("Be brief.")];
    assert_eq!(
        input(late)[1],
        json!({ "role": "system", "content": "Be brief." })
    );
    assert_eq!(
        input([Message::system("Alone")]),
        json!([{ "role": "system", "content": "Alone" }])
    );
    let mut developer = Message::system("Be brief.");
    developer.extra.insert("role".into(), "developer".into());
    assert_eq!(
        input([developer, Message::user("Hi")])[0],
        json!({ "role": "developer", "content": "Be brief." })
    );
}

#[test]
fn an_answer_goes_back_as_the_items_that_it_came_in() {
    let output = json!([
        { "type": "reasoning", "id": "rs_1", "summary": [
            { "type": "summary_text", "text": "First." }, { "type": "summary_text", "text": "Then." },
        ], "encrypted_content": "proof" },
        { "type": "reasoning", "id": "rs_2", "summary": [] },
        { "type": "code_interpreter_call", "id": "ci_1", "code": "1+1", "outputs": null },
        { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
            { "type": "output_text", "text": "Paris", "annotations": [{ "type": "url_citation", "url": "u" }] },
            { "type": "refusal", "refusal": "No more." },
        ] },
        { "type": "message", "id": "msg_2", "role": "assistant", "content": [{ "type": "output_text", "text": "", "annotations": [] }] },
        { "type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"a\": 1}", "namespace": "n" },
        { "type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "sql", "input": "select 1" },
        { "type": "image_generation_call", "id": "ig_1", "result": "AAAA" },
        { "type": "never_heard_of", "x": { "y": [null, 1] } },
    ]);
    let reply = read(&output);
    let results = Message::new(
        Role::Tool,
        [
            Part::ToolResult(ToolResult::new("c1", "1")),
            Part::ToolResult(ToolResult::new("c2", "row")),
        ],
    );
    let mut sent = input([Message::user("?"), reply.message, results]);
    let sent = sent.as_array_mut().unwrap();
    let results = sent.split_off(10);
    sent.remove(0);
    assert_eq!(Value::from(sent.clone()), output);
    assert_eq!(
        Value::from(results),
        json!([
            { "type": "function_call_output", "call_id": "c1", "output": "1" },
            { "type": "custom_tool_call_output", "call_id": "c2", "output": "row" },
        ])
    );
}

#[test]
fn an_answer_of_another_wire_goes_as_words_and_calls() {
    let mut call = ToolCall::new("toolu_1", "f", "").with_signature_for_test("proof");
    call.extra.insert("id".into(), "x".into());
    let foreign = Message::new(
        Role::Assistant,
        [
            Part::Reasoning(Reasoning::new("hm").with_signature("proof")),
            Part::text("Paris").with_extra("citations", json!([1])),
            Part::Image(Media::base64("image/png", "AAAA")),
            Part::Other(object(json!({ "type": "server_tool_use" }))),
            Part::ToolCall(call),
        ],
    )
    .with_wire("anthropic");
    assert_eq!(
        input([Message::user("?"), foreign]),
        json!([
            { "role": "user", "content": "?" },
            { "role": "assistant", "content": "Paris" },
            { "type": "function_call", "call_id": "toolu_1", "name": "f", "arguments": "{}" },
        ])
    );
}

#[test]
fn images_files_and_fields_of_parts_are_said() {
    let message = Message::new(
        Role::User,
        [
            Part::text("Look").with_extra("prompt_cache_breakpoint", json!({ "type": "x" })),
            Part::Image(Media::url("https://a.example/i.png")).with_extra("detail", "high"),
            Part::Image(Media::base64("image/png", "AAAA")),
            Part::Image(Media::id("file-1")),
            Part::File(Media::url("https://a.example/f.pdf")),
            Part::File(Media::base64("application/pdf", "BBBB").with_name("a.pdf")),
            Part::File(Media::id("file-2")),
            Part::Audio(Media::base64("audio/mpeg", "CCCC")),
            Part::Other(object(json!({ "type": "input_video", "x": 1 }))),
        ],
    );
    assert_eq!(
        input([message])[0]["content"],
        json!([
            { "type": "input_text", "text": "Look", "prompt_cache_breakpoint": { "type": "x" } },
            { "type": "input_image", "image_url": "https://a.example/i.png", "detail": "high" },
            { "type": "input_image", "image_url": "data:image/png;base64,AAAA" },
            { "type": "input_image", "file_id": "file-1" },
            { "type": "input_file", "file_url": "https://a.example/f.pdf" },
            { "type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB" },
            { "type": "input_file", "file_id": "file-2" },
            { "type": "input_audio", "input_audio": { "data": "CCCC", "format": "mp3" } },
            { "type": "input_video", "x": 1 },
        ])
    );
}

#[test]
fn items_of_the_callers_own_stand_where_they_were_put() {
    let message = Message::user("before")
        .with_part(Part::Other(object(
            json!({ "type": "mcp_approval_response", "approve": true }),
        )))
        .with_part(Part::text("after"));
    assert_eq!(
        input([message]),
        json!([
            { "role": "user", "content": "before" },
            { "type": "mcp_approval_response", "approve": true },
            { "role": "user", "content": "after" },
        ])
    );
}

#[test]
fn a_tool_may_answer_with_an_image() {
    let result = ToolResult::new("c", "see").with_part(Part::Image(Media::base64("image/png", "AAAA")));
    assert_eq!(
        input([Message::new(Role::Tool, [Part::ToolResult(result)])]),
        json!([{ "type": "function_call_output", "call_id": "c", "output": [
            { "type": "input_text", "text": "see" },
            { "type": "input_image", "image_url": "data:image/png;base64,AAAA" },
        ] }])
    );
}

#[test]
fn a_server_that_forgets_gets_no_thought_that_it_would_have_to_look_up() {
    let output = json!([
        { "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": "hm" }] },
        { "type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "proof" },
        { "type": "reasoning", "id": "rs_3", "summary": [], "content": [{ "type": "reasoning_text", "text": "raw" }] },
    ]);
    let request = ask([Message::user("?"), read(&output).message]);
    let ids = |request: &ChatRequest| -> Vec<Value> {
        let body = encode(request);
        let items = body["input"].as_array().unwrap().iter();
        items.filter_map(|item| item.get("id").cloned()).collect()
    };
    assert_eq!(ids(&request), ["rs_1", "rs_2", "rs_3"]);
    assert_eq!(ids(&request.with_extra("store", false)), ["rs_2", "rs_3"]);
}

#[test]
fn a_server_that_forgets_gets_all_of_a_thought_that_one_piece_proves() {
    let summary = |text: &str| json!({ "type": "summary_text", "text": text });
    let output = json!([
        { "type": "reasoning", "id": "rs_1", "summary": [summary("one"), summary("two")], "encrypted_content": "proof" },
        { "type": "reasoning", "id": "rs_2", "summary": [summary("hm")], "content": [{ "type": "reasoning_text", "text": "raw" }] },
    ]);
    let request = ask([Message::user("?"), read(&output).message]).with_extra("store", false);
    let input = encode(&request)["input"].take();
    assert_eq!(
        input.as_array().unwrap()[1..],
        *output.as_array().unwrap().as_slice()
    );
}

#[test]
fn what_the_api_does_not_take_is_refused_before_it_is_asked() {
    let hi = || ask([Message::user("Hi")]);
    let mut infinite = hi();
    infinite.temperature = Some(f64::NAN);
    for (request, what) in [
        (ask([]), "there are no messages"),
        (ChatRequest::new([Message::user("Hi")]), "no model is named"),
        (
            hi().with_model("a\nb"),
            "the model's name has a control character",
        ),
        (hi().with_stop(["."]), "no stop texts"),
        (infinite, "temperature is not a number"),
        (
            ask([Message::new(
                Role::User,
                [Part::Image(Media::base64("", "AAAA").with_no_type())],
            )]),
            "an image without its media type",
        ),
        (
            ask([Message::new(
                Role::Assistant,
                [Part::Image(Media::url("https://a.example"))],
            )]),
            "of the assistant's",
        ),
        (
            ask([Message::new(
                Role::User,
                [Part::ToolCall(ToolCall::new("1", "f", "{}"))],
            )]),
            "only the assistant can call a tool",
        ),
        (
            ask([Message::new(Role::Tool, [Part::text("no result")])]),
            "has to consist of tool results",
        ),
        (
            ask([Message::tool_result("1", "a").with_part(Part::text("no result"))]),
            "has to consist of tool results",
        ),
        (
            ask([Message::new(Role::Tool, [])]),
            "has to consist of tool results",
        ),
    ] {
        let refusal = refusal(&request);
        assert!(refusal.contains(what), "{refusal}");
    }
    let elsewhere = ask([]).with_extra("previous_response_id", "resp_1");
    assert_eq!(
        encode(&elsewhere),
        json!({ "model": "m", "previous_response_id": "resp_1" })
    );
}

#[test]
fn a_form_of_answer_is_asked_for() {
    let format =
        |format| encode(&ask([Message::user("Hi")]).with_response_format(format))["text"]["format"].take();
    assert_eq!(format(ResponseFormat::Json), json!({ "type": "json_object" }));
    assert_eq!(format(ResponseFormat::Text), json!({ "type": "text" }));
}

trait ForTests {
    fn with_signature_for_test(self, signature: &str) -> Self;
}

impl ForTests for ToolCall {
    fn with_signature_for_test(mut self, signature: &str) -> Self {
        self.signature = Some(signature.into());
        self
    }
}

trait Untyped {
    fn with_no_type(self) -> Self;
}

impl Untyped for Media {
    fn with_no_type(mut self) -> Self {
        self.media_type = None;
        self
    }
}

use crate::wire::{Mode, WIRE, encode};
use gatepass_core::{
    BackendError, ChatRequest, JsonObject, Media, Message, Part, Reasoning, ReasoningEffort,
    ReasoningOptions, ResponseFormat, Role, Tool, ToolCall, ToolChoice, ToolResult,
};
use serde_json::{Value, json};

fn ask(messages: impl Into<Vec<Message>>) -> ChatRequest {
    ChatRequest::new(messages).with_model("claude-sonnet-4-5")
}

fn body(request: &ChatRequest) -> Value {
    serde_json::from_slice(&encode(request, Mode::Whole).unwrap()).unwrap()
}

fn messages(messages: impl Into<Vec<Message>>) -> Value {
    body(&ask(messages))["messages"].take()
}

fn refusal(request: &ChatRequest) -> String {
    match encode(request, Mode::Whole) {
        Err(BackendError::Request { what }) => what,
        other => panic!("{other:?}"),
    }
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(members) => members,
        other => panic!("{other}"),
    }
}

#[test]
fn all_that_can_be_asked_has_its_place() {
    let weather = Tool::new("weather", json!({ "properties": {} }))
        .with_description("Tells it.")
        .with_strict(true)
        .with_extra("cache_control", json!({ "type": "ephemeral" }));
    let request = ask([Message::system("Be brief."), Message::user("Hi")])
        .with_tools([weather])
        .with_provider_tool(object(
            json!({ "type": "web_search_20250305", "name": "web_search" }),
        ))
        .with_tool_choice(ToolChoice::Tool("weather".into()))
        .with_parallel_tool_calls(false)
        .with_reasoning(ReasoningOptions::max_tokens(2000).with_visible(true))
        .with_temperature(0.5)
        .with_top_p(0.25)
        .with_top_k(7)
        .with_max_tokens(3000)
        .with_stop(["END"])
        .with_seed(1)
        .with_json_schema("city", json!({ "type": "object", "properties": {} }))
        .with_extra("metadata", json!({ "user_id": "u" }));
    let expected = json!({
        "model": "claude-sonnet-4-5",
        "system": "Be brief.",
        "messages": [{ "role": "user", "content": [text("Hi")] }],
        "tools": [
            {
                "name": "weather", "description": "Tells it.", "strict": true,
                "input_schema": { "type": "object", "properties": {} },
                "cache_control": { "type": "ephemeral" },
            },
            { "type": "web_search_20250305", "name": "web_search" },
        ],
        "tool_choice": { "type": "tool", "name": "weather", "disable_parallel_tool_use": true },
        "thinking": { "type": "enabled", "budget_tokens": 2000, "display": "summarized" },
        "output_config": { "format": { "type": "json_schema", "schema": { "type": "object", "properties": {}, "additionalProperties": false } } },
        "temperature": 0.5, "top_p": 0.25, "top_k": 7, "max_tokens": 3000, "stop_sequences": ["END"],
        "metadata": { "user_id": "u" },
    });
    assert_eq!(body(&request), expected);
    let streamed: Value = serde_json::from_slice(&encode(&request, Mode::Streamed).unwrap()).unwrap();
    assert_eq!(streamed["stream"], true);
}

#[test]
fn a_count_is_asked_without_what_says_how_the_answer_is_written() {
    let request = ask([Message::system("Be brief."), Message::user("Hi")])
        .with_tools([Tool::new("weather", json!({}))])
        .with_reasoning(ReasoningEffort::Low)
        .with_temperature(0.5)
        .with_top_p(0.5)
        .with_top_k(1)
        .with_max_tokens(10)
        .with_stop(["END"])
        .with_extra("metadata", json!({}))
        .with_extra("mcp_servers", json!([]));
    let counted: Value = serde_json::from_slice(&encode(&request, Mode::Count).unwrap()).unwrap();
    let names: Vec<_> = counted.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["mcp_servers", "messages", "model", "system", "thinking", "tools"];
    assert_eq!(names, expected);
}

#[test]
fn an_answer_may_have_so_many_tokens_if_nothing_is_said() {
    let most = |request: ChatRequest| body(&request)["max_tokens"].as_u64().unwrap();
    let hi = || ask([Message::user("Hi")]);
    assert_eq!(most(hi()), 4096);
    assert_eq!(
        most(hi().with_reasoning(ReasoningOptions::max_tokens(2000))),
        6096
    );
    assert_eq!(
        most(
            hi().with_model("claude-opus-4-6")
                .with_reasoning(ReasoningEffort::Low)
        ),
        20_480
    );
    let told = json!({ "type": "enabled", "budget_tokens": 1024 });
    assert_eq!(most(hi().with_extra("thinking", told)), 5120);
    let told = json!({ "type": "adaptive" });
    assert_eq!(most(hi().with_extra("thinking", told)), 20_480);
    assert_eq!(most(hi().with_max_tokens(7)), 7);
    assert_eq!(most(hi().with_extra("max_tokens", 9)), 9);
}

#[test]
fn what_the_caller_says_of_the_output_is_added_to_ours() {
    let schema = json!({ "type": "string" });
    let request = ask([Message::user("Hi")])
        .with_json_schema("word", schema.clone())
        .with_extra("output_config", json!({ "effort": "xhigh" }));
    let expected = json!({ "effort": "xhigh", "format": { "type": "json_schema", "schema": schema } });
    assert_eq!(body(&request)["output_config"], expected);
}

#[test]
fn one_tool_at_a_time_is_said_in_the_choice() {
    let tool = || ask([Message::user("Hi")]).with_tools([Tool::new("weather", json!({}))]);
    let choice = |request: ChatRequest| body(&request)["tool_choice"].take();
    assert_eq!(choice(tool()), Value::Null);
    assert_eq!(
        choice(tool().with_tool_choice(ToolChoice::Auto)),
        json!({ "type": "auto" })
    );
    assert_eq!(
        choice(tool().with_tool_choice(ToolChoice::None)),
        json!({ "type": "none" })
    );
    let one = |request: ChatRequest| choice(request.with_parallel_tool_calls(false));
    assert_eq!(
        one(tool()),
        json!({ "type": "auto", "disable_parallel_tool_use": true })
    );
    assert_eq!(
        one(tool().with_tool_choice(ToolChoice::Required)),
        json!({ "type": "any", "disable_parallel_tool_use": true })
    );
    assert_eq!(
        one(tool().with_tool_choice(ToolChoice::None)),
        json!({ "type": "none" })
    );
    assert_eq!(
        one(ask([Message::user("Hi")])),
        Value::Null,
        "there is no tool to choose"
    );
}

#[test]
fn instructions_stand_above_the_conversation() {
    let cached = Part::text("Long.").with_extra("cache_control", json!({ "type": "ephemeral" }));
    let request = ask([
        Message::system("Be brief."),
        Message::new(Role::System, [cached]),
        Message::system(" "),
        Message::user("Hi"),
    ]);
    let expected = json!([
        text("Be brief."),
        { "type": "text", "text": "Long.", "cache_control": { "type": "ephemeral" } },
    ]);
    assert_eq!(body(&request)["system"], expected);
}

#[test]
fn a_later_instruction_stays_in_its_place_where_the_model_takes_it_there() {
    let conversation = [
        Message::system("A"),
        Message::user("1"),
        Message::assistant("2"),
        Message::system("B"),
        Message::user("3"),
    ];
    let old = body(&ask(conversation.clone()));
    assert_eq!(old["system"], json!([text("A"), text("B")]));
    assert_eq!(old["messages"].as_array().unwrap().len(), 3);

    let new = ask(conversation).with_model("claude-opus-4-8");
    let new = body(&new);
    assert_eq!(new["system"], "A");
    let roles: Vec<_> = new["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| {
            (
                turn["role"].as_str().unwrap(),
                turn["content"][0]["text"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [("user", "1"), ("assistant", "2"), ("user", "3"), ("system", "B")];
    assert_eq!(roles, expected);

    let at_the_end = [Message::user("1"), Message::assistant("2"), Message::system("B")];
    let at_the_end = body(&ask(at_the_end).with_model("claude-opus-4-8"));
    assert_eq!(at_the_end["system"], "B", "it may not stand behind an answer");
    let between = [
        Message::user("1"),
        Message::system("B"),
        Message::assistant("2"),
        Message::user("3"),
    ];
    let between = body(&ask(between).with_model("claude-opus-4-8"));
    assert_eq!(between["messages"][1]["role"], "system");
}

#[test]
fn results_of_tools_and_what_is_said_after_them_are_one_message() {
    let said = messages([
        Message::user("Hi"),
        Message::new(
            Role::Assistant,
            [
                Part::ToolCall(ToolCall::new("a", "time", "")),
                Part::ToolCall(ToolCall::new("b", "time", r#"{"zone":"UTC"}"#)),
            ],
        ),
        Message::tool_result("a", "noon"),
        Message::new(
            Role::Tool,
            [Part::ToolResult(ToolResult::new("b", "").with_error())],
        ),
        Message::user("And now?"),
        Message::user("Well?"),
    ]);
    let expected = json!([
        { "role": "user", "content": [text("Hi")] },
        { "role": "assistant", "content": [
            { "type": "tool_use", "id": "a", "name": "time", "input": {} },
            { "type": "tool_use", "id": "b", "name": "time", "input": { "zone": "UTC" } },
        ] },
        { "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "a", "content": "noon" },
            { "type": "tool_result", "tool_use_id": "b", "is_error": true },
            text("And now?"),
        ] },
        { "role": "user", "content": [text("Well?")] },
    ]);
    assert_eq!(said, expected);
}

#[test]
fn a_result_may_have_more_than_text() {
    let result = ToolResult::new("a", "see")
        .with_part(Part::Image(Media::url("https://a.example/a.png")))
        .with_part(Part::Other(object(
            json!({ "type": "tool_reference", "tool_name": "time" }),
        )));
    let said = messages([Message::new(Role::Tool, [Part::ToolResult(result)])]);
    let expected = json!([
        text("see"),
        { "type": "image", "source": { "type": "url", "url": "https://a.example/a.png" } },
        { "type": "tool_reference", "tool_name": "time" },
    ]);
    assert_eq!(said[0]["content"][0]["content"], expected);
}

#[test]
fn arguments_that_are_no_object_are_wrapped_and_ids_are_made_fit() {
    for (arguments, expected) in [
        ("{\"city\":", json!({ "INVALID_JSON": "{\"city\":" })),
        ("[1]", json!({ "INVALID_JSON": "[1]" })),
        (" ", json!({})),
    ] {
        let call = Part::ToolCall(ToolCall::new("functions.time:0", "time", arguments));
        let said = messages([
            Message::new(Role::Assistant, [call]),
            Message::tool_result("functions.time:0", "noon"),
        ]);
        assert_eq!(said[0]["content"][0]["input"], expected);
        assert_eq!(said[0]["content"][0]["id"], "functions_time_0");
        assert_eq!(said[1]["content"][0]["tool_use_id"], "functions_time_0");
    }
}

#[test]
fn media_and_documents_are_blocks() {
    let file = Part::File(Media::base64("text/plain", "SGk=").with_name("greeting"))
        .with_extra("citations", json!({ "enabled": true }));
    let said = messages([Message::user("See")
        .with_part(Part::Image(Media::base64("image/png", "AA==")))
        .with_part(Part::File(Media::base64("image/png", "AA==")))
        .with_part(Part::File(Media::id("file_1")))
        .with_part(file)]);
    let png =
        json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AA==" } });
    let expected = json!([
        text("See"),
        png,
        png,
        { "type": "document", "source": { "type": "file", "file_id": "file_1" } },
        {
            "type": "document", "title": "greeting", "citations": { "enabled": true },
            "source": { "type": "text", "media_type": "text/plain", "data": "Hi" },
        },
    ]);
    assert_eq!(said[0]["content"], expected);
}

#[test]
fn an_answer_goes_back_in_its_order_and_another_providers_without_what_is_its_own() {
    let redacted = object(json!({ "type": "redacted_thinking", "data": "x==" }));
    let parts = [
        Part::Reasoning(Reasoning::new("hm").with_signature("proof==")),
        Part::Other(redacted.clone()),
        Part::Reasoning(Reasoning::new("unproved")),
        Part::text("\n\n"),
        Part::text("Paris").with_extra("citations", json!([{ "cited_text": "x" }])),
        Part::Image(Media::id("file_1")),
        Part::ToolCall(ToolCall::new("a", "time", "{}")),
    ];
    let mut answer = Message::new(Role::Assistant, parts);
    answer.extra.insert("odd".into(), 1.into());
    let call = json!({ "type": "tool_use", "id": "a", "name": "time", "input": {} });
    let own = messages([Message::user("Hi"), answer.clone().with_wire(WIRE)]);
    let expected = json!({ "role": "assistant", "odd": 1, "content": [
        { "type": "thinking", "thinking": "hm", "signature": "proof==" },
        redacted,
        { "type": "text", "text": "Paris", "citations": [{ "cited_text": "x" }] },
        { "type": "image", "source": { "type": "file", "file_id": "file_1" } },
        call,
    ] });
    assert_eq!(own[1], expected);
    let foreign = messages([Message::user("Hi"), answer.with_wire("openai-chat")]);
    let expected = json!({ "role": "assistant", "content": [text("Paris"), call] });
    assert_eq!(foreign[1], expected);
}

#[test]
fn an_answer_of_which_nothing_is_left_is_left_out() {
    let said = messages([
        Message::user("Hi"),
        Message::new(Role::Assistant, []),
        Message::assistant(" \n"),
        Message::user("Hello?"),
    ]);
    assert_eq!(said.as_array().unwrap().len(), 2);
}

#[test]
fn what_the_api_never_takes_is_refused_with_its_reason() {
    let hi = || ask([Message::user("Hi")]);
    let with = |part: Part| ask([Message::user("Hi").with_part(part)]);
    for (request, expected) in [
        (ask([]), "there are no messages"),
        (ask([Message::system("Be brief.")]), "there are no messages"),
        (
            ask([Message::user("")]),
            "a message of the person or of a tool says nothing",
        ),
        (ChatRequest::new([Message::user("Hi")]), "no model is named"),
        (hi().with_model(""), "the model's name is empty"),
        (
            hi().with_model("a\nb"),
            "the model's name has a control character",
        ),
        (
            hi().with_tools([Tool::new("", json!({}))]),
            "a tool's name is empty",
        ),
        (
            hi().with_tools([Tool::new("time", json!(true))]),
            "a tool's parameters are no JSON Schema of an object",
        ),
        (hi().with_temperature(f64::NAN), "temperature is not a number"),
        (
            hi().with_response_format(ResponseFormat::Json),
            "this provider writes JSON only by a schema: give one",
        ),
        (
            hi().with_json_schema("a", json!(1)),
            "the schema isn't an object at its top",
        ),
        (
            with(Part::Audio(Media::base64("audio/wav", "AA=="))),
            "sound, which this provider doesn't take",
        ),
        (
            with(Part::Image(Media::base64("image/bmp", "AA=="))),
            "an image of the type image/bmp: this provider takes JPEG, PNG, GIF and WebP",
        ),
        (
            with(Part::ToolCall(ToolCall::new("a", "b", "{}"))),
            "only the assistant can call a tool",
        ),
        (
            ask([Message::new(
                Role::Assistant,
                [Part::ToolResult(ToolResult::new("a", "b"))],
            )]),
            "the assistant can't answer a tool call",
        ),
        (
            ask([
                Message::new(Role::System, [Part::Image(Media::url("x"))]),
                Message::user("Hi"),
            ]),
            "a system message with more than text",
        ),
    ] {
        assert_eq!(refusal(&request), expected);
    }
}

/// The API refuses an answer in which an id comes twice, and takes one that an earlier answer had.
#[test]
fn an_id_that_comes_twice_in_an_answer_becomes_another_one_with_its_result() {
    let call = || Part::ToolCall(ToolCall::new("call_0", "f", "{}"));
    let round = || {
        [
            Message::new(Role::Assistant, [call(), call()]).with_wire("openai-chat"),
            Message::tool_result("call_0", "a"),
            Message::tool_result("call_0", "b"),
        ]
    };
    let said = messages([&[Message::user("?")][..], &round(), &round()].concat());
    for (calls, results) in [(1, 2), (3, 4)] {
        for (at, id) in ["call_0", "call_0_2"].into_iter().enumerate() {
            assert_eq!(said[calls]["content"][at]["id"], id);
            assert_eq!(said[results]["content"][at]["tool_use_id"], id);
        }
    }
}

//! Exchanges that the documentation of providers tells of, and nobody here has recorded.

#![expect(
    clippy::needless_pass_by_value,
    reason = "values that are written where they are passed"
)]

use gatepass_testkit::recordings::Recording;
use serde_json::{Value, json};

pub(super) fn chats() -> Vec<Recording> {
    let mut chats = whole_chats();
    chats.extend(streamed_chats());
    chats
}

/// What is expected of an answer with this text, and of one with these calls.
fn said(text: &str, finish: &str) -> Value {
    json!({ "text": text, "tool_calls": [], "finish": finish, "usage": { "input": 9, "output": 4 } })
}

fn called(name: &str, args: Value, finish: &str) -> Value {
    let calls = json!([{ "name": name, "args": args }]);
    json!({ "text": "", "tool_calls": calls, "finish": finish, "usage": { "input": 9, "output": 4 } })
}

fn chat(choice: Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_767_225_601, "model": "m-1",
        "choices": [choice], "usage": { "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13 },
    })
}

fn message(message: Value, finish: &str) -> Value {
    chat(json!({ "index": 0, "message": message, "finish_reason": finish, "logprobs": null }))
}

fn whole_chats() -> Vec<Recording> {
    let filtered = json!({ "hate": { "filtered": true, "severity": "high" } });
    let mut azure = chat(json!({
        "index": 0, "finish_reason": "content_filter", "content_filter_results": filtered,
        "message": { "role": "assistant", "content": null, "refusal": null },
    }));
    azure["prompt_filter_results"] = json!([{ "prompt_index": 0, "content_filter_results": filtered }]);
    let token = json!({ "token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": [{ "token": "Ho", "logprob": -1.5 }] });
    let likely = chat(json!({
        "index": 0, "message": { "role": "assistant", "content": "Hi" }, "finish_reason": "stop",
        "logprobs": { "content": [token], "refusal": null },
    }));
    let citation = json!({ "type": "url_citation", "url_citation": { "start_index": 1, "end_index": 2, "url": "https://a.example", "title": "A" } });
    let drawn =
        json!([{ "type": "image_url", "index": 0, "image_url": { "url": "data:image/png;base64,AA==" } }]);
    let spoken =
        json!({ "id": "audio_1", "data": "AAAA", "expires_at": 1_767_225_999, "transcript": "Hi there" });
    let weather = json!({ "name": "weather", "arguments": "{\"city\":\"Paris\"}" });
    let paris = || json!({ "city": "Paris" });
    let mut cached = message(json!({ "role": "assistant", "content": "Hi" }), "stop");
    cached["usage"]["num_cached_tokens"] = json!(7);
    let thought = json!([{ "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }], "closed": true }, { "type": "text", "text": "See " }, { "type": "reference", "reference_ids": [3, 5] }, { "type": "text", "text": "there." }]);
    [
        (
            "a refusal",
            message(json!({ "role": "assistant", "content": null, "refusal": "I can't." }), "stop"),
            said("I can't.", "stop"),
        ),
        (
            "a call of the time before tools",
            message(json!({ "role": "assistant", "content": null, "function_call": weather }), "function_call"),
            called("weather", paris(), "function_call"),
        ),
        ("content that a filter withheld", azure, said("", "content_filter")),
        ("how likely each word was", likely, said("Hi", "stop")),
        (
            "where it was read",
            message(json!({ "role": "assistant", "content": "Hi", "annotations": [citation] }), "stop"),
            said("Hi", "stop"),
        ),
        (
            "an image that was drawn",
            message(json!({ "role": "assistant", "content": "Hi", "images": drawn }), "stop"),
            said("Hi", "stop"),
        ),
        (
            "an answer that is spoken",
            message(json!({ "role": "assistant", "content": null, "audio": spoken }), "stop"),
            said("", "stop"),
        ),
        (
            "arguments that aren't JSON",
            message(json!({ "role": "assistant", "content": "", "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "weather", "arguments": "{\"city\":" } }] }), "length"),
            called("weather", json!("{\"city\":"), "length"),
        ),
        (
            "a call without arguments",
            message(json!({ "role": "assistant", "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "time", "arguments": "" } }] }), "tool_calls"),
            called("time", json!({}), "tool_calls"),
        ),
        (
            "pieces, one of which is a reference",
            message(json!({ "role": "assistant", "content": thought }), "model_length"),
            said("See there.", "model_length"),
        ),
        (
            "an end in a word of its own",
            message(json!({ "role": "assistant", "content": "Hi" }), "insufficient_system_resource"),
            said("Hi", "insufficient_system_resource"),
        ),
        (
            "an end in capitals",
            message(json!({ "role": "assistant", "content": "Hi" }), "MAX_TOKENS"),
            said("Hi", "length"),
        ),
        (
            "a call that is its own function",
            message(json!({ "role": "assistant", "content": null, "tool_calls": [weather] }), "tool_use"),
            called("weather", paris(), "tool_calls"),
        ),
        (
            "a call of a tool that the server has",
            message(json!({ "role": "assistant", "content": "", "tool_calls": [{ "id": "a", "type": "builtin_function", "function": { "name": "$web_search", "arguments": "{}" } }] }), "tool_calls"),
            called("$web_search", json!({}), "tool_calls"),
        ),
        (
            "a call of another type",
            message(json!({ "role": "assistant", "content": "", "tool_calls": [{ "id": "a", "type": "web_browser", "web_browser": { "input": "cats", "outputs": [{ "title": "C" }] } }] }), "tool_calls"),
            called("web_browser", json!({}), "tool_calls"),
        ),
        ("what came from the cache, in another place", cached, said("Hi", "stop")),
    ]
    .map(|(id, body, expect)| Recording::made_up(id, &body, expect))
    .into()
}

fn delta(delta: Value) -> Value {
    chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]))
}

fn end(word: &str) -> Value {
    chunk(json!([{ "index": 0, "delta": {}, "finish_reason": word }]))
}

fn chunk(choices: Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_767_225_601, "model": "m-1",
        "choices": choices,
    })
}

fn cost() -> Value {
    let mut cost = chunk(json!([]));
    cost["usage"] = json!({ "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13 });
    cost
}

fn streamed_chats() -> Vec<Recording> {
    let filtered = json!([{ "prompt_index": 0, "content_filter_results": { "hate": { "filtered": false, "severity": "safe" } } }]);
    let azure = json!({ "id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": filtered });
    let call = |index: usize, id: &str, name: &str| {
        delta(
            json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": "" } }] }),
        )
    };
    let arguments = |index: usize, more: &str| {
        delta(json!({ "tool_calls": [{ "index": index, "function": { "arguments": more } }] }))
    };
    let likely = |word: &str| {
        chunk(
            json!([{ "index": 0, "delta": { "content": word }, "finish_reason": null, "logprobs": { "content": [{ "token": word, "logprob": -0.5 }] } }]),
        )
    };
    let old = |function: Value| delta(json!({ "function_call": function }));
    let two = json!({ "text": "", "finish": "tool_calls", "usage": { "input": 9, "output": 4 }, "tool_calls": [
        { "name": "weather", "args": { "city": "Paris" } }, { "name": "time", "args": {} },
    ] });
    let moonshot = chunk(
        json!([{ "index": 0, "delta": {}, "finish_reason": "stop", "usage": { "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13 } }]),
    );
    let found = || {
        let mut found = delta(json!({ "content": " you" }));
        found["citations"] = json!(["https://a.example"]);
        found
    };
    let nameless = json!({ "choices": [{ "index": 0, "delta": { "role": "assistant" } }] });
    let both = delta(json!({ "tool_calls": [
        { "id": "a", "type": "function", "function": { "name": "weather", "arguments": "" } },
        { "id": "b", "type": "function", "function": { "name": "time", "arguments": "" } },
    ] }));
    let more = |one: &str, other: &str| {
        delta(
            json!({ "tool_calls": [{ "function": { "arguments": one } }, { "function": { "arguments": other } }] }),
        )
    };
    let mut nothing = chunk(json!([]));
    nothing["usage"] = json!({});
    let untold = json!({ "text": "Hi", "tool_calls": [], "finish": null });
    [
        (
            "a refusal in pieces",
            vec![
                delta(json!({ "role": "assistant", "content": null, "refusal": "" })),
                delta(json!({ "refusal": "I " })),
                delta(json!({ "refusal": "can't." })),
                end("stop"),
                cost(),
            ],
            said("I can't.", "stop"),
        ),
        (
            "a filter's word before the answer's",
            vec![
                azure,
                delta(json!({ "role": "assistant", "content": "Hi" })),
                end("content_filter"),
                cost(),
            ],
            said("Hi", "content_filter"),
        ),
        (
            "two calls, told side by side without a number",
            vec![
                both,
                more("{\"city\":", "{"),
                more("\"Paris\"}", "}"),
                end("tool_calls"),
                cost(),
            ],
            two.clone(),
        ),
        (
            "a word on its end with each piece, and a cost of nothing after the cost",
            vec![
                chunk(json!([{ "index": 0, "finish_reason": "tool_calls", "delta": { "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "weather", "arguments": "" } }] } }])),
                chunk(json!([{ "index": 0, "finish_reason": "tool_calls", "delta": { "tool_calls": [{ "index": 0, "function": { "arguments": "{\"city\":\"Paris\"}" } }] } }])),
                cost(),
                nothing,
            ],
            called("weather", json!({ "city": "Paris" }), "tool_calls"),
        ),
        (
            "what it found, among the words",
            vec![delta(json!({ "content": "Hi" })), found(), end("stop"), cost()],
            said("Hi you", "stop"),
        ),
        (
            "a name that comes late",
            vec![nameless, delta(json!({ "content": "Hi" })), end("stop"), cost()],
            said("Hi", "stop"),
        ),
        (
            "an answer in one piece that looks like a stream",
            vec![message(json!({ "role": "assistant", "content": "Hi" }), "stop")],
            said("Hi", "stop"),
        ),
        (
            "an answer told once more at its end",
            vec![
                delta(json!({ "content": "H" })),
                delta(json!({ "content": "i" })),
                message(json!({ "role": "assistant", "content": "Hi" }), "stop"),
            ],
            said("Hi", "stop"),
        ),
        (
            "two calls, told by turns",
            vec![
                call(0, "a", "weather"),
                arguments(0, "{\"city\":"),
                call(1, "b", "time"),
                arguments(0, "\"Paris\"}"),
                arguments(1, "{}"),
                end("tool_calls"),
                cost(),
            ],
            two,
        ),
        (
            "a call of the time before tools, in pieces",
            vec![
                old(json!({ "name": "weather", "arguments": "" })),
                old(json!({ "arguments": "{\"city\":" })),
                old(json!({ "arguments": "\"Paris\"}" })),
                end("function_call"),
                cost(),
            ],
            called("weather", json!({ "city": "Paris" }), "function_call"),
        ),
        (
            "how likely each word is",
            vec![likely("Hi"), likely(" you"), end("stop"), cost()],
            said("Hi you", "stop"),
        ),
        (
            "what it cost, beside its end",
            vec![delta(json!({ "content": "Hi" })), moonshot],
            said("Hi", "stop"),
        ),
        (
            "signs of life without a choice",
            vec![
                json!({ "id": "chatcmpl-1", "model": "m-1" }),
                delta(json!({ "content": "Hi" })),
                json!({ "choices": [] }),
                json!({ "type": "ping" }),
                end("stop"),
                cost(),
            ],
            said("Hi", "stop"),
        ),
        (
            "no word on its end but [DONE]",
            vec![delta(json!({ "content": "Hi" }))],
            untold,
        ),
    ]
    .map(|(id, events, expect)| {
        let mut recording = Recording::made_up_stream(id, &events, expect);
        if id.ends_with("[DONE]") {
            recording.body += "data: [DONE]\n\n";
        }
        recording
    })
    .into()
}

pub(super) fn responses() -> Vec<Recording> {
    let mut responses = whole_responses();
    responses.extend(streamed_responses());
    responses
}

fn response(status: &str, output: &Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_767_225_601, "model": "m-1", "status": status, "output": output,
        "usage": { "input_tokens": 9, "output_tokens": 4, "total_tokens": 13 },
    })
}

fn text_item(content: Value) -> Value {
    json!({ "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content })
}

fn output_text(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

fn whole_responses() -> Vec<Recording> {
    let cut = |reason: &str| {
        let mut cut = response("incomplete", &json!([text_item(json!([output_text("Hi")]))]));
        cut["incomplete_details"] = json!({ "reason": reason });
        cut
    };
    let cited = json!({ "type": "output_text", "text": "Hi", "logprobs": [{ "token": "Hi", "logprob": -0.5 }], "annotations": [
        { "type": "file_citation", "file_id": "file_1", "filename": "a.txt", "index": 2 },
        { "type": "container_file_citation", "container_id": "cntr_1", "file_id": "cfile_1", "filename": "b.png", "start_index": 1, "end_index": 2 },
        { "type": "file_path", "file_id": "file_2", "index": 3 },
    ] });
    let items = json!([
        { "type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["a"], "results": [{ "file_id": "file_1", "score": 0.5, "text": "found" }] },
        { "type": "computer_call", "id": "cu_1", "call_id": "call_cu", "action": { "type": "click", "x": 3, "y": 5 }, "pending_safety_checks": [], "status": "completed" },
        { "type": "local_shell_call", "id": "lsh_1", "call_id": "call_lsh", "action": { "type": "exec", "command": ["ls"], "env": {} }, "status": "completed" },
        { "type": "shell_call", "id": "sh_1", "call_id": "call_sh", "action": { "commands": ["pwd"], "timeout_ms": 7 }, "status": "completed" },
        { "type": "apply_patch_call", "id": "apc_1", "call_id": "call_apc", "operation": { "type": "update_file", "path": "a.rs", "diff": "@@" }, "status": "completed" },
        { "type": "mcp_approval_request", "id": "mcpr_1", "name": "ask", "arguments": "{}", "server_label": "wiki" },
        { "type": "mcp_call", "id": "mcp_1", "name": "ask", "arguments": "{}", "server_label": "wiki", "output": null, "error": { "type": "http_error", "code": 502, "message": "no" } },
        { "type": "web_search_call", "id": "ws_1", "status": "completed", "action": { "type": "find_in_page", "pattern": "a", "url": "https://a.example" } },
        { "type": "something_new", "id": "new_1", "deep": [{ "er": 1.5 }] },
        text_item(json!([cited])),
    ]);
    let image = json!([{ "type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA", "output_format": "webp", "size": "1024x1024", "revised_prompt": "a cat" }]);
    let custom = json!([{ "type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "sql", "input": "select 1", "status": "completed" }]);
    let refused = json!([text_item(json!([{ "type": "refusal", "refusal": "I can't." }]))]);
    let two = json!([
        { "type": "message", "id": "msg_0", "role": "assistant", "status": "completed", "phase": "commentary", "content": [output_text("Let me see. ")] },
        text_item(json!([output_text("Hi"), output_text(" you")])),
    ]);
    [
        (
            "an answer at its limit",
            cut("max_output_tokens"),
            said("Hi", "incomplete"),
        ),
        (
            "an answer that a filter cut",
            cut("content_filter"),
            said("Hi", "incomplete"),
        ),
        (
            "an answer still to be written",
            response("in_progress", &json!([])),
            said("", "in_progress"),
        ),
        (
            "an answer that was called off",
            response("cancelled", &json!([])),
            said("", "cancelled"),
        ),
        (
            "all kinds of items",
            response("completed", &items),
            said("Hi", "completed"),
        ),
        (
            "an image that was drawn",
            response("completed", &image),
            said("", "completed"),
        ),
        (
            "a tool of one's own",
            response("completed", &custom),
            called("sql", json!("select 1"), "completed"),
        ),
        (
            "a refusal",
            response("completed", &refused),
            said("I can't.", "completed"),
        ),
        (
            "several messages",
            response("completed", &two),
            said("Let me see. Hi you", "completed"),
        ),
    ]
    .map(|(id, body, expect)| Recording::made_up(id, &body, expect))
    .into()
}

fn item(kind: &str, index: u64, item: &Value) -> Value {
    json!({ "type": format!("response.output_item.{kind}"), "output_index": index, "item": item })
}

fn about(kind: &str, index: u64, id: &str, members: Value) -> Value {
    let mut event = json!({ "type": format!("response.{kind}"), "output_index": index, "item_id": id, "content_index": 0 });
    event
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    event
}

fn streamed_responses() -> Vec<Recording> {
    let created = json!({ "type": "response.created", "response": { "id": "resp_1", "model": "m-1", "status": "in_progress", "output": [] } });
    let alive = json!({ "type": "keepalive", "sequence_number": 3 });
    let refusal = text_item(json!([{ "type": "refusal", "refusal": "I can't." }]));
    let cut_text = text_item(json!([output_text("Hi")]));
    let begun = json!({ "type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": [] });
    let mut cut = response("incomplete", &json!([cut_text]));
    cut["incomplete_details"] = json!({ "reason": "max_output_tokens" });
    let found = json!({ "type": "search_results", "queries": ["a"], "results": [{ "id": 1, "url": "https://a.example" }] });
    let asked = json!({ "type": "mcp_call", "id": "mcp_1", "name": "ask", "arguments": "{\"q\":1}", "server_label": "wiki", "output": "found" });
    let drawn =
        json!({ "type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA" });
    let sql = json!({ "type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "sql", "input": "select 1" });
    let sql_begun =
        json!({ "type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "sql", "input": "" });
    let ended =
        |kind: &str, response: Value| json!({ "type": format!("response.{kind}"), "response": response });
    [
        (
            "a refusal in pieces",
            vec![
                created.clone(),
                item("added", 0, &begun),
                about("content_part.added", 0, "msg_1", json!({ "part": { "type": "refusal", "refusal": "" } })),
                about("refusal.delta", 0, "msg_1", json!({ "delta": "I " })),
                alive,
                about("refusal.delta", 0, "msg_1", json!({ "delta": "can't." })),
                about("refusal.done", 0, "msg_1", json!({ "refusal": "I can't." })),
                about("content_part.done", 0, "msg_1", json!({ "part": { "type": "refusal", "refusal": "I can't." } })),
                item("done", 0, &refusal),
                ended("completed", response("completed", &json!([refusal]))),
            ],
            said("I can't.", "completed"),
        ),
        (
            "an answer whose pieces have neither number nor name",
            vec![
                created.clone(),
                json!({ "type": "response.output_text.delta", "delta": "H" }),
                json!({ "type": "response.output_text.delta", "delta": "i" }),
                ended("completed", response("completed", &json!([cut_text]))),
            ],
            said("Hi", "completed"),
        ),
        (
            "a call of the server's own that ends as what was found",
            vec![
                created.clone(),
                item("added", 0, &json!({ "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "search", "arguments": "{}" })),
                json!({ "type": "response.reasoning.search_queries", "queries": ["a"] }),
                item("done", 0, &found),
                item("added", 1, &begun),
                about("output_text.delta", 1, "msg_1", json!({ "delta": "Hi" })),
                item("done", 1, &cut_text),
                ended("completed", response("completed", &json!([found, cut_text]))),
            ],
            said("Hi", "completed"),
        ),
        (
            "an answer at its limit, in pieces",
            vec![
                created.clone(),
                item("added", 0, &begun),
                about("output_text.delta", 0, "msg_1", json!({ "delta": "Hi", "logprobs": [], "obfuscation": "xyz" })),
                item("done", 0, &cut_text),
                ended("incomplete", cut),
            ],
            said("Hi", "incomplete"),
        ),
        (
            "tools that the provider runs",
            vec![
                created.clone(),
                item("added", 0, &json!({ "type": "mcp_call", "id": "mcp_1", "name": "ask", "arguments": "", "server_label": "wiki" })),
                about("mcp_call.in_progress", 0, "mcp_1", json!({})),
                about("mcp_call_arguments.delta", 0, "mcp_1", json!({ "delta": "{\"q\":1}" })),
                about("mcp_call_arguments.done", 0, "mcp_1", json!({ "arguments": "{\"q\":1}" })),
                about("mcp_call.completed", 0, "mcp_1", json!({})),
                item("done", 0, &asked),
                item("added", 1, &json!({ "type": "image_generation_call", "id": "ig_1", "status": "in_progress" })),
                about("image_generation_call.partial_image", 1, "ig_1", json!({ "partial_image_b64": "AA==", "partial_image_index": 0 })),
                item("done", 1, &drawn),
                ended("completed", response("completed", &json!([asked, drawn]))),
            ],
            said("", "completed"),
        ),
        (
            "a tool of one's own, in pieces",
            vec![
                created,
                item("added", 0, &sql_begun),
                about("custom_tool_call_input.delta", 0, "ctc_1", json!({ "delta": "select " })),
                about("custom_tool_call_input.delta", 0, "ctc_1", json!({ "delta": "1" })),
                about("custom_tool_call_input.done", 0, "ctc_1", json!({ "input": "select 1" })),
                item("done", 0, &sql),
                ended("completed", response("completed", &json!([sql]))),
            ],
            called("sql", json!("select 1"), "completed"),
        ),
    ]
    .map(|(id, events, expect)| Recording::made_up_stream(id, &events, expect))
    .into()
}

//! Exchanges that the documentation of the provider tells of, and nobody here has recorded.

#![expect(
    clippy::needless_pass_by_value,
    reason = "values that are written where they are passed"
)]

use gatepass_testkit::Value;
use gatepass_testkit::recordings::Recording;
use serde_json::json;

pub(crate) fn exchanges() -> Vec<Recording> {
    let mut exchanges = whole();
    exchanges.extend(streamed());
    exchanges
}

fn said(text: &str, finish: &str) -> Value {
    json!({ "text": text, "reasoning": "", "tool_calls": [], "finish": finish, "usage": { "input": 9, "output": 4 } })
}

fn called(name: &str, args: Value, finish: &str) -> Value {
    let calls = json!([{ "name": name, "args": args }]);
    json!({ "text": "", "reasoning": "", "tool_calls": calls, "finish": finish, "usage": { "input": 9, "output": 4 } })
}

fn message(content: Value, finish: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-1", "content": content,
        "stop_reason": finish, "stop_sequence": null, "usage": { "input_tokens": 9, "output_tokens": 4 },
    })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn cited(citation: Value) -> Value {
    json!({ "type": "text", "text": "Hi", "citations": [citation] })
}

fn whole() -> Vec<Recording> {
    let mut refused = message(json!([]), "refusal");
    refused["stop_details"] = json!({ "type": "refusal", "category": "cyber", "explanation": "No." });
    let mut at_work = message(
        json!([{ "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": { "query": "a" } }]),
        "pause_turn",
    );
    at_work["container"] = json!({ "id": "container_1", "expires_at": "2026-01-01T00:00:00Z" });
    at_work["usage"]["server_tool_use"] = json!({ "web_search_requests": 1 });
    let mut stopped = message(json!([text("Hi")]), "stop_sequence");
    stopped["stop_sequence"] = json!("END");
    let mut cached = message(json!([text("Hi")]), "end_turn");
    cached["usage"] = json!({
        "input_tokens": 9, "output_tokens": 4, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 2000,
        "cache_creation": { "ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0 }, "service_tier": "priority",
    });
    let failed = |kind: &str, error: &str| json!({ "type": kind, "tool_use_id": "srvtoolu_1", "content": { "type": format!("{kind}_error"), "error_code": error } });
    let tools = json!([
        failed("web_search_tool_result", "max_uses_exceeded"),
        failed("web_fetch_tool_result", "url_not_accessible"),
        failed("code_execution_tool_result", "unavailable"),
        { "type": "container_upload", "file_id": "file_1" },
        { "type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": true, "content": [text("no")] },
        { "type": "something_new", "deep": [{ "er": 1.5 }] },
        text("Hi"),
    ]);
    let hidden = json!([
        { "type": "redacted_thinking", "data": "cmVkYWN0ZWQ=" },
        { "type": "thinking", "thinking": "", "signature": "c2ln" },
        text("Hi"),
    ]);
    let places = json!([
        cited(
            json!({ "type": "char_location", "cited_text": "a", "document_index": 1, "document_title": "A", "start_char_index": 2, "end_char_index": 3 })
        ),
        cited(
            json!({ "type": "page_location", "cited_text": "b", "document_index": 1, "document_title": null, "start_page_number": 5, "end_page_number": 6 })
        ),
        cited(
            json!({ "type": "content_block_location", "cited_text": "c", "document_index": 1, "start_block_index": 7, "end_block_index": 8 })
        ),
        cited(
            json!({ "type": "search_result_location", "cited_text": "d", "search_result_index": 1, "source": "https://a.example", "title": "T", "start_block_index": 10, "end_block_index": 11 })
        ),
    ]);
    let call = json!([{ "type": "tool_use", "id": "toolu_1", "name": "time", "input": {}, "caller": { "type": "code_execution_20250825", "tool_id": "srvtoolu_1" } }]);
    let mut compacted = message(
        json!([{ "type": "compaction", "content": "so far" }]),
        "compaction",
    );
    compacted["context_management"] =
        json!({ "applied_edits": [{ "type": "clear_tool_uses_20250919", "cleared_tool_uses": 8 }] });
    [
        ("a refusal", refused, said("", "refusal")),
        ("a turn that goes on", at_work, said("", "pause_turn")),
        ("a text that ends it", stopped, said("Hi", "stop_sequence")),
        (
            "an answer at its limit",
            message(json!([text("Hi")]), "max_tokens"),
            said("Hi", "max_tokens"),
        ),
        (
            "an answer at the model's limit",
            message(json!([text("Hi")]), "model_context_window_exceeded"),
            said("Hi", "model_context_window_exceeded"),
        ),
        ("what came from the cache", cached, said("Hi", "end_turn")),
        (
            "tools that failed",
            message(tools, "end_turn"),
            said("Hi", "end_turn"),
        ),
        (
            "thoughts that are kept back",
            message(hidden, "end_turn"),
            said("Hi", "end_turn"),
        ),
        (
            "citations of all kinds",
            message(places, "end_turn"),
            said("HiHiHiHi", "end_turn"),
        ),
        (
            "a call out of a program",
            message(call, "tool_use"),
            called("time", json!({}), "tool_use"),
        ),
        ("a conversation made shorter", compacted, said("", "compaction")),
        (
            "an end in a word of its own",
            message(json!([text("Hi")]), "unheard_of"),
            said("Hi", "unheard_of"),
        ),
    ]
    .map(|(id, body, expect)| made_up(Recording::made_up(id, &body, expect)))
    .into()
}

fn made_up(recording: Recording) -> Recording {
    recording.with_url("https://api.anthropic.com/v1/messages")
}

fn start(index: usize, block: Value) -> Value {
    json!({ "type": "content_block_start", "index": index, "content_block": block })
}

fn delta(index: usize, kind: &str, name: &str, more: Value) -> Value {
    json!({ "type": "content_block_delta", "index": index, "delta": { "type": kind, name: more } })
}

fn stop(index: usize) -> Value {
    json!({ "type": "content_block_stop", "index": index })
}

/// A stream with these events in the middle.
fn stream(events: impl IntoIterator<Item = Value>, finish: &str) -> Vec<Value> {
    let mut begun = message(json!([]), "");
    begun["stop_reason"] = Value::Null;
    begun["usage"]["output_tokens"] = json!(1);
    let end = json!({ "stop_reason": finish, "stop_sequence": null });
    let mut all = vec![
        json!({ "type": "message_start", "message": begun }),
        json!({ "type": "ping" }),
    ];
    all.extend(events);
    all.push(json!({ "type": "message_delta", "delta": end, "usage": { "output_tokens": 4 } }));
    all.push(json!({ "type": "message_stop" }));
    all
}

fn streamed() -> Vec<Recording> {
    let hidden = [
        start(0, json!({ "type": "redacted_thinking", "data": "cmVkYWN0ZWQ=" })),
        stop(0),
        start(1, json!({ "type": "thinking", "thinking": "", "signature": "" })),
        delta(1, "signature_delta", "signature", json!("c2ln")),
        stop(1),
        start(2, text("")),
        delta(2, "text_delta", "text", json!("Hi")),
        stop(2),
    ];
    let cited = [
        start(0, json!({ "type": "text", "text": "", "citations": [] })),
        delta(0, "text_delta", "text", json!("Hi")),
        delta(
            0,
            "citations_delta",
            "citation",
            json!({ "type": "page_location", "cited_text": "b", "document_index": 1, "start_page_number": 5, "end_page_number": 6 }),
        ),
        stop(0),
    ];
    let call = json!({ "type": "tool_use", "id": "toolu_1", "name": "time", "input": {} });
    let silent_call = [
        start(0, call.clone()),
        delta(0, "input_json_delta", "partial_json", json!("")),
        stop(0),
    ];
    let cut_call = [
        start(0, call),
        delta(0, "input_json_delta", "partial_json", json!("{\"at\": \"no")),
        stop(0),
    ];
    let search = [
        start(
            0,
            json!({ "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {} }),
        ),
        delta(0, "input_json_delta", "partial_json", json!("{\"query\":")),
        delta(0, "input_json_delta", "partial_json", json!("\"a\"}")),
        stop(0),
        start(
            1,
            json!({ "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": { "type": "web_search_tool_result_error", "error_code": "too_many_requests" } }),
        ),
        stop(1),
    ];
    let compacted = [
        start(0, json!({ "type": "compaction", "content": null })),
        delta(0, "compaction_delta", "content", json!("so ")),
        delta(0, "compaction_delta", "content", json!("far")),
        stop(0),
    ];
    let mut program_goes_on = message(
        json!([
            { "type": "code_execution_tool_result", "tool_use_id": "srvtoolu_1", "content": { "type": "code_execution_result", "stdout": "6" } },
            { "type": "tool_use", "id": "toolu_1", "name": "time", "input": { "at": "noon" } },
        ]),
        "tool_use",
    );
    program_goes_on["container"] = json!({ "id": "container_1" });
    let another_model = [
        start(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
        delta(0, "signature_delta", "signature", json!("b25l")),
        stop(0),
        start(
            1,
            json!({ "type": "fallback", "from": { "model": "claude-2" }, "to": { "model": "claude-1" } }),
        ),
        stop(1),
        start(2, json!({ "type": "thinking", "thinking": "", "signature": "" })),
        delta(2, "signature_delta", "signature", json!("dHdv")),
        stop(2),
        start(3, text("")),
        delta(3, "text_delta", "text", json!("Hi")),
        stop(3),
    ];
    [
        (
            "a program that goes on, told with the beginning",
            vec![
                json!({ "type": "message_start", "message": program_goes_on }),
                json!({ "type": "message_stop" }),
            ],
            called("time", json!({ "at": "noon" }), "tool_use"),
        ),
        (
            "an answer that another model ends",
            stream(another_model, "end_turn"),
            said("Hi", "end_turn"),
        ),
        (
            "thoughts that are kept back, in pieces",
            stream(hidden, "end_turn"),
            said("Hi", "end_turn"),
        ),
        (
            "a page that is cited",
            stream(cited, "end_turn"),
            said("Hi", "end_turn"),
        ),
        (
            "a call without arguments",
            stream(silent_call, "tool_use"),
            called("time", json!({}), "tool_use"),
        ),
        (
            "a call that was cut",
            stream(cut_call, "max_tokens"),
            called("time", json!("{\"at\": \"no"), "max_tokens"),
        ),
        (
            "a search that fails and goes on",
            stream(search, "pause_turn"),
            said("", "pause_turn"),
        ),
        (
            "a conversation made shorter, in pieces",
            stream(compacted, "compaction"),
            said("", "compaction"),
        ),
        (
            "nothing but a refusal",
            stream([], "refusal"),
            said("", "refusal"),
        ),
    ]
    .map(|(id, events, expect)| made_up(Recording::made_up_stream(id, &events, expect)))
    .into()
}

"""Requests, answers and streams of both formats with everything in them."""

from typing import Any

from tests.fakes.anthropic_wire import delta, opened, sse, started, stopped, word
from tests.fakes.openai_wire import chunk_event

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
OPENAI_BODY: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "s"},
        {
            "role": "user",
            "name": "n",
            "content": [
                {"type": "text", "text": "t", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "image_url", "image_url": {"url": "data:a/b;base64,AA", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
                {"type": "file", "file": {"file_id": "f", "filename": "n", "file_data": "AA"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "refusal": "no",
            "reasoning_content": "r",
            "reasoning_details": [{"type": "reasoning.text", "text": "r", "signature": "s"}],
            "tool_calls": [CALL | {"extra_content": {"google": {"thought_signature": "s"}}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "r"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": True}}],
    "functions": [{"name": "g"}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
    "reasoning": {"effort": "low", "max_tokens": 5},
    "stream_options": {"include_usage": True},
    "stop": ["a"],
    "logit_bias": {"5": 1},
    "metadata": {"a": "b"},
    "temperature": 0.5,
    "n": 1,
}
ANTHROPIC_BODY: dict[str, Any] = {
    "model": "m",
    "max_tokens": 5,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "a/b", "data": "AA"}},
                {
                    "type": "document",
                    "title": "t",
                    "citations": {"enabled": False},
                    "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "redacted_thinking", "data": "d"},
                {"type": "server_tool_use", "id": "s", "name": "n", "input": {}},
                {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "is_error": True,
                    "content": [{"type": "text", "text": "x"}],
                }
            ],
        },
    ],
    "tools": [{"name": "n", "input_schema": {}, "cache_control": {"ttl": "1h"}}, {"type": "x_1"}],
    "tool_choice": {"type": "tool", "name": "n", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 5, "display": "omitted"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
    "metadata": {"user_id": "u"},
    "context_management": {"edits": [{"type": "clear_thinking_1"}]},
    "stop_sequences": ["a"],
}
OPENAI_STREAM = [
    chunk_event({"role": "assistant", "content": ""}),
    chunk_event({"reasoning_content": "r"}),
    chunk_event({"reasoning_details": [{"type": "reasoning.text", "signature": "s"}]}),
    chunk_event({"content": "c"}),
    chunk_event({"refusal": "c"}),
    chunk_event({"tool_calls": [CALL | {"index": 0}]}),
    chunk_event({"tool_calls": [{"index": 0, "extra_content": {"g": {"thought_signature": "s"}}}]}),
    chunk_event({"function_call": {"name": "f", "arguments": "{}"}}),
    chunk_event(finish_reason="tool_calls"),
    chunk_event(choices=False, usage={"prompt_tokens": 1, "prompt_tokens_details": {}}),
]
ANTHROPIC_STREAM = [
    started(cache_read_input_tokens=3),
    opened(0, {"type": "thinking", "thinking": "", "signature": ""}),
    delta(0, "thinking_delta", thinking="t"),
    delta(0, "signature_delta", signature="s"),
    sse("content_block_stop", index=0),
    opened(1, {"type": "text", "text": ""}),
    word("w", 1),
    sse("content_block_stop", index=1),
    opened(2, {"type": "tool_use", "id": "t", "name": "n", "input": {}}),
    delta(2, "input_json_delta", partial_json="{}"),
    sse("content_block_stop", index=2),
    opened(3, {"type": "server_tool_use", "id": "t", "input": {}}),
    delta(3, "input_json_delta", partial_json="{}"),
    sse("content_block_stop", index=3),
    *stopped("tool_use"),
]
OPENAI_ANSWER: dict[str, Any] = {
    "id": "i",
    "model": "m",
    "created": 5,
    "service_tier": "t",
    "system_fingerprint": "f",
    "choices": [
        {
            "message": OPENAI_BODY["messages"][2] | {"content": "c"},
            "logprobs": {"content": []},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 1}},
}
ANTHROPIC_ANSWER: dict[str, Any] = {
    "id": "i",
    "model": "m",
    "content": ANTHROPIC_BODY["messages"][1]["content"],
    "stop_reason": "stop_sequence",
    "stop_sequence": "x",
    "usage": {"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 1}},
}

from typing import Any

import aiohttp
import msgspec
import pytest

from application.inference.ports import Operation
from entrypoints.selftest.conformance import CHECKS, Report, examine
from entrypoints.selftest.target import CheckFailedError, CheckSkippedError, Target
from tests.fakes.anthropic_server import KEY, running_anthropic
from tests.fakes.openai_server import running_openai_server
from tests.fakes.upstream import chunk, json_answer, running_upstream, stream_head


async def run(url: str, *, api_key: str | None = None, model: str | None = None) -> Report:
    return await examine(url, api_key=api_key, model=model, timeout_s=10)


def results(report: Report) -> dict[str, str]:
    return {outcome.check: outcome.status for outcome in report.checks}


async def test_a_faithful_server_passes_every_check() -> None:
    async with running_openai_server() as server:
        report = await run(server.url, api_key=server.key)

    of_others = {check: "skip" for check in CHECKS if check.startswith(("messages", "responses"))}
    others = {check: status for check, status in results(report).items() if status != "pass"}
    assert others == of_others
    assert report.passed + report.skipped == len(CHECKS)
    assert all(outcome.duration_ms >= 0 for outcome in report.checks)


async def test_the_url_may_name_the_api_itself_and_the_model_may_be_given() -> None:
    async with running_openai_server() as server:
        report = await run(f"{server.url}/v1/", api_key=server.key, model="talker")

    assert report.failed == 0


async def test_checks_of_authentication_are_skipped_where_no_key_is_asked_for() -> None:
    async with running_openai_server(key=None) as server:
        report = await run(server.url)

    assert report.failed == 0
    assert results(report)["auth: no key"] == "skip"
    assert results(report)["auth: wrong key"] == "skip"


@pytest.mark.parametrize(
    ("fault", "check", "says"),
    [
        ("open-door", "auth: no key", "status 200, expected 401"),
        ("open-door", "auth: wrong key", "status 200, expected 401"),
        ("short-envelope", "models: unknown", "lacks param"),
        ("short-envelope", "errors: malformed JSON", "lacks param"),
        ("wrong-sum", "chat", "not the sum"),
        ("no-done", "chat: stream", "[DONE]"),
        ("no-text", "completions", "has no text"),
        ("odd-base64", "embeddings", "no list of 32-bit numbers"),
        ("worst-first", "rerank", "the best result is not the first"),
        ("no-verdict", "moderations", "does not say 'flagged'"),
        ("no-picture", "images", "neither 'b64_json' nor 'url'"),
        ("mute", "audio: speech", "the content type is 'application/json"),
        ("deaf", "audio: transcription", "there is no text"),
        ("all-broken", "images", "status 500, expected 200"),
    ],
)
async def test_a_fault_is_found_and_named(fault: str, check: str, says: str) -> None:
    async with running_openai_server(fault) as server:
        report = await run(server.url, api_key=server.key)

    outcome = next(outcome for outcome in report.checks if outcome.check == check)
    assert outcome.status == "fail"
    assert says in outcome.detail


async def test_every_door_is_tried() -> None:
    async with running_openai_server() as server:
        await run(server.url, api_key=server.key, model="talker")

    assert {f"/v1/{operation}" for operation in Operation} <= server.seen_paths


async def test_a_model_that_completes_no_texts_is_no_fault() -> None:
    async with running_openai_server("chats-only") as server:
        report = await run(server.url, api_key=server.key)

    assert results(report)["completions"] == "skip"


async def test_what_no_model_sounds_like_is_skipped() -> None:
    async with running_openai_server("texts-only") as server:
        report = await run(server.url, api_key=server.key)

    assert report.failed == 0
    assert results(report)["rerank"] == "skip"
    assert results(report)["audio: transcription"] == "skip"


async def test_a_server_that_is_not_there_fails_the_first_check_only() -> None:
    report = await run("http://127.0.0.1:9")

    assert results(report) == {"connectivity": "fail"}


async def test_a_wrong_key_fails_without_being_printed() -> None:
    async with running_openai_server() as server:
        report = await run(server.url, api_key="canary-which-is-wrong")

    assert report.failed > 0
    assert b"canary" not in msgspec.json.encode(report)


@pytest.mark.parametrize("check", [name for name in CHECKS if name.startswith("messages")])
async def test_a_server_of_anthropics_format_passes_its_checks(check: str) -> None:
    async with running_anthropic() as server, aiohttp.ClientSession() as client:
        target = Target(url=f"{server.url}/v1", api_key=KEY, client=client, chat_model="claude")

        detail = await CHECKS[check](target)

    assert detail


async def test_a_message_without_its_header_is_found() -> None:
    async with running_anthropic() as server, aiohttp.ClientSession() as client:
        server.request_id = ""
        target = Target(url=f"{server.url}/v1", api_key=KEY, client=client, chat_model="claude")

        with pytest.raises(CheckFailedError, match="request-id"):
            await CHECKS["messages"](target)


def _a_response(**members: Any) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    response = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
    return {**response, "store": True, "usage": usage, **members}


def _events(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))
        for event in events
    )


CREATED: dict[str, Any] = {"type": "response.created", "sequence_number": 0}
COMPLETED: dict[str, Any] = {
    "type": "response.completed",
    "sequence_number": 1,
    "response": _a_response(),
}
ADDED: dict[str, Any] = {"type": "response.output_item.added", "sequence_number": 1}


@pytest.mark.parametrize(
    ("check", "said", "why"),
    [
        ("responses", _a_response(object="chat.completion"), "'object' is not"),
        ("responses", _a_response(status="failed"), "status is not"),
        ("responses", _a_response(usage=None), "no usage"),
        ("responses", _a_response(usage={"input_tokens": 1}), "output_tokens"),
        ("responses: stream", _events(COMPLETED), "does not begin"),
        ("responses: stream", _events(CREATED), "does not end"),
        ("responses: stream", _events(CREATED, COMPLETED | {"sequence_number": 0}), "numbered"),
        (
            "responses: stream",
            _events(CREATED, ADDED, COMPLETED | {"sequence_number": 2}),
            "1 items are begun and 0 ended",
        ),
        ("responses: go on", _a_response(previous_response_id=None), "goes on from"),
    ],
)
async def test_a_response_that_is_wrong_is_found(check: str, said: Any, why: str) -> None:
    async with running_upstream() as upstream, aiohttp.ClientSession() as client:
        if isinstance(said, bytes):
            upstream.default = [stream_head(), chunk(said), chunk(b"")]
        else:
            upstream.default = [json_answer(msgspec.json.encode(said))]
        target = Target(url=upstream.base_url, client=client, chat_model="large")

        with pytest.raises(CheckFailedError, match=why):
            await CHECKS[check](target)


async def test_responses_that_are_not_kept_are_no_fault() -> None:
    async with running_upstream() as upstream, aiohttp.ClientSession() as client:
        upstream.default = [json_answer(msgspec.json.encode(_a_response(store=False)))]
        target = Target(url=upstream.base_url, client=client, chat_model="large")

        with pytest.raises(CheckSkippedError):
            await CHECKS["responses: go on"](target)

"""Runs all checks against a server, one after the other."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Literal

import aiohttp
from msgspec import Struct

from application.shared.masking import MASK, mask_text
from entrypoints.selftest import (
    access_checks,
    chat_checks,
    completion_checks,
    media_checks,
    message_checks,
    other_checks,
    response_checks,
)
from entrypoints.selftest.target import CheckFailedError, CheckSkippedError, Target, base_url

Check = Callable[[Target], Awaitable[str]]

CHECKS: dict[str, Check] = {
    "connectivity": access_checks.connects,
    "auth: no key": access_checks.refuses_without_key,
    "auth: wrong key": access_checks.refuses_wrong_key,
    "models: list": access_checks.lists_models,
    "models: get": access_checks.shows_a_model,
    "models: unknown": access_checks.knows_no_unknown_model,
    "chat": chat_checks.chats,
    "chat: stream": chat_checks.streams,
    "chat: stream usage": chat_checks.streams_usage,
    "completions": completion_checks.completes,
    "responses": response_checks.answers,
    "responses: stream": response_checks.streams,
    "responses: go on": response_checks.goes_on,
    "responses: unknown": response_checks.knows_no_unknown_response,
    "messages": message_checks.answers,
    "messages: stream": message_checks.streams,
    "messages: count tokens": message_checks.counts_tokens,
    "messages: wrong types": message_checks.refuses_wrong_types,
    "errors: malformed JSON": other_checks.refuses_malformed_json,
    "errors: unknown model": other_checks.refuses_unknown_model,
    "errors: wrong types": other_checks.refuses_wrong_types,
    "embeddings": other_checks.embeds,
    "rerank": media_checks.ranks,
    "moderations": media_checks.judges,
    "images": media_checks.draws,
    "audio: speech": media_checks.speaks,
    "audio: transcription": media_checks.hears,
}


class Outcome(Struct, frozen=True, kw_only=True):
    """How one check went."""

    check: str
    status: Literal["pass", "fail", "skip"]
    detail: str
    duration_ms: float


class Report(Struct, frozen=True, kw_only=True):
    url: str
    passed: int
    failed: int
    skipped: int
    checks: list[Outcome]


async def examine(url: str, *, api_key: str | None, model: str | None, timeout_s: float) -> Report:
    """Never raises for what the server does; that is what the report is for."""
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        target = Target(url=base_url(url), api_key=api_key, client=client, chat_model=model)
        outcomes = []
        for name, check in CHECKS.items():
            outcomes.append(await _run(name, check, target))
            if name == "connectivity" and outcomes[-1].status == "fail":
                break
    counts = {status: sum(o.status == status for o in outcomes) for status in _STATUSES}
    return Report(
        url=mask_text(target.url),
        passed=counts["pass"],
        failed=counts["fail"],
        skipped=counts["skip"],
        checks=outcomes,
    )


_STATUSES: tuple[Literal["pass", "fail", "skip"], ...] = ("pass", "fail", "skip")


async def _run(name: str, check: Check, target: Target) -> Outcome:
    started = perf_counter()
    status: Literal["pass", "fail", "skip"] = "fail"
    try:
        detail = await check(target)
        status = "pass"
    except CheckSkippedError as reason:
        detail, status = str(reason), "skip"
    except CheckFailedError as reason:
        detail = str(reason)
    except TimeoutError:
        detail = "no answer in time"
    except aiohttp.ClientError as error:
        detail = f"the connection failed: {type(error).__name__} {error}"
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        detail = f"the answer has another shape than expected: {type(error).__name__}: {error}"
    if target.api_key:
        detail = detail.replace(target.api_key, MASK)
    elapsed = round((perf_counter() - started) * 1000, 1)
    return Outcome(check=name, status=status, detail=mask_text(detail), duration_ms=elapsed)

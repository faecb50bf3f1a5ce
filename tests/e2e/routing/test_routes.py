"""What routes do besides surviving failures."""

import asyncio
from typing import Any

import httpx
import openai as sdk
import pytest
from openai import AsyncOpenAI

from tests.e2e.routing.conftest import HANG, Houses
from tests.e2e.routing.test_failing_providers import HELLO, row_of
from tests.fixtures.patience import PATIENCE_S

LOCAL_ONLY = {"x-stoa-privacy": "local_only"}


async def asked(client: AsyncOpenAI, model: str, **fields: Any) -> httpx.Headers:
    raw = await client.chat.completions.with_raw_response.create(
        model=model, messages=HELLO, **fields
    )
    headers: httpx.Headers = raw.headers
    return headers


async def test_a_slow_start_is_overtaken(
    client: AsyncOpenAI, houses: Houses, api: httpx.AsyncClient
) -> None:
    houses.alpha.default = HANG

    headers = await asked(client, "hedged")

    assert (headers["x-stoa-model"], headers["x-stoa-reason"]) == ("b", "hedge")
    row = await row_of(api, headers["x-stoa-call-id"])
    assert [(one["deployment"], one["outcome"]) for one in row["attempts"]] == [
        ("alpha/a", "cancelled"),
        ("beta/b", "succeeded"),
    ]
    async with asyncio.timeout(PATIENCE_S):
        await houses.alpha.requests[0].disconnected.wait()


async def test_an_arm_is_kept_by_its_user(client: AsyncOpenAI) -> None:
    answers: dict[str, set[tuple[str, str]]] = {}
    for user in ("ann", "ben", "cem", "dai", "eva", "fay", "gil", "hal") * 2:
        headers = await asked(client, "halves", user=user)
        answers.setdefault(user, set()).add((headers["x-stoa-arm"], headers["x-stoa-model"]))

    by_header = await asked(
        client, "halves", user="somebody else", extra_headers={"x-stoa-user": "ann"}
    )

    assert all(len(found) == 1 for found in answers.values())
    assert set().union(*answers.values()) == {("old", "a"), ("new", "b")}
    assert answers["ann"] == {(by_header["x-stoa-arm"], by_header["x-stoa-model"])}


async def test_what_is_private_never_leaves(client: AsyncOpenAI, houses: Houses) -> None:
    headers = await asked(client, "private", extra_headers=LOCAL_ONLY)
    assert headers["x-stoa-deployment"] == "here/local"

    for model in ("a", "both"):
        with pytest.raises(sdk.APIStatusError) as error:
            await asked(client, model, extra_headers=LOCAL_ONLY)
        assert 400 <= error.value.status_code < 500
    assert houses.alpha.requests == houses.beta.requests == []


async def test_auto_chooses_and_says_why(client: AsyncOpenAI, api: httpx.AsyncClient) -> None:
    # Whatever was not asked yet is tried first, and it may turn out that it is not there.
    await asked(client, "auto")
    headers = await asked(client, "auto")

    assert headers["x-stoa-reason"].startswith("auto: of 5 the one ")
    row = await row_of(api, headers["x-stoa-call-id"])
    assert (row["model"], row["routed_to"]) == ("auto", headers["x-stoa-model"])
    assert row["reason"] == headers["x-stoa-reason"]


async def test_a_full_deployment_sends_its_callers_on(client: AsyncOpenAI) -> None:
    first = await asked(client, "tight")
    second = await asked(client, "tight")

    assert (first["x-stoa-model"], second["x-stoa-model"]) == ("narrow", "b")
    assert second["x-stoa-reason"] == "fallback after RATE_LIMITED"
    with pytest.raises(sdk.RateLimitError) as error:
        await asked(client, "alone")
    assert int(error.value.response.headers["retry-after"]) > 0


async def test_tags_and_arms_are_on_the_row(client: AsyncOpenAI, api: httpx.AsyncClient) -> None:
    headers = await asked(client, "a", extra_headers={"x-stoa-tags": "night, batch-7"})

    row = await row_of(api, headers["x-stoa-call-id"])
    assert row["tags"] == ["night", "batch-7"]
    assert (row["routed_to"], row["reason"], row["attempts"]) == (None, None, [])
    assert headers["x-stoa-attempts"] == "1"


async def test_a_wish_that_cannot_be_is_refused(client: AsyncOpenAI) -> None:
    with pytest.raises(sdk.BadRequestError, match="x-stoa-privacy"):
        await asked(client, "a", extra_headers={"x-stoa-privacy": "secret"})

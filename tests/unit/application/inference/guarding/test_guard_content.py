import asyncio
import threading
from typing import Any

import pytest

from application.inference.guarding.guard_output import GuardOutput
from application.inference.guarding.inspection import Inspection
from application.inference.guarding.large_texts import LARGE_BYTES, LargeTexts
from application.inference.ports import Operation, ProviderAnswer
from domain.inference.call import CallStatus, GuardrailVerdict
from domain.inference.errors import ContentRefusedError, OutputSchemaError
from domain.inference.guardrails.rules import Rules
from domain.models.route import CachePolicy, GuardrailPolicy, PiiAction
from domain.models.served_model import ModelKind
from domain.operations.guardrail_settings import GUARDRAILS, SERVER_GUARDRAILS
from domain.operations.keeping_settings import ANSWER_CACHE_SECONDS
from domain.operations.runtime_settings import CONTENT_CAPTURE
from tests.builders import OTHER_TEAM_ID, TEAM_ID, a_call, an_actor
from tests.fakes.guarding import PlainFormats, TypeSchemas
from tests.fakes.providers import USAGE, ScriptedProviderStream
from tests.unit.application.inference.keeping.keeping_scene import KeepingScene
from tests.unit.application.inference.routing.route_scene import a_route, a_target

MAIL = b"to ann@example.com"


def a_scene(**policy: Any) -> KeepingScene:
    rules = GuardrailPolicy(**({"pii": ("email",), "denied": ("hydra",)} | policy))
    route = a_route("a", guardrails=rules, cache=CachePolicy(ttl_s=60))
    return KeepingScene(a_target("a"), a_target("ann@example.com"), route, is_guarded=True)


def saying(*blocks: bytes) -> ScriptedProviderStream:
    return ScriptedProviderStream(*blocks)


def verdict(stage: str, rule: str, action: str, count: int = 1) -> GuardrailVerdict:
    return GuardrailVerdict(stage=stage, rule=rule, action=action, count=count)


async def test_the_model_gets_the_redacted_request_and_so_does_the_ledger() -> None:
    scene = a_scene()
    scene.settings.set(CONTENT_CAPTURE, value=True, team_id=TEAM_ID)

    await scene.ask(body=MAIL + b" and bob@example.com")

    assert scene.providers["a"].requests[0].body == b"to [EMAIL] and [EMAIL]"
    assert scene.row.content is not None
    assert scene.row.content.request == "to [EMAIL] and [EMAIL]"
    assert scene.row.guardrails == (verdict("input", "pii:email", "redacted", 2),)


async def test_a_denied_word_refuses_the_call() -> None:
    scene = a_scene()

    with pytest.raises(ContentRefusedError, match="denied") as error:
        await scene.ask(body=b"a Hydra")

    assert "ydra" not in error.value.message
    assert (scene.row.status, scene.row.error_code) == (CallStatus.REFUSED, "CONTENT_REFUSED")
    assert scene.row.guardrails == (verdict("input", "denied", "refused"),)
    assert scene.asked() == {}


@pytest.mark.parametrize(
    ("action", "body", "found"),
    [
        (PiiAction.REPORT, MAIL, (verdict("input", "pii:email", "reported"),)),
        (PiiAction.REDACT, b"to", ()),
    ],
)
async def test_what_is_not_redacted_goes_as_it_is(
    action: PiiAction, body: bytes, found: tuple[GuardrailVerdict, ...]
) -> None:
    scene = a_scene(pii_action=action)

    await scene.ask(body=body)

    assert scene.providers["a"].requests[0].body == body
    assert scene.row.guardrails == found


async def test_personal_data_may_refuse_a_call() -> None:
    scene = a_scene(pii_action=PiiAction.REFUSE)

    with pytest.raises(ContentRefusedError):
        await scene.ask(body=MAIL)

    assert scene.row.guardrails == (verdict("input", "pii:email", "refused"),)


async def test_a_request_may_be_too_long() -> None:
    scene = a_scene(max_input=5, on_input=False)
    await scene.ask(body=b"12345")

    with pytest.raises(ContentRefusedError):
        await scene.ask(body=b"123456")

    assert scene.row.guardrails == (verdict("input", "max_input", "refused"),)


async def test_a_redacted_stream_says_what_the_whole_text_would() -> None:
    scene = a_scene()
    scene.feel(a=saying(b"write to ann@ex", b"ample.com", b" soon"))

    blocks = await scene.relay()

    assert b"".join(blocks) == b"write to [EMAIL] soon"
    assert scene.row.guardrails == (verdict("output", "pii:email", "redacted"),)


async def test_a_stream_is_broken_off_where_it_may_not_go_on() -> None:
    scene = a_scene()
    scene.feel(a=saying(b"I saw a hyd", b"ra", b" there", b" once, you know"))

    blocks = await scene.relay()

    assert b"".join(blocks) == b"I saw a [cut]" or blocks[-1] == b"[cut]"
    assert (scene.row.status, scene.row.finish_reason) == (CallStatus.SUCCEEDED, "content_filter")
    assert scene.row.guardrails == (verdict("output", "denied", "refused"),)
    assert scene.providers["a"].streams[0].closes
    assert scene.cache.kept == {}


async def test_an_answer_that_may_not_be_shown_is_an_error() -> None:
    scene = a_scene(denied=("a",), on_input=False)

    with pytest.raises(ContentRefusedError):
        await scene.ask(body=b"x")

    assert (scene.row.status, scene.row.error_code) == (CallStatus.FAILED, "CONTENT_REFUSED")
    assert scene.row.cost


async def test_an_answer_has_to_fit_the_schema() -> None:
    scene = a_scene(output_schema={"type": "object"}, on_output=False)

    with pytest.raises(OutputSchemaError):
        await scene.ask()

    assert scene.row.guardrails == (verdict("output", "schema", "refused"),)


@pytest.mark.parametrize(("said", "fits"), [(b'{"a":1}', True), (b"[1]", False)])
async def test_a_stream_has_to_fit_the_schema_at_its_end(said: bytes, *, fits: bool) -> None:
    scene = a_scene(output_schema={"type": "object"})
    scene.feel(a=saying(said[:1], said[1:]))

    if fits:
        assert b"".join(await scene.relay()) == said
    else:
        with pytest.raises(OutputSchemaError):
            await scene.relay()
    assert (scene.row.status is CallStatus.SUCCEEDED) is fits


async def test_the_cache_keeps_what_the_client_saw() -> None:
    scene = a_scene()
    scene.feel(a=saying(b"write to ann@ex", b"ample.com", b" soon"))
    first = await scene.relay(body=b'{"to":"ann@example.com"}')

    second = await scene.relay(body=b'{"to":"bob@example.com"}')

    assert b"".join(first) == b"".join(second) == b"write to [EMAIL] soon"
    assert scene.asked() == {"a": 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"operation": Operation.TRANSCRIPTION, "content_type": "multipart/form-data"},
        {"model": "a"},
    ],
)
async def test_what_the_rules_are_not_for_is_not_looked_at(fields: dict[str, Any]) -> None:
    kind = ModelKind.TRANSCRIPTION if "operation" in fields else ModelKind.CHAT
    scene = KeepingScene(
        a_target("a", kind=kind),
        a_route("a", guardrails=GuardrailPolicy(pii=("email",)), kind=kind),
        is_guarded=True,
    )

    await scene.ask(body=MAIL, **fields)

    assert scene.providers["a"].requests[0].body == MAIL


async def test_a_team_guards_calls_that_name_a_model() -> None:
    scene = KeepingScene(a_target("a"), is_guarded=True)
    scene.settings.set(GUARDRAILS, GuardrailPolicy(pii=("email",)), TEAM_ID)

    await scene.ask("a", body=MAIL)

    assert scene.providers["a"].requests[0].body == b"to [EMAIL]"
    assert scene.row.guardrails == (verdict("input", "pii:email", "redacted"),)


async def test_the_server_guards_all_teams() -> None:
    scene = KeepingScene(a_target("a"), is_guarded=True)
    scene.settings.set(SERVER_GUARDRAILS, GuardrailPolicy(denied=("hydra",)))

    with pytest.raises(ContentRefusedError):
        await scene.ask("a", body=b"a hydra", actor=an_actor(team_id=OTHER_TEAM_ID))


@pytest.mark.parametrize("of_route", [PiiAction.REPORT, PiiAction.REDACT])
async def test_a_route_takes_nothing_from_what_its_team_wants(of_route: PiiAction) -> None:
    scene = a_scene(pii_action=of_route, denied=(), on_input=True)
    strict = GuardrailPolicy(pii=("email",), pii_action=PiiAction.REFUSE, denied=("chimera",))
    scene.settings.set(GUARDRAILS, strict, TEAM_ID)

    for body in (MAIL, b"a chimera"):
        with pytest.raises(ContentRefusedError):
            await scene.ask(body=body)

    assert scene.asked() == {}


async def test_a_route_may_be_stricter_than_its_team() -> None:
    scene = a_scene()
    scene.settings.set(GUARDRAILS, GuardrailPolicy(max_input=50, pii=("phone",)), TEAM_ID)

    await scene.ask(body=MAIL + b" or +49 30 1234567")
    with pytest.raises(ContentRefusedError):
        await scene.ask(body=b"a hydra")
    with pytest.raises(ContentRefusedError):
        await scene.ask(body=b"a" * 51)

    assert scene.providers["a"].requests[0].body == b"to [EMAIL] or [PHONE]"


async def test_answers_are_not_recalled_under_other_guardrails() -> None:
    scene = KeepingScene(a_target("a"), is_guarded=True)
    scene.settings.set(ANSWER_CACHE_SECONDS, 60, TEAM_ID)
    await scene.ask("a", body=b"{}")
    scene.settings.set(GUARDRAILS, GuardrailPolicy(pii=("email",)), TEAM_ID)

    await scene.ask("a", body=b"{}")

    assert scene.asked() == {"a": 2}


def test_what_came_in_no_pieces_is_refused_all_the_same() -> None:
    rules = Rules(actions={}, denied=("hydra",))
    channel = Inspection(call=a_call(), stage="output", rules=rules).repeats(False)

    with pytest.raises(ContentRefusedError):
        channel.feed("a hydra in one piece" + " with a good deal of other text" * 4)


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "text/vtt"])
async def test_what_a_model_heard_is_looked_at(content_type: str) -> None:
    rules = Rules(actions={"email": PiiAction.REDACT})
    guard = GuardOutput(
        inspection=Inspection(call=a_call(), stage="output", rules=rules),
        formats=PlainFormats(),
        schemas=TypeSchemas(),
        operation=Operation.TRANSCRIPTION,
        large=LargeTexts(),
    )

    answer = await guard.answer(ProviderAnswer(body=MAIL, usage=USAGE, content_type=content_type))

    assert answer.body == b"to [EMAIL]"


async def test_a_transcript_of_an_upload_may_not_be_shown() -> None:
    upload = {"operation": Operation.TRANSCRIPTION, "content_type": "multipart/form-data"}
    scene = KeepingScene(a_target("hydra", kind=ModelKind.TRANSCRIPTION), is_guarded=True)
    scene.settings.set(GUARDRAILS, GuardrailPolicy(denied=("hydra",)), TEAM_ID)

    with pytest.raises(ContentRefusedError):
        await scene.ask("hydra", body=b"a hydra in an upload", **upload)

    assert scene.row.guardrails == (verdict("output", "denied", "refused"),)


async def test_a_stream_without_a_word_for_it_fails_where_it_is_broken_off() -> None:
    scene = a_scene()
    scene.formats.has_cut = False
    scene.feel(a=saying(b"I saw a hydra", b" there once, you know, and then another"))

    with pytest.raises(ContentRefusedError):
        await scene.relay()

    assert (scene.row.status, scene.row.error_code) == (CallStatus.FAILED, "CONTENT_REFUSED")


@pytest.mark.parametrize("content_type", ["", "text/plain", "Application/JSON", "image/png"])
async def test_what_a_client_calls_its_body_makes_no_difference(content_type: str) -> None:
    scene = a_scene()

    await scene.ask(body=MAIL, content_type=content_type)

    assert scene.providers["a"].requests[0].body == b"to [EMAIL]"


async def test_large_bodies_are_looked_at_beside_the_loop_one_by_one() -> None:
    large, body = LargeTexts(), b"x" * LARGE_BYTES
    loop, began, goes_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    order: list[str] = []

    def slow(_: bytes) -> str:
        loop.call_soon_threadsafe(began.set)
        assert goes_on.wait(60)
        order.append("slow")
        return "slow"

    def after(_: bytes) -> str:
        order.append("after")
        return "after"

    first = asyncio.create_task(large.look(body, slow))
    await began.wait()
    second = asyncio.create_task(large.look(body, after))
    small = await large.look(b"x", lambda _: "small")
    goes_on.set()

    assert (small, await first, await second) == ("small", "slow", "after")
    assert order == ["slow", "after"]


async def test_a_large_block_of_a_stream_is_looked_at_beside_the_loop() -> None:
    scene = a_scene()
    scene.feel(a=saying(b"a ", b"b " * LARGE_BYTES, MAIL))

    blocks = await scene.relay()

    small, large, last = scene.formats.streams[0].threads
    assert small == last == threading.get_ident()
    assert large != small
    assert b"".join(blocks) == b"a " + b"b " * LARGE_BYTES + b"to [EMAIL]"


async def test_a_large_request_is_redacted_and_refused_like_a_small_one() -> None:
    scene = a_scene()

    await scene.ask(body=b"a " * LARGE_BYTES + MAIL)
    with pytest.raises(ContentRefusedError):
        await scene.ask(body=b"a " * LARGE_BYTES + b"hydra")

    assert scene.providers["a"].requests[0].body.endswith(b"to [EMAIL]")
    assert scene.row.guardrails == (verdict("input", "denied", "refused"),)

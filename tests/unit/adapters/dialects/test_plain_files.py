from base64 import b64encode

import msgspec
import pytest

from adapters.dialects.cohere.dialect import CohereDialect
from adapters.dialects.dialect import UpstreamDialect
from adapters.dialects.ollama.dialect import OllamaDialect
from adapters.dialects.plain_files import text_of
from domain.inference.conversation.parts import File, Inline, Source, Text, ToolResult, Url
from domain.inference.conversation.request import Role, Turn
from tests.fakes.conversations import a_chat_model, asking
from tests.fakes.wire_failures import WireFailures


def inline(media_type: str, data: bytes) -> Inline:
    return Inline(media_type=media_type, data=b64encode(data).decode())


NOTES = File(source=inline("text/markdown; charset=utf-8", "# Grüße".encode()), name="notes.md")


def test_a_file_that_is_text_is_told_under_its_name() -> None:
    assert text_of(NOTES) == "notes.md:\n# Grüße"
    assert text_of(File(source=inline("application/json", b"{}"))) == "{}"


@pytest.mark.parametrize(
    "source",
    [inline("application/pdf", b"%PDF"), inline("text/plain", b"\xff"), Url(url="https://a.b/c")],
)
def test_any_other_is_not(source: Source) -> None:
    assert text_of(File(source=source)) is None


@pytest.mark.parametrize("dialect", [OllamaDialect(WireFailures()), CohereDialect(WireFailures())])
def test_models_that_read_text_alone_read_such_files_and_those_of_tools(
    dialect: UpstreamDialect,
) -> None:
    turns = (
        Turn(role=Role.USER, parts=(Text(text="Read."), NOTES)),
        Turn(role=Role.TOOL, parts=(ToolResult(call_id="c", parts=(Text(text="so"), NOTES)),)),
    )

    body = msgspec.json.decode(dialect.write_request(asking(*turns), a_chat_model("m")))

    said = [message["content"] for message in body["messages"]]
    assert said == ["Read.\nnotes.md:\n# Grüße", "so\nnotes.md:\n# Grüße"]

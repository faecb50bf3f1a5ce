"""What clients are told, read as the clients read it."""

import os
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from entrypoints.cli.client_configuration import CLIENTS, WRITERS, Access

STOA = "https://ai.example.org"
NAMES = ["large $(id)", "sm'all"]


def told(client: str, **fields: Any) -> str:
    defaults: dict[str, Any] = {
        "url": STOA,
        "key": None,
        "chats": NAMES,
        "embeddings": ["vectors"],
        "tool_users": {"sm'all"},
    }
    return WRITERS[client](Access(**(defaults | fields)))


def in_a_shell(text: str) -> dict[str, str]:
    """The variables that the text leaves behind, and what ``aider`` was called with."""
    shell = shutil.which("sh")
    assert shell is not None
    script = f'aider() {{ printf "AIDER=%s\\0" "$*"; }}\n{text}env -0'
    environment = {"STOA_API_KEY": "sk-stoa-mine", "PATH": os.environ["PATH"]}
    said = subprocess.run(  # noqa: S603 - the text is what is tested
        [shell, "-eu", "-c", script], env=environment, capture_output=True, check=True, text=True
    )
    assert not said.stderr
    return dict(line.split("=", 1) for line in said.stdout.split("\0") if line)


def variables(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_openais_clients_get_the_address_and_the_key_of_the_environment() -> None:
    found = in_a_shell(told("openai"))

    assert found["OPENAI_BASE_URL"] == f"{STOA}/v1"
    assert found["OPENAI_API_KEY"] == "sk-stoa-mine"


def test_agents_of_anthropic_ask_for_no_model_that_is_not_there() -> None:
    found = in_a_shell(told("anthropic"))

    assert found["ANTHROPIC_BASE_URL"] == STOA
    assert found["ANTHROPIC_API_KEY"] == "sk-stoa-mine"
    for size in ("", "DEFAULT_OPUS_", "DEFAULT_SONNET_", "DEFAULT_HAIKU_"):
        assert found[f"ANTHROPIC_{size}MODEL"] == NAMES[0]


def test_aider_is_started_with_the_model() -> None:
    found = in_a_shell(told("aider", key="sk-$(id)"))

    assert found["OPENAI_API_BASE"] == f"{STOA}/v1"
    assert found["OPENAI_API_KEY"] == "sk-$(id)"
    assert found["AIDER"] == f"--no-show-model-warnings --model openai/{NAMES[0]}"


def test_langchain_gets_a_program() -> None:
    asked: list[dict[str, Any]] = []
    program = told("langchain", key="sk-stoa-mine")
    import_, classes = "from langchain_openai import", ("ChatOpenAI", "OpenAIEmbeddings")

    assert f"{import_} {', '.join(classes)}" in program
    exec(  # noqa: S102 - what people paste has to run
        program.replace(import_, "#"),
        {name: lambda **given: asked.append(given) for name in classes},
    )

    assert [one["model"] for one in asked] == [NAMES[0], "vectors"]
    assert {one["base_url"] for one in asked} == {f"{STOA}/v1"}
    assert {one["api_key"] for one in asked} == {"sk-stoa-mine"}


def test_langchain_is_told_of_embeddings_only_where_there_are_some() -> None:
    assert "Embeddings" not in told("langchain", embeddings=[])


def test_continue_gets_its_models_and_their_secret() -> None:
    found = yaml.safe_load(told("continue"))

    assert (found["name"], found["version"], found["schema"]) == ("Stoa", "0.0.1", "v1")
    assert [one["model"] for one in found["models"]] == [*NAMES, "vectors"]
    assert {one["provider"] for one in found["models"]} == {"openai"}
    assert {one["apiBase"] for one in found["models"]} == {f"{STOA}/v1"}
    assert {one["apiKey"] for one in found["models"]} == {"${{ secrets.STOA_API_KEY }}"}
    assert [one.get("capabilities") for one in found["models"]] == [None, ["tool_use"], None]
    assert found["models"][-1]["roles"] == ["embed"]


def test_open_webui_uses_embeddings_only_where_there_are_some() -> None:
    found, without = variables(told("open-webui")), variables(told("open-webui", embeddings=[]))

    assert found["OPENAI_API_BASE_URL"] == f"{STOA}/v1"
    assert found["OPENAI_API_KEY"] == found["RAG_OPENAI_API_KEY"] == "${STOA_API_KEY}"
    assert found["RAG_EMBEDDING_MODEL"] == "vectors"
    assert not any(name.startswith("RAG_") for name in without)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_real_key_is_in_it_only_if_somebody_gave_it(client: str) -> None:
    assert "sk-stoa-mine" not in told(client)
    assert "sk-stoa-mine" in told(client, key="sk-stoa-mine")


@pytest.mark.parametrize("client", ["openai", "anthropic", "aider"])
def test_a_server_without_models_breaks_no_shell(client: str) -> None:
    assert in_a_shell(told(client, chats=[], embeddings=[]))

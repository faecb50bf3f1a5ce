"""What to paste into the clients that people use."""

import json
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from application.models.list_models import ListModels
from domain.models.served_model import Capability, ModelKind, ServedModel
from entrypoints.cli.acting import actor_in
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.session import Session, run_session, settings_of
from entrypoints.settings import Settings

Client = Literal["openai", "anthropic", "langchain", "aider", "continue", "open-webui"]
CLIENTS: tuple[str, ...] = get_args(Client)
NO_KEY = "STOA_API_KEY"
_SIZES = ("OPUS", "SONNET", "HAIKU")
_NO_CHAT = "<a chat model>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """``key`` is there only where somebody gave it. ``tool_users`` are the chat models that are
    known to call tools."""

    url: str
    key: str | None
    chats: Sequence[str]
    embeddings: Sequence[str]
    tool_users: Collection[str] = ()

    @property
    def chat(self) -> str:
        return self.chats[0] if self.chats else _NO_CHAT


def configuration_for(
    invocation: Invocation, client: Client, *, url: str | None, key: str | None, team: str | None
) -> str:
    settings = settings_of(invocation).settings

    async def work(session: Session) -> Access:
        use_case = await session.get(ListModels)
        models = await use_case(await actor_in(session, team))
        names = {kind: [one.name for one in models if one.kind is kind] for kind in ModelKind}
        return Access(
            url=(url or _url_of(settings)).rstrip("/"),
            key=key,
            chats=names[ModelKind.CHAT],
            embeddings=names[ModelKind.EMBEDDING],
            tool_users={
                one.name
                for one in models
                if isinstance(one, ServedModel) and Capability.TOOLS in (one.capabilities or ())
            },
        )

    return WRITERS[client](run_session(invocation, work))


def _url_of(settings: Settings) -> str:
    if settings.public_url:
        return settings.public_url
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _openai(access: Access) -> str:
    return f"""\
export OPENAI_BASE_URL={shlex.quote(f"{access.url}/v1")}
export OPENAI_API_KEY={_in_shell(access.key)}
# Models: {_listed([*access.chats, *access.embeddings])}
"""


def _anthropic(access: Access) -> str:
    # Agents ask for models of three sizes by names that they have built in.
    sizes = ("ANTHROPIC_MODEL", *(f"ANTHROPIC_DEFAULT_{s}_MODEL" for s in _SIZES))
    models = "\n".join(f"export {name}={shlex.quote(access.chat)}" for name in sizes)
    return f"""\
export ANTHROPIC_BASE_URL={shlex.quote(access.url)}
export ANTHROPIC_API_KEY={_in_shell(access.key)}
{models}
# Models: {_listed(access.chats)}
"""


def _langchain(access: Access) -> str:
    key = f'os.environ["{NO_KEY}"]' if access.key is None else _in_python(access.key)
    classes = ["ChatOpenAI", *(["OpenAIEmbeddings"] if access.embeddings else [])]
    text = f"""\
# export STOA_API_KEY=...
import os

from langchain_openai import {", ".join(classes)}

BASE_URL = {_in_python(f"{access.url}/v1")}
API_KEY = {key}

chat = ChatOpenAI(model={_in_python(access.chat)}, base_url=BASE_URL, api_key=API_KEY)
"""
    if not access.embeddings:
        return text
    return f"""\
{text}embeddings = OpenAIEmbeddings(
    model={_in_python(access.embeddings[0])},
    base_url=BASE_URL,
    api_key=API_KEY,
    check_embedding_ctx_length=False,
)
"""


def _aider(access: Access) -> str:
    # It would ask, at every start, about models that are not in its own list.
    return f"""\
export OPENAI_API_BASE={shlex.quote(f"{access.url}/v1")}
export OPENAI_API_KEY={_in_shell(access.key)}
aider --no-show-model-warnings --model {shlex.quote(f"openai/{access.chat}")}
"""


def _continue(access: Access) -> str:
    secret = f"${{{{ secrets.{NO_KEY} }}}}"
    lines = ["# ~/.continue/config.yaml", "name: Stoa", "version: 0.0.1", "schema: v1", "models:"]
    roles = [
        *((name, "[chat, edit, apply]") for name in access.chats or [_NO_CHAT]),
        *((name, "[embed]") for name in access.embeddings),
    ]
    for name, of_it in roles:
        lines += [
            f"  - name: {json.dumps(name)}",
            "    provider: openai",
            f"    model: {json.dumps(name)}",
            f"    apiBase: {json.dumps(f'{access.url}/v1')}",
            f"    apiKey: {secret if access.key is None else json.dumps(access.key)}",
            f"    roles: {of_it}",
        ]
        if name in access.tool_users:
            lines.append("    capabilities: [tool_use]")
    return "\n".join(lines) + "\n"


def _open_webui(access: Access) -> str:
    key = access.key or f"${{{NO_KEY}}}"
    lines = [
        "# Variables for its first start; what has started once is set in its admin panel.",
        f"# Docker Compose fills in ${{{NO_KEY}}}, `docker run --env-file` does not.",
        "# In a container 127.0.0.1 is the container itself; --url says where Stoa is then.",
        "ENABLE_OLLAMA_API=false",
        "ENABLE_OPENAI_API=true",
        f"OPENAI_API_BASE_URL={access.url}/v1",
        f"OPENAI_API_KEY={key}",
    ]
    if access.embeddings:
        lines += [
            "RAG_EMBEDDING_ENGINE=openai",
            f"RAG_EMBEDDING_MODEL={access.embeddings[0]}",
            f"RAG_OPENAI_API_BASE_URL={access.url}/v1",
            f"RAG_OPENAI_API_KEY={key}",
        ]
    return "\n".join([*lines, f"# Models: {_listed(access.chats)}"]) + "\n"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none yet"


def _in_shell(key: str | None) -> str:
    return f'"${NO_KEY}"' if key is None else shlex.quote(key)


def _in_python(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


WRITERS: dict[str, Callable[[Access], str]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "langchain": _langchain,
    "aider": _aider,
    "continue": _continue,
    "open-webui": _open_webui,
}

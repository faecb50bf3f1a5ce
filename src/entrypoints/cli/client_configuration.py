"""What to paste into the clients that people use."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from application.models.list_models import ListModels
from domain.models.served_model import ModelKind
from entrypoints.cli.acting import actor_in
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.session import Session, run_session, settings_of
from entrypoints.settings import Settings

Client = Literal["openai", "anthropic", "langchain", "aider", "continue", "open-webui"]
CLIENTS: tuple[str, ...] = get_args(Client)
NO_KEY = "$STOA_API_KEY"
_NO_CHAT, _NO_EMBEDDING = "<a chat model>", "<an embedding model>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """``key`` is the real one only where somebody gave it."""

    url: str
    key: str
    chats: Sequence[str]
    embeddings: Sequence[str]

    @property
    def chat(self) -> str:
        return self.chats[0] if self.chats else _NO_CHAT

    @property
    def embedding(self) -> str:
        return self.embeddings[0] if self.embeddings else _NO_EMBEDDING


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
            key=key or NO_KEY,
            chats=names[ModelKind.CHAT],
            embeddings=names[ModelKind.EMBEDDING],
        )

    return WRITERS[client](run_session(invocation, work))


def _url_of(settings: Settings) -> str:
    if settings.public_url:
        return settings.public_url
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}"


def _openai(access: Access) -> str:
    return f"""\
export OPENAI_BASE_URL={access.url}/v1
export OPENAI_API_KEY={access.key}
# Models: {_listed([*access.chats, *access.embeddings])}
"""


def _anthropic(access: Access) -> str:
    return f"""\
export ANTHROPIC_BASE_URL={access.url}
export ANTHROPIC_API_KEY={access.key}
export ANTHROPIC_MODEL={access.chat}
# Models: {_listed(access.chats)}
"""


def _langchain(access: Access) -> str:
    return f"""\
# export STOA_API_KEY=...
import os

from langchain_openai import ChatOpenAI, OpenAIEmbeddings

BASE_URL = {json.dumps(f"{access.url}/v1")}
API_KEY = {_in_python(access.key)}

chat = ChatOpenAI(model={json.dumps(access.chat)}, base_url=BASE_URL, api_key=API_KEY)
embeddings = OpenAIEmbeddings(
    model={json.dumps(access.embedding)},
    base_url=BASE_URL,
    api_key=API_KEY,
    check_embedding_ctx_length=False,
)
"""


def _aider(access: Access) -> str:
    return f"""\
export OPENAI_API_BASE={access.url}/v1
export OPENAI_API_KEY={access.key}
aider --model openai/{access.chat}
"""


def _continue(access: Access) -> str:
    key = "${{ secrets.STOA_API_KEY }}" if access.key == NO_KEY else json.dumps(access.key)
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
            f"    apiBase: {access.url}/v1",
            f"    apiKey: {key}",
            f"    roles: {of_it}",
        ]
    return "\n".join(lines) + "\n"


def _open_webui(access: Access) -> str:
    return f"""\
ENABLE_OLLAMA_API=false
ENABLE_OPENAI_API=true
OPENAI_API_BASE_URL={access.url}/v1
OPENAI_API_KEY={access.key}
RAG_EMBEDDING_ENGINE=openai
RAG_EMBEDDING_MODEL={access.embedding}
RAG_OPENAI_API_BASE_URL={access.url}/v1
RAG_OPENAI_API_KEY={access.key}
# Models: {_listed(access.chats)}
"""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none yet"


def _in_python(key: str) -> str:
    return 'os.environ["STOA_API_KEY"]' if key == NO_KEY else json.dumps(key)


WRITERS: dict[str, Callable[[Access], str]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "langchain": _langchain,
    "aider": _aider,
    "continue": _continue,
    "open-webui": _open_webui,
}

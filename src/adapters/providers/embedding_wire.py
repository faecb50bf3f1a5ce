"""OpenAI's embeddings, for providers that have a format of their own."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from adapters.dialects.fields import Fields, unsupported
from adapters.providers.http_generation import tokens_in
from application.inference.ports import ProviderAnswer
from domain.shared.errors import InvalidError
from domain.shared.usage import Usage

_FORMATS = (None, "float", "base64")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingWish:
    """What a client asks. ``own`` are the members that only the provider knows."""

    model: str
    texts: tuple[str, ...]
    dimensions: int | None
    in_base64: bool
    own: dict[str, str]

    @classmethod
    def read(cls, body: bytes, *own: str) -> "EmbeddingWish":
        """``own`` are the texts that the provider knows besides OpenAI's members. Raises
        ``InvalidError``, and ``UnsupportedByModelError`` for what nobody knows."""
        fields = Fields.of(body)
        wish = cls(
            model=fields.needed("model"),
            texts=_texts(fields),
            dimensions=fields.integer("dimensions"),
            in_base64=_wants_base64(fields),
            own={name: text for name in own if (text := fields.text(name)) is not None},
        )
        fields.end("user")
        return wish

    def answer(
        self, vectors: Sequence[Sequence[float]], tokens: int | None, request_id: str | None
    ) -> ProviderAnswer:
        """``tokens`` as the provider counted them."""
        usage = Usage(prompt_tokens=tokens or 0)
        if tokens is None:
            estimate = sum(tokens_in(len(text.encode())) for text in self.texts)
            usage = replace(usage, prompt_tokens=estimate, counted=True)
        data = [
            {"object": "embedding", "index": index, "embedding": self._written(vector)}
            for index, vector in enumerate(vectors)
        ]
        count = usage.prompt_tokens
        written = {
            "object": "list",
            "data": data,
            "model": self.model,
            "usage": {"prompt_tokens": count, "total_tokens": count},
        }
        return ProviderAnswer(
            body=msgspec.json.encode(written), usage=usage, provider_request_id=request_id
        )

    def _written(self, vector: Sequence[float]) -> Sequence[float] | str:
        if not self.in_base64:
            return vector
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _texts(fields: Fields) -> tuple[str, ...]:
    given = fields.raw("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise InvalidError("'input' must be a text or an array of texts.", param="input")
    if not all(isinstance(text, str) for text in texts):
        raise unsupported("input", "it must be texts")
    return tuple(texts)


def _wants_base64(fields: Fields) -> bool:
    wanted = fields.text("encoding_format")
    if wanted not in _FORMATS:
        raise fields.wrong("encoding_format", "float or base64")
    return wanted == "base64"

"""Generations and embeddings by llama.cpp; importing this module needs xllamacpp."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import xllamacpp

from adapters.providers.local import llama_errors
from adapters.providers.local.engine import (
    ChatEngine,
    Embedded,
    EmbeddingEngine,
    EmbeddingInput,
    GenerationCall,
)
from adapters.providers.local.llama_server import open_server
from adapters.providers.local.model_spec import LocalModelSpec
from adapters.providers.local.prompt_size import check_characters, check_count
from domain.inference.errors import ProviderFailedError
from domain.shared.errors import StoaError

# An embedding call cannot be interrupted, so it takes few texts at a time.
EMBEDDING_BATCH = 4
# Always streamed, because only a stream can be aborted; the progress chunks give an occasion for
# that while a long prompt is read, and the timings count the tokens of what is cut short.
STREAMED = {
    "stream": True,
    "stream_options": {"include_usage": True},
    "return_progress": True,
    "timings_per_token": True,
}


class LlamaChatEngine(ChatEngine):
    def __init__(self, spec: LocalModelSpec) -> None:
        self._server: xllamacpp.Server | None = open_server(spec)
        self._limit = spec.context_length
        warm_up = {"prompt": "a", "max_tokens": 1}
        self.generate(
            GenerationCall(chat=False, body=warm_up, prompt_param="prompt"), lambda _: False
        )

    def generate(self, call: GenerationCall, on_chunk: Callable[[dict[str, Any]], bool]) -> None:
        self._check_size(call)
        failures: list[StoaError] = []

        def take(chunk: dict[str, Any]) -> bool:
            if "error" in chunk:
                failures.append(
                    llama_errors.of_answer(
                        chunk["error"],
                        param=call.prompt_param,
                        schema_param=call.schema_param,
                        limit=self._limit,
                    )
                )
                return True
            return on_chunk(chunk)

        server = _opened(self._server)
        handle = server.handle_chat_completions if call.chat else server.handle_completions
        try:
            handle(call.body | STREAMED, take)
        except (ValueError, RuntimeError) as error:
            raise llama_errors.of_exception(
                error, param=call.prompt_param, schema_param=call.schema_param
            ) from error
        finally:
            # A traceback that somebody keeps must not keep the model in memory.
            del server, handle
        if failures:
            raise failures[0]

    def close(self) -> None:
        self._server = None

    def _check_size(self, call: GenerationCall) -> None:
        limit, param = self._limit, call.prompt_param
        prompt = call.body["messages"] if call.chat else call.body["prompt"]
        if isinstance(prompt, str):
            check_characters((prompt,), limit=limit, param=param)
            return
        check_count(len(prompt), limit=limit, param=param)
        if call.chat:
            check_characters((m["content"] for m in prompt), limit=limit, param=param)


class LlamaEmbeddingEngine(EmbeddingEngine):
    def __init__(self, spec: LocalModelSpec) -> None:
        self._server: xllamacpp.Server | None = open_server(spec)
        self._limit = spec.context_length
        probe = self.embed(["a"])
        self._dimensions = len(probe.vectors[0]) // 4

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def close(self) -> None:
        self._server = None

    def batches(
        self, inputs: Sequence[EmbeddingInput], aborted: Callable[[], bool]
    ) -> list[list[EmbeddingInput]]:
        for value in inputs:
            if isinstance(value, str):
                check_characters((value,), limit=self._limit, param="input")
        return [
            list(inputs[begin : begin + EMBEDDING_BATCH])
            for begin in range(0, len(inputs), EMBEDDING_BATCH)
        ]

    def embed(self, batch: Sequence[EmbeddingInput]) -> Embedded:
        try:
            answer = _opened(self._server).handle_embeddings(
                {"input": list(batch), "encoding_format": "base64"}
            )
        except (ValueError, RuntimeError) as error:
            raise llama_errors.of_exception(error, param="input", schema_param="input") from error
        if "error" in answer:
            raise llama_errors.of_answer(
                answer["error"], param="input", schema_param="input", limit=self._limit
            )
        rows = sorted(answer["data"], key=lambda row: row["index"])
        if len(rows) != len(batch):
            raise ProviderFailedError("The local model gave fewer vectors than texts.")
        return Embedded(
            vectors=[base64.b64decode(row["embedding"]) for row in rows],
            tokens=answer["usage"]["prompt_tokens"],
        )


def _opened(server: xllamacpp.Server | None) -> xllamacpp.Server:
    if server is None:
        raise ProviderFailedError("The model has been unloaded.")
    return server

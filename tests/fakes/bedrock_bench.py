from dataclasses import replace

import msgspec

from adapters.providers.bedrock.provider import BedrockProvider
from adapters.providers.bedrock.signing import AwsCredentials
from adapters.providers.http_configuration import HttpConfiguration
from adapters.providers.translation.provider import TranslatingProvider
from adapters.providers.transport.choice import TransportKind
from adapters.providers.transport.endpoint import Timeouts
from application.inference.ports import ModelProvider
from domain.models.served_model import ServedModel
from tests.fakes.bedrock_wire import EVENT_STREAM, converse_answer, stream_of, text_delta
from tests.fakes.clock import FrozenClock
from tests.fakes.ids import SequentialIds
from tests.fakes.openai_wire import a_model
from tests.fakes.upstream import LAST_CHUNK, Act, Pause, Step, Upstream, chunk, json_answer

NAMED = "x-amzn-requestid: req-up"
HEAD = (
    f"HTTP/1.1 200 OK\r\ncontent-type: {EVENT_STREAM}\r\n{NAMED}\r\n"
    "transfer-encoding: chunked\r\n\r\n"
).encode()


class BedrockBench:
    """A server that answers as Amazon Bedrock does."""

    def __init__(self, upstream: Upstream, kind: TransportKind, *, secret: str) -> None:
        self.upstream = upstream
        self._secret = secret
        bedrock = BedrockProvider(
            name="acme",
            region="eu-central-1",
            http=HttpConfiguration(
                base_url=upstream.origin,
                transport=kind,
                timeouts=Timeouts(connect=2, first_byte=20, between_bytes=20),
            ),
            credentials=AwsCredentials(access_key_id="AKIDEXAMPLE", secret_access_key=secret),
            clock=FrozenClock(),
        )
        self.provider: ModelProvider = TranslatingProvider(
            bedrock, speaks=(), generation=bedrock, clock=FrozenClock(), ids=SequentialIds()
        )

    def says(self, *words: str) -> ServedModel:
        self.upstream.streamed = [HEAD, *map(chunk, stream_of(*words)), LAST_CHUNK]
        return self._answers(converse_answer({"text": "".join(words)}))

    def fails(self, status: int) -> ServedModel:
        body = msgspec.json.encode({"message": f"no, {self._secret}"})
        self.upstream.default = self.upstream.streamed = [json_answer(body, status=status)]
        return a_model()

    def hangs(self) -> ServedModel:
        self.upstream.default = [Act.HANG]
        self.upstream.streamed = [HEAD, Act.HANG]
        return a_model()

    def drips(self) -> ServedModel:
        return self._streams(chunk(text_delta("one")), Act.HANG)

    def cuts_after(self, *words: str) -> ServedModel:
        return self._streams(*(chunk(text_delta(word)) for word in words), Pause(0.01), Act.CLOSE)

    def embeds(self) -> ServedModel:
        body = msgspec.json.encode({"embedding": [0.6, 0.8]})
        headers = [NAMED, "x-amzn-bedrock-input-token-count: 3"]
        self.upstream.default = [json_answer(body, headers=headers)]
        return replace(a_model(), upstream_name="amazon.titan-embed-text-v2:0")

    async def aborted(self) -> None:
        await self.upstream.requests[-1].disconnected.wait()

    def _answers(self, body: bytes) -> ServedModel:
        self.upstream.default = [json_answer(body, headers=[NAMED])]
        return a_model()

    def _streams(self, *steps: Step) -> ServedModel:
        self.upstream.default = self.upstream.streamed = [HEAD, *steps]
        return a_model()

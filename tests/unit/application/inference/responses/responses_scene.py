import json
from typing import Any

from application.inference.interception import Interceptor, Passage
from application.inference.model_command import InvokeModelCommand
from application.inference.ports import Operation, ProviderAnswer
from application.inference.refuse_call import RefuseCall
from application.inference.responses.answer_response import AnswerResponse
from application.inference.responses.keep_response import KeepResponse
from application.inference.responses.planned_response import ResponsePlan
from application.inference.responses.stream_response import StreamedResponse, StreamResponse
from application.inference.routing.plan import Plan
from domain.inference.stored_response import StoredResponse
from domain.shared.ids import CallId
from domain.shared.usage import Usage
from tests.builders import a_model
from tests.fakes.data_plane import DataPlane
from tests.fakes.errands import PromptErrands
from tests.fakes.ids import uuid7_at
from tests.fakes.models import InMemoryModelCatalog
from tests.fakes.providers import ScriptedModelProviders, ScriptedProviderStream
from tests.fakes.response_format import PlainResponseFormat
from tests.fakes.stored_responses import InMemoryStoredResponses
from tests.unit.application.inference.scene import Scene, a_command


class Blackening(Interceptor):
    def __init__(self, word: str) -> None:
        self._word = word.encode()

    def concerns(self, command: InvokeModelCommand, plan: Plan) -> bool:
        return self._word in command.body

    async def intercept(self, passage: Passage) -> None:
        passage.body = passage.body.replace(self._word, b"[gone]")


class Watching(Interceptor):
    """``commands`` are those that were admitted."""

    def __init__(self) -> None:
        self.commands: list[InvokeModelCommand] = []

    def concerns(self, command: InvokeModelCommand, plan: Plan) -> bool:
        self.commands.append(command)
        return False

    async def intercept(self, passage: Passage) -> None:
        raise AssertionError(passage)


class ResponsesScene(Scene):
    """The data plane on fakes, with responses that are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.watching = Watching()
        self._intercept()
        self.responses = InMemoryStoredResponses()
        self.errands = PromptErrands()
        self._plan = ResponsePlan(
            responses=self.responses,
            format=PlainResponseFormat(),
            settings=self.settings,
            refuse=RefuseCall(ledger=self.ledger, clock=self.clock),
            clock=self.clock,
        )
        self.keep = KeepResponse(responses=self.responses, errands=self.errands, patience_s=0.05)
        self._number = 0

    def blackens(self, word: str) -> None:
        """Have the word made unreadable on the way to the provider."""
        self._intercept(Blackening(word))

    def _intercept(self, *interceptors: Interceptor) -> None:
        plane = DataPlane(
            clock=self.clock,
            ledger=self.ledger,
            settings=self.settings,
            catalog=InMemoryModelCatalog(a_model(name="large")),
            providers=ScriptedModelProviders(acme=self.provider),
        )
        plane.interceptors = (self.watching, *interceptors)
        self._invoke, self._stream = plane.use_cases()

    def says(self, *texts: str) -> None:
        body = json.dumps({"output": texts}).encode()
        self.provider.answer = ProviderAnswer(body=body, usage=Usage(prompt_tokens=1))

    async def answer(self, *said: str, **fields: Any) -> dict[str, Any]:
        use_case = AnswerResponse(plan=self._plan, invoke=self._invoke, keep=self.keep)
        answer = await use_case(self._asking(said, fields))
        response: dict[str, Any] = json.loads(answer.body)
        return response

    async def stream_of(self, *steps: Any, **fields: Any) -> StreamedResponse:
        self.provider.stream = ScriptedProviderStream(*steps)
        use_case = StreamResponse(plan=self._plan, stream=self._stream, keep=self.keep)
        return await use_case(self._asking(("Hi",), fields, stream=True))

    @property
    def sent(self) -> list[str]:
        """The input of the last call that reached the provider."""
        asked = json.loads(self.provider.requests[-1].body)
        items: list[str] = asked["input"]
        return items

    @property
    def stored(self) -> StoredResponse:
        (response,) = self.responses.rows.values()
        return response

    def _asking(
        self, said: tuple[str, ...], fields: dict[str, Any], **more: Any
    ) -> InvokeModelCommand:
        self._number += 1
        members = {
            name: fields.pop(name) for name in ("store", "previous_response_id") if name in fields
        }
        body = {"model": "large", "input": said or ("Hi",)} | members
        return a_command(
            call_id=CallId(uuid7_at(self.clock.now(), self._number)),
            operation=Operation.RESPONSES,
            body=json.dumps(body).encode(),
            **more,
            **fields,
        )

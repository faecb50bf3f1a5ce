"""The door of OpenAI's Responses API."""

import re
from uuid import UUID

import msgspec

from adapters.dialects.openai_responses.failures import error_event
from adapters.dialects.openai_responses.stream_writing import sse
from adapters.http.data_plane.served import Served, Table
from adapters.http.openai.served import OpenAIManner
from adapters.http.problems import openai_error
from adapters.http.responses.requests import read_response_request
from application.inference.ports import Operation
from domain.shared.errors import StoaError

_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d{1,18})')


class ResponsesManner(OpenAIManner):
    def error_event(self, error: StoaError, request_id: UUID, last: bytes = b"") -> bytes:
        """An event on which OpenAI's clients raise, numbered as the one after the last."""
        numbers = _NUMBER.findall(last)
        number = int(numbers[-1]) + 1 if numbers else 0
        said = msgspec.json.decode(openai_error(error).body)["error"]
        return sse(error_event(said, number))


RESPONSES: Table = {
    Operation.RESPONSES: Served(manner=ResponsesManner(), read=read_response_request)
}

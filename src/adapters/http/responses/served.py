"""The door of OpenAI's Responses API."""

from uuid import UUID

from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from adapters.http.data_plane.served import Served, Table
from adapters.http.openai.served import OpenAIManner
from adapters.http.responses.requests import read_response_request
from application.inference.ports import Operation
from domain.shared.errors import StoaError


class ResponsesManner(OpenAIManner):
    def error_event(self, error: StoaError, request_id: UUID) -> bytes:
        """An event on which OpenAI's clients raise."""
        return OpenAIResponsesDialect().write_error(error)


RESPONSES: Table = {
    Operation.RESPONSES: Served(manner=ResponsesManner(), read=read_response_request)
}

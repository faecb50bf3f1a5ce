"""The formats in which clients ask for the same thing."""

from collections.abc import Mapping

from adapters.dialects.anthropic.dialect import Anthropic
from adapters.dialects.dialect import DoorDialect
from adapters.dialects.openai_chat.dialect import OpenAIChat
from adapters.dialects.openai_responses.dialect import OpenAIResponsesDialect
from application.inference.ports import Operation

DIALECTS: Mapping[Operation, DoorDialect] = {
    Operation.CHAT: OpenAIChat(),
    Operation.RESPONSES: OpenAIResponsesDialect(),
    Operation.MESSAGES: Anthropic(),
}

"""The operations of Anthropic's API that have a door."""

from adapters.http.anthropic.manner import AnthropicManner
from adapters.http.anthropic.requests import read_count_tokens, read_messages
from adapters.http.data_plane.served import Served, Table
from application.inference.ports import Operation
from application.shared.ports import Clock


def anthropic_table(clock: Clock) -> Table:
    manner = AnthropicManner(clock)
    return {
        Operation.MESSAGES: Served(manner=manner, read=read_messages),
        Operation.COUNT_TOKENS: Served(manner=manner, read=read_count_tokens),
    }

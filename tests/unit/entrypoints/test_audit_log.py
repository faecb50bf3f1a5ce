import asyncio
import io
import json
from datetime import UTC, datetime

from domain.inference.errors import ProviderFailedError
from entrypoints.cli.audit_log import Exchange, audit_line, write_line
from entrypoints.cli.chat_answer import ChatAnswer

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
QUESTION = "q" * 150
ANSWER = "a" * 250


def an_exchange(
    error: BaseException | None = None, question: str = QUESTION, answer: str = ANSWER
) -> Exchange:
    return Exchange(
        model="m",
        request_id="r-1",
        messages=[{"role": "user", "content": question}],
        stream=True,
        answer=ChatAnswer(
            pieces=[answer], id="c-1", finish_reason="stop", usage={"total_tokens": 3}
        ),
        started_at=AT,
        latency_ms=12.34,
        ttft_ms=5.67,
        error=error,
    )


def test_a_line_says_who_asked_what_and_what_it_took() -> None:
    line = audit_line(an_exchange(question="q", answer="a"), verbose=False)

    assert line == {
        "timestamp": "2026-11-21T10:00:00Z",
        "event_type": "request_response",
        "version": "1.0",
        "client": "stoa chat",
        "model": "m",
        "request_id": "r-1",
        "request": {"messages": [{"role": "user", "content": "q"}], "stream": True},
        "response": {
            "id": "c-1",
            "choices": [
                {"message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}
            ],
            "usage": {"total_tokens": 3},
        },
        "truncated": False,
        "success": True,
        "latency_ms": 12.3,
        "ttft_ms": 5.7,
    }


def test_contents_are_cut_short_in_the_log_and_nowhere_else() -> None:
    exchange = an_exchange()

    line = audit_line(exchange, verbose=False)

    assert line["request"]["messages"][0]["content"] == "q" * 100 + "..."
    assert line["response"]["choices"][0]["message"]["content"] == "a" * 200 + "..."
    assert line["truncated"] is True
    assert exchange.answer.text == ANSWER
    assert exchange.messages[0]["content"] == QUESTION


def test_contents_are_whole_when_verbose() -> None:
    line = audit_line(an_exchange(), verbose=True)

    assert line["request"]["messages"][0]["content"] == QUESTION
    assert line["response"]["choices"][0]["message"]["content"] == ANSWER
    assert line["truncated"] is False


def test_a_failure_is_logged_with_its_code_and_without_secrets() -> None:
    error = ProviderFailedError("It said sk-canary-123456789.")

    line = audit_line(an_exchange(error), verbose=False)

    assert line["event_type"] == "error"
    assert line["success"] is False
    assert line["error"]["code"] == "PROVIDER_ERROR"
    assert "canary" not in json.dumps(line)


def test_a_cancelled_answer_is_logged_with_what_had_come() -> None:
    line = audit_line(an_exchange(asyncio.CancelledError(), answer="half"), verbose=False)

    assert line["error"]["code"] == "CANCELLED"
    assert line["response"]["choices"][0]["message"]["content"] == "half"


def test_each_exchange_is_one_line() -> None:
    log = io.StringIO()

    write_line(log, an_exchange(question="two\nlines"), verbose=False)
    write_line(log, an_exchange(), verbose=False)

    lines = log.getvalue().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0])["request"]["messages"][0]["content"] == "two\nlines"

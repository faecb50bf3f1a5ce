"""What every answer of the API must look like."""

from typing import Any

from entrypoints.selftest.target import Answer, CheckFailedError

ENVELOPE = {"message", "type", "param", "code"}
OK = 200


def expect(condition: object, message: str) -> None:
    if not condition:
        raise CheckFailedError(message)


def expect_status(answer: Answer, *allowed: int) -> None:
    wanted = " or ".join(str(status) for status in allowed)
    expect(answer.status in allowed, f"status {answer.status}, expected {wanted}{_reason(answer)}")


def expect_envelope(answer: Answer, *allowed: int) -> dict[str, Any]:
    """The status and OpenAI's error envelope with all four keys; returns what it holds."""
    expect_status(answer, *allowed)
    error = answer.json().get("error")
    if not isinstance(error, dict):
        raise CheckFailedError("the body has no 'error' object")
    missing = sorted(ENVELOPE - error.keys())
    expect(not missing, f"the error envelope lacks {', '.join(missing)}")
    expect(isinstance(error["message"], str) and error["message"], "the error has no message")
    return error


def expect_usage(usage: object, *, output: bool = True) -> None:
    if not isinstance(usage, dict):
        raise CheckFailedError("there is no usage")
    parts_names = ("prompt_tokens", "completion_tokens") if output else ("prompt_tokens",)
    for name in (*parts_names, "total_tokens"):
        expect(isinstance(usage.get(name), int), f"usage.{name} is not a whole number")
    parts = sum(usage[name] for name in parts_names)
    expect(usage["total_tokens"] == parts, "usage.total_tokens is not the sum of its parts")


def _reason(answer: Answer) -> str:
    if answer.status == OK:
        return ""
    try:
        error = answer.json().get("error")
    except CheckFailedError:
        return ""
    return f" ({error['message']})" if isinstance(error, dict) and "message" in error else ""

"""What somebody's own JSON may be, so that it can be stored."""

import json

MAX_BYTES = 64 * 1024


def free_form_problem(value: object) -> str | None:
    """``None`` for what can be stored."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        return "must be JSON"
    if size > MAX_BYTES:
        return f"must not have more than {MAX_BYTES} bytes"
    # A NUL is written as an escape.
    return "must not contain NUL" if "\\u0000" in text else None

"""Does it complete texts, the older way to talk with a model?"""

from entrypoints.selftest.expectations import OK, expect, expect_status, expect_usage
from entrypoints.selftest.target import CheckSkippedError, Target

PATH = "/completions"
MAX_TOKENS = 16
# Many servers, and many models of the others, have it no more.
_WITHOUT = (400, 404, 405)


async def completes(target: Target) -> str:
    if target.chat_model is None:
        raise CheckSkippedError("no model can chat")
    body = {"model": target.chat_model, "prompt": "Once upon a time", "max_tokens": MAX_TOKENS}
    answer = await target.post(PATH, body)
    if answer.status in _WITHOUT:
        raise CheckSkippedError(f"{target.chat_model} completes no texts ({answer.status})")
    expect_status(answer, OK)
    completion = answer.json()
    expect(completion.get("object") == "text_completion", "'object' is not 'text_completion'")
    choices = completion.get("choices") or [{}]
    expect(isinstance(choices[0].get("text"), str), "the answer has no text")
    expect(choices[0].get("finish_reason"), "there is no finish_reason")
    expect_usage(completion.get("usage"))
    return f"{target.chat_model}: {completion['usage']['completion_tokens']} tokens"

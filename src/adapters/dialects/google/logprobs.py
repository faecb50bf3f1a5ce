from adapters.dialects.google.wire import WireLogprobs, WireToken
from domain.inference.conversation.request import JsonObject


def openai_logprobs(result: WireLogprobs | None) -> JsonObject | None:
    if result is None or not result.chosen_candidates:
        return None
    tops = [top.candidates for top in result.top_candidates]
    tops += [[]] * (len(result.chosen_candidates) - len(tops))
    content = [
        _token(chosen) | {"top_logprobs": [_token(token) for token in top]}
        for chosen, top in zip(result.chosen_candidates, tops, strict=False)
    ]
    return {"content": content, "refusal": None}


def _token(token: WireToken) -> JsonObject:
    return {
        "token": token.token,
        "logprob": token.log_probability,
        "bytes": list(token.token.encode()),
    }

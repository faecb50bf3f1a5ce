"""The scalar parameters of a request: what is checked, passed on and refused.

Only listed members reach llama.cpp. OpenAI's own are checked here; llama.cpp's sampling knobs are
passed on and checked there. Those of its fields that choose files, adapters, slots or its own
limits, or take a grammar (which can keep native code busy for ever), are refused by name. All
other members mean nothing to a local model (``user``, ``metadata``, ``store``…) and stay behind.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.inference.errors import UnsupportedByModelError
from domain.shared.errors import InvalidError

RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
ENGINE_SAMPLING = frozenset(
    {
        "top_k",
        "min_p",
        "typical_p",
        "top_n_sigma",
        "xtc_probability",
        "xtc_threshold",
        "dynatemp_range",
        "dynatemp_exponent",
        "repeat_last_n",
        "repeat_penalty",
        "dry_multiplier",
        "dry_base",
        "dry_allowed_length",
        "dry_penalty_last_n",
        "dry_sequence_breakers",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
        "min_keep",
        "ignore_eos",
        "cache_prompt",
        "chat_template_kwargs",
        "reasoning_format",
    }
)
REFUSED = frozenset(
    {
        "grammar",
        "grammar_lazy",
        "grammar_triggers",
        "json_schema",
        "lora",
        "id_slot",
        "n_keep",
        "n_discard",
        "n_predict",
        "n_probs",
        "n_cmpl",
        "samplers",
        "response_fields",
        "t_max_predict_ms",
        "chat_template",
        "image_data",
        "multimodal_data",
        "speculative",
    }
)
# llama.cpp reserves memory for as many tokens as these say.
LOOK_BACK = ("repeat_last_n", "dry_penalty_last_n")
MAX_LOOK_BACK = 65_536
MAX_STOPS = 16
MAX_CHOICES = 128
MAX_LOGIT_BIAS = 100


def read_object(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidError("The request body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise InvalidError("The request body must be a JSON object.")
    return value


def sampling(body: Mapping[str, Any], defaults: Mapping[str, object]) -> dict[str, Any]:
    """Everything about sampling, as llama.cpp takes it."""
    refuse(body, REFUSED)
    out: dict[str, Any] = dict(defaults)
    out |= {name: body[name] for name in ENGINE_SAMPLING if body.get(name) is not None}
    for name in LOOK_BACK:
        integer(body, name, -1, MAX_LOOK_BACK)
    for name, (low, high) in RANGES.items():
        if (value := number(body, name, low, high)) is not None:
            out[name] = value
    if (seed := integer(body, "seed", -(2**63), 2**63 - 1)) is not None:
        # llama.cpp has 32 bits for it, all of them set meaning "random".
        out["seed"] = seed % 0xFFFFFFFF
    if stops := _stops(body.get("stop")):
        out["stop"] = stops
    if bias := _logit_bias(body.get("logit_bias")):
        out["logit_bias"] = bias
    return out


def with_seed(sampled: Mapping[str, Any], index: int) -> dict[str, Any]:
    """The sampling of the choice of that index: the same seed would give the same text."""
    if "seed" not in sampled:
        return dict(sampled)
    return {**sampled, "seed": (sampled["seed"] + index) % 0xFFFFFFFF}


def refuse(body: Mapping[str, Any], names: frozenset[str]) -> None:
    """Raise for the first of these members that is there and not null."""
    for name in sorted(names & body.keys()):
        if body[name] is not None:
            raise UnsupportedByModelError(
                f"Unsupported parameter: '{name}' is not supported with this model.", param=name
            )


def number(body: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InvalidError(f"Invalid type for '{name}': expected a number.", param=name)
    if not low <= value <= high:
        raise InvalidError(
            f"Invalid '{name}': expected a value from {low:g} to {high:g}.", param=name
        )
    return value


def integer(body: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidError(f"Invalid type for '{name}': expected an integer.", param=name)
    if not low <= value <= high:
        raise InvalidError(f"Invalid '{name}': expected a value from {low} to {high}.", param=name)
    return value


def flag(body: Mapping[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidError(f"Invalid type for '{name}': expected a boolean.", param=name)
    return value


def _stops(stop: object) -> list[str]:
    if stop is None:
        return []
    stops = [stop] if isinstance(stop, str) else stop
    if not isinstance(stops, list) or not all(isinstance(text, str) for text in stops):
        raise InvalidError(
            "Invalid type for 'stop': expected a string or an array of strings.", param="stop"
        )
    if len(stops) > MAX_STOPS:
        raise InvalidError(f"Invalid 'stop': at most {MAX_STOPS} sequences.", param="stop")
    return [text for text in stops if text]


def _logit_bias(bias: object) -> dict[str, float]:
    if bias is None:
        return {}
    valid = isinstance(bias, dict) and all(
        token.isdecimal()
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and -MAX_LOGIT_BIAS <= value <= MAX_LOGIT_BIAS
        for token, value in bias.items()
    )
    if not valid or not isinstance(bias, dict):
        raise InvalidError(
            "Invalid 'logit_bias': expected an object of token ids with values from -100 to 100.",
            param="logit_bias",
        )
    return bias

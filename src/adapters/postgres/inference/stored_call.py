from decimal import Decimal

import msgspec
from sqlalchemy import RowMapping

from domain.inference.call import Attempt, CacheUse, Call, CallStatus, GuardrailVerdict
from domain.models.prices import Prices
from domain.shared.ids import AllotmentId, CallId, KeyId, TeamId, UserId
from domain.shared.usage import Usage


def call_of(row: RowMapping) -> Call:
    """The call of a row of the ledger, without its content."""
    return Call(
        id=CallId(row["id"]),
        team_id=TeamId(row["team_id"]),
        key_id=None if row["key_id"] is None else KeyId(row["key_id"]),
        user_id=None if row["user_id"] is None else UserId(row["user_id"]),
        correlation_id=row["correlation_id"],
        endpoint=row["endpoint"],
        model=row["model"],
        stream=row["stream"],
        created_at=row["created_at"],
        provider=row["provider"],
        deployment=row["deployment"],
        price=_price_of(row),
        status=CallStatus(row["status"]),
        settled_at=row["settled_at"],
        error_code=row["error_code"],
        finish_reason=row["finish_reason"],
        usage=_usage_of(row),
        cost=row["cost"],
        latency_ms=row["latency_ms"],
        ttft_ms=row["ttft_ms"],
        provider_request_id=row["provider_request_id"],
        routed_to=row["routed_to"],
        reason=row["reason"],
        arm=row["arm"],
        attempts=msgspec.convert(row["attempts"] or (), tuple[Attempt, ...]),
        cache=None if row["cache"] is None else CacheUse(row["cache"]),
        saved=row["saved"],
        guardrails=tuple(GuardrailVerdict(**verdict) for verdict in row["guardrails"] or ()),
        tags=tuple(row["tags"] or ()),
        lenders=tuple(map(TeamId, row["lenders"] or ())),
        held=row["held"],
        allotment_id=None if row["allotment_id"] is None else AllotmentId(row["allotment_id"]),
    )


def _price_of(row: RowMapping) -> Prices | None:
    if row["input_price"] is None:
        return None
    return Prices(
        input=row["input_price"],
        output=row["output_price"],
        cached_input=row["cached_input_price"],
        cache_write=row["cache_write_price"],
        cache_write_1h=row["cache_write_1h_price"],
        reasoning=row["reasoning_price"],
        audio_input=row["audio_input_price"],
        audio_output=row["audio_output_price"],
        character=row["character_price"],
        request=row["request_price"],
        image=row["image_price"],
        second=row["second_price"],
    )


def _usage_of(row: RowMapping) -> Usage | None:
    if row["prompt_tokens"] is None:
        return None
    return Usage(
        prompt_tokens=row["prompt_tokens"],
        cached_tokens=row["cached_tokens"],
        cache_write_tokens=row["cache_write_tokens"] or 0,
        cache_write_1h_tokens=row["cache_write_1h_tokens"] or 0,
        audio_input_tokens=row["audio_input_tokens"] or 0,
        completion_tokens=row["completion_tokens"],
        reasoning_tokens=row["reasoning_tokens"],
        audio_output_tokens=row["audio_output_tokens"] or 0,
        images=row["images"] or 0,
        seconds=row["seconds"] or Decimal(0),
        characters=row["characters"] or 0,
        searches=row["searches"] or 0,
        counted=row["usage_counted"],
    )

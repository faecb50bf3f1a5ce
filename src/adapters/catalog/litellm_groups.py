"""The deployments of one name of a LiteLLM proxy, as a route of Stoa's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.catalog.litellm_numbers import number, seconds, whole
from adapters.catalog.litellm_shares import order_of, priorities_of, weights_of

_MOST_ATTEMPTS = 20


@dataclass(slots=True, kw_only=True)
class Group:
    """The models, and what the file says of each of them."""

    kind: str
    strategy: str
    models: list[str] = field(default_factory=list)
    deployments: list[Mapping[str, Any]] = field(default_factory=list)


def says_something(deployment: Mapping[str, Any]) -> bool:
    """Whether a deployment says what only a route can."""
    return (
        seconds(deployment.get("stream_timeout")) is not None
        or whole(deployment.get("num_retries")) is not None
    )


def route_of(
    name: str, group: Group, members: Mapping[str, Any], left_out: list[tuple[str, str]]
) -> dict[str, Any]:
    """``members`` are what holds for all routes."""
    route: dict[str, Any] = {"name": name}
    if group.kind != "chat":
        route["kind"] = group.kind
    route["strategy"] = group.strategy
    route["targets"] = _targets(group)
    if group.strategy != "weighted":
        for model, deployment in zip(group.models, group.deployments, strict=True):
            if deployment.get("weight") is not None and len(group.models) > 1:
                reason = f"the strategy '{group.strategy}' does not look at it"
                left_out.append((f"model_list.{model}.litellm_params.weight", reason))
    route |= members
    silences = [seconds(one.get("stream_timeout")) for one in group.deployments]
    if longest := _largest(f"{name}.stream_timeout", silences, left_out):
        route["timeouts"] = {"first_token": longest}
    retries = [whole(one.get("num_retries")) for one in group.deployments]
    if (most := _largest(f"{name}.num_retries", retries, left_out)) is not None:
        attempts = min(int(most) + 1, _MOST_ATTEMPTS)
        route["retry"] = {**route.get("retry", {}), "attempts": attempts}
    return route


def _targets(group: Group) -> list[dict[str, Any]]:
    targets: list[dict[str, Any]] = [{"model": model} for model in group.models]
    weights = weights_of(group.deployments) if group.strategy == "weighted" else None
    for key, values in (("weight", weights), ("priority", priorities_of(group.deployments))):
        for target, value in zip(targets, values or (), strict=False):
            target[key] = value
    return targets


def _largest(
    where: str, values: list[float | None] | list[int | None], left_out: list[tuple[str, str]]
) -> float | None:
    """Of what the deployments of a route say, which has one for all."""
    said = [value for value in values if value is not None]
    if len(set(values)) > 1:
        reason = f"a route has one for all its models: it is {max(said):g} here"
        left_out.append((f"model_list.{where}", reason))
    return max(said, default=None)


def is_read(key: str, value: object) -> bool:
    """Whether it is a matter of routes, and can be understood."""
    return (
        (key == "weight" and number(value) is not None)
        or (key == "order" and order_of({key: value}) is not None)
        or says_something({key: value})
    )

from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry

from adapters.http.metrics.recalls import RecallMetrics
from domain.inference.call import CacheUse
from tests.builders import a_call


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_what_the_cache_was_good_for_adds_up(registry: CollectorRegistry) -> None:
    metrics = RecallMetrics(registry)

    for saved in (Decimal("0.5"), Decimal("0.25"), None):
        metrics.observe(a_call(cache=CacheUse.HIT, saved=saved))
    metrics.observe(a_call(cache=CacheUse.MISS))

    hits = registry.get_sample_value("stoa_answer_cache_total", {"outcome": "hit"})
    misses = registry.get_sample_value("stoa_answer_cache_total", {"outcome": "miss"})
    assert (hits, misses) == (3, 1)
    assert registry.get_sample_value("stoa_answer_cache_saved_usd_total") == 0.75


def test_calls_that_the_cache_was_not_there_for_are_not_counted(
    registry: CollectorRegistry,
) -> None:
    RecallMetrics(registry).observe(a_call())

    assert [sample for one in registry.collect() for sample in one.samples if sample.labels] == []

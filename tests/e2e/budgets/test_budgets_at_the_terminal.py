import json
from typing import Any
from uuid import uuid4

from tests.fixtures.server import StoaServer

Nodes = tuple[StoaServer, StoaServer]


def _json(server: StoaServer, *arguments: str) -> Any:
    done = server.run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_key_is_made_with_limits_and_a_budget_which_change(budget_nodes: Nodes) -> None:
    server = budget_nodes[0]
    name = uuid4().hex
    made = _json(server, "keys", "create", name, "--budget", "5/month", "--rpm", "60")
    budget = _json(server, "budget", "--key", name)
    changed = _json(server, "keys", "update", name, "--tpm", "9", "--budget", "0.5/day:soft")
    freed = _json(server, "keys", "update", name, "--rpm", "none", "--tpm", "none")

    assert made["limits"] == {"rpm": 60, "tpm": None, "concurrency": None}
    assert made["budget"] == {"amount": "5", "period": "month", "hard": True}
    assert (budget["amount"], budget["settled"], budget["remaining"]) == ("5", "0", "5")
    assert changed["limits"] == {"rpm": 60, "tpm": 9, "concurrency": None}
    assert changed["budget"] == {"amount": "0.5", "period": "day", "hard": False}
    assert freed["limits"] is None
    assert freed["budget"] == changed["budget"]


def test_the_team_and_a_user_may_have_budgets(budget_nodes: Nodes) -> None:
    server = budget_nodes[0]
    team = _json(server, "team", "set", "--budget", "1000000/total")
    shown = _json(server, "budget")
    taken_away = _json(server, "team", "set", "--budget", "none")
    of_nobody = server.run("budget", "--user", "nobody@example.org")

    assert team["budget"] == {"amount": "1000000", "period": "total", "hard": True}
    assert (shown["period"], shown["resets_at"]) == ("total", None)
    assert taken_away["budget"] is None
    assert of_nobody.returncode != 0

"""How many new questions a client may ask."""

from __future__ import annotations

from skerry.engine.network.dns.budget import ClientBudget


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def takes(budget: ClientBudget, client: str, most: int = 10_000) -> int:
    return next(count for count in range(most) if not budget.take(client))


def test_a_client_over_its_budget_waits_and_others_do_not() -> None:
    clock = Clock()
    budget = ClientBudget(clock)
    assert takes(budget, "10.64.0.2") == 3000
    assert not budget.take("10.64.0.2")
    assert budget.take("10.64.0.3")
    clock.now += 0.5
    assert takes(budget, "10.64.0.2") == 500
    clock.now += 3600
    assert takes(budget, "10.64.0.2") == 3000

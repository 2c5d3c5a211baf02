"""Rules over a placement: the homes of an adapter are its holders."""

from multilora.routing.given import COUNTS, NOTHING, Ask, Choose, Rule, Setup


def placed(setup: Setup) -> Choose:
    """Return a chooser of the home with the fewest requests in flight.

    Homes are the living holders, of equals the first, so that a tenant with
    little traffic stays in the slots of one home. Without a living home all
    living engines are homes. The rule is this project's own.
    """

    def choose(ask: Ask) -> int:
        homes, in_flight = ask.holders or ask.engines, ask.in_flight
        chosen, least = homes[0], in_flight[homes[0]]
        for home in homes:
            if in_flight[home] < least:
                chosen, least = home, in_flight[home]
        return chosen

    return choose


def placed_in_turn(setup: Setup) -> Choose:
    """Return a chooser that deals each tenant's requests over its homes.

    A tenant's request number i goes to home i modulo the number of living
    homes; without a living home all living engines are homes. The rule is
    this project's own.
    """
    turns: dict[int, int] = {}

    def choose(ask: Ask) -> int:
        homes, adapter_id = ask.holders or ask.engines, ask.adapter_id
        turn = turns.get(adapter_id, 0)
        turns[adapter_id] = turn + 1
        return homes[turn % len(homes)]

    return choose


PLACED = (
    Rule(
        "placed", placed, COUNTS, 0.0, True, "this project's own",
        "its homes",
    ),
    Rule(
        "placed-in-turn", placed_in_turn, NOTHING, 0.0, True,
        "this project's own", "its homes",
    ),
)  # fmt: skip

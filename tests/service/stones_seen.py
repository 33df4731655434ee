"""How often the same stones are found in a register again, and how often other stones are taken for them.

``python -m tests.service.stones_seen`` simulates it and prints the table of ``docs/operations.md`` (some minutes).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.work.flags import LOOKED_AT
from service.work.stones import LEAST_SHARED, marks_of, most_alike, near, overlap, stones_in

Stones = Mapping[str, Any]
Weighing = Callable[[NDArray[Any]], NDArray[Any]]
COLOURS, FORMS = 6, 6
SIZES = (60, 200, 600, 2000)
EARLIER, NEW, AGAIN = 1000, 300, 100
KEPT = (1.0, 0.6, 0.4)


def drawn(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return stones as a zone gives them: sizes lognormal, to 0.001 ct, classes in unequal shares."""
    weights = np.maximum(np.round(np.exp(rng.normal(-1.3, 0.75, n)), 3), 0.02)
    colour = rng.choice(COLOURS, n, p=np.array([30, 25, 20, 12, 8, 5]) / 100)
    form = rng.choice(FORMS, n, p=np.array([35, 25, 15, 12, 8, 5]) / 100)
    return as_document(weights, colour, form)


def as_document(weights: NDArray[Any], colour: NDArray[Any], form: NDArray[Any]) -> dict[str, Any]:
    classes = {"colour": [f"c{k}" for k in colour], "morphology": [f"m{k}" for k in form]}
    return {"stones": {"weight_ct": weights.tolist(), **classes}}


def changed(document: Stones, rows: NDArray[Any], round_to: Callable[[NDArray[Any]], NDArray[Any]]) -> dict[str, Any]:
    stones = document["stones"]
    out: dict[str, Any] = {name: [stones[name][row] for row in rows] for name in stones}
    out["weight_ct"] = np.maximum(round_to(np.asarray(out["weight_ct"])), 0.01).tolist()
    return {"stones": out}


def cut(weights: NDArray[Any]) -> NDArray[Any]:
    down: NDArray[Any] = np.floor(weights * 100) / 100
    return down


def rounded(weights: NDArray[Any]) -> NDArray[Any]:
    return np.round(weights, 2)


def seen(new: Stones, earlier: Stones) -> bool:
    """Say whether the register would flag the new list: it shares marks, and its stones agree beyond chance."""
    here, there = stones_in(new), stones_in(earlier)
    shared = len(set(near(marks_of(here))) & set(marks_of(there)))
    return shared >= LEAST_SHARED and here is not None and there is not None and overlap(here, there).seen


def lighter(weights: NDArray[Any]) -> NDArray[Any]:
    """Return weights after acid cleaning and on another balance: 0.3 % lighter on average, each a little otherwise."""
    rng = np.random.default_rng(len(weights))
    off: NDArray[Any] = np.round(weights * (1 - np.abs(rng.normal(0.003, 0.002, len(weights)))), 3)
    return off


WEIGHED: Mapping[str, Weighing] = {
    "as it was": np.asarray,
    "rounded to 0.01 ct": rounded,
    "cut to 0.01 ct": cut,
    "cleaned, 0.3 % lighter": lighter,
    "rounded to 0.1 ct": lambda weights: np.round(weights, 1),
}


class Register:
    """Earlier lists, searched as the register searches them."""

    def __init__(self, lists: list[dict[str, Any]]) -> None:
        self.lists = lists
        self.places: defaultdict[int, list[int]] = defaultdict(list)
        for place, document in enumerate(lists):
            for mark in marks_of(stones_in(document)):
                self.places[mark].append(place)

    def flagged(self, new: Stones) -> int | None:
        """Return the place of the list that a new one is flagged with, or None."""
        marks = marks_of(stones_in(new))
        shared = Counter(place for mark in near(marks) for place in self.places.get(mark, ()))
        best = sorted(
            (item for item in shared.items() if item[1] >= LEAST_SHARED), key=lambda item: (-item[1], -item[0])
        )
        here = stones_in(new)
        lists = [(place, there) for place, _ in best[:LOOKED_AT] if (there := stones_in(self.lists[place])) is not None]
        if here is None:
            return None
        return next((place for place, there in most_alike(here, lists) if overlap(here, there).seen), None)


def main() -> None:
    """Print how often lists are wrongly flagged against a full register, and how often those that came before are."""
    print(f"{EARLIER:,} earlier lists, {NEW} new ones, all of one zone; found with 100, 60, 40 % left:")
    print("| stones | others, wrongly flagged | found: " + " | found: ".join(WEIGHED) + " |")
    print("|" + "---|" * (2 + len(WEIGHED)))
    for n in SIZES:
        rng = np.random.default_rng(n)
        register = Register([drawn(rng, n) for _ in range(EARLIER)])
        wrong = sum(register.flagged(drawn(rng, n)) is not None for _ in range(NEW))
        cells = [f"{wrong} of {NEW}"]
        for how in WEIGHED.values():
            found = [_found(register, rng, int(kept * n), how) for kept in KEPT]
            cells.append(", ".join(f"{share:.0%}" for share in found))
        print(f"| {n:,} | " + " | ".join(cells) + " |", flush=True)


def _found(register: Register, rng: np.random.Generator, left: int, how: Weighing) -> float:
    """Return how often a list is found of which so many stones are left, shuffled and weighed again."""
    found = 0
    for place in range(AGAIN):
        earlier = register.lists[place]
        rows = rng.permutation(len(earlier["stones"]["weight_ct"]))[:left]
        found += register.flagged(changed(earlier, rows, how)) == place
    return found / AGAIN


if __name__ == "__main__":
    main()

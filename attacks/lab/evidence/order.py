"""The one order of a proof: each fact stands where it is first needed, and each step after all that it needs.

Whoever walks from the texts in the order of their numbers, at each step through its premises in their order and then
the step itself, meets the given facts in the order of facts.jsonl and the steps in that of steps.jsonl. So every line
is used, none stands twice, and no two folders hold the same proof in another order.

  text 0 <- step c(a, b), b <- step b(d)        facts: a, d        steps: b, c
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


def walk(conclusions: Iterable[int], premises: Callable[[int], Iterable[int]]) -> Iterator[int]:
    """Yield what the conclusions rest on, each number once and after its premises.

    Args:
        conclusions: numbers of the facts or steps that show the texts.
        premises: gives the numbers that a step rests on, and nothing for a given fact. No step may rest on itself.
    """
    seen: set[int] = set()
    for conclusion in conclusions:
        path = [(conclusion, iter(premises(conclusion)))] if conclusion not in seen else []
        seen.add(conclusion)
        while path:
            number, waiting = path[-1]
            following = next((each for each in waiting if each not in seen), None)
            if following is None:
                path.pop()
                yield number
            else:
                seen.add(following)
                path.append((following, iter(premises(following))))

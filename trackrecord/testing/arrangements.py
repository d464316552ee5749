"""Ways in which the same events may reach a stage: order, repeats, cuts, consumers, crashes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Arrangement:
    """One way in which events reach a stage.

    Attributes:
        name: What it is, for the message of a failed test.
        order: Indices of the events; one may stand there several times.
        sizes: How many of them each batch holds.
        consumers: How many members share the batches in turn, each with a lane of its own.
        at_once: Whether they work at the same time, each in a thread, or one after the other.
        crash_at: The batches, counted from 0, after which the member ends before its commit; the
            messages then come to a new one, whose memory is empty.
    """

    name: str
    order: tuple[int, ...]
    sizes: tuple[int, ...]
    consumers: int = 1
    at_once: bool = True
    crash_at: frozenset[int] = frozenset()

    def batches(self) -> Iterator[tuple[int, ...]]:
        """The places of each batch in :attr:`order`."""
        start = 0
        for size in self.sizes:
            yield tuple(range(start, start + size))
            start += size


def cut(count: int, size: int) -> tuple[int, ...]:
    """Batches of one size, the last with what is left."""
    return (*(size for _ in range(count // size)), *((count % size,) if count % size else ()))


def as_given(count: int, sizes: Sequence[int] | None = None, *, consumers: int = 1) -> Arrangement:
    """The events in their order, each once.

    Args:
        count: How many events there are.
        sizes: Of the batches; by default one batch.
        consumers: How many members take the batches in turn, one after the other.

    Raises:
        ValueError: The batches do not hold all events.
    """
    sizes = (count,) if sizes is None else tuple(sizes)
    if sum(sizes) != count:
        raise ValueError(f"batches of {sum(sizes)} events in all, and there are {count}")
    return Arrangement("as given", tuple(range(count)), sizes, consumers, at_once=False)


def arrangements(count: int, seed: int = 0, orders: int = 3) -> Iterator[Arrangement]:
    """Arrangements that must all come to the same tables.

    Args:
        count: How many events there are.
        seed: Of what is drawn.
        orders: How many random orders, each with repeats, cuts and crashes of its own.
    """
    everything = tuple(range(count))
    yield Arrangement("one by one", everything, cut(count, 1))
    yield Arrangement("backwards", everything[::-1], cut(count, 7))
    yield Arrangement("everything twice", everything * 2, (2 * count,))
    rng = random.Random(seed)  # noqa: S311 - tests want the same again, not secrecy
    for number in range(orders):
        order = [*everything, *rng.sample(everything, count // 3)]
        rng.shuffle(order)
        sizes, left = [], len(order)
        while left:
            sizes.append(min(left, rng.choice([1, 3, 20, 100])))
            left -= sizes[-1]
        crashes = frozenset(rng.sample(range(len(sizes)), (len(sizes) + 2) // 3))
        name = f"random order {number} of seed {seed}"
        yield Arrangement(name, tuple(order), tuple(sizes), crash_at=crashes)
        yield Arrangement(f"{name}, two consumers", tuple(order), tuple(sizes), 2)

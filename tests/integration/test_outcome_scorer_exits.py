"""What the outcome_scorer publishes: exits, scores and their revisions, symbols that cease."""

from decimal import Decimal

import pytest

from tests.support.scorer import DAY, FIRST, HOURS, Scorer, bar, long
from trackrecord.events import SignalClosed, SignalScored
from trackrecord.events.codec import decode
from trackrecord.runtime.settings import Settings
from trackrecord.tracking import Entry, Exit, fold

pytestmark = pytest.mark.kafka


def test_exits_of_signals_that_nobody_manages_are_published_once(settings: Settings) -> None:
    scorer = Scorer(settings)
    first = bar("AAA", 0, (100, 101, 99, 100))
    said = long(
        target_price=Decimal("104.5"), stop_loss=Decimal(95), horizon_bars=5, exits="barriers"
    )
    scorer.apply([first, said])
    scorer.apply([bar("AAA", 1, (101, 103, 100, 102)), bar("AAA", 2, (102, 105, 101, 104))])
    [closed] = [each for each in scorer.said if each.event_type == "signal_closed"]
    event = decode(SignalClosed, closed.value)
    assert (event.price, event.reason, event.exit_id) == (Decimal("104.5"), "target", "barrier")
    assert event.entry_price is None  # it was entered at the signal's own
    # A correction shows that the stop was met before: the score changes, the exit does not.
    scorer.apply([bar("AAA", 1, (101, 103, 94, 102), revision=1)])
    assert len([each for each in scorer.said if each.event_type == "signal_closed"]) == 1
    scores = [
        decode(SignalScored, each.value)
        for each in scorer.said
        if each.event_type == "signal_scored"
    ]
    assert [(each.outcome, each.revision) for each in scores] == [("target", 0), ("stop", 1)]
    assert scores[0].features["direction"] == 1.0


def test_the_exit_of_a_signal_entered_at_the_next_open_tells_that_open(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    said = long(target_price=Decimal("104.5"), entry="next_open", exits="barriers", horizon_bars=5)
    scorer.apply([bar("AAA", 0, (100, 101, 99, 100)), said])
    scorer.apply([bar("AAA", 1, (101.37, 103, 100, 102)), bar("AAA", 2, (102, 105, 101, 104))])
    [event] = [
        decode(SignalClosed, each.value)
        for each in scorer.said
        if each.event_type == "signal_closed"
    ]
    assert event.entry_price == Decimal("101.37")
    position = fold(Entry.of(said), [Exit.of(event)])
    [(returned,)] = scorer.rows('SELECT "return" FROM outcomes')
    assert position.return_ is not None
    assert float(position.return_) == pytest.approx(returned, rel=1e-14)
    # What was published stays, also when the open is corrected.
    scorer.apply([bar("AAA", 1, (101.5, 103, 100, 102), revision=1)])
    assert scorer.rows("SELECT entry_price FROM closings") == [(Decimal("101.37"),)]


def test_a_level_on_the_wrong_side_is_void_and_contradictions_are_refused(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    first = bar("AAA", 0, (100, 101, 99, 100))
    said = long(target_price=Decimal(90))
    assert scorer.apply([first, said]) == []
    assert scorer.rows("SELECT outcome FROM outcomes") == [("void",)]
    assert scorer.rows("SELECT problem FROM watched_signals") == [
        ("the target lies on the wrong side of the entry",)
    ]
    [reason] = scorer.apply([bar("AAA", 0, (100, 102, 99, 100))])
    assert "needs a higher revision" in reason
    twice = [bar("AAA", 1, (100, 102, 99, 100)), bar("AAA", 1, (100, 103, 99, 100))]
    assert len(scorer.apply(twice)) == 1


def test_a_symbol_that_ceases_to_trade_ends_its_signals_and_may_come_back(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    said = long(horizon_bars=30)
    scorer.apply([bar("AAA", 0, (100, 101, 99, 100)), said])
    scorer.apply([bar("AAA", 1, (100, 101, 97, 98))])
    for day in range(2, 11):
        scorer.apply([bar("BBB", day, (50, 51, 49, 50))])
    assert scorer.rows("SELECT * FROM outcomes") == []
    scorer.apply([bar("BBB", 11, (50, 51, 49, 50))])
    assert scorer.rows("SELECT outcome, exit_price, delisted, known_at FROM outcomes") == [
        ("expired", Decimal(98), True, FIRST + 11 * DAY + HOURS)
    ]
    scorer.apply([bar("AAA", 12, (98, 99, 97, 97))])
    assert scorer.rows("SELECT outcome, revision FROM outcomes") == [("pending", 1)]
    assert scorer.rows("SELECT ends_at FROM watched_signals") == [(None,)]


@pytest.mark.parametrize("late", [5, 11])
def test_when_it_could_be_told_that_a_symbol_ceased_does_not_depend_on_what_came_late(
    settings: Settings, late: int
) -> None:
    scorer = Scorer(settings)
    flat = (100, 101, 99, 100)
    scorer.apply([bar("AAA", 0, flat), long(horizon_bars=30)])
    touched = long(signal_id="touched", target_price=Decimal(102), horizon_bars=30)
    scorer.apply([touched, bar("AAA", 1, (100, 103, 99, 100))])
    for day in range(2, 13):
        if day != late:
            scorer.apply([bar("BBB", day, flat)])
    at = "SELECT signal_id, outcome, known_at, ends_at, revision FROM outcomes ORDER BY signal_id"
    told, told_late = FIRST + 11 * DAY + HOURS, FIRST + 12 * DAY + HOURS
    met = ("touched", "target", FIRST + DAY + HOURS)
    assert scorer.rows(at) == [("s", "expired", told_late, told_late, 0), (*met, told_late, 0)]
    # Another symbol's bar shows that there was one more session.
    scorer.apply([bar("CCC", late, flat)])
    assert scorer.rows(at) == [("s", "expired", told, told, 1), (*met, told, 0)]
    assert scorer.rows("SELECT DISTINCT ends_at FROM watched_signals") == [(told,)]


def test_a_batch_raises_the_revision_of_a_score_once(settings: Settings) -> None:
    scorer = Scorer(settings)
    flat = (100, 101, 99, 100)
    scorer.apply([bar("AAA", 0, flat), long(horizon_bars=30)])
    scorer.apply([bar("AAA", 1, flat), *(bar("BBB", day, flat) for day in range(2, 12))])
    # It waits again for a moment, until it is told again that the symbol has ceased to trade.
    scorer.apply([bar("AAA", 1, (100, 104, 99, 101), revision=1)])
    said = [
        decode(SignalScored, each.value)
        for each in scorer.said
        if each.event_type == "signal_scored"
    ]
    assert [(each.revision, each.outcome, each.exit_price) for each in said] == [
        (0, "expired", 100), (1, "expired", 101),
    ]  # fmt: skip

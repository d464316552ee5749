"""Strategies in a real database: two owners, versions, names of records, copies, deletion."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.support.access import Access
from tests.support.compare import fetch
from tests.support.strategies_kept import CROSS, DIP, HALF, NOW, by_hand, by_rule
from trackrecord.access.store import claims
from trackrecord.access.store.audit import COMMAND_LINE, Actor
from trackrecord.access.store.users import User
from trackrecord.catalogue.life import NoStrategyError, StrategyRefusedError
from trackrecord.catalogue.store import strategies, tries
from trackrecord.catalogue.store.rows import Made, Strategy
from trackrecord.runtime.database import Cursor
from trackrecord.strategies.tries import Run, code_identity

pytestmark = pytest.mark.kafka

LATER = NOW + timedelta(hours=1)


def add(cursor: Cursor, made: Made | None = None, owner: str = "ada", **more: object) -> Strategy:
    given = {"symbols": ["AAPL"], "user_id": None, "now": NOW, **more}
    return strategies.add(cursor, COMMAND_LINE, made or by_rule(), owner=owner, **given)  # type: ignore[arg-type]


def of(user: User) -> Actor:
    return Actor(user.name, user.user_id)


def test_what_was_made_is_kept_and_found_with_all_that_is_known_of_it(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor)
        assert (kept.status, kept.kind, kept.version, kept.record_name) == (
            "validated", "rule", 1, None,
        )  # fmt: skip
        assert strategies.find(cursor, kept.strategy_id) == kept
        assert strategies.find_named(cursor, "ada", "cross") == kept
        version = strategies.version(cursor, kept.strategy_id)
    made = by_rule()
    assert (version.code, version.rule, version.prompt) == (made.code, made.rule, CROSS)
    assert version.code_digest == made.code_digest
    assert set(version.declared) == {"sma_fast", "sma_slow", "stop_percent"}
    assert version.assumptions == list(made.assumptions)


def test_a_draft_is_kept_with_its_code_and_what_is_open(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor, by_rule(HALF, "half"))
        version = strategies.version(cursor, kept.strategy_id)
        assert (kept.status, version.is_valid) == ("draft", False)
        assert version.not_understood
        with pytest.raises(StrategyRefusedError, match="is a draft"):
            strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, NOW)


def test_two_owners_have_one_name_and_one_of_them_the_record(access: Access) -> None:
    with access.owner() as cursor:
        first, second = add(cursor), add(cursor, owner="bob")
        assert first.name == second.name
        with pytest.raises(StrategyRefusedError, match="ada has a strategy 'cross' already"):
            add(cursor)
        # The transaction goes on after that.
        active = strategies.activate(cursor, COMMAND_LINE, first.strategy_id, LATER)
        assert (active.status, active.record_name, active.activated_at) == (
            "active", "cross", LATER,
        )  # fmt: skip
        with pytest.raises(StrategyRefusedError, match="the name 'cross' is somebody else's"):
            strategies.activate(cursor, COMMAND_LINE, second.strategy_id, LATER)
        changes = strategies.Changes(name="crossing")
        strategies.change(cursor, COMMAND_LINE, second.strategy_id, changes, LATER)
        renamed = strategies.activate(cursor, COMMAND_LINE, second.strategy_id, LATER)
        assert renamed.record_name == "crossing"


def test_a_name_that_is_on_record_begins_no_other_record(access: Access) -> None:
    with access.owner() as cursor:
        cursor.execute(
            "INSERT INTO script_totals (script, action, lane, runs, failures, profits, losses,"
            " breakevens, results, sum_return_pct, last_run)"
            " VALUES ('cross', 'BUY', 0, 1, 0, 0, 0, 0, 0, 0, now())"
        )
        kept = add(cursor)
        with pytest.raises(StrategyRefusedError, match="there is a record under 'cross' already"):
            strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, NOW)


def test_the_name_of_a_users_record_becomes_that_users(access: Access) -> None:
    alice, bob = access.alice, access.bob
    with access.api(alice) as cursor:
        kept = strategies.add(
            cursor, of(alice), by_rule(), owner="alice", user_id=alice.user_id, now=NOW,
            symbols=["AAPL"],
        )  # fmt: skip
        strategies.activate(cursor, of(alice), kept.strategy_id, NOW)
        [claim] = claims.listed(cursor, names=["cross"])
        assert (claim.user_id, claim.public) == (alice.user_id, False)
    with access.api(bob) as cursor:
        other = strategies.add(
            cursor, of(bob), by_rule(DIP), owner="bob", user_id=bob.user_id, now=NOW, symbols=["*"]
        )
        with pytest.raises(StrategyRefusedError, match="somebody else's: give the strategy"):
            strategies.activate(cursor, of(bob), other.strategy_id, NOW)
    # A strategy that is nobody's cannot take a user's name either, and an admin gives one.
    with access.owner() as cursor:
        claims.give(cursor, COMMAND_LINE, "taken", bob.user_id, NOW)
        nobodys = add(cursor, by_rule(name="taken"), owner="eve")
        with pytest.raises(StrategyRefusedError, match="somebody else's"):
            strategies.activate(cursor, COMMAND_LINE, nobodys.strategy_id, NOW)
        free = strategies.Changes(name="bobs")
        strategies.change(cursor, COMMAND_LINE, other.strategy_id, free, NOW)
        strategies.activate(cursor, COMMAND_LINE, other.strategy_id, NOW)
        assert claims.listed(cursor, names=["bobs"])[0].user_id == bob.user_id


def test_what_is_anothers_is_not_seen_unless_it_is_public_and_never_changed(
    access: Access,
) -> None:
    alice, bob = access.alice, access.bob
    with access.api(alice) as cursor:
        kept = strategies.add(
            cursor, of(alice), by_rule(), owner="alice", user_id=alice.user_id, now=NOW
        )
    with access.api(bob) as cursor:
        assert strategies.listed(cursor) == []
        with pytest.raises(NoStrategyError):
            strategies.version(cursor, kept.strategy_id)
        with pytest.raises(NoStrategyError):
            strategies.delete(cursor, of(bob), kept.strategy_id, NOW)
    with access.api(alice) as cursor:
        shown = strategies.Changes(public=True)
        strategies.change(cursor, of(alice), kept.strategy_id, shown, LATER)
    with access.api(bob) as cursor:
        assert [each.name for each in strategies.listed(cursor, public=True)] == ["cross"]
        assert strategies.version(cursor, kept.strategy_id).code == by_rule().code
        with pytest.raises(StrategyRefusedError, match="is somebody else's: copy it"):
            strategies.delete(cursor, of(bob), kept.strategy_id, NOW)
        with pytest.raises(StrategyRefusedError, match="is somebody else's: copy it"):
            strategies.activate(cursor, of(bob), kept.strategy_id, NOW)


def test_a_copy_knows_its_origin_and_begins_with_the_tries_of_it(access: Access) -> None:
    alice, bob = access.alice, access.bob
    code = by_rule().code or ""
    with access.api(alice) as cursor:
        kept = strategies.add(
            cursor, of(alice), by_rule(), owner="alice", user_id=alice.user_id, now=NOW,
            symbols=["AAPL", "MSFT"],
        )  # fmt: skip
        for number in range(7):
            tries.note_and_count(cursor, Run("alice", f"other-{number}", ("a",)), NOW)
        assert tries.note_and_count(cursor, Run("alice", code_identity(code), ("a",)), NOW) == 8
        given = strategies.Changes(public=True, parameters={"sma_fast": 10})
        strategies.change(cursor, of(alice), kept.strategy_id, given, NOW)
    with access.api(bob) as cursor:
        assert tries.count(cursor, "bob", "x = 1") == 0
        mine = strategies.copy(
            cursor, of(bob), kept.strategy_id, owner="bob", user_id=bob.user_id, name=None,
            now=LATER,
        )  # fmt: skip
        assert (mine.name, mine.copied_from, mine.status) == (
            "cross", kept.strategy_id, "validated",
        )  # fmt: skip
        assert (mine.parameters, mine.symbols, mine.public) == (
            {"sma_fast": 10}, ["AAPL", "MSFT"], False,
        )  # fmt: skip
        # Whatever he makes of it now was chosen by whoever tried eight times.
        assert tries.note_and_count(cursor, Run("bob", "his own", ("a",)), LATER) == 9
        again = strategies.copy(
            cursor, of(bob), kept.strategy_id, owner="bob", user_id=bob.user_id, name=None,
            now=LATER,
        )  # fmt: skip
        assert again.name == "cross-2"
        assert strategies.find(cursor, kept.strategy_id).copies == 2
    with access.api(alice) as cursor:
        strategies.delete(cursor, of(alice), kept.strategy_id, LATER)
        assert tries.note_and_count(cursor, Run("bob", "his own", ("a",)), LATER) == 9


def test_tries_come_along_also_of_what_was_never_judged_itself(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor)
        for number in range(5):
            tries.note_and_count(cursor, Run("ada", f"other-{number}", ("a",)), NOW)
        strategies.change(
            cursor, COMMAND_LINE, kept.strategy_id, strategies.Changes(public=True), NOW
        )
        strategies.copy(
            cursor, COMMAND_LINE, kept.strategy_id, owner="bob", user_id=None, name="mine", now=NOW
        )
        assert tries.note_and_count(cursor, Run("bob", "his", ("a", "b")), NOW) == 7


def test_what_is_neither_public_nor_ones_own_is_not_copied(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor)
        with pytest.raises(StrategyRefusedError, match="somebody else's, and not public"):
            strategies.copy(
                cursor, COMMAND_LINE, kept.strategy_id, owner="bob", user_id=None, name=None,
                now=NOW,
            )  # fmt: skip
        own = strategies.copy(
            cursor, COMMAND_LINE, kept.strategy_id, owner="ada", user_id=None, name="b", now=NOW
        )
        assert own.copied_from == kept.strategy_id


def test_versions_follow_one_another_and_none_changes(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor, by_rule(HALF, "growing"))
        with pytest.raises(StrategyRefusedError, match="what 'growing' does already"):
            strategies.add_version(cursor, COMMAND_LINE, kept.strategy_id, by_rule(HALF), LATER)
        found = strategies.add_version(cursor, COMMAND_LINE, kept.strategy_id, by_rule(), LATER)
        assert (found.version, found.status) == (2, "validated")
        strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, LATER)
        with pytest.raises(StrategyRefusedError, match="what it is to do instead is not valid"):
            strategies.add_version(
                cursor, COMMAND_LINE, kept.strategy_id, by_hand(is_valid=False), LATER
            )
        found = strategies.add_version(cursor, COMMAND_LINE, kept.strategy_id, by_hand(), LATER)
        assert (found.version, found.status, found.kind) == (3, "active", "code")
        kinds = [each.rule is None for each in strategies.versions(cursor, kept.strategy_id)]
        assert kinds == [True, False, False]
        assert strategies.version(cursor, kept.strategy_id, 1).code == by_rule(HALF).code
        with pytest.raises(NoStrategyError, match="with a version 4"):
            strategies.version(cursor, kept.strategy_id, 4)


def test_parameters_keep_to_what_the_code_declares(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor, by_hand())

        def set_to(**values: object) -> Strategy:
            changes = strategies.Changes(parameters=values)
            return strategies.change(cursor, COMMAND_LINE, kept.strategy_id, changes, NOW)

        with pytest.raises(StrategyRefusedError, match="there is no parameter"):
            set_to(weeks=3)
        with pytest.raises(StrategyRefusedError, match="days is 50 at most"):
            set_to(days=51)
        assert set_to(days=9).parameters == {"days": 9}
        with pytest.raises(StrategyRefusedError, match="there is no parameter"):
            strategies.add_version(cursor, COMMAND_LINE, kept.strategy_id, by_rule(), NOW)
        found = strategies.add_version(
            cursor, COMMAND_LINE, kept.strategy_id, by_rule(), NOW, parameters={"sma_fast": 9}
        )
        assert found.parameters == {"sma_fast": 9}


def test_what_an_active_strategy_decides_by_does_not_change(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor, by_hand())
        strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, NOW)

        def changed(changes: strategies.Changes) -> Strategy:
            return strategies.change(cursor, COMMAND_LINE, kept.strategy_id, changes, LATER)

        for changes in (
            strategies.Changes(parameters={"days": 9}),
            strategies.Changes(timeframe="1h"),
            strategies.Changes(source="other"),
            strategies.Changes(currency="EUR"),
        ):
            with pytest.raises(StrategyRefusedError, match="is active, so that its"):
                changed(changes)
        with pytest.raises(StrategyRefusedError, match="needs one symbol at least"):
            changed(strategies.Changes(symbols=[]))
        found = changed(
            strategies.Changes(
                name="renamed", symbols=["AAPL", "MSFT", "AAPL"], quantity=Decimal("2.50"),
                description="what it is", public=True, takes_over=True,
            )
        )  # fmt: skip
        assert (found.name, found.record_name) == ("renamed", "by-hand")
        assert (found.symbols, found.quantity) == (["AAPL", "MSFT"], Decimal("2.5"))
        assert found.changed_at == LATER
        assert changed(strategies.Changes(name="renamed")) == found


@pytest.mark.parametrize(
    "changes",
    [
        strategies.Changes(name=" "),
        strategies.Changes(timeframe="day"),
        strategies.Changes(quantity=Decimal(0)),
        strategies.Changes(quantity=Decimal("NaN")),
        strategies.Changes(quantity=Decimal("1e-19")),
        strategies.Changes(quantity=Decimal("1e20")),
        strategies.Changes(currency="usd"),
        strategies.Changes(description="x" * 5_001),
        strategies.Changes(source=""),
        strategies.Changes(symbols=["A", "*"]),
    ],
)
def test_values_that_cannot_be_are_refused(access: Access, changes: strategies.Changes) -> None:
    with access.owner() as cursor:
        kept = add(cursor)
        with pytest.raises(StrategyRefusedError):
            strategies.change(cursor, COMMAND_LINE, kept.strategy_id, changes, NOW)


def test_a_deleted_strategy_is_in_no_list_and_all_it_left_stays(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor)
        strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, NOW)
        tries.note_and_count(cursor, Run("ada", "x", ("a",)), NOW)
        strategies.delete(cursor, COMMAND_LINE, kept.strategy_id, LATER)
        assert strategies.listed(cursor) == []
        with pytest.raises(NoStrategyError):
            strategies.find(cursor, kept.strategy_id)
        assert tries.note_and_count(cursor, Run("ada", "y", ("a",)), NOW) == 2
        # Its name is free; that of its record is not.
        again = add(cursor, by_rule(DIP))
        with pytest.raises(StrategyRefusedError, match="somebody else's"):
            strategies.activate(cursor, COMMAND_LINE, again.strategy_id, LATER)
    [row] = fetch(
        access.settings,
        "SELECT status, record_name, deleted_at FROM strategies WHERE strategy_id = %s",
        (str(kept.strategy_id),),
    )
    assert row == ("archived", "cross", LATER)
    versions = fetch(access.settings, "SELECT count(*) FROM strategy_versions")
    assert versions == [(2,)]


def test_archived_and_active_again_it_goes_on_under_its_name(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor)
        strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, NOW)
        assert strategies.archive(cursor, COMMAND_LINE, kept.strategy_id, NOW).status == "archived"
        with pytest.raises(StrategyRefusedError, match="archived already"):
            strategies.archive(cursor, COMMAND_LINE, kept.strategy_id, NOW)
        found = strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, LATER)
        assert (found.record_name, found.activated_at) == ("cross", LATER)


def test_suspended_it_is_active_and_says_why_until_it_is_asked_again(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor)
        with pytest.raises(StrategyRefusedError, match="not active, so nothing is asked of it"):
            strategies.suspend(cursor, COMMAND_LINE, kept.strategy_id, "slow", NOW)
        strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, NOW)
        found = strategies.suspend(cursor, COMMAND_LINE, kept.strategy_id, "slow", LATER)
        assert (found.status, found.suspended_why, found.suspended_at) == ("active", "slow", LATER)
        found = strategies.resume(cursor, COMMAND_LINE, kept.strategy_id, LATER)
        assert found.suspended_at is None
        with pytest.raises(StrategyRefusedError, match="is not suspended"):
            strategies.resume(cursor, COMMAND_LINE, kept.strategy_id, LATER)
        # Whoever activates it once more means the same; it was active all the time.
        strategies.suspend(cursor, COMMAND_LINE, kept.strategy_id, "slow again", LATER)
        found = strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, LATER)
        assert (found.suspended_why, found.activated_at) == (None, NOW)
        with pytest.raises(StrategyRefusedError, match="is active already"):
            strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, LATER)


def test_lists_are_read_page_by_page_the_newest_first(access: Access) -> None:
    with access.owner() as cursor:
        for number in range(5):
            made = by_rule(CROSS if number % 2 else DIP, f"s{number}")
            add(cursor, made, now=NOW + timedelta(minutes=number // 2))
        names: list[str] = []
        after = None
        while page := strategies.listed(cursor, after=after, limit=2):
            names += [each.name for each in page]
            after = (page[-1].created_at, page[-1].strategy_id)
        assert sorted(names) == [f"s{number}" for number in range(5)]
        assert names[0] == "s4"
        found = strategies.listed(cursor, search="THREE RED")
        assert {each.name for each in found} == {"s0", "s2", "s4"}
        assert strategies.listed(cursor, search="50%_") == []
        assert strategies.listed(cursor, owner="bob") == []
        assert len(strategies.listed(cursor, status="validated")) == 5


def test_every_change_is_in_the_audit_log(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor)
        strategies.activate(cursor, COMMAND_LINE, kept.strategy_id, NOW)
        strategies.suspend(cursor, COMMAND_LINE, kept.strategy_id, "slow", NOW)
        strategies.resume(cursor, COMMAND_LINE, kept.strategy_id, NOW)
        strategies.change(
            cursor, COMMAND_LINE, kept.strategy_id, strategies.Changes(public=True), NOW
        )
        strategies.add_version(cursor, COMMAND_LINE, kept.strategy_id, by_hand(), NOW)
        strategies.delete(cursor, COMMAND_LINE, kept.strategy_id, NOW)
    found = fetch(access.settings, "SELECT action FROM audit_log ORDER BY audit_id")
    assert [action for (action,) in found if action.startswith("strategy")] == [
        "strategy added", "strategy activated", "strategy suspended", "strategy resumed",
        "strategy changed", "strategy version added", "strategy archived", "strategy deleted",
    ]  # fmt: skip


def test_symbols_without_bars_are_told(access: Access) -> None:
    with access.owner() as cursor:
        kept = add(cursor, symbols=["AAPL", "NVDA"])
        assert strategies.symbols_without_bars(cursor, kept) == ["AAPL", "NVDA"]
        every = add(cursor, by_rule(DIP, "every"), symbols=["*"])
        assert strategies.symbols_without_bars(cursor, every) == ["*"]
        cursor.execute(
            "INSERT INTO watched_symbols (symbol, timeframe, version, last_opened_at)"
            " VALUES ('AAPL', '1d', 1, now())"
        )
        assert strategies.symbols_without_bars(cursor, kept) == ["NVDA"]
        assert strategies.symbols_without_bars(cursor, every) == []


def test_an_id_that_nobody_has_is_said_to_be_none(access: Access) -> None:
    with access.owner() as cursor, pytest.raises(NoStrategyError, match="there is no strategy"):
        strategies.find(cursor, uuid4())

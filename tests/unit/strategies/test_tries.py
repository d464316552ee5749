"""N: every distinct code with every distinct set of parameters, by whoever chose among them."""

from __future__ import annotations

from trackrecord.strategies.tries import Run, code_identity, parameters_identity, tries_of

CODE = '''
"""A strategy."""
LOOKBACK = 20
def execute_strategy(market_data, strategy_params):
    """Decides."""
    # by the last close
    return {"action": "hold"}
'''
FORMATTED = """
LOOKBACK   =   20

def execute_strategy(market_data,
                     strategy_params):
    return { "action" : "hold" }
"""


def test_layout_and_comments_make_no_other_strategy() -> None:
    assert code_identity(CODE) == code_identity(FORMATTED)
    assert code_identity(CODE) != code_identity(CODE.replace("20", "21"))
    assert code_identity(CODE) != code_identity(CODE.replace("hold", "buy"))


def test_what_is_no_python_has_an_identity_too() -> None:
    assert code_identity("def (") != code_identity("def )")
    assert code_identity("x = '\ud800'") == code_identity("x = '\ud800'")


def test_a_whole_number_is_the_same_parameter_as_a_float() -> None:
    assert parameters_identity({"a": 5, "b": True}) == parameters_identity({"b": True, "a": 5.0})
    assert parameters_identity({"a": 5}) != parameters_identity({"a": 6})
    assert parameters_identity({"a": 1}) != parameters_identity({"a": True})


def test_the_same_again_is_not_another_try() -> None:
    runs = [Run("me", "a", ("1", "2")), Run("me", "a", ("2", "3")), Run("me", "b", ("1",))]
    assert tries_of("me", "a", runs) == 4
    assert tries_of("me", "new", runs) == 4


def test_hundred_noise_strategies_stand_behind_the_one_that_is_shown() -> None:
    runs = [Run("me", f"strategy {number}", ("defaults",)) for number in range(100)]
    assert tries_of("me", "strategy 42", runs) == 100


def test_what_others_tried_does_not_count_for_a_strategy_of_ones_own() -> None:
    runs = [Run("them", "theirs", ("1", "2")), Run("me", "mine", ("1",))]
    assert tries_of("me", "mine", runs) == 1


def test_a_copy_brings_along_what_its_origin_had_tried_by_then() -> None:
    before = [Run("them", f"x{number}", ("1",)) for number in range(99)]
    runs = [
        *before,
        Run("them", "best", ("1",)),
        Run("me", "mine", ("1",)),
        Run("me", "best", ("1",)),
        Run("them", "later", ("1", "2")),
    ]
    assert tries_of("me", "best", runs) == 101
    # The origin has not copied anything.
    assert tries_of("them", "best", runs) == 102


def test_a_copy_that_was_changed_brings_them_along_where_it_says_so() -> None:
    runs = [Run("them", f"x{number}", ("1",)) for number in range(50)]
    runs.append(Run("me", "changed", ("1",), ("x7",)))
    assert tries_of("me", "changed", runs) == 51
    assert tries_of("me", "another", [*runs[:50], Run("me", "another", ("1",))]) == 1
    assert tries_of("me", "another", runs[:50], ("x49",)) == 50


def test_a_copy_of_a_copy_brings_along_both() -> None:
    runs = [
        *(Run("first", f"x{number}", ("1",)) for number in range(10)),
        Run("first", "best", ("1",)),
        Run("second", "best", ("2",)),
        Run("second", "own", ("1",)),
        Run("third", "own", ("1",)),
    ]
    assert tries_of("third", "own", runs) == 13

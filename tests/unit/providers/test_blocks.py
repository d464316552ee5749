"""Which code an answer holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.providers.blocks import find_code, unfinished

STRATEGY = "def execute_strategy(market_data, strategy_params):\n    return {'action': 'hold'}\n"
OTHER = STRATEGY.replace("hold", "buy")


def code(answer: str) -> str | None:
    found = find_code(answer)
    return None if found is None else found.code


@pytest.mark.parametrize(
    "answer",
    [
        f"```python\n{STRATEGY}```",
        f"Sure!\n\n```python\n{STRATEGY}```\nGood luck.",
        f"```py\n{STRATEGY}\n\n```",
        f"```Python3\n{STRATEGY}```",
        f"``` python\n{STRATEGY}``` ",
        f"```python title='strategy.py'\n{STRATEGY}```",
        f"```{{.python .numbered}}\n{STRATEGY}```",
        f"```python:strategy.py\n{STRATEGY}```",
        f"\ufeff```python\n{STRATEGY}```",
        f"~~~python\n{STRATEGY}~~~",
        f"````python\n{STRATEGY}````",
        f"```python\r\n{STRATEGY.replace(chr(10), chr(13) + chr(10))}```\r\n",
        f"```\n{STRATEGY}```",
        STRATEGY,
        f"\n\n{STRATEGY}\n",
        "1. Code:\n   ```py\n" + "".join(f"   {x}\n" for x in STRATEGY.splitlines()) + "   ```",
    ],
)  # fmt: skip
def test_it_is_found_however_it_is_fenced(answer: str) -> None:
    assert code(answer) == STRATEGY
    assert not unfinished(answer)


@pytest.mark.parametrize(
    "answer",
    [
        f"```python\n{OTHER}```\nBetter:\n```python\n{STRATEGY}```",
        f"<think>\n```python\n{OTHER}```\n</think>\n```python\n{STRATEGY}```\n```text\n{OTHER}```",
        f"```python\n{STRATEGY}```\nTry it:\n```python\nprint(execute_strategy({{}}, {{}}))\n```",
        f"```python\n{STRATEGY}```\n```bash\npython strategy.py\n```",
        f"```\n{OTHER}```\n```python\n{STRATEGY}```\n```\n{OTHER}```",
        f"<think>\n```python\n{OTHER}\nno, wait</think>\n```python\n{STRATEGY}```",
    ],
)
def test_the_last_block_of_python_that_is_a_strategy_counts(answer: str) -> None:
    assert code(answer) == STRATEGY


@pytest.mark.parametrize(
    "answer",
    [
        "", "I cannot.", "```python\nprint(1)\n```", f"```diff\n{STRATEGY}```",
        "Call `def execute_strategy(` yourself.", f"```json\n{STRATEGY}```",
        "    def execute_strategy(a, b): ...",
    ],
)  # fmt: skip
def test_what_is_no_strategy_is_not_found(answer: str) -> None:
    assert code(answer) is None


def test_a_fence_in_a_docstring_ends_nothing() -> None:
    inside = (
        'def execute_strategy(market_data, strategy_params):\n    """As\n    ```\n    x\n    ```\n'
        '    """\n    return {"action": "hold"}\n'
    )
    assert code(f"```python\n{inside}```") == inside


@pytest.mark.parametrize(
    "answer",
    [
        f"```python\n{STRATEGY[:60]}",
        f"```python\n{OTHER}```\nBetter:\n```python\n{STRATEGY}",
        f"````python\n{STRATEGY}```",
    ],
)
def test_a_block_that_was_not_closed_is_not_whole(answer: str) -> None:
    found = find_code(answer)
    assert found is not None
    assert not found.whole


def test_an_answer_may_end_before_its_strategy_begins() -> None:
    assert find_code("```python\nPARAMETERS = {") is None
    assert unfinished("```python\nPARAMETERS = {")
    assert not unfinished("No code. ```python")


@given(st.text(alphabet=st.sampled_from("`~ \n\r\tpython{}.def execute_strategy():x\x00\ud800")))
def test_no_answer_breaks_it(answer: str) -> None:
    find_code(answer)
    unfinished(answer)


@given(st.lists(st.sampled_from(["```", "```python", "~~~", STRATEGY, "text", "````"]), max_size=8))
def test_what_is_found_is_part_of_the_answer(parts: list[str]) -> None:
    answer = "\n".join(parts)
    found = code(answer)
    assert found is None or found.rstrip("\n") in answer

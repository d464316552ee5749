"""Answers as models write them, written once the reader was done: it had not seen any of them."""

from __future__ import annotations

import pytest

from trackrecord.providers.blocks import find_code, unfinished

GOOD = '''PARAMETERS = {}


def execute_strategy(market_data, strategy_params):
    """Buy dips."""
    return {"action": "hold"}
'''
DRAFT = GOOD.replace("hold", "buy")
SIGNATURE = "def execute_strategy(market_data: dict, strategy_params: dict) -> dict:"


def indented(code: str, by: str) -> str:
    return "".join(by + line if line.strip() else line for line in code.splitlines(keepends=True))


WHOLE = {
    "heading and remarks": f"## Strategy\n\nHere's `execute_strategy`:\n\n```python\n{GOOD}```\n\n"
    "**Notes**\n- uses `LOOKBACK`\n- run `python x.py`\n",
    "a file name above": f"**strategy.py**\n\n```python\n{GOOD}\n```",
    "thoughts with a whole draft": f"<think>Maybe\n```python\n{DRAFT}```\nno.</think>\n\n"
    f"```python\n{GOOD}```",
    "thoughts that break off in a fence": f"<think>```python\n{DRAFT[:40]}\n</think>\n"
    f"```python\n{GOOD}```",
    "shell before, output after": "```bash\npip install x\n```\n"
    f"```python\n{GOOD}```\n```\n{{'action': 'hold'}}\n```",
    "an example of its use": f"```python\n{GOOD}```\nUse:\n```python\nfrom strategy import "
    "execute_strategy\nexecute_strategy({}, {})\n```",
    "in a numbered list": f"1. First\n2. Code:\n\n    ```python\n{indented(GOOD, '    ')}    ```\n"
    "3. Done",
    "in a list by tabs": f"- Code:\n\t```python\n{indented(GOOD, chr(9))}\t```",
    "spaces behind the fences": f"```python   \n{GOOD}```   \n",
    "no blank lines": f"```python\n{GOOD.strip()}\n```",
    "many blank lines": f"\n\n\n```python\n\n\n{GOOD}\n\n\n```\n\n\n",
    "ipython": f"```python3\n{GOOD}```",
    "with attributes": f"```python {{linenos=true}}\n{GOOD}```",
    "attributes in braces": f"```{{python}}\n{GOOD}```",
    "carriage returns": f"```python\n{GOOD}```".replace("\n", "\r\n"),
    "five ticks": f"`````python\n{GOOD}`````",
    "tildes": f"~~~python\n{GOOD}~~~\n",
    "corrected twice": "".join(f"So:\n```python\n{each}```\n" for each in (DRAFT, DRAFT, GOOD)),
    "a diff at the end": f"```python\n{GOOD}```\nChanged:\n```diff\n-{SIGNATURE}\n+x\n```",
    "JSON of a decision": f'```python\n{GOOD}```\n```json\n{{"action": "buy"}}\n```',
    "a table between": f"| a | b |\n|---|---|\n| ``` | x |\n\n```python\n{GOOD}```",
    "a fence named in a sentence": f"I answer in a ```python block.\n\n```python\n{GOOD}```",
    "nothing but code": GOOD,
    "a language in capitals": f"```PYTHON\n{GOOD}```",
}  # fmt: skip


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE.keys())
def test_the_strategy_is_found_whole(answer: str) -> None:
    found = find_code(answer)
    assert found is not None
    assert found.whole
    assert found.code.strip() == GOOD.strip()
    assert not unfinished(answer)


CUT = {
    "in the signature": f"```python\nPARAMETERS = {{}}\n\n{SIGNATURE[:20]}",
    "in the body": f"Sure.\n\n```python\n{GOOD[:-12]}",
    "before the first line": "```python\n",
    "in thoughts": f"<think>\n```python\n{DRAFT[:50]}",
    "in the second version": f"```python\n{DRAFT}```\nNow better:\n```python\n{GOOD[:-12]}",
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
def test_an_answer_that_breaks_off_is_not_whole(answer: str) -> None:
    found = find_code(answer)
    assert unfinished(answer) if found is None else not found.whole


NONE = {
    "words": "I can't help with trading advice.",
    "a class": f"```python\nclass S:\n{indented(GOOD, '    ')}```",
    "another name": f"```python\n{GOOD.replace('execute_strategy', 'run')}```",
    "JavaScript": "```js\nfunction execute_strategy() {}\n```",
    "pseudocode in words": "Define def execute_strategy(market_data) so that it buys.",
    "async": f"```python\nasync {SIGNATURE}\n    return {{}}\n```",
}


@pytest.mark.parametrize("answer", NONE.values(), ids=NONE.keys())
def test_where_there_is_none_none_is_found(answer: str) -> None:
    assert find_code(answer) is None
    assert not unfinished(answer)

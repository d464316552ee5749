"""The words that conditions are said in."""

from __future__ import annotations

from typing import Final

from trackrecord.strategies.sentences.cursor import DAY, SPAN, N

UP: Final = r"above|over|higher than|greater than|more than|bigger than|larger than|exceeds|exceeding|exceed|>|in excess of|north of|beyond"

DOWN: Final = r"below|under|beneath|underneath|lower than|less than|smaller than|fewer than|<|south of|beneath of"

UP_TO: Final = r"at least|no less than|not less than|not below|not under|not lower than|no lower than|at or above|equal to or above|above or equal to|greater than or equal to|more than or equal to|>=|=>|min(?:imum)? of|equal or above"

DOWN_TO: Final = r"at most|no more than|not more than|not above|not over|not higher than|no higher than|no greater than|not greater than|at or below|equal to or below|below or equal to|less than or equal to|lower than or equal to|<=|max(?:imum)? of"

STATES: Final = r"(?:(?:it |which |that )?(?:is|are|was|were)(?: (?:trading|still|being|sitting|staying|holding))?|be|being|has been|have been|stays?|remains?|trades?|trading|sits?|gets?|stands?|reads?|staying|holding|holds|has|still)"

CLOSES: Final = r"(?:closes|closed|closing|close|finishes|ends|ends day|settles)"

CROSSES: Final = r"(?:crosses|cross|crossed|crossing|x|crossover|cuts|cut|has crossed|just crossed)"

RISES: Final = r"(?:rises|rise|rising|climbs|moves up|moves|goes up|goes|breaks out|breaks|break|breaking|broke|jumps|pushes|pops|comes|turns|gets|moves back|ticks|runs|travels|closes up|advances|surges|reclaims|recovers|pulls)"

FALLS: Final = r"(?:falls|fall|falling|fell|drops|drop|dropping|dropped|dips|dip|slips|sinks|moves down|moves|goes down|goes|breaks down|breaks|break|breaking|broke|comes|turns|gets|slides|declines|tumbles|plunges|pulls|crashes)"

AND_WORDS: Final = r"and|while|with|but|plus|as long as|provided that|provided|given that|whilst|so long as|and when|and if|where|together with|along with|and while|and with"

OR_WORDS: Final = r"or if|or when|or"

ROW: Final = rf"(?:for |on )?{N} (?:{DAY} in row|consecutive {DAY}|straight {DAY}|{DAY} running|{DAY} straight|{DAY} consecutively|times in row|in row|successive {DAY}|closes in row|consecutive closes)"

LAST: Final = rf"(?:at (?:some|any) point |at least once |any time |sometime )?(?:within|in|during|over) (?:last|past|previous|prior|preceding) {N} ({SPAN})"

RED: Final = r"(?:red|bearish|negative)"

GREEN: Final = r"(?:green|bullish|positive)"

MORE_THAN: Final = r"(?:by )?(?:(more than|over|greater than|at least|no less than|>=|>|less than|under|at most|minimum of)? ?)"

BANDS: Final = frozenset({
    "bollinger_upper", "bollinger_lower", "keltner_upper", "keltner_lower", "highest", "lowest",
})  # fmt: skip

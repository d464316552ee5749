"""Words of keys that tell what an object is, without what joins their parts."""

from __future__ import annotations

from typing import Final

VOTERS: Final = frozenset({
    "agents", "agent", "analysts", "analystsignals", "agentsignals", "votes", "voters",
    "vote", "voting", "indicators", "indicator", "technicalindicators", "debate", "opinions",
    "models", "modelsignals", "modelpredictions", "predictions", "components", "subsignals",
    "individualsignals", "individual", "signalsbyindicator", "strategyvotes",
    "strategysignals", "timeframes", "timeframesignals", "oscillators", "movingaverages",
    "experts", "personas", "investors", "participants", "breakdown", "contributions",
    "sources", "factors", "contributingsignals", "indicatorsignals", "technicalsignals",
    "bymodel", "bystrategy", "byindicator", "bytimeframe", "ensemblevotes", "modelvotes",
    "agentvotes", "roles", "researchers", "reports", "sentiments", "rules",
})  # fmt: skip
"""What holds votes, of which none decides."""

SOURCE_KEYS: Final = frozenset({
    "analyzer", "analyser", "detector", "indicator", "indicatorname", "voter", "analyst",
    "analystname", "oscillator",
})  # fmt: skip
"""What names the one of several that votes."""

NOT_NOW: Final = frozenset({
    "history", "tradehistory", "signalhistory", "closedtrades", "tradelog", "ledger",
    "executedtrades", "executions", "fills", "closedpositions", "pastsignals",
    "previoussignals", "previous", "prev", "previoussignal", "lastsignal", "last",
    "lasttrade", "old", "before", "prior", "recenttrades", "completedtrades", "backtest",
    "backtesttrades", "closed", "closedtrade", "executed", "filled", "orderhistory", "past",
    "recentsignals", "removed", "dropped",
})  # fmt: skip
"""What holds advice or trades of the past."""

HOLDINGS: Final = frozenset({
    "positions", "openpositions", "holdings", "currentposition", "currentpositions",
    "openposition", "position", "portfolio", "opentrades", "activepositions", "activetrades",
    "existingposition", "holding", "positionstate",
})  # fmt: skip
"""What holds positions that are open."""

REQUESTS: Final = frozenset({
    "request", "requestbody", "payload", "body", "order", "orders", "orderrequest",
    "orderparams", "params", "legs", "leg", "openorders", "pendingorders", "orderresult",
    "orderresponse", "orderdata", "fill", "execution", "orderbook", "neworder", "kwargs",
    "args", "trade", "trades", "transactions", "transaction",
})  # fmt: skip
"""What holds orders."""

TEMPLATES: Final = frozenset({
    "schema", "properties", "example", "examples", "template", "format", "outputformat",
    "config", "configuration", "settings", "parameters", "strategyparams", "defaults",
    "default", "testcase", "testcases", "test", "tests", "expected", "fixture", "fixtures",
    "mock", "enum", "definitions", "options", "choices", "jsonschema", "responseformat",
    "input", "inputs", "sample", "samples", "groundtruth", "mapping", "menu", "help", "usage",
})  # fmt: skip
"""What holds settings, examples and descriptions."""

DROPPED_UNDER: Final = frozenset({
    "alternatives", "alternative", "skipped", "rejected", "filtered", "whatif", "ignored",
    "discarded", "scenarios", "blocked", "suppressed", "rejectedsignals", "filteredsignals",
    "skippedsignals", "considered", "hypothetical",
})  # fmt: skip
"""What holds signals that are not followed."""

ORDER_KEYS: Final = frozenset({
    "wallet", "walletaddress", "txhash", "txid", "txsignature", "maker", "taker", "counterparty",
    "amountusd", "usdamount",
    "apikey", "secret", "passphrase", "password", "pricetype", "product", "producttype",
    "ordertype", "timeinforce", "tif", "clientorderid", "validity", "variety",
    "exchangesegment", "disclosedquantity", "reduceonly", "closeposition", "postonly",
    "workingtype", "ordervariety", "triggerprice", "positionside", "recvwindow", "signature",
    "newclientorderid", "quoteorderqty", "transactiontype", "extendedhours", "ordertag",
    "accountid", "magic", "deviation", "filling", "typefilling", "typetime",
})  # fmt: skip
"""What only an order to a broker says."""

EXIT_KEYS: Final = frozenset({
    "exit", "exitprice", "exittime", "exitdate", "exitreason", "exitat", "exitedat", "exitts",
    "exitbar", "closeprice", "closedat", "closetime", "closedprice", "closerate", "closedate",
    "closereason", "exitrate", "sellprice", "soldat", "closingprice", "avgexitprice",
    "exitfill", "exittimestamp",
})  # fmt: skip
"""What only a trade that is over says."""

DONE_KEYS: Final = frozenset({
    "orderid", "filledqty", "filledquantity", "executedqty", "avgfillprice", "fillprice",
    "filledprice", "filledat", "executedat", "executionprice", "executedprice", "tradeid",
    "commission", "fee", "fees", "realizedpnl", "realisedpnl", "cummulativequoteqty",
    "filledavgprice", "fillid", "slippage",
})  # fmt: skip
"""What only an order that was filled says."""

HELD_KEYS: Final = frozenset({
    "unrealizedpnl", "unrealisedpnl", "unrealizedpnlpct", "unrealizedpl", "markprice",
    "liquidationprice", "avgprice", "averageprice", "avgentryprice", "unrealizedprofit",
    "entrytime", "entrydate", "openedat", "opentime", "daysheld", "barsheld",
    "marketvalue", "costbasis", "currentpnl", "upnl", "floatingpnl", "openpnl", "positionamt",
    "holdtime", "averagecost", "avgcost", "opentimems", "openedon", "openingtime", "holdingdays",
    "hoursheld", "liqprice", "distancetosl", "distancetotp", "distancetostop", "distancetotarget",
})  # fmt: skip
"""What only a position says."""

STATE_KEYS: Final = frozenset({
    "status", "state", "event", "eventtype", "orderstatus", "tradestatus", "positionstatus",
    "type", "kind", "signalstatus", "outcome", "msgtype", "message", "msg", "result",
    "exitreason",
})  # fmt: skip
"""What tells the state of a signal, order or trade."""

REASONS: Final = frozenset({
    "reason", "reasoning", "reasons", "rationale", "explanation", "analysis", "thesis",
    "justification", "why", "comment", "notes", "summary", "理由", "分析",
})  # fmt: skip
"""What tells why: advice has reasons, orders have none."""

RULE_KEYS: Final = frozenset({"combinator", "operator", "conditions", "entryconditions", "ifthen"})
"""What only a rule says of when it acts."""

RATINGS: Final = frozenset({
    "score", "rating", "strength", "grade", "trend", "risklevel", "risk", "quality", "pattern",
    "confluence", "scorebreakdown", "signalstrength", "totalscore", "timeframe", "setup", "bias",
    "trendalignment", "regime", "momentum", "volatility", "rsi", "conviction", "serverscore",
    "finalscore", "aiscore", "overallscore", "compositescore", "rank", "stars", "reasons",
})  # fmt: skip
"""What only an analysis says of an instrument; several of them make a side a view of today."""

NOT_RATED: Final = frozenset({
    "trailingactive", "trailingstop", "orderid", "ticket", "leverage", "margin", "pnl", "pnlpct",
    "positionid", "tradeid", "active", "opened", "closed", "enabled", "cooldown", "lastupdate",
    "exchange", "wintrades", "winrate", "trades", "totaltrades", "result", "outcome",
})  # fmt: skip
"""What a position, an order or a strategy says beside its side."""

EXECUTING_NAMES: Final = frozenset({
    "order", "request", "fill", "execution", "position", "holding", "leg", "orderrequest",
    "transaction", "orderresult", "orderresponse",
})  # fmt: skip
"""Last words of the names of records that are orders or positions."""

TRADE_COUNTS: Final = frozenset({
    "trades", "totaltrades", "numtrades", "ntrades", "tradecount", "numberoftrades",
    "closedtrades", "tradestotal", "tradescount", "totalclosedtrades", "completedtrades",
    "nooftrades", "numclosedtrades", "totalclosed", "tradesclosed", "totaltradecount",
    "tradesexecuted", "executedtrades",
})  # fmt: skip
"""How many trades a result rests on."""

OTHER_RESULTS: Final = frozenset({
    "benchmark", "buyandhold", "buyhold", "bnh", "market", "expected", "forecast", "baseline",
    "besttrade", "worsttrade", "monthlyreturns", "dailyreturns", "yearlyreturns", "best",
    "worst", "average", "avg", "projected", "target", "targets", "monthly", "daily", "train",
    "training", "projection", "scenarios", "risk", "config", "settings", "params",
    "parameters", "example", "schema", "properties", "optimization",
})  # fmt: skip
"""What holds results of something else, or parts of one."""

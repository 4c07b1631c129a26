"""The fault catalogue as a seed draws from it: the rows of reliability section 4 that strike venue, wire and disk.

A row is either fault tables of the exchange's plan, or something that happens once at a drawn moment.
Rates stay so low that the exchange still answers: then the bounds of protection must hold.
"""

from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    row: str
    tables: Callable


ORDER, ALGO = "POST /fapi/v1/order", "POST /fapi/v1/algoOrder"
SENDS = [ORDER, ALGO]
CANCELS = ["DELETE /fapi/v1/order", "DELETE /fapi/v1/algoOrder"]
READS = ["GET /fapi/v3/positionRisk", "GET /fapi/v1/openOrders", "GET /fapi/v1/openAlgoOrders", "GET /fapi/v3/account"]
QUERIES = ["GET /fapi/v1/order", "GET /fapi/v1/algoOrder"]


def error(on, status, code, msg="scripted", **more):
    return {"kind": "error_answer", "on": on, "status": status, "code": code, "msg": msg, **more}


def private(kind, **more):
    return {"kind": kind, "route": "private", **more}


PLANNED = (
    Row("F01", lambda r: [{"kind": "lost_answer", "on": SENDS, "rate": 0.3, "how": r.choice(["reset", "timeout"])}]),
    Row("F01", lambda r: [error(SENDS, 503, None, "Unknown error, please check your request or try again later.",
                                rate=0.2, executed=r.random() < 0.5)]),
    Row("F02", lambda _: [{"kind": "lost_answer", "on": SENDS, "rate": 0.25, "executed": False}]),
    Row("F03", lambda r: [{"kind": "late_execution", "on": SENDS, "rate": 0.25, "seconds": r.choice([0.5, 2.0, 4.5])}]),
    Row("F04", lambda _: [error(SENDS, 503, None, "Service Unavailable.", rate=0.3)]),
    Row("F04", lambda _: [{"kind": "overload", "rate": 0.5}]),
    Row("F05", lambda r: [{"kind": "read_lag", "on": QUERIES, "rate": 0.7, "seconds": r.choice([2.0, 10.0, 40.0])}]),
    Row("F06", lambda _: [error([ORDER], 400, -4116, rate=0.2, executed=True, times=2)]),
    Row("F09", lambda r: [{"kind": "slow_answer", "on": SENDS, "rate": 0.5, "seconds": r.choice([0.3, 1.0])}]),
    Row("F10", lambda _: [private("repeated_frame", rate=0.5)]),
    Row("F11", lambda _: [error(CANCELS, 400, -2011, rate=0.3)]),
    Row("F12", lambda r: [error([ORDER], 400, r.choice([-2022, -4118]), rate=0.3, times=3)]),
    Row("F13", lambda _: [error(SENDS, 400, -4061, rate=0.2, times=2)]),
    Row("F15", lambda r: [error(["POST /fapi/v1/leverage", "POST /fapi/v1/marginType"], 400, r.choice([-4028, -4161]),
                                rate=0.5)]),
    Row("F15", lambda _: [error([ORDER], 400, -2019, rate=0.2, times=2)]),
    Row("F16", lambda r: [error([ALGO], 400, r.choice([-4045, -1102, -2013]), rate=r.choice([0.3, 1.0]))]),
    Row("F16", lambda r: [{"kind": "lost_answer", "on": [ALGO], "rate": 1.0, "executed": r.random() < 0.5}]),
    Row("F17", lambda r: [error([ALGO], 400, r.choice([-2021, -4142]), rate=0.3)]),
    Row("F18", lambda r: [{"kind": "read_lag", "on": ["GET /fapi/v1/openAlgoOrders", "GET /fapi/v1/algoOrder"],
                           "rate": 1.0, "seconds": r.choice([3.0, 15.0])}]),
    Row("F20", lambda _: [error([ALGO], 400, -4045, rate=0.4)]),
    Row("F21", lambda _: [error([ALGO], 400, -4120, rate=1.0)]),
    Row("F27", lambda _: [private("stall", rate=1.0)]),
    Row("F27", lambda r: [private("lost_frame", rate=r.choice([0.2, 0.6]))]),
    Row("F28", lambda r: [{"kind": "action", "at": sorted(r.uniform(1, 60) for _ in range(3)),
                           "do": {"action": "disconnect", "how": r.choice(["abrupt", "close"])}},
                          {"kind": "refuse_connections", "rate": 0.5}]),
    Row("F29", lambda r: [{"kind": "action", "at": [r.uniform(1, 50)], "do": {"action": "expire_listen_keys"}}]),
    Row("F29", lambda _: [error(["POST /fapi/v1/listenKey", "PUT /fapi/v1/listenKey"], 400, -1125, rate=0.4)]),
    Row("F30", lambda _: [private("swapped_frames", rate=0.3)]),
    Row("F31", lambda r: [private("late_frame", rate=0.5, seconds=r.choice([0.5, 3.0]))]),
    Row("F32", lambda r: [private("malformed_frame", rate=0.2, variant=r.choice(["cut", "html", "binary", "huge"]))]),
    Row("F32", lambda r: [{"kind": "garbled_answer", "on": [*READS, *SENDS], "rate": 0.2,
                           "variant": r.choice(["html", "cut", "binary"])}]),
    Row("F33", lambda _: [private("malformed_frame", rate=0.2, variant="nan"),
                          {"kind": "garbled_answer", "on": READS, "rate": 0.2, "variant": "nan"}]),
    Row("F35", lambda _: [error(["*"], 429, -1003, rate=0.05, retry_after=1)]),
    Row("F39", lambda r: [{"kind": "empty_answer", "on": READS, "rate": 0.3, "body": r.choice(["[]", "{}"])}]),
    Row("F42", lambda r: [{"kind": "lost_answer", "on": ["*"], "rate": r.choice([0.1, 0.25]), "executed": False}]),
)  # fmt: skip
"""Rows of the exchange's fault plan."""

DEAF = (
    Row("F37", lambda r: [error(["*"], 401, -2015, after=10.0, until=10.0 + r.uniform(2, 8))]),
    Row("F36", lambda r: [{"kind": "maintenance", "after": 20.0, "until": 20.0 + r.uniform(5, 40)}]),
    Row("F35", lambda r: [{"kind": "action", "at": [r.uniform(5, 40)], "do": {"action": "ban", "seconds": 20.0}}]),
)
"""Rows in which the exchange does not answer for a while: the bound on naked time is stopped meanwhile."""

HAPPENINGS = {
    "F08": "a resting entry is filled in part, then cancelled",
    "F14": "the rules of a contract change",
    "F19": "the algo service gets stuck or rejects at the trigger",
    "F22": "somebody cancels the stop",
    "F23": "somebody closes the position and leaves its stop",
    "F24": "liquidation",
    "F25": "auto-deleveraging or settlement",
    "F26": "somebody cancels everything, conditional orders included",
    "F38": "manual orders and transfers",
    "F40": "funding outside the intervals",
    "F41": "the exchange's clock steps",
    "F43": "the process is killed",
    "F44": "power is cut: what was not synced is lost, the last record may be torn",
    "F45": "the disk refuses for a while",
    "F47": "the loop stands still",
    "F49": "another desk trades on the account",
}
"""Rows that happen at one moment of a scenario."""


def draw(random, rate):
    """Return (rows by name, fault tables, deaf windows, happenings) of a seed."""
    rows, tables, deaf = [], [], []
    for row in PLANNED:
        if random.random() < rate:
            rows.append(row.row)
            tables += [(row.row, table) for table in row.tables(random)]
    if random.random() < rate:
        row = random.choice(DEAF)
        rows.append(row.row)
        found = row.tables(random)
        tables += [(row.row, table) for table in found]
        for one in found:
            at = one["at"][0] if "at" in one else one["after"]
            deaf.append((at, at + one["do"]["seconds"] if "at" in one else one["until"]))
    happenings = [name for name in HAPPENINGS if random.random() < 1.2 * rate]
    return rows, tables, deaf, happenings

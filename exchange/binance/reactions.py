"""The venue's error codes as reactions: the table of section 6.2 of the contract, row by row.

Wording varies by a word or a full stop, so only the code is looked at. A code no row lists is shown to the operator.
"""

from __future__ import annotations

from exchange.reactions import Reaction

CODES: dict[Reaction, tuple[int, ...]] = {
    Reaction.RECONCILE: (-1000, -1001, -1006, -1007),
    Reaction.STOP_TRADING: (-1002, -1010, -1011, -2014, -2015, -2017),
    Reaction.WAIT: (-1003, -1015),
    Reaction.BACK_OFF: (-1008, -1016),
    Reaction.RESYNC_CLOCK: (-1021, -5028),
    Reaction.DEFECT: (
        -1013, -1014, -1020, -1022, -1023, -1127, -4165,
        -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1114, -1115, -1116, -1117, -1136,
        -2026, -4015, -4021, -4082, -4083, -4120, -4135, -4137, -4138,
        -5037, -5038, -5039, -5040, -5041,
    ),
    Reaction.REFRESH_RULES: (-1111, -4001, -4002, -4003, -4004, -4005, -4013, -4014, -4023),
    Reaction.DROP_SYMBOL: (-1120, -1121, -1122, -1130, -4140, -4141),
    Reaction.NEW_LISTEN_KEY: (-1125,),
    Reaction.GIVE_UP: (-2010, -2018, -2020),
    Reaction.LOWER_SIZE: (-2019, -2027),
    Reaction.ALREADY_CLOSED: (-2011,),
    Reaction.NO_SUCH_ORDER: (-2013,),
    Reaction.CLOSE_NOW: (-2021, -4142),
    Reaction.REREAD_POSITION: (-2022, -2024),
    Reaction.HALT: (-2023,),
    Reaction.CANCEL_STALE: (-2025, -4045),
    Reaction.KEEP_LEVERAGE: (-2028, -4161),
    Reaction.LOWER_LEVERAGE: (-4028,),
    Reaction.REPRICE: (-4016, -4024, -5021, -5022),
    Reaction.NOTHING_TO_CHANGE: (-4046, -4059, -4171),
    Reaction.CLEAN_UP_FIRST: (-4047, -4048, -4067, -4068, -4531),
    Reaction.REREAD_MODE: (-4060, -4061, -4062),
    Reaction.CLOSE_ONLY: (-4087, -4088, -4189, -4192),
    Reaction.BLOCK_SYMBOL: (-4105, -4106, -4107, -4400, -4401),
    Reaction.DUPLICATE_ID: (-4116,),
    Reaction.STOP_TRIGGERING: (-4117,),
    Reaction.FREE_REDUCE_ONLY: (-4118,),
    Reaction.CLOSE_POSITION_CONFLICT: (-4130, -4509),
    Reaction.WAIT_FOR_PRICE: (-4131,),
    Reaction.BELOW_MINIMUM: (-4164,),
    Reaction.QUERY_ORDER: (-5024, -5025, -5026, -5027, -5029, -5043, -5047),
    Reaction.SHOW: (
        -4050, -4051, -4054, -4055, -4109,
        -4167, -4168, -4169, -4170, -4172, -4183, -4184,
        -4202, -4203, -4205, -4206, -4208, -4209, -4210, -4211, -4402, -4403,
    ),
}  # fmt: skip
"""Every code a reaction belongs to. -1016 waits, as reliability rule F36 has it: it announces maintenance.
-5028 is the matching engine's own check of the timestamp (section 2): certainly not placed, but not sent again here."""

REACTIONS: dict[int, Reaction] = {code: reaction for reaction, codes in CODES.items() for code in codes}

_BY_STATUS: dict[int, Reaction] = {
    401: Reaction.STOP_TRADING,
    403: Reaction.BACK_OFF,
    418: Reaction.WAIT,
    429: Reaction.WAIT,
    451: Reaction.STOP_TRADING,
}
"""Statuses that speak of more than one request; they decide before the code."""


def reaction_to(status: int, code: int | None) -> Reaction:
    """Return the reaction to a certain refusal (an unknown outcome is always reconciled)."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    found = Reaction.SHOW if code is None else REACTIONS.get(code, Reaction.SHOW)
    if found is Reaction.RECONCILE or (found is Reaction.SHOW and status >= 500):
        # Its text proved that nothing was done.
        return Reaction.BACK_OFF
    return Reaction.DEFECT if status == 404 else found

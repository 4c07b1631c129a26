"""Names of the simulated contracts: majors with their usual price level, a tail by sector, and invented ones beyond.

The order is the order of liquidity. Prices are only a plausible starting level in USDT.
"""

from __future__ import annotations

from typing import NamedTuple


class ContractName(NamedTuple):
    """A base asset with its sector; `price` is None where the seed chooses the level."""

    base: str
    sector: str
    price: float | None


MAJORS: tuple[ContractName, ...] = (
    ContractName("BTC", "PoW", 96_000.0),
    ContractName("ETH", "Layer-1", 3_400.0),
    ContractName("SOL", "Layer-1", 185.0),
    ContractName("XRP", "Payment", 2.3),
    ContractName("DOGE", "Meme", 0.21),
    ContractName("BNB", "CEX", 680.0),
    ContractName("1000PEPE", "Meme", 0.0118),
    ContractName("SUI", "Layer-1", 3.4),
    ContractName("ADA", "Layer-1", 0.74),
    ContractName("LINK", "Infrastructure", 17.5),
    ContractName("AVAX", "Layer-1", 24.0),
    ContractName("LTC", "PoW", 102.0),
    ContractName("TRX", "Layer-1", 0.29),
    ContractName("BCH", "PoW", 510.0),
    ContractName("WIF", "Meme", 0.92),
    ContractName("HYPE", "DEX", 38.0),
)

NON_ASCII = ContractName("币安人生", "Meme", 0.17)
SETTLING = ContractName("FTT", "CEX", 0.82)
UNTYPED = ContractName("BLZ", "Infrastructure", 0.034)
FALLBACK_SECTOR = "Infrastructure"

_TAIL_BY_SECTOR: dict[str, str] = {
    "Layer-1": (
        "DOT NEAR APT ICP HBAR ATOM TIA SEI ALGO FTM EGLD XTZ NEO QTUM IOST ICX KAVA CELO ROSE MINA FLOW ASTR KLAY "
        "TON INJ KAS VET ONE ZIL SXP CKB S BERA IP"
    ),
    "DeFi": (
        "AAVE UNI CRV ENA LDO MKR COMP SNX SUSHI YFI BAL DYDX GMX PENDLE RUNE 1INCH CAKE KNC ZRX BEL RSR REN LQTY XVS "
        "RDNT HIFI BOND UMA JUP JTO RAYSOL ORCA DRIFT CETUS COW AERO MORPHO ETHFI EIGEN REZ LISTA PUFFER SYRUP RESOLV"
    ),
    "Meme": (
        "1000SHIB 1000BONK 1000FLOKI PNUT FARTCOIN POPCAT MOODENG TURBO MEME BOME NEIRO MEW DOGS 1000SATS 1000RATS "
        "1000CAT 1000CHEEMS 1000WHY 1000X 1MBABYDOGE 1000000MOG GOAT CHILLGUY BRETT TRUMP MELANIA PENGU MYRO PEOPLE ACT"
    ),
    "AI": (
        "FET TAO WLD RENDER VIRTUAL AIXBT AI16Z GRASS ARKM AGIX OCEAN PHB NMR CGPT SWARMS ZEREBRO GRIFFAIN KAITO VVV "
        "COOKIE ALCH AI AVAAI PIPPIN IO"
    ),
    "Layer-2": "OP ARB POL STRK IMX MANTA METIS ZK ZRO SKL CELR LRC COTI CTSI MOVE OMG SCR TAIKO BLAST MERL",
    "Infrastructure": (
        "GRT PYTH BAND API3 TRB ANKR ENS JASMY IOTX CHR RLC STORJ W AXL ZETA ALT SSV POWR GAS DIA NKN DUSK HOOK ID "
        "CYBER POLYX QNT LPT GLM"
    ),
    "Gaming": "AXS SAND MANA GALA ENJ ALICE TLM YGG ILV PIXEL PORTAL XAI BIGTIME MAGIC SUPER BEAMX RONIN GMT MAVIA",
    "PoW": "ETC ZEC DASH RVN ZEN DGB BSV XMR KDA ORDI STX",
    "RWA": "ONDO OM RSS3 TRU CFG PLUME SNT",
    "Storage": "FIL AR HOT SC BLUR THETA",
    "Payment": "XLM IOTA ACH XVG REQ PUNDIX",
}

_TAIL_BLOCKED = frozenset(name.base for name in (*MAJORS, NON_ASCII, SETTLING, UNTYPED))
_SYLLABLES = ("ar", "be", "cor", "da", "el", "fi", "go", "hex", "in", "jo", "ka", "lu", "mo", "nex", "or", "pi")


def _tail() -> tuple[ContractName, ...]:
    """Deal the sectors' names out in turn, so that every size of the market holds every sector."""
    hands = {sector: names.split() for sector, names in _TAIL_BY_SECTOR.items()}
    dealt: list[ContractName] = []
    for turn in range(max(map(len, hands.values()))):
        for sector, names in hands.items():
            if turn < len(names) and names[turn] not in _TAIL_BLOCKED:
                dealt.append(ContractName(names[turn], sector, None))
    return tuple(dealt)


TAIL = _tail()
SECTORS: tuple[str, ...] = tuple(sorted({name.sector for name in (*MAJORS, *TAIL)}))
SECTOR_OF: dict[str, str] = {name.base: name.sector for name in (*MAJORS, *TAIL, NON_ASCII, SETTLING, UNTYPED)}


def _invented(number: int) -> ContractName:
    """Return the invented name of that number; three syllables give 4,096 names, then a number follows."""
    size = len(_SYLLABLES)
    syllables = (_SYLLABLES[number % size], _SYLLABLES[number // size % size], _SYLLABLES[number // size**2 % size])
    turn = number // size**3
    return ContractName("".join(syllables).upper() + (str(turn) if turn else ""), SECTORS[number % len(SECTORS)], None)


def contract_names(count: int) -> tuple[ContractName, ...]:
    """Return `count` different tradable names, most liquid first; from 8 names on one of them is not ASCII."""
    known = (*MAJORS, *TAIL)
    if count < 8:
        return known[:count]
    rest = count - 1
    names = list(known[:rest])
    number = 0
    taken = {name.base for name in known} | _TAIL_BLOCKED
    while len(names) < rest:
        name = _invented(number)
        number += 1
        if name.base not in taken:
            names.append(name)
    names.insert(min(rest, 40), NON_ASCII)
    return tuple(names)

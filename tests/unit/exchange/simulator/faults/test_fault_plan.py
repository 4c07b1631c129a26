"""A fault plan is read whole or refused with the fault, the key and the remedy."""

import pytest

from exchange.simulator.faults.chance import Chance
from exchange.simulator.faults.plan import FaultPlan, LostAnswer, PlanError, read_plan


def test_an_empty_plan_has_no_fault():
    assert read_plan("") == FaultPlan()


def test_a_fault_keeps_what_its_table_says():
    plan = read_plan('seed = 3\n[[fault]]\nkind = "lost_answer"\nid = "F01"\non = ["POST /fapi/v1/order"]\nrate = 0.1')
    assert plan.seed == 3
    assert plan.fault == (LostAnswer(id="F01", on=("POST /fapi/v1/order",), rate=0.1),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[fault", "no TOML"),
        ("[[fault]]\nrate = 1.0", "fault 1 names no kind"),
        ('[[fault]]\nkind = "lost_anser"', "did you mean lost_answer?"),
        ('[[fault]]\nkind = "lost_answer"\n[[fault]]\nkind = "stall"\nrat = 1.0', "fault 2 (stall): .*`rat`"),
        ('[[fault]]\nkind = "lost_answer"\nrate = 2.0', "rate is 2.0: use a share from 0 to 1"),
        ('[[fault]]\nkind = "slow_answer"\nseconds = -1.0', "seconds is -1.0: use seconds from 0"),
        ('[[fault]]\nkind = "slow_answer"', "missing required field `seconds`"),
        ('[[fault]]\nkind = "stall"\nroute = "martket"', "Invalid enum value 'martket'"),
        ('[[fault]]\nkind = "lost_frame"\ntimes = 0', "times is 0: use 1 or more"),
        ('[[fault]]\nkind = "error_answer"\nstatus = 200', "status is 200: use an error status"),
        ('[[fault]]\nkind = "short_batch"\nmissing = 0', "missing is 0"),
        ('[[fault]]\nkind = "action"\nat = []\ndo = { action = "ban" }', "give one or more moments"),
        ('[[fault]]\nkind = "action"\nat = [1.0]\ndo = { action = "bam" }', "do: action is 'bam'.*did you mean ban?"),
        ('[[fault]]\nkind = "action"\nat = [1.0]\ndo = { action = "step_clock" }', "missing required field `ms`"),
        ("fault = [1]", "fault 1 is no table"),
    ],
)
def test_a_plan_that_cannot_be_used_says_why(text, told):
    with pytest.raises(PlanError, match=told.replace("?", r"\?").replace("(", r"\(").replace(")", r"\)")):
        read_plan(text)


def test_a_chance_strikes_about_as_often_as_its_rate_and_the_same_for_the_same_seed():
    first, second = (Chance(LostAnswer(rate=0.3), 5, 0) for _ in range(2))
    strikes = [first.strikes(float(moment)) for moment in range(1000)]
    assert strikes == [second.strikes(float(moment)) for moment in range(1000)]
    assert 250 < sum(strikes) < 350
    assert (first.seen, first.struck) == (1000, sum(strikes))


def test_a_chance_strikes_inside_its_window_and_so_often_only():
    chance = Chance(LostAnswer(after=10.0, until=20.0, times=3), 5, 0)
    assert [moment for moment in range(30) if chance.strikes(float(moment))] == [10, 11, 12]
    assert chance.seen == 3

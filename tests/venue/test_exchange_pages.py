"""The pages on the exchange are what the code says, and nothing of the contract is missing without a reason."""

import exchange_coverage
import exchange_reference
import pytest


@pytest.mark.parametrize("source", [exchange_coverage, exchange_reference])
def test_the_page_is_up_to_date(source):
    assert source.PAGE.read_text(encoding="utf-8") == source.page(), f"run python {source.__file__}"


def test_nothing_of_the_contract_is_missing_without_a_reason():
    assert exchange_coverage.unexplained() == []


def test_no_reason_is_given_for_what_is_there():
    assert exchange_coverage.stale() == []

"""The official validator of FOCUS 1.2 on an exported file: its known false failures, by their ids, and no other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

# Which of its conditions hold here.
CRITERIA = (
    *("CAPACITY_RESERVATION_SUPPORTED", "COMMITMENT_DISCOUNT_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED"),
    *("USAGE_MEASUREMENT_SUPPORTED", "UNIT_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED", "SUB_ACCOUNT_SUPPORTED"),
    *("BILLING_BASED_ON_PROVISIONED_RESOURCES_SUPPORTED", "RESOURCE_TYPE_ASSIGNMENT_SUPPORTED", "REGION_SUPPORTED"),
)
# What it finds fault with on every file of an account like this one, though the standard allows it.
FALSE = {
    "InvoiceId-C-005-C",  # asks for an invoice of what is not invoiced yet
    # It asks for a status of every charge of a reservation; a purchase and a credit have none.
    *("CapacityReservationStatus-C-000-C", "CapacityReservationStatus-C-002-C", "CapacityReservationStatus-C-003-C"),
    *("CapacityReservationStatus-C-004-C", "CommitmentDiscountStatus-C-000-C", "CommitmentDiscountStatus-C-002-C"),
    "CommitmentDiscountStatus-C-004-C",
}


@pytest.fixture(scope="module")
def validator(tools: Path) -> list[str | Path]:
    """The command of the validator, which finds its rules only where it is installed."""
    asked = [tools / "bin" / "python", "-c", "import sys; print(sys.version_info >= (3, 12))"]
    if subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip() != "True":
        pytest.skip("the official validator needs Python 3.12: make test-focus FOCUS_PYTHON=python3.12")
    return [tools / "bin" / "python", "-m", "focus_validator.main"]


def failed(validator: list[str | Path], file: Path) -> tuple[set[str], int]:
    """The ids of the rules that a file fails, and how many rules it passes. Its exit status says nothing."""
    options = ["--data-file", file, "--validate-version", "1.2", "--block-download"]
    where = subprocess.run(
        [validator[0], "-c", "import focus_validator, os; print(os.path.dirname(focus_validator.__path__[0]))"],
        check=True,
        capture_output=True,
        text=True,
    )
    said = subprocess.run(
        [*validator, *options, "--applicability-criteria", ",".join(CRITERIA)],
        cwd=where.stdout.strip(),
        check=False,
        capture_output=True,
        text=True,
    )
    counted = re.search(r"Total: (\d+) \| Pass: (\d+) \| Fail: (\d+)", said.stdout + said.stderr)
    assert counted, (said.stdout + said.stderr)[-2000:]
    ids = set(re.findall(r"^\S+ (\S+): FAIL", said.stdout + said.stderr, re.MULTILINE))
    assert len(ids) == int(counted[3])
    return ids, int(counted[2])


def test_only_the_known_rules_fail(validator: list[str | Path], files: dict[str, Path], tmp_path: Path) -> None:
    """Of a file of known types eight rules, all of them false; a currency in small letters fails more."""
    lines = files["1.2"].with_suffix(".csv").read_text().splitlines(keepends=True)
    known = tmp_path / "known.csv"
    known.write_text("".join(line for line in lines if "inst_odd" not in line))
    ids, passed = failed(validator, known)
    assert ids == FALSE
    assert passed > 250
    faulty = tmp_path / "faulty.csv"
    faulty.write_text(known.read_text().replace(",USD,USD,", ",usd,USD,"))
    assert failed(validator, faulty)[0] > FALSE

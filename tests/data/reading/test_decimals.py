"""Numbers as text: what is read is what was written, and what is no number stays none."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.data.reading.decimals import CONTINENTAL, ENGLISH, Style, styles, to_doubles, why_no_number


@pytest.mark.parametrize(
    ("cell", "style", "value"),
    [
        ("1'505.52", ENGLISH, 1505.52),
        ("1’234’567", ENGLISH, 1234567),
        ("1 234 567,8", CONTINENTAL, 1234567.8),
        ("1\u202f234,5", CONTINENTAL, 1234.5),
        ("1'234,567.8", ENGLISH, 1234567.8),
        ("$ 1,234.5", ENGLISH, 1234.5),
        ("1.234,5 €", CONTINENTAL, 1234.5),
        ("- 1,234", ENGLISH, -1234),
        ("'100.3", ENGLISH, 100.3),
        ("1,23,910.19", ENGLISH, 123910.19),
        ("12,34,56,789", ENGLISH, 123456789),
    ],
)
def test_groups_of_digits(cell: str, style: Style, value: float) -> None:
    values, wrong = to_doubles(np.array([cell], dtype=object), style)
    assert (values.tolist(), wrong) == ([value], [])


@pytest.mark.parametrize(
    "cell",
    [
        "110'12",
        "110’12",
        "110 40",
        "1 23",
        "1234 567",
        "1'23'456",
        "12.34.567",
        "123,45,678",
        "1,23,45",
        "1, 234",
        "--5",
    ],
)
@pytest.mark.parametrize("style", [ENGLISH, CONTINENTAL])
def test_digits_that_are_parted_otherwise_are_no_number(cell: str, style: Style) -> None:
    assert to_doubles(np.array([cell], dtype=object), style)[1] == [0]


@pytest.mark.parametrize(
    ("cell", "said"), [("110'16", True), ("110-165", True), ("110-16+", True), ("110'40", False), ("1,2,3", False)]
)
def test_32nds_are_named_as_such(cell: str, said: bool) -> None:
    assert ("32nds" in why_no_number(cell)) is said


def test_a_currency_sign_is_no_digit_behind_a_comma() -> None:
    assert len(styles(["1,204 €"])) == len(styles(["€ 1,204"])) == 2

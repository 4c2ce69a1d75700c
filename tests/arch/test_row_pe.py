"""Parts of a row-stationary PE and its mapping: a value that none of them can have is refused where it is made."""

import pytest

from archsim.arch.row_mapping import RowMapping
from archsim.arch.row_pe import ArrayNetworks, RowPe, Spads
from archsim.errors import ConfigError


def test_all_fields_below_their_least_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Spads(ifmap_words=0, weight_words=1, psum_words=-2)
    assert str(caught.value).splitlines() == [
        "pe_array.spads.ifmap_words (=0) must be at least 1",
        "pe_array.spads.psum_words (=-2) must be at least 1",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ArrayNetworks(ifmap_bits=16, weight_bits=0, psum_bits=1), r"networks.weight_bits \(=0\) .* least 1"),
        (lambda: RowPe(restart_cycles=-1), r"row_pe.restart_cycles \(=-1\) must be at least 0"),
        (lambda: RowPe(pass_overhead=-0.5), r"row_pe.pass_overhead \(=-0.5\) must be at least 0"),
        (lambda: RowMapping(m=1, n=1, e=0, p=1, q=1, r=1, t=1), r"mapping: e \(=0\) must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(make, message) -> None:
    with pytest.raises(ConfigError, match=message):
        make()

"""Tests of dataclasses as JSON."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from archsim.arch.architecture import Architecture
from archsim.numerics.format_grammar import parse_format
from archsim.numerics.number_format import NumberFormat
from archsim.study.plain_json import from_plain, json_text, to_plain
from archsim.workload.network import Workload


def test_an_arch_survives_json(arch: Architecture) -> None:
    assert from_plain(Architecture, json.loads(json_text(arch)), "arch") == arch


def test_every_kind_of_layer_survives_json(workload: Workload) -> None:
    assert from_plain(Workload, json.loads(json_text(workload)), "workload") == workload


def test_infinite_bandwidth_survives_json(arch: Architecture) -> None:
    endless = replace(arch, dram=replace(arch.dram, bandwidth_bytes_per_cycle=float("inf")))
    assert from_plain(Architecture, json.loads(json_text(endless)), "arch") == endless


@pytest.mark.parametrize("value", [Fraction(1), Fraction(595, 833)])
def test_a_ratio_survives_json(value: Fraction) -> None:
    assert from_plain(Fraction, json.loads(json_text(value)), "ratio") == value
    with pytest.raises(ValueError, match=r"ratio: must be Fraction \(found '1/0'\)"):
        from_plain(Fraction, "1/0", "ratio")


def test_a_set_is_written_in_one_order(arch: Architecture) -> None:
    assert to_plain(arch.srams[0].holds) == ["ifmap", "ofmap", "psum", "weight"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("clock_mhz", "fast", r"arch\.clock_mhz: must be float \(found 'fast'\)"),
        ("name", 3, r"arch\.name: must be str"),
        ("pe_array", None, r"arch\.pe_array: must be PeArray"),
        ("srams", [{"name": "x"}], r"arch\.srams\.0\.\w+: missing"),
        ("colour", "red", r"arch\.colour: no such key"),
    ],
)
def test_a_misfit_is_named_by_its_key(arch: Architecture, key: str, value: object, message: str) -> None:
    plain = to_plain(arch)
    assert isinstance(plain, dict)
    with pytest.raises(ValueError, match=message):
        from_plain(Architecture, {**plain, key: value}, "arch")


def test_an_unknown_dataflow_lists_the_known_ones(arch: Architecture) -> None:
    plain = json.loads(json_text(arch))
    plain["pe_array"]["dataflow"] = "sideways"
    with pytest.raises(ValueError, match=r"arch\.pe_array\.dataflow: 'sideways' is none of weight_stationary"):
        from_plain(Architecture, plain, "arch")


@pytest.mark.parametrize("name", ["int8", "uint6", "fx<8,4>", "ac_fixed<9,3>", "fp8_e4m3", "bf16", "tf32", "lns8", "lns<6,1>",
                                  "ternary", "binary_exact"])  # fmt: skip
def test_a_format_of_every_class_survives_json(name: str) -> None:
    fmt = parse_format(name)
    again = from_plain(NumberFormat, json.loads(json_text(fmt)), "format")
    assert again == fmt
    assert type(again) is type(fmt)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "int"}, r"format\.name: "),
        ({"width_bits": 9}, r"format: its entries are not those of int8"),
        ({"name": None}, r"format: must be NumberFormat"),
    ],
)
def test_a_format_that_is_not_its_name_is_refused(changes: dict[str, object], message: str) -> None:
    plain = json.loads(json_text(parse_format("int8")))
    with pytest.raises(ValueError, match=message):
        from_plain(NumberFormat, plain | changes, "format")

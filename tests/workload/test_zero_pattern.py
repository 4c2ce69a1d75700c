"""How zeros fall, as a file says it: what cannot be is refused with its line."""

from pathlib import Path

import pytest

from archsim.errors import WorkloadError
from archsim.workload.layer import ConvLayer
from archsim.workload.store import read_workload_yaml
from archsim.workload.zero_pattern import ZeroKind, ZeroPattern, ZeroPatterns

HEAD = "schema: archsim/workload/v1\nname: net\nlayers:\n"
CONV = "  - {name: c, op: conv, in_channels: 3, ifmap: [8, 8], kernel: 3, out_channels: 4,\n     zero_fractions: {ifmap: 0.8, weight: 0.5},\n"
FC = "  - {name: f, op: fc, inner: 144, columns: 4,\n     "


def read(folder: Path, text: str) -> ConvLayer:
    (folder / "net.yaml").write_text(HEAD + text)
    layer = read_workload_yaml(folder / "net.yaml").layers[0]
    assert isinstance(layer, ConvLayer)
    return layer


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(WorkloadError) as raised:
        read(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(raised.value).splitlines()]


def test_patterns_stand_beside_the_fractions(tmp_path: Path) -> None:
    text = (
        CONV
        + "     zero_pattern: {ifmap: {kind: runs, mean_run: 8, images_std: 0.03}, weight: {kind: channels, spread: 0.4}}}\n"
    )
    assert read(tmp_path, text).zero_patterns == ZeroPatterns(
        ifmap=ZeroPattern(kind=ZeroKind.RUNS, mean_run=8, images_std=0.03),
        weight=ZeroPattern(kind=ZeroKind.CHANNELS, spread=0.4),
    )
    assert read(tmp_path, CONV + "    }\n").zero_patterns == ZeroPatterns()


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("ifmap: {kind: rows}", "7: layers.0.zero_pattern.ifmap.kind: input should be 'iid', 'runs' or 'channels' (found 'rows')"),
        ("ifmap: {kind: runs}", "6: layers.0.zero_pattern.ifmap: a zero pattern of kind 'runs' needs mean_run (found {'kind': 'runs'})"),
        ("ifmap: {mean_run: 8}", "6: layers.0.zero_pattern.ifmap: a zero pattern of kind 'iid' has no mean_run (found {'mean_run': 8})"),
        ("ifmap: {kind: runs, mean_run: 0.5}", "6: layers.0.zero_pattern.ifmap.mean_run: input should be greater than or equal to 1 (found 0.5)"),
        ("ifmap: {kind: runs, mean_run: .inf}", "6: layers.0.zero_pattern.ifmap.mean_run: input should be a finite number (found inf)"),
        ("weight: {kind: channels, spread: 1.5}", "6: layers.0.zero_pattern.weight.spread: input should be less than or equal to 1 (found 1.5)"),
        ("ifmap: {images_std: -0.1}", "6: layers.0.zero_pattern.ifmap.images_std: input should be greater than or equal to 0 (found -0.1)"),
        ("ofmap: {}", "6: layers.0.zero_pattern.ofmap: no such key (found {}). Did you mean 'ifmap'?"),
        ("ifmap: {kind: runs, mean_run: 3.9}", "4: layer 'c': zero_pattern.ifmap: runs of 3.9 zeros are too short for a share of 0.8: 4 is the least"),
        ("ifmap: {kind: channels, spread: 0.5}", "4: layer 'c': zero_pattern.ifmap: a spread of 0.5 about 0.8 leaves 0..1: 0.4 is the most"),
        ("ifmap: {images_std: 0.4}", "4: layer 'c': zero_pattern.ifmap: images_std 0.4 is too wide for a share of 0.8: it must be below 0.4"),
        ("weight: {images_std: 0.1}", "4: layer 'c': zero_pattern: weights are the same for every image: their zero pattern has no images_std"),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_is_told_with_its_line(tmp_path: Path, pattern: str, fault: str) -> None:
    (found,) = faults(tmp_path, CONV + f"     zero_pattern: {{{pattern}}}}}\n")
    assert found.split(":", 1)[1].split(":", 1)[1] == fault.split(":", 1)[1]
    assert found.startswith("net.yaml:")


def test_a_pattern_needs_a_share_of_zeros(tmp_path: Path) -> None:
    text = (
        CONV
        + "    }\n"
        + FC
        + "zero_fractions: {ifmap: 0.5}, zero_pattern: {ifmap: {kind: iid}, weight: {kind: iid}}}\n"
    )
    assert faults(tmp_path, text) == [
        "net.yaml:7: layer 'f': zero_pattern.weight: needs zero_fractions.weight: how many zeros there are"
    ]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_tensor_of_one_kind_of_value_has_any_run(share: float) -> None:
    assert ZeroPattern(kind=ZeroKind.RUNS, mean_run=1).fault(share) == ""
    assert ZeroPattern(images_std=0.1).fault(share) != ""

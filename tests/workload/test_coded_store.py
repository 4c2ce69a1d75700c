"""Converted workloads on disk: what is written is what is read, and every fault has its line."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archsim.catalog import load_arch, load_workload
from archsim.engine.bit_true import run_bit_true
from archsim.engine.golden_run import check_golden, make_golden
from archsim.errors import WorkloadError
from archsim.numerics.format_grammar import parse_format
from archsim.study.simulate import simulate
from archsim.terms import Operand
from archsim.workload.coded_network import CodedNetwork, CodedProduct
from archsim.workload.coded_store import ConvertedWorkload, read_converted, write_converted
from archsim.workload.coded_yaml import Origin
from archsim.workload.layer import ConvLayer, MatmulLayer
from archsim.workload.layer_formats import WeightClusters
from tests.coded_cases import (
    branchy_network,
    clustered_network,
    family_network,
    product,
    some_codes,
    webinar_network,
)

NETWORKS: dict[str, Callable[[], CodedNetwork]] = {
    "branchy": branchy_network,
    "clustered": clustered_network,
    "fixed point": lambda: webinar_network("fx<8,3,1,TRN_ZERO,SAT_ZERO>", "fx<10,5,1,TRN,WRAP>"),
    "linear": lambda: family_network("lns<8,4>", "linear<24,6,hyb1>", -14),
    "log": lambda: family_network("lns8", "log<8,16,10>"),
    "decoded logarithms": lambda: family_network("lns8", "exact"),
    "float": lambda: family_network("fp8_e5m2", "fp32"),
    "kulisch": lambda: family_network("fp8_e4m3", "kulisch"),
}
ORIGIN = Origin(
    source="a 'model', \"v1\": #2", notes=["one: two", "näive \U0001f600 \t tab", "on"],
    calibration={"images": "first 500 of train", "seed": "0"}, ifmap_zeros={"conv": 0.25, "a": 1.0},
)  # fmt: skip


def inputs(network: CodedNetwork) -> np.ndarray:
    assert network.ifmap.format is not None
    return some_codes(np.random.default_rng(5), network.ifmap.format, (2, *network.ifmap_shape))


def write(folder: Path, network: CodedNetwork, origin: Origin = ORIGIN) -> Path:
    masks = {each.name: each.weight.codes != each.weight.format.zero_code for each in network.products[:1]}
    folder.mkdir(exist_ok=True)
    golden = make_golden(network, inputs(network))
    write_converted(network, folder / "net.yaml", golden=golden, masks=masks, origin=origin)
    return folder / "net.yaml"


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path.with_suffix(".npz")) as found:
        return dict(found)


@pytest.fixture(scope="module", params=NETWORKS)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[CodedNetwork, Path]:
    network = NETWORKS[request.param]()
    return network, write(tmp_path_factory.mktemp("stored"), network)


def test_what_is_read_runs_as_what_was_written(stored: tuple[CodedNetwork, Path]) -> None:
    network, path = stored
    read = read_converted(path)
    codes = inputs(network)
    before, after = run_bit_true(network, codes), run_bit_true(read.network, codes)
    assert list(before) == list(after)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert read.golden is not None
    check_golden(read.network, read.golden)
    assert np.array_equal(read.golden.ifmap, codes)


def test_every_field_of_every_layer_comes_back(stored: tuple[CodedNetwork, Path]) -> None:
    network, path = stored
    read = read_converted(path).network
    assert (read.name, read.ifmap_shape, read.ifmap) == (network.name, network.ifmap_shape, network.ifmap)
    for one, other in zip(network.layers, read.layers, strict=True):
        if not isinstance(one, CodedProduct):
            assert one == other
            continue
        assert isinstance(other, CodedProduct)
        assert (one.name, one.sources, one.window, one.accumulator, one.output) == (
            other.name, other.sources, other.window, other.accumulator, other.output)  # fmt: skip
        assert one.weight.format == other.weight.format
        for field in ("bias", "bias_exponents", "bias_values"):
            assert np.array_equal(getattr(one, field), getattr(other, field))
        for field in ("codes", "exponents", "scales"):
            assert np.array_equal(getattr(one.weight, field), getattr(other.weight, field))
        assert (one.clusters is None) == (other.clusters is None)


def test_a_second_writing_gives_the_same_bytes(stored: tuple[CodedNetwork, Path], tmp_path: Path) -> None:
    _, path = stored
    again = write(tmp_path / "again", read_converted(path).network)
    assert again.read_bytes() == path.read_bytes()
    assert again.with_suffix(".npz").read_bytes() == path.with_suffix(".npz").read_bytes()


def test_words_about_the_network_come_back_letter_by_letter(tmp_path: Path) -> None:
    workload = load_workload(write(tmp_path, branchy_network()))
    assert workload.source == ORIGIN.source
    assert workload.assumptions == (*ORIGIN.notes, "converted with images: first 500 of train; seed: 0")
    assert workload.layers[0].zero_fractions.ifmap == 0.25  # type: ignore[union-attr]


def test_the_simulator_sees_formats_clusters_and_the_zeros_of_the_codes(tmp_path: Path) -> None:
    network = clustered_network()
    workload = load_workload(write(tmp_path, network))
    first, last = workload.layers[0], workload.layers[-1]
    assert isinstance(first, ConvLayer)
    assert isinstance(last, MatmulLayer)
    assert first.formats is not None
    assert last.formats is not None
    assert first.clusters == WeightClusters(codebook="network", entries=9, kernel_words=9)
    names = [first.formats.of(operand).name for operand in (Operand.IFMAP, Operand.WEIGHT, Operand.PSUM, Operand.OFMAP)]
    assert names == ["uint8", "int8", "int18", "uint8"]
    assert last.formats.ofmap == last.formats.psum
    for layer, coded in ((first, network.products[0]), (last, network.products[2])):
        assert layer.zero_fractions.weight == pytest.approx(np.mean(coded.weight.codes == 0))
    assert {(each.layer, each.operand) for each in workload.measured} == {
        (each.name, Operand.WEIGHT) for each in network.products
    }


def test_a_zero_of_a_logarithmic_tensor_is_not_code_0(tmp_path: Path) -> None:
    network = family_network("lns8", "log<8>")
    layer = network.products[0]
    layer.weight.codes[:, 0] = layer.weight.format.zero_code
    workload = load_workload(write(tmp_path, network))
    assert workload.layers[0].zero_fractions.weight == 0.5  # type: ignore[union-attr]


def test_a_converted_workload_runs_on_an_arch_with_any_batch(tmp_path: Path) -> None:
    path = write(tmp_path, clustered_network())
    one, four = (load_workload(path, batch) for batch in (1, 4))
    assert four.macs == 4 * one.macs
    assert [layer.formats for layer in four.layers] == [layer.formats for layer in one.layers]  # type: ignore[union-attr]
    run = simulate(load_arch("tpu_like", ["formats.follow_workload=true"]), four)
    assert run.layers[0].macs == four.layers[0].macs


def test_pointers_are_stored_in_place_of_clustered_weights(tmp_path: Path) -> None:
    network = clustered_network()
    found = arrays(write(tmp_path, network))
    assert "a.weight" not in found
    assert found["a.pointers"].dtype == np.uint8
    assert np.array_equal(found["codebook.network"][found["b.pointers"]], network.products[1].weight.codes)


def test_nothing_half_written_is_left_when_the_arrays_contradict_the_pointers(tmp_path: Path) -> None:
    network = clustered_network()
    network.products[1].weight.codes[0, 0] += 1
    with pytest.raises(WorkloadError, match="two kernels of one pointer differ"):
        write_converted(network, tmp_path / "net.yaml")
    with pytest.raises(WorkloadError, match=r"cannot be written: (No such file|Not a directory)"):
        write_converted(branchy_network(), tmp_path / "nowhere" / "net.yaml")
    with pytest.raises(WorkloadError, match=r"net\.npz: a workload is named \*\.yaml or \*\.yml"):
        write_converted(branchy_network(), tmp_path / "net.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_second_writing_leaves_the_first_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, branchy_network())
    before = path.read_bytes(), path.with_suffix(".npz").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(WorkloadError, match="cannot be written: No space left"):
        write_converted(clustered_network(), path)
    assert (path.read_bytes(), path.with_suffix(".npz").read_bytes()) == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["net.npz", "net.yaml"]


def test_a_plain_workload_has_no_codes_to_read(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "schema: archsim/workload/v1\nname: n\nlayers:\n  - {name: r, op: relu, elements: 3}\n"
    )
    with pytest.raises(WorkloadError, match="a plain workload, without codes"):
        read_converted(tmp_path / "net.yaml")


def faults(
    folder: Path, network: CodedNetwork, text: Callable[[str], str] | None = None, **changed: object
) -> list[str]:
    """Write, break and read; a key ``a__b`` of ``changed`` is array ``a.b``, None takes it away."""
    path = write(folder, network, Origin())
    found = arrays(path)
    for name, values in changed.items():
        found.pop(name.replace("__", "."), None)
        if values is not None:
            found[name.replace("__", ".")] = np.asarray(values)
    np.savez(path.with_suffix(".npz"), **found)  # type: ignore[arg-type]
    if text is not None:
        changed_text = text(path.read_text())
        assert changed_text != path.read_text()
        path.write_text(changed_text)
    with pytest.raises(WorkloadError) as raised:
        read_converted(path)
    return [line.replace(f"{folder}/", "") for line in str(raised.value).splitlines()]


def line_of(folder: Path, start: str) -> int:
    lines = (folder / "net.yaml").read_text().splitlines()
    return 1 + next(place for place, line in enumerate(lines) if line.strip().startswith(start))


def test_every_wrong_array_is_named_at_once_with_the_line_of_its_layer(tmp_path: Path) -> None:
    found = faults(
        tmp_path, clustered_network(), a__pointers=np.full((4, 2), 9), b__pointers=None, out__weight=np.full((5, 48), 128),
        out__weight_exponents=np.zeros(4, dtype=np.int8), out__bias=np.zeros(5), a__mask=np.ones((4, 2, 3, 3)),
        a__weihgt=np.zeros(3), golden__ifmap=np.full((2, 2, 4, 4), 256),
    )  # fmt: skip
    a, b, out, golden = (line_of(tmp_path, start) for start in ("- name: a", "- name: b", "- name: out", "golden:"))
    assert found == [
        f"net.yaml:{a}: layer 'a': a.pointers: points at entry 9, the codebook has entries 0 to 8",
        f"net.yaml:{a}: layer 'a': a.mask: holds float64, must be true or false",
        f"net.yaml:{b}: layer 'b': b.pointers: this array is missing",
        f"net.yaml:{out}: layer 'out': out.weight_exponents: is 4, must be a scalar or 5",
        f"net.yaml:{out}: layer 'out': out.bias: holds float64, must be integers",
        f"net.yaml:{golden}: golden.ifmap: has code 256, which uint8 does not have",
        "net.npz: a.weihgt: nothing in net.yaml has this array. Did you mean 'a.weight'?",
    ]


def test_a_weight_beyond_its_format_or_beside_its_pointers_is_a_fault(tmp_path: Path) -> None:
    network = clustered_network()
    weights = network.products[2].weight.codes.copy()
    weights[0, 0] = -129
    other = network.products[0].weight.codes.copy()
    other[0, 0, 0, 0] += 1
    found = faults(tmp_path, network, out__weight=weights, a__weight=other)
    assert found == [
        f"net.yaml:{line_of(tmp_path, '- name: a')}: layer 'a': a.weight is not what the pointers fetch from codebook 'network'",
        f"net.yaml:{line_of(tmp_path, '- name: out')}: layer 'out': out.weight: has code -129, which int8 does not have",
    ]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("entries: 9", "entries: 8", "layer 'a': codebook.network: is 9 x 3 x 3, must be 8 x 3 x 3"),
        ("psum: int18", "psum: int17", "layer 'a': formats.psum (='int17') cannot hold its sums, which take int18"),
        ("ifmap_exponent: -8", "ifmap_exponent: -7", "layer 'a': arithmetic.ifmap_exponent (=-7) but the network's input is -8"),
        ("formats: {ifmap: uint8", "formats: {ifmap: uint7",
         "layer 'a': formats.ifmap (='uint7') but the network's input is 'uint8'"),
        ("ofmap: uint8}\n    clusters", "ofmap: int8}\n    clusters", "layer 'b': formats.ifmap (='uint8') but 'a' makes 'int8'"),
        ("accumulator: exact", "accumulator: exakt", "layers.0.arithmetic.accumulator: 'exakt' is not"),
        ("accumulator: exact,", "accumulator: exact, accumulator_exponent: 2,",
         "layer 'a': arithmetic.accumulator_exponent is of linear<A> sums, these are exact"),
        ("weight: int8", "weight: int8x", "layers.0.formats.weight: 'int8x' is not a number format"),
        ("formats: {ifmap: uint8, weight: int8, psum: int18, ofmap: uint8}\n    clusters", "clusters",
         "layer 'a': formats: this key is required in a converted workload"),
        ("relu: true", "relue: true", "layers.0.arithmetic.relue: no such key (found True). Did you mean 'relu'?"),
        ("relu: true", "relu: 1", "layers.0.arithmetic.relu: input should be a valid boolean (found 1)"),
        ("crc32:", "crc31:", "golden.checksums.a: string should match pattern"),
        ("    b: \"crc32", "    c: \"crc32", "golden: no layer 'c'."),
        ("images: 2", "images: 3", "golden.ifmap: is 2 x 2 x 4 x 4, must be 3 x 2 x 4 x 4"),
        ("shape: [2, 4, 4]", "shape: [2, 4, 5]", "layer 'a': reads 2 x 4 x 4, but the network's input is 2 x 4 x 5"),
        ("ifmap: [4, 4]", "ifmap: [2, 8]", "layer 'a': reads 2 x 2 x 8, but the network's input is 2 x 4 x 4"),
        ("op: reshape", "op: softmax", "layer 'flat': op 'softmax' is not run bit for bit. Known: conv, fc"),
        ("kernel: [3, 3]", "kernel: [3, 3]\n    batch: 2", "layer 'a': batch: a converted workload is of one input"),
        ("raw_sums: true", "raw_sums: false", ""),
        ("tensors: net.npz\n", "", "tensors: a converted workload names the .npz of its codes"),
        ("tensors: net.npz", "tensors: no.npz", "no.npz: cannot be read: No such file or directory"),
        ("psum: int20, ofmap: int20", "psum: int20, ofmap: int21",
         "layer 'out': formats.ofmap (='int21') must be formats.psum (='int20') where raw_sums is true"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_a_fault_with_its_line(tmp_path: Path, before: str, after: str, fault: str) -> None:
    network = clustered_network()
    if not fault:  # a change that is none of the file's faults: the sums are then written in int20
        path = write(tmp_path, network, Origin())
        path.write_text(path.read_text().replace(before, after, 1))
        assert read_converted(path).network.products[-1].output.format == parse_format("int20")
        return
    found = faults(tmp_path, network, lambda text: text.replace(before, after, 1))
    assert any(fault in line for line in found), found
    assert all(re.match(r"net\.yaml:\d+: |no\.npz: |net\.npz: ", line) for line in found)


def test_keys_of_codes_in_a_plain_workload_are_faults(tmp_path: Path) -> None:
    found = faults(tmp_path, branchy_network(), lambda text: re.sub(r"\nifmap: .*\n", "\n", text))
    assert found[0] == (f"net.yaml:{line_of(tmp_path, 'golden:')}: golden: only a converted workload has it, "
                        "one with `ifmap` (its shape, format, exponent)")  # fmt: skip
    assert len([line for line in found if ".arithmetic: only a converted" in line]) == 8


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"\x93NUMPY"])
def test_a_file_that_is_no_npz_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, branchy_network())
    path.with_suffix(".npz").write_bytes(content)
    with pytest.raises(WorkloadError, match=r"net\.npz: not an \.npz file"):
        read_converted(path)


def test_a_golden_checksum_that_does_not_hold_names_its_layer(tmp_path: Path) -> None:
    path = write(tmp_path, branchy_network())
    path.write_text(re.sub(r'deep: "crc32:[0-9a-f]{8}"', 'deep: "crc32:00000000"', path.read_text()))
    read: ConvertedWorkload = read_converted(path)
    assert read.golden is not None
    with pytest.raises(WorkloadError, match="branchy: layer 'deep' is the first whose codes are not the golden ones"):
        check_golden(read.network, read.golden)


def test_faults_of_keys_are_told_beside_a_missing_file(tmp_path: Path) -> None:
    path = write(tmp_path, branchy_network())
    path.write_text(path.read_text().replace("relu: true", "relue: true"))
    path.with_suffix(".npz").unlink()
    with pytest.raises(WorkloadError, match=r"relue: no such key(?s:.*)net\.npz: cannot be read: No such file"):
        read_converted(path)


def test_masks_come_back(tmp_path: Path) -> None:
    network = branchy_network()
    read = read_converted(write(tmp_path, network))
    assert np.array_equal(read.masks["conv"], network.products[0].weight.codes != 0)
    with pytest.raises(WorkloadError, match="mask of 'conv'"):
        write_converted(network, tmp_path / "net.yaml", masks={"conv": np.ones((1, 2), dtype=np.bool_)})
    with pytest.raises(WorkloadError, match="mask of 'conv' prunes weights that are not zero"):
        write_converted(network, tmp_path / "net.yaml", masks={"conv": np.zeros((4, 2, 3, 3), dtype=np.bool_)})
    found = faults(tmp_path, network, conv__mask=np.zeros((4, 2, 3, 3), dtype=np.bool_))
    assert found == [
        f"net.yaml:{line_of(tmp_path, '- name: conv')}: layer 'conv': conv.mask: prunes weights that are not zero"
    ]


def test_exact_scales_are_kept(tmp_path: Path) -> None:
    fmt, u8 = parse_format("ternary_exact"), parse_format("uint8")
    codes, scales = fmt.encode_rows(np.random.default_rng(0).normal(size=(3, 4)))  # type: ignore[attr-defined]
    from archsim.numerics.coded_tensor import CodedTensor
    from archsim.workload.coded_network import CodedOutput

    weight = CodedTensor(codes=codes, format=fmt, exponents=np.zeros(3, dtype=np.int64), scales=scales)
    layer = product("y", "", weight, CodedOutput(format=None, exponent=0), accumulator="fp32")
    network = CodedNetwork(name="t", ifmap_shape=(4,), ifmap=CodedOutput(format=u8, exponent=-8), layers=(layer,))
    read = read_converted(write(tmp_path, network)).network
    assert np.array_equal(read.products[0].weight.scales, scales)
    assert np.array_equal(run_bit_true(read, inputs(network))["y"], run_bit_true(network, inputs(network))["y"])

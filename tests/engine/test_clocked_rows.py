from itertools import product

import numpy as np
import pytest

from archsim.arch.pe_array import PeArray
from archsim.arch.row_mapping import RowMapping
from archsim.arch.row_pe import ArrayNetworks, RowPe, Spads
from archsim.engine.clocked_rows import run_clocked_rows
from archsim.errors import SimulationError
from archsim.numerics.window import Window
from archsim.terms import Dataflow, ZeroSkip
from tests.oracles import row_stationary as oracle


def array_of(accumulate_cycles=0, shift_cycles=0, load_words=4, ifmap_words=24, **settings):
    return PeArray(
        **{"rows": 12, "columns": 14, "dataflow": Dataflow.ROW_STATIONARY, **settings},
        spads=Spads(ifmap_words=ifmap_words, weight_words=224, psum_words=24),
        networks=ArrayNetworks(ifmap_bits=16, weight_bits=16 * load_words, psum_bits=64),
        row_pe=RowPe(accumulate_cycles=accumulate_cycles, shift_cycles=shift_cycles),
    )


def mapping_of(**letters):
    return RowMapping(**{**dict.fromkeys("mneqprt", 1), **letters})


def operands(images, filters, channels, kernel, size):
    rng = np.random.default_rng(0)
    ifmap = rng.integers(-128, 128, (images, channels, *size))
    return np.where(rng.random(ifmap.shape) < 0.3, 0, ifmap), rng.integers(-128, 128, (filters, channels, *kernel))


def convolve(ifmap, weight, window):
    """The convolution, tap by tap over the whole ofmap."""
    ifmap = np.pad(ifmap, ((0, 0), (0, 0), *window.padding))
    rows, columns = (
        (ifmap.shape[2 + axis] - window.dilation[axis] * (weight.shape[2 + axis] - 1) - 1) // window.stride[axis] + 1
        for axis in range(2)
    )
    ofmap = 0
    for i, s in product(range(weight.shape[2]), range(weight.shape[3])):
        words = ifmap[:, :, i * window.dilation[0] :: window.stride[0], s * window.dilation[1] :: window.stride[1]]
        ofmap = ofmap + np.einsum("nchw,mc->nmhw", words[:, :, :rows, :columns], weight[:, :, i, s])
    return ofmap


def cut(size, unit):
    return [min(unit, size - start) for start in range(0, size, unit)]


def contract_cycles(ofmap, weight, window, mapping, array):
    """Sum of advances and tail of the last pass, in the form that the plan uses."""
    _, channels, filter_rows, taps = weight.shape
    load_words, total, chain = array.networks.weight_bits // 16, 0, 0
    for n, _, some in product(cut(len(ofmap), mapping.n), cut(ofmap.shape[2], mapping.e), cut(len(weight), mapping.m)):
        for c, f in product(cut(channels, mapping.q * mapping.r), cut(some, mapping.p * mapping.t)):
            p, q = -(-f // mapping.t), -(-c // mapping.r)
            per_psum = -(-taps * q // array.multipliers_per_pe) + array.row_pe.accumulate_cycles
            slides = (ofmap.shape[3] - 1) * window.stride[1] * q * array.row_pe.shift_cycles
            total += -(-filter_rows * taps * f * c // load_words) + n * (ofmap.shape[3] * p * per_psum + slides)
            chain = filter_rows * -(-c // q)
    return total + (chain - 1) * array.psum_hop + array.pe_latency - 1


def drawn_layers(count, seed=2):
    rng = np.random.default_rng(seed)

    def up_to(*tops):
        return [int(size) for size in rng.integers(1, np.array(tops) + 1)]

    for _ in range(count):
        images, filters, channels, *kernel = up_to(3, 6, 5, 3, 3)
        *stride, down, across = up_to(4, 4, 2, 2)
        pads = rng.integers(0, 3, (2, 2)).tolist()
        window = Window(stride=tuple(stride), padding=tuple(map(tuple, pads)), dilation=(down, across))
        size = [5 + extra for extra in up_to(5, 5)]
        mapping = mapping_of(**dict(zip("mneqprt", up_to(6, 3, 4, 2, 3, 2, 2), strict=True)))
        accumulate, shift, hop, latency, multipliers, load_words = up_to(3, 3, 3, 3, 3, 4)
        array = array_of(
            accumulate - 1, shift - 1, load_words, psum_hop=hop, pe_latency=latency, multipliers_per_pe=multipliers,
            zero_skip=ZeroSkip.GATE if rng.random() < 0.5 else ZeroSkip.NONE,
        )  # fmt: skip
        yield operands(images, filters, channels, kernel, size), window, mapping, array


def test_any_layer_mapping_and_setting_gives_the_convolution_its_macs_and_the_plans_cycles():
    for (ifmap, weight), window, mapping, array in drawn_layers(250):
        run = run_clocked_rows(ifmap, weight, window, mapping, pe_array=array, weight_bits=16)
        ofmap = convolve(ifmap, weight, window)
        label = f"{ifmap.shape} {weight.shape} {window} {mapping} {array}"
        assert np.array_equal(run.ofmap, ofmap), label
        assert run.counts.macs == ofmap.size * weight[0].size, label
        assert run.total_cycles == contract_cycles(ofmap, weight, window, mapping, array) + run.waited_cycles, label
        assert run.counts.psum_words_out == ofmap.size * len(cut(weight.shape[1], mapping.q * mapping.r)), label
        assert run.counts.psum_words_in == run.counts.psum_words_out - ofmap.size, label
        assert run.counts.ifmap_spad_reads == run.counts.macs, label
        if array.multipliers_per_pe == 1:
            working = run.counts.macs - run.counts.gated_macs
            assert run.counts.weight_spad_reads == run.counts.psum_spad_reads == run.counts.psum_spad_writes == working


def reference_run(ifmap, weight, window, mapping, array):
    layer = {
        "ifmap": np.pad(ifmap, ((0, 0), (0, 0), *window.padding)).tolist(),
        "weight": weight.tolist(),
        "stride": window.stride,
        "dilation": window.dilation,
        "ofmap": convolve(ifmap, weight, window).shape[2:],
    }
    pe = oracle.Pe(
        accumulate_cycles=array.row_pe.accumulate_cycles,
        shift_cycles=array.row_pe.shift_cycles,
        multipliers=array.multipliers_per_pe,
        latency=array.pe_latency,
        gates=array.zero_skip is ZeroSkip.GATE,
    )
    return oracle.ArrayRun(layer, mapping, pe, array.psum_hop, array.networks.weight_bits // 16).run()


def assert_equals_reference(ifmap, weight, window, mapping, array):
    run = run_clocked_rows(ifmap, weight, window, mapping, pe_array=array, weight_bits=16)
    reference = reference_run(ifmap, weight, window, mapping, array)
    label = f"{ifmap.shape} {weight.shape} {window} {mapping} {array}"
    found = {
        (n, m, y, x): (run.ofmap[n, m, y, x], run.output_cycles[n, m, y, x])
        for n, m, y, x in np.ndindex(run.ofmap.shape)
    }
    assert reference.glb == found, label
    assert reference.starts == run.pass_starts.tolist(), label
    assert reference.macs == {place: count for place, count in np.ndenumerate(run.counts.macs_per_pe) if count}, label
    assert reference.gated == run.counts.gated_macs, label
    assert reference.ifmap_words == run.counts.ifmap_words, label
    assert reference.spad_writes == run.counts.ifmap_spad_writes, label
    return run


def test_every_value_its_cycle_and_every_pes_macs_equal_the_reference_whose_pes_wait_for_each_other():
    for (ifmap, weight), window, mapping, array in drawn_layers(40, seed=4):
        assert_equals_reference(ifmap, weight, window, mapping, array)


@pytest.mark.parametrize("accumulate_cycles", [0, 1])
def test_psums_that_are_still_on_their_way_up_hold_up_a_pass_that_adds_to_them(accumulate_cycles):
    # One value of 1 x 1, channels two by two: a pass takes load 1 + MAC 1 (+ 1), but its psum climbs 1 hop of 5.
    ifmap, weight = operands(1, 1, 6, (1, 1), (1, 1))
    mapping, array = mapping_of(r=2), array_of(accumulate_cycles, psum_hop=5)
    run = assert_equals_reference(ifmap, weight, Window(), mapping, array)
    # out after edge load 1 + MAC 1 (+ 1) + hop 5; entered again at the edge behind it: period 6 instead of 2 (3)
    period = 2 + accumulate_cycles
    assert run.total_cycles == period + 5 + 2 * 6
    assert run.waited_cycles == 2 * (6 - period)


@pytest.mark.parametrize(
    ("layer", "window", "mapping"),
    [
        (operands(2, 4, 3, (11, 11), (27, 27)), Window(stride=(4, 4)), mapping_of(m=4, n=1, e=5, p=2, t=2)),
        (operands(2, 3, 1, (5, 5), (9, 9)), Window(padding=((2, 2), (2, 2))), mapping_of(m=3, n=2, e=9, p=3)),
        (operands(4, 6, 5, (1, 1), (4, 3)), Window(), mapping_of(m=6, n=3, e=4, p=3, q=2, r=2, t=2)),
        (operands(4, 10, 24, (1, 1), (1, 1)), Window(), mapping_of(m=10, n=4, p=5, q=4, r=6, t=2)),
        (operands(1, 2, 2, (1, 1), (9, 9)), Window(stride=(2, 2)), mapping_of(m=2, e=5, p=2, q=2)),
        (operands(1, 3, 7, (3, 3), (8, 8)), Window(), mapping_of(m=2, e=4, p=2, q=2, r=2)),
    ],
    ids=["kernel 11 stride 4", "one channel", "1x1", "fully connected", "1x1 stride 2", "edge passes"],
)
def test_layers_of_known_networks_in_small_give_the_convolution(layer, window, mapping):
    run = run_clocked_rows(*layer, window, mapping, pe_array=array_of(1, 1), weight_bits=16)
    ofmap = convolve(*layer, window)
    assert np.array_equal(run.ofmap, ofmap)
    assert run.counts.macs == ofmap.size * layer[1][0].size


def test_gating_changes_neither_a_value_nor_a_cycle():
    layer = operands(2, 4, 3, (3, 3), (7, 7))
    window, mapping = Window(padding=((1, 1), (1, 1))), mapping_of(m=4, n=2, e=4, p=2, q=2, t=2)
    free, gated = (
        run_clocked_rows(*layer, window, mapping, pe_array=array_of(1, 1, zero_skip=skip), weight_bits=16)
        for skip in (ZeroSkip.NONE, ZeroSkip.GATE)
    )
    assert np.array_equal(free.ofmap, gated.ofmap)
    assert np.array_equal(free.output_cycles, gated.output_cycles)
    padded = np.pad(layer[0], ((0, 0), (0, 0), *window.padding))
    assert gated.counts.gated_macs == convolve(padded == 0, np.ones_like(layer[1]), Window()).sum()
    assert free.counts.gated_macs == 0


def test_words_over_the_networks_are_those_of_the_passes():
    # 3 images by 2, 5 ofmap rows by 2, 4 filters in one pass, 3 channels by 2 (2 sets): 2 * 3 * 2 = 12 passes
    ifmap, weight = operands(3, 4, 3, (3, 3), (7, 8))
    mapping = mapping_of(m=4, n=2, e=2, p=2, r=2, t=2)
    counts = run_clocked_rows(ifmap, weight, Window(), mapping, pe_array=array_of(), weight_bits=16).counts
    # ifmap: 3 images, 3 channels, strips of (1 + 3) + (1 + 3) + 3 rows, 8 columns
    assert counts.ifmap_words == 3 * 3 * (4 + 4 + 3) * 8
    # every PE its own row: 3 images, 3 channels, 3 filter rows, 5 ofmap rows, 2 sets of filters
    assert counts.ifmap_spad_writes == 3 * 3 * 3 * 5 * 2 * 8
    # all weights for 2 blocks of images and 3 strips; each goes to the PEs of a strip's rows
    assert counts.weight_words == 2 * 3 * weight.size
    assert counts.weight_spad_writes == 2 * 5 * weight.size
    # 3 * 4 * 5 * 6 = 360 psums: 2 channels climb 6 PEs, then 1 channel 3 PEs
    assert (counts.psum_words_in, counts.psum_words_out) == (360, 720)
    assert counts.psum_hops == 360 * (5 + 2)


def test_every_pe_of_full_passes_does_the_same_work():
    ifmap, weight = operands(2, 4, 4, (3, 3), (8, 6))
    mapping = mapping_of(m=4, n=2, e=3, p=2, q=2, r=2, t=2)
    counts = run_clocked_rows(ifmap, weight, Window(), mapping, pe_array=array_of(), weight_bits=16).counts
    # 2 strips; per PE: 2 images x 4 columns x 2 filters x 2 channels x 3 taps
    assert counts.macs_per_pe.shape == (2 * 3, 2 * 3)
    assert (counts.macs_per_pe == 2 * (2 * 4 * 2 * 2 * 3)).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mapping": mapping_of(e=3, t=20)}, r"takes 180 PEs, the array has 168"),
        ({"mapping": mapping_of(q=9)}, "takes 27 ifmap spad words, the array has 24"),
        ({"mapping": mapping_of(p=40, q=2)}, "takes 240 weight spad words, the array has 224"),
        ({"mapping": mapping_of(p=25)}, "takes 25 psum spad words, the array has 24"),
        ({"window": Window(groups=2)}, "groups run one by one"),
        ({"window": Window(dilation=(9, 9))}, "does not fit"),
        ({"ifmap": np.zeros((1, 2, 5, 5))}, "ifmap is float64; it must be integers"),
        ({"ifmap": np.zeros((2, 5, 5), int)}, "it must have four axes"),
        ({"ifmap": np.full((1, 2, 5, 5), 2**31), "weight": np.full((1, 2, 3, 3), 2**31)}, "may need more than int64"),
        ({"pe_array": PeArray(rows=12, columns=14, dataflow=Dataflow.WEIGHT_STATIONARY)}, "must be row_stationary"),
    ],
)
def test_what_cannot_be_clocked_is_refused(changes, message):
    ifmap, weight = operands(1, 2, 2, (3, 3), (5, 5))
    given = {
        "ifmap": ifmap,
        "weight": weight,
        "window": Window(),
        "mapping": mapping_of(),
        "pe_array": array_of(),
        **changes,
    }
    with pytest.raises(SimulationError, match=message):
        run_clocked_rows(
            given["ifmap"],
            given["weight"],
            given["window"],
            given["mapping"],
            pe_array=given["pe_array"],
            weight_bits=16,
        )

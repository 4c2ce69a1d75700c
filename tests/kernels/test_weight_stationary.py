import itertools

import numpy as np
import pytest

from archsim.kernels import weight_stationary as kernel

DEFAULTS = {"PSUM_HOP": 1, "ACT_HOP": 1, "PE_LATENCY": 1, "WEIGHT_REGS": 1}
ORACLE_NAMES = {
    "PSUM_HOP": "psum_hop",
    "ACT_HOP": "act_hop",
    "PE_LATENCY": "pe_latency",
    "INPUT_REGS": "input_regs",
    "OUTPUT_REGS": "output_regs",
    "WEIGHT_REGS": "weight_regs",
    "SWITCH_GAP": "switch_gap",
    "LOAD_BY_COLUMN": "load_by_column",
    "COUNT_FROM_STREAM": "count_from_stream",
}


def operands(shape, seed=0):
    passes, length, rows, columns = shape
    rng = np.random.default_rng(seed)
    return (
        rng.integers(-128, 128, (passes, rows, columns), dtype=np.int64),
        rng.integers(-128, 128, (passes, length, rows), dtype=np.int64),
    )


def settings_of(options):
    settings = np.zeros(kernel.SETTINGS, dtype=np.int64)
    for name, value in {**DEFAULTS, **options}.items():
        settings[getattr(kernel, name)] = value
    return settings


def clock(stationary, streamed, load=None, step=kernel.step_weight_stationary_array, **options):
    """Run passes that use the whole array."""
    passes, rows, columns = stationary.shape
    extents = np.array([[rows, columns, rows, columns, load or rows]] * passes, dtype=np.int64)
    return step(stationary, streamed, extents, settings_of(options))


def closed_form(shape, load, options):
    """The last output of back-to-back passes on the whole array, as the arch file's settings promise it."""
    passes, length, rows, columns = shape
    s = {name: {**DEFAULTS, **options}.get(name, 0) for name in ORACLE_NAMES}
    across = s["ACT_HOP"] * (columns - 1)
    down = s["PSUM_HOP"] * (rows - 1)
    leave = length + down + across + s["PE_LATENCY"] - 1 + s["INPUT_REGS"] + s["OUTPUT_REGS"]
    if s["WEIGHT_REGS"] == 2:
        period = max(length, s["SWITCH_GAP"] + load)
    else:
        period = load + s["INPUT_REGS"] + length + down + (0 if s["LOAD_BY_COLUMN"] else across)
    return (passes - 1) * period + leave + (0 if s["COUNT_FROM_STREAM"] else load)


def drawn_cases(count):
    """Small arrays with every setting drawn from a small range."""
    rng = np.random.default_rng(7)
    for _ in range(count):
        shape = tuple(int(n) for n in rng.integers(1, [4, 7, 5, 5]))
        options = {
            "PSUM_HOP": int(rng.integers(0, 5)),
            "ACT_HOP": int(rng.integers(0, 4)),
            "PE_LATENCY": int(rng.integers(1, 5)),
            "INPUT_REGS": int(rng.integers(0, 3)),
            "OUTPUT_REGS": int(rng.integers(0, 3)),
            "WEIGHT_REGS": int(rng.integers(1, 3)),
            "COUNT_FROM_STREAM": int(rng.integers(0, 2)),
        }
        key, top = ("LOAD_BY_COLUMN", 2) if options["WEIGHT_REGS"] == 1 else ("SWITCH_GAP", 6)
        options[key] = int(rng.integers(0, top))
        yield shape, int(rng.integers(1, 9)), options


def test_first_output_of_a_2x2_array_is_out_at_cycle_4():
    # Load at edges 1, 2. Word t enters row 0 at edge 3 + t, row 1 one later; its sum leaves row 1 of
    # column j at edge 3 + t + 1 + j.
    stationary = np.array([[[1, 2], [3, 4]]])
    streamed = np.array([[[5, 6], [7, -8]]])
    outputs, cycles, _, _ = clock(stationary, streamed)
    # 5*1 + 6*3 = 23, 5*2 + 6*4 = 34; 7*1 - 8*3 = -17, 7*2 - 8*4 = -18
    assert outputs.tolist() == [[[23, 34], [-17, -18]]]
    assert cycles.tolist() == [[[4, 5], [5, 6]]]


def test_last_output_comes_at_the_closed_form_for_any_setting():
    for shape, load, options in drawn_cases(300):
        stationary, streamed = operands(shape)
        outputs, cycles, macs, _ = clock(stationary, streamed, load, **options)
        label = f"{shape} load {load} {options}"
        assert np.array_equal(outputs, streamed @ stationary), label
        assert cycles.max() == closed_form(shape, load, options), label
        assert (macs == shape[0] * shape[1]).all(), label


def test_every_output_and_its_cycle_equal_the_object_per_pe_reference(weight_stationary_oracle):
    for shape, load, options in drawn_cases(60):
        stationary, streamed = operands(shape)
        outputs, cycles, _, _ = clock(stationary, streamed, load, **options)
        named = {ORACLE_NAMES[key]: value for key, value in options.items()}
        reference = weight_stationary_oracle.run(
            stationary.tolist(), streamed.tolist(), weight_stationary_oracle.Settings(load_cycles=load, **named)
        )
        assert reference == {place: (outputs[place], cycles[place]) for place in np.ndindex(outputs.shape)}, (
            f"{shape} load {load} {options}"
        )


@pytest.mark.parametrize("options", [{}, {"WEIGHT_REGS": 2, "PE_LATENCY": 3, "ACT_HOP": 0}, {"LOAD_BY_COLUMN": 1}])
def test_compiled_kernel_equals_its_python_source(uncompiled, options):
    source = uncompiled(kernel).step_weight_stationary_array
    stationary, streamed = operands((3, 4, 3, 2))
    compiled = clock(stationary, streamed, **options)
    plain = clock(stationary, streamed, step=source, **options)
    for left, right in zip(compiled, plain, strict=True):
        assert np.array_equal(left, right)


@pytest.mark.parametrize("regs", [1, 2])
@pytest.mark.parametrize("input_regs", [0, 1])
def test_stream_started_one_cycle_too_early_gives_wrong_values(regs, input_regs):
    stationary, streamed = operands((2, 2, 3, 3))
    options = {"WEIGHT_REGS": regs, "INPUT_REGS": input_regs}
    assert np.array_equal(clock(stationary, streamed, **options)[0], streamed @ stationary)
    assert not np.array_equal(clock(stationary, streamed, STREAM_LEAD=1, **options)[0], streamed @ stationary)


@pytest.mark.parametrize("by_column", [0, 1])
def test_reload_of_a_lone_register_has_one_cycle_of_slack_and_not_two(by_column):
    # The chain shifts at the edge after the last use. Shifting at the very edge of the last use would
    # still read the old weight; one edge earlier the bottom row holds the row above's word.
    stationary, streamed = operands((2, 4, 3, 2))
    product = streamed @ stationary
    assert np.array_equal(clock(stationary, streamed, LOAD_BY_COLUMN=by_column, RELOAD_LEAD=1)[0], product)
    assert not np.array_equal(clock(stationary, streamed, LOAD_BY_COLUMN=by_column, RELOAD_LEAD=2)[0], product)


@pytest.mark.parametrize(("low", "high"), [(-128, -128), (127, 127), (-128, 127), (0, 0)])
def test_values_at_the_ends_of_int8_are_exact(low, high):
    stationary = np.full((2, 4, 3), low, dtype=np.int64)
    streamed = np.full((2, 5, 4), high, dtype=np.int64)
    outputs = clock(stationary, streamed, WEIGHT_REGS=2)[0]
    assert (outputs == 4 * low * high).all()


def test_a_chain_writes_each_word_once_per_row_it_passes_and_addressed_loads_write_it_once():
    # 3 rows, 2 columns, 2 passes: a word of row i passes i + 1 registers: (1 + 2 + 3) * 2 * 2 = 24; addressed: 12
    stationary, streamed = operands((2, 4, 3, 2))
    for regs, writes in ((1, 24), (2, 12)):
        counts = clock(stationary, streamed, WEIGHT_REGS=regs)[3]
        # edge: 2*3*2 stationary words, 2*4*3 streamed words, 2*4*2 psums
        assert counts.tolist() == [12, writes, 24, 16]


@pytest.mark.parametrize("regs", [1, 2])
def test_padding_costs_time_but_no_accesses(regs):
    # A 4x4 array of which 2 rows and 3 columns hold words, T = 5: 4 + 5 + 3 + 3 = 15 cycles.
    stationary, streamed = operands((1, 5, 4, 4))
    stationary[:, 2:, :] = stationary[:, :, 3:] = streamed[:, :, 2:] = 0
    extents = np.array([[4, 4, 2, 3, 4]])
    step = kernel.step_weight_stationary_array
    outputs, cycles, macs, counts = step(stationary, streamed, extents, settings_of({"WEIGHT_REGS": regs}))
    assert np.array_equal(outputs, streamed @ stationary)
    assert cycles.max() == 15
    assert macs.sum() == 5 * 2 * 3
    assert counts[[kernel.STATIONARY_READS, kernel.STREAMED_READS, kernel.OUTPUT_WRITES]].tolist() == [6, 10, 15]


def test_trimmed_passes_leave_at_their_own_bottom_row():
    # Pass 0: 3x3, T = 1, load 3: out at 3 + 1 + 2 + 2 = 8. Pass 1: 1x1, load 1, streams at edge 5 = max(1, 1)
    # after edge 4, out at once: 5, before pass 0 is.
    stationary, streamed = operands((2, 1, 3, 3))
    stationary[1, 1:, :] = stationary[1, :, 1:] = streamed[1, :, 1:] = 0
    extents = np.array([[3, 3, 3, 3, 3], [1, 1, 1, 1, 1]])
    outputs, cycles, _, _ = kernel.step_weight_stationary_array(
        stationary, streamed, extents, settings_of({"WEIGHT_REGS": 2})
    )
    assert np.array_equal(outputs[0], (streamed @ stationary)[0])
    assert outputs[1, 0, 0] == stationary[1, 0, 0] * streamed[1, 0, 0]
    assert cycles[0].max() == 8
    assert cycles[1].tolist() == [[5, 0, 0]]


@pytest.mark.parametrize(("regs", "last"), [(1, 17), (2, 10)])
def test_passes_stream_as_many_words_as_they_say(regs, last):
    # 2 x 2 PEs, streams of 3 and 1. One register: load 2, words 3, 1 + 1 hops, so a pass takes 7; the last one 2 + 1 + 2.
    # Two: the first load 2, passes begin max(3, 2) and max(1, 2) after each other; the last output 3 after its pass began.
    stationary, streamed = operands((3, 3, 2, 2))
    streamed[1:, 1:] = 0
    extents = np.array([[2, 2, 2, 2, 2, length] for length in (3, 1, 1)])
    outputs, cycles, macs, counts = kernel.step_weight_stationary_array(
        stationary, streamed, extents, settings_of({"WEIGHT_REGS": regs})
    )
    assert np.array_equal(outputs, streamed @ stationary)
    assert cycles.max() == cycles[2, 0].max() == last
    assert not cycles[1:, 1:].any()
    assert (macs == 5).all()
    assert counts[[kernel.STREAMED_READS, kernel.OUTPUT_WRITES]].tolist() == [5 * 2, 5 * 2]


def test_a_second_register_never_makes_the_array_slower():
    for shape in itertools.product((1, 3), (1, 6), (1, 4), (1, 3)):
        stationary, streamed = operands(shape)
        one, two = (clock(stationary, streamed, WEIGHT_REGS=regs)[1].max() for regs in (1, 2))
        assert two <= one

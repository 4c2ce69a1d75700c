import numpy as np
import pytest

from archsim.kernels import output_stationary as kernel

DEFAULTS = {"ACT_HOP": 1, "PE_LATENCY": 1}
ORACLE_NAMES = {
    "ACT_HOP": "act_hop",
    "PE_LATENCY": "pe_latency",
    "INPUT_REGS": "input_regs",
    "OUTPUT_REGS": "output_regs",
    "DRAIN": "drain",
    "OVERLAP": "overlap",
}
DRAINS = ["none", "rows", "columns"]
WHOLE = (1, 1)  # a pass that clears the sums and completes them


def operands(lengths, rows, columns, seed=0):
    """Streams of the given lengths, padded with zeros to the longest."""
    rng = np.random.default_rng(seed)
    ifmap = rng.integers(-128, 128, (len(lengths), max(lengths), rows), dtype=np.int64)
    weight = rng.integers(-128, 128, (len(lengths), max(lengths), columns), dtype=np.int64)
    for fold, length in enumerate(lengths):
        ifmap[fold, length:] = weight[fold, length:] = 0
    return ifmap, weight


def settings_of(options):
    settings = np.zeros(kernel.SETTINGS, dtype=np.int64)
    for name, value in {**DEFAULTS, **options}.items():
        settings[getattr(kernel, name)] = value
    return settings


def clock(ifmap, weight, passes, step=kernel.step_output_stationary_array, **options):
    """Run passes, each (length, clears, completes), that use the whole array."""
    rows, columns = ifmap.shape[2], weight.shape[2]
    extents = np.array([[rows, columns, rows, columns, *a_pass] for a_pass in passes], dtype=np.int64)
    return step(ifmap, weight, extents, settings_of(options))


def products(ifmap, weight):
    return ifmap.transpose(0, 2, 1) @ weight


def drawn_cases(count):
    rng = np.random.default_rng(3)
    for _ in range(count):
        folds, pieces, length, rows, columns = (int(n) for n in rng.integers(1, [4, 4, 7, 5, 5]))
        options = {
            "ACT_HOP": int(rng.integers(0, 4)),
            "PE_LATENCY": int(rng.integers(1, 5)),
            "INPUT_REGS": int(rng.integers(0, 3)),
            "OUTPUT_REGS": int(rng.integers(0, 3)),
            "DRAIN": int(rng.integers(0, 3)),
            "OVERLAP": int(rng.integers(0, 2)),
        }
        if options["DRAIN"] == kernel.DRAIN_COLUMNS and options["OVERLAP"]:
            options["ACT_HOP"] = min(options["ACT_HOP"], 1)  # beyond, the drain register decides: its own test below
        passes = [(length, piece == 0, piece == pieces - 1) for _ in range(folds) for piece in range(pieces)]
        yield passes, rows, columns, options


def test_2x2_array_finishes_each_value_where_its_wavefront_arrives():
    # T = 2: PE(i, j) meets its last pair at edge 2 + i + j.
    ifmap = np.array([[[1, 2], [3, 4]]])
    weight = np.array([[[5, -6], [7, 8]]])
    outputs, cycles, _, _ = clock(ifmap, weight, [(2, *WHOLE)])
    # 1*5 + 3*7 = 26, -1*6 + 3*8 = 18; 2*5 + 4*7 = 38, -2*6 + 4*8 = 20
    assert outputs.tolist() == [[[26, 18], [38, 20]]]
    assert cycles.tolist() == [[[2, 3], [3, 4]]]


def test_shifting_down_the_rows_takes_one_cycle_per_row_after_the_columns_last_pe():
    # Column j is done at edge 2 + 1 + j: its bottom value leaves one edge later, the top one two.
    ifmap, weight = operands([2], 2, 2)
    cycles = clock(ifmap, weight, [(2, *WHOLE)], DRAIN=kernel.DRAIN_ROWS)[1]
    assert cycles.tolist() == [[[5, 6], [4, 5]]]


def test_shifting_along_the_columns_takes_one_cycle_per_column_after_the_rows_last_pe():
    ifmap, weight = operands([2], 2, 3)
    # Row i is done at edge 2 + 2 + i.
    cycles = clock(ifmap, weight, [(2, *WHOLE)], DRAIN=kernel.DRAIN_COLUMNS)[1]
    assert cycles.tolist() == [[[7, 6, 5], [8, 7, 6]]]


def test_last_output_comes_at_the_closed_form_for_any_setting():
    for passes, rows, columns, options in drawn_cases(300):
        ifmap, weight = operands([length for length, *_ in passes], rows, columns)
        outputs, cycles, macs, _ = clock(ifmap, weight, passes, **options)
        start, sums = 0, 0
        for fold, (length, clears, completes) in enumerate(passes):
            sums = products(ifmap, weight)[fold] + (0 if clears else sums)
            drain = (0, rows, columns)[options["DRAIN"]] if completes else 0
            skew = rows - 1 + options["ACT_HOP"] * (columns - 1)
            pipe = options["PE_LATENCY"] - 1 + options["INPUT_REGS"] + options["OUTPUT_REGS"]
            if completes:
                label = f"{passes} {rows}x{columns} {options}"
                assert np.array_equal(outputs[fold], sums), label
                assert cycles[fold].max() == start + length + skew + pipe + drain, label
            start += max(length, drain) if options["OVERLAP"] else length + skew + pipe + drain
        assert macs.sum() == sum(length for length, *_ in passes) * rows * columns


def test_every_output_and_its_cycle_equal_the_object_per_pe_reference(output_stationary_oracle):
    for passes, rows, columns, options in drawn_cases(60):
        ifmap, weight = operands([length for length, *_ in passes], rows, columns)
        outputs, cycles, _, _ = clock(ifmap, weight, passes, **options)
        named = {ORACLE_NAMES[key]: value for key, value in options.items()} | {"drain": DRAINS[options["DRAIN"]]}
        reference = output_stationary_oracle.run(
            ifmap.tolist(), weight.tolist(), [flags for _, *flags in passes], output_stationary_oracle.Settings(**named)
        )
        seen = {place: (outputs[place], cycles[place]) for place in np.ndindex(outputs.shape) if cycles[place]}
        assert reference == seen, f"{passes} {rows}x{columns} {options}"


@pytest.mark.parametrize("options", [{}, {"DRAIN": 1, "OVERLAP": 1}, {"DRAIN": 2, "PE_LATENCY": 3, "ACT_HOP": 0}])
def test_compiled_kernel_equals_its_python_source(uncompiled, options):
    source = uncompiled(kernel).step_output_stationary_array
    ifmap, weight = operands([4, 4, 2], 3, 2)
    passes = [(4, 1, 1), (4, 1, 0), (2, 0, 1)]
    compiled = clock(ifmap, weight, passes, **options)
    plain = clock(ifmap, weight, passes, step=source, **options)
    for left, right in zip(compiled, plain, strict=True):
        assert np.array_equal(left, right)


@pytest.mark.parametrize("drain", [kernel.DRAIN_ROWS, kernel.DRAIN_COLUMNS])
def test_stream_started_one_cycle_too_early_loses_values_in_the_drain(drain):
    ifmap, weight = operands([1, 1], 3, 3)
    passes = [(1, *WHOLE), (1, *WHOLE)]
    assert clock(ifmap, weight, passes, DRAIN=drain, OVERLAP=1)[1].all()
    assert not clock(ifmap, weight, passes, DRAIN=drain, OVERLAP=1, STREAM_LEAD=1)[1].all()


def test_a_shorter_stream_waits_until_the_drain_registers_are_free():
    # 2x1 array, streams of 2 and 1 words. max(T, drain) = 2 would start the second at edge 3; its sum in
    # PE(0, 0) would be done at edge 3, while the first pass's value leaves that drain register at edge 4
    # (bottom PE done at 2 + 1 = 3). So it starts at edge 4; last output 3 + 1 + 1 + 2 = 7.
    ifmap, weight = operands([2, 1], 2, 1)
    passes = [(2, *WHOLE), (1, *WHOLE)]
    outputs, cycles, _, _ = clock(ifmap, weight, passes, DRAIN=kernel.DRAIN_ROWS, OVERLAP=1)
    assert np.array_equal(outputs, products(ifmap, weight))
    assert cycles.max() == 7
    assert not clock(ifmap, weight, passes, DRAIN=kernel.DRAIN_ROWS, OVERLAP=1, STREAM_LEAD=1)[1].all()


def test_a_longer_stream_too_waits_for_the_drain_to_end():
    # Period max(T, drain) = max(1, 2) = 2, then 3 words, 1 row below, 2 to drain: 2 + 3 + 1 + 2 = 8.
    ifmap, weight = operands([1, 3], 2, 1)
    cycles = clock(ifmap, weight, [(1, *WHOLE), (3, *WHOLE)], DRAIN=kernel.DRAIN_ROWS, OVERLAP=1)[1]
    assert cycles.max() == 8


def test_slow_columns_wait_for_their_row_before_the_next_drain():
    # 1x2 array, act_hop 2, T = 1: PE(0, 0) is done at edge 1, but its row shifts from edge 4 on (PE(0, 1)
    # done at 3), so its drain register is free at edge 4: the period is 3, not max(T, 2).
    ifmap, weight = operands([1, 1], 1, 2)
    passes = [(1, *WHOLE), (1, *WHOLE)]
    options = {"DRAIN": kernel.DRAIN_COLUMNS, "OVERLAP": 1, "ACT_HOP": 2}
    outputs, cycles, _, _ = clock(ifmap, weight, passes, **options)
    assert np.array_equal(outputs, products(ifmap, weight))
    assert cycles.tolist() == [[[5, 4]], [[8, 7]]]
    assert not clock(ifmap, weight, passes, STREAM_LEAD=1, **options)[1].all()


def test_pieces_of_a_stream_keep_their_psums_without_a_drain():
    # 2x2, 4 words in two pieces back to back with overlap: as one stream of 4, 4 + 1 + 1 = 6, then 2 to drain.
    ifmap, weight = operands([2, 2], 2, 2)
    outputs, cycles, _, counts = clock(ifmap, weight, [(2, 1, 0), (2, 0, 1)], DRAIN=kernel.DRAIN_ROWS, OVERLAP=1)
    assert np.array_equal(outputs[1], products(ifmap, weight).sum(axis=0))
    assert not cycles[0].any()
    assert cycles[1].max() == 8
    # Edge: 4 words per row and per column; drain registers: row 0's value passes two, row 1's one; 4 values out.
    assert counts.tolist() == [8, 8, 6, 4]


@pytest.mark.parametrize(("low", "high"), [(-128, -128), (127, 127), (-128, 127), (0, 0)])
def test_values_at_the_ends_of_int8_are_exact(low, high):
    ifmap, weight = np.full((2, 5, 3), low, dtype=np.int64), np.full((2, 5, 4), high, dtype=np.int64)
    assert (clock(ifmap, weight, [(5, *WHOLE)] * 2)[0] == 5 * low * high).all()


def test_padding_costs_time_but_no_accesses():
    # A 4x4 array of which 2 rows and 3 columns hold words, T = 5, drain 4: 5 + 3 + 3 + 4 = 15 cycles.
    ifmap, weight = operands([5], 4, 4)
    ifmap[:, :, 2:] = weight[:, :, 3:] = 0
    extents = np.array([[4, 4, 2, 3, 5, 1, 1]])
    step = kernel.step_output_stationary_array
    outputs, cycles, macs, counts = step(ifmap, weight, extents, settings_of({"DRAIN": kernel.DRAIN_ROWS}))
    assert np.array_equal(outputs, products(ifmap, weight))
    assert cycles.max() == 15
    assert macs.sum() == 5 * 2 * 3
    # row 0's values pass 4 drain registers, row 1's 3: 7 * 3 columns
    assert counts.tolist() == [10, 15, 21, 6]

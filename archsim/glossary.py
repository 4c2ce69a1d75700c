"""The glossary: every word and column of archsim in one to three sentences, with unit and formula.

`archsim explain TERM` prints an entry. A word means the same in a file, a class, a column and an axis.
"""

import difflib

from archsim.errors import ConfigError

GLOSSARY: dict[str, str] = {
    # Operands and how they are held
    "ifmap": "The values a layer reads (input feature map); for a matrix product, the first matrix. Padding is not stored, but where the arch says stores_padding.",
    "weight": "The layer's parameters: filter values, or the second matrix of a product. Biases are not counted.",
    "ofmap": "The values a layer writes (output feature map), each complete.",
    "psum": "A value of the ofmap that is not yet complete: the sum of some of its products, in the psum format.",
    "metadata": "What says where the values of a coded operand stand: runs, masks, padding. An operand of traffic.csv at the DRAM "
    "level, counted in 64-bit words; where an operand is coded its own row holds its nonzero words alone.",
    "compression": "How the DRAM channel codes zeros, per operand: none, rlc5 or bitmask. The buffers hold decoded words.",
    "rlc5": "Eyeriss' run-length code: a 5-bit run of zeros and the level behind it make a pair; floor(63 / (5 + bits)) pairs and "
    "an end bit fill a 64-bit word (3 pairs at 16 bit). A run beyond 31 zeros costs a pair whose level is zero.",
    "bitmask": "A code on the DRAM channel: one bit per word that says whether it is zero, and the nonzero words.",
    "format": "How a value is written in bits: intN, sx<N>, fx<W,I,S,Q,O>, lns<W,f>, fp8_e4m3, fp16, bf16, fp32, ternary...: archsim list formats.",
    "word": "One value of one operand in its format. words x bits of the format / 8 = bytes.",
    # Numbers and conversion
    "conversion": "Float network -> codes in the chip's formats, pass by pass, each checked: archsim convert; docs/conversion.md.",
    "code": "The bits of a value as an integer; its value is what the format reads in it, times 2^exponent.",
    "exponent": "Power of two that multiplies the values of a tensor or of an output channel; a change of it is a shift.",
    "fixed point": "fx<W,I,S,Q,O>: integers of W bits, I of them before the point with the sign; S signed, Q rounding, O overflow, as in ac_fixed.",
    "shared exponent": "intN, sx<N>: integers of N bits times one power of two per tensor, or per output channel of weights.",
    "LNS": "Logarithmic numbers, lns<W,f>: sign and base-2 logarithm, f bits of it a fraction; the most negative logarithm means zero. "
    "A multiplication is an addition.",
    "minifloat": "Floats of 8 bits or fewer: fp8_e4m3, fp8_e5m2, fp8_e3m4, fp4_e2m1 (exponent and fraction bits), saturating, "
    "times a power of two per tensor.",
    "ternary": "Weights -1, 0, 1 times a power of two per output channel; 0 up to 0.7 of the mean magnitude. ternary_exact: times a real factor.",
    "binary": "Weights -1, 1 times a power of two per output channel. binary_exact: times their mean magnitude.",
    "rounding": "What a value between two codes becomes. TRN: the lower; TRN_ZERO: the one nearer to zero. All others the nearest, a tie RND: up; "
    "RND_MIN_INF: down; RND_INF: away from zero; RND_ZERO: to zero; RND_CONV: to even; RND_CONV_ODD: to odd.",
    "overflow": "What a value beyond the codes becomes, after rounding. WRAP: its low bits; SAT: the nearest code; SAT_ZERO: zero; "
    "SAT_SYM: as SAT, but never below minus the highest code.",
    "accumulator": "How products add up: exact<W>, wrap<W>, sat<W,F> or a type that every MAC casts to, linear<A,m>, log<fa,T,reach>, fp32, fp64, kulisch.",
    "exact": "Accumulator: integers that cannot overflow, proven from the weights; of at most W bits as exact<W>. The order has no meaning. "
    "Logarithms: decoded products in float64.",
    "wrap": "Accumulator wrap<W>: modulo 2^W; only the final sum must fit. The order has no meaning.",
    "sat": "Accumulator sat<W,F>: every MAC rounds (RND) and saturates its sum to W bits, F behind the point. The order matters.",
    "linear": "Accumulator linear<A,m>: products of logarithms made linear with m fraction bits, added in A saturating bits.",
    "log": "Accumulator log<fa,T,reach>: logarithms of fa fraction bits added in the log domain by tables of T entries over reach octaves; "
    "or log<fa,mitchell>, log<fa,bitshift>, without tables. The order matters.",
    "kulisch": "Accumulator: a fixed-point register wide enough for every product of two floats; exact.",
    "antilog": "What makes a logarithm linear: a table of its fractions (lut), 1 + fraction (mitchell), or a table of the high bits "
    "times 1 + the low ones (hyb1 to hyb15).",
    "guard bits": "Bits of an exact accumulator below the last bit of the products, as many as the sums leave free of 32; they hold the bias. [b]",
    "calibration": "Choosing the exponent of each tensor from its values on real images: max, mse (least squared error of 4 exponents), "
    "p99.9, p99.99 (of the magnitudes), or none.",
    "bit-true": "Computed as the hardware would, every code the same; no float decides, but in formats that are floats.",
    "golden": "Inputs kept with a converted workload, and a CRC-32 of the codes that every layer makes of them.",
    "mask": "Which weights pruning kept: an array LAYER.mask of a converted workload.",
    "cluster compression": "Weights stored as pointers to whole kernels (R x S weights) of a codebook, instead of weights.",
    "codebook": "The kernels that the pointers of one layer, or of all layers of a network, choose from.",
    "pointer": "Which entry of the codebook a kernel is: ceil(log2 entries) bits. [b]",
    "cluster": "Kernels that share one entry of a codebook, found by k-means; clusters of a layer = its codebook and entries.",
    "weight_lut": "The table that turns pointers into kernels, between weight buffer and array: a level of traffic.csv, a component of energy and area.",
    "packing_bits": "Key of a level: values lie whole in words of so many bits, as many as fit; left out = one behind the other. [b]",
    "keeps_weights": "Key of an SRAM level: the stored weights of all layers are loaded once, before the first layer, where they fit.",
    "follow_workload": "Key of formats. true: widths and the price of a MAC follow each layer of a converted workload; "
    "false: the chip has its own, and refuses other arithmetic or wider values.",
    "log_adder": "Key of pe_array: adds psums that are logarithms, by table, mitchell or bitshift; latency_cycles lengthens every hop of a psum. "
    "It is not compared with the accumulator of the workload.",
    # What runs, on what
    "layer": "One operator of a network with every shape resolved; a row of layers.csv. The column holds its name.",
    "network": "Layers in running order.",
    "workload": "A network with the formats, zero fractions and tensors it runs with; a file in workloads/.",
    "op": "The operator of a layer as the workload names it: conv, fc, matmul, max_pool, add, softmax...",
    "batch": "Images that one run of the workload processes together. frames_per_second = batch / seconds.",
    "arch": "A chip: PE array, memory levels, formats and clock; a file in arch_configs/.",
    "PE": "Processing element: a multiplier, its adder and its registers or spads. rows x columns of them make the array.",
    "lane": "One parallel slot of the vector unit: it starts ops_per_cycle operations each cycle.",
    "multipliers": "Multipliers of the PE array = MACs that it can start in one cycle.",
    "level": "A store in the memory hierarchy: spad, an on-chip buffer by its name (glb...), or dram. A column of traffic.csv.",
    "spad": "The store inside a PE (registers or a scratch pad); the level next to the multiplier.",
    "GLB": "Global buffer: an on-chip SRAM level between the array and DRAM, under the name that the arch gives it.",
    "DRAM": "The memory off the chip, shared by all operands, behind all levels: a device whose commands are simulated, or no more "
    "than a bandwidth and a latency (device: bandwidth).",
    "device": "A DRAM by name (archsim list devices) or file: its channels, banks, timings and currents.",
    "burst": "What one read or write command of a DRAM moves: 64 B on every shipped device. Bytes are asked for, bursts are moved.",
    "row": "What a DRAM bank holds open at a time. Rows are counted from 0 within a bank.",
    "row hit": "A burst that finds its row open. row_hit_rate = 1 - activates / bursts, 0..1.",
    "row_hit_rate": "1 - activates / (reads + writes), 0..1.",
    "turnaround": "The data bus at rest between reads and writes, or between ranks.",
    "bank group": "Banks that share wires: two of their bursts stand tCCD_L apart instead of tCCD_S (DDR4, HBM).",
    "layout": "How ifmap and ofmap lie in DRAM: nchw (plane by plane), nhwc (pixel by pixel), tiled (in the blocks that move, in the order of their first use).",
    "frfcfs": "DRAM policy: a ready burst of an open row goes first, then the oldest request; writes in batches. The default.",
    "bank_rr": "DRAM policy that repeats DRAMsim3 to the clock: queues per bank, visited in turn.",
    "access": "One word read or written at one level.",
    "operand": "What a word belongs to: ifmap, weight, psum, ofmap or metadata. A column of traffic.csv.",
    "direction": "read = a word leaves the level, write = it enters the level. A column of traffic.csv.",
    "words": "Values of one operand through one level in one direction over a whole layer. A column of traffic.csv.",
    "bytes": "The same words in their format, as packed in that level. [B] A column of traffic.csv.",
    # How it is mapped
    "dataflow": "Which operand stays in the PEs while the others stream past: weight_stationary, output_stationary, "
    "input_stationary, row_stationary (rows of all three), pixel_broadcast (psums), planar_tiles (ifmap), channel_parallel or "
    "brick_lanes (none); vector for operators of the vector unit, none for those not run.",
    "weight_stationary": "Weights stay in the PEs, ifmap values stream past, psums move down the rows.",
    "output_stationary": "Psums stay in the PEs until they are complete; ifmap and weight values stream past.",
    "input_stationary": "Ifmap values stay in the PEs, weights stream past, psums move down the rows.",
    "row_stationary": "Filter rows and a sliding window of an ifmap row stay in the PEs, psums add up a column of PEs (Eyeriss).",
    "channel_parallel": "Channels of a tap lie down the rows, filters across; an adder tree sums each column, accumulators "
    "behind the array collect the taps (NVDLA, DianNao).",
    "pass": "Row stationary: what the array does with one load of its weight spads; the column folds counts passes.",
    "PE set": "Row stationary: R x e PEs that work on e ofmap rows of one channel and filter at a time.",
    "m": "Row-stationary mapping: filters whose psums live in the GLB at one time.",
    "n": "Row-stationary mapping: images of a pass.",
    "e": "Row-stationary mapping: ofmap rows of a pass, the width of a PE set.",
    "p": "Row-stationary mapping: filters that one PE interleaves.",
    "q": "Row-stationary mapping: channels that one PE interleaves.",
    "r": "Row-stationary mapping: PE sets on different channels.",
    "t": "Row-stationary mapping: PE sets on different filters.",
    "objective": "Row stationary: what the mapping of a layer is searched for: time, energy or edp (mapping.objective of the arch).",
    "edp": "Energy times time: an objective of the mapping search.",
    "pass_overhead": "Row stationary: share of a pass that start, hand-over and drain take beyond its words and MACs, 0..1; no model of them.",
    "atom": "Channel parallel: channels and filters come in whole atoms (channel_atom, filter_atom), the last one padded.",
    "Winograd": "Channel parallel: 3 x 3 kernels of stride 1 as F(2 x 2, 3 x 3), 16 multiplications for 4 ofmap values instead of 36.",
    "pixel_broadcast": "All PEs see one ifmap pixel at a time, each multiplies it by the tap that links it to its own psum; psums stay "
    "until they are complete. FEIE and ZASCA call it the fully-connected inspired dataflow (FID).",
    "brick_lanes": "Lanes take bricks of neighbouring channels, each with its slice of all filters (DaDianNao); with zeros skipped "
    "every lane goes through its own bricks and waits at the end of a window (Cnvlutin).",
    "planar_tiles": "Each PE keeps a tile of every ifmap plane, weights are broadcast: dot products (DCNN), or with zeros skipped the "
    "products of all nonzero values of two vectors, scattered to banks of accumulators (SCNN).",
    "set": "Pixel broadcast: neighbouring PEs of a tile that share an ofmap row and a filter, ceil(kernel width / stride) of them.",
    "segment": "Pixel broadcast: the part of an ofmap row whose psums fit the PEs' registers.",
    "brick": "Values of neighbouring channels of one pixel that are stored together: 16 in Cnvlutin.",
    "gate": "Zero gating: a MAC with a zero takes its cycle, but multiplier, weight spad and psum spad stand still. It saves energy, no time.",
    "skip": "Zero skipping: what a dataflow can step over takes neither cycle nor energy; zero_skip.csv says what it saved.",
    "vector": "Not a dataflow of the array: the operator runs on the vector unit (pool, add, activation, normalisation).",
    "fold": "One pass of the array while the stationary operand stays put.",
    "folds": "Folds of the layer, all groups; 0 for operators of the vector unit.",
    "tile": "The block of a tensor that is resident in one level at one time.",
    "loop nest": "The tiling and loop order chosen for a layer, outermost loop first; loop_nests.txt holds it for every layer.",
    "mapping_efficiency": "Mean share of PEs that a fold uses, 0..1. Cycles in which used PEs wait are not in it: see utilization.",
    "active_pes": "PEs that the largest fold or pass uses; 0 on the vector unit.",
    "noc": "The networks of a row-stationary array: words that PEs take from the buses, psums that they hand on. A level of traffic.csv.",
    # Work
    "MAC": "Multiply-accumulate. 1 MAC = 2 ops, everywhere.",
    "macs": "Multiply-accumulates that the layer asks for, padding and zero operands included. 0 for vector operators.",
    "effectual_macs": "MACs with no zero operand; = macs where zeros are not known.",
    "gated_macs": "Occupied MACs whose multiplier stood still for a zero of the ifmap.",
    "gated_share": "Share of a PE's energy in a cycle that gating its MAC saves, 0..1; what the counts do not save comes off its clock.",
    "clock": "Energy of clock tree, pipeline registers and control of the PEs, where the arch gives it (clock_pj_per_pe_cycle).",
    "occupied_macs": "MACs that took a multiplier for a cycle: gated ones did, skipped ones did not.",
    "lane_ops": "Operations on the vector unit; not in macs, not in TOPS.",
    "zero skip": "Work that is not issued because an operand is zero. It never changes a value and never adds cycles. Key zero_skip "
    "of pe_array: none, gate (a zero's MAC stands still: less energy) or skip (it is not issued: less time too).",
    "is_costed": "false = archsim has no model for this operator: every count of the row is 0 and the totals leave it out.",
    "note": "A sentence on the layer for the reader, such as why its operator is not costed.",
    # What zeros save: zero_skip.csv
    "scheme": "What the array does with zeros: gate or skip. A column of zero_skip.csv.",
    "zeros_from": "Where the zeros of the ifmap come from: a file, inference on images, or drawn, and how.",
    "weight_zeros_from": "Where the zeros of the weights come from; empty = not known, none is taken to be zero.",
    "ifmap_zero_fraction": "Share of zeros among the ifmap values that the layer was run with, mean over images, 0..1.",
    "ifmap_zero_fraction_std": "Standard deviation of that share over images.",
    "ifmap_zero_fraction_min": "That share of the image that has fewest zeros, 0..1.",
    "ifmap_zero_fraction_max": "That share of the image that has most zeros, 0..1.",
    "weight_zero_fraction": "Share of zeros among the weights, 0..1.",
    "ifmap_images": "Images, or rows of a matrix, whose zeros were counted.",
    "ifmap_words": "Ifmap values whose zeros were counted. [words]",
    "ifmap_mean_zero_run": "Zeros in a row in C order (image, channel, row, column), on average. [words]",
    "ifmap_empty_brick_fraction": "Share of bricks of 16 channels of a pixel that hold only zeros, 0..1.",
    "ifmap_empty_channel_group_fraction": "Share of groups of 8 channels of a pixel that hold only zeros, 0..1; empty = fewer channels.",
    "ifmap_empty_column_group_fraction": "Share of groups of 8 neighbours in a row (4 in short rows) that hold only zeros, 0..1.",
    "ifmap_channel_zero_fraction_min": "Share of zeros of the channel that has fewest, 0..1.",
    "ifmap_channel_zero_fraction_max": "Share of zeros of the channel that has most, 0..1.",
    "dense_compute_cycles": "compute_cycles of the same array taking every value. [cycles]",
    "ideal_cycles": "dense_compute_cycles times the share of what the scheme has to take: its gain if nothing were lost. [cycles]",
    "fragmentation_cycles": "Lost as what zeros leave no longer fills vectors, bricks or windows of the array; negative where skipping "
    "escapes a loss that the dense array has. [cycles]",
    "imbalance_cycles": "Lost as lanes or PEs that share a piece of work have different amounts of it. [cycles]",
    "sync_cycles": "Lost as pieces of work wait for each other at barriers. [cycles]",
    "conflict_cycles": "Lost on banks that two results want at the same time. [cycles]",
    "memory_stall_cycles": "onchip_stall_cycles + dram_stall_cycles: with zeros skipped the array is sooner out of words. [cycles]",
    "dense_total_cycles": "total_cycles of the same chip taking every value. [cycles]",
    "cycles_saved": "dense_total_cycles - total_cycles. [cycles]",
    "dense_energy_pj": "Energy of the same chip taking every value; empty = not known: the run was priced anew. [pJ]",
    "energy_saved_pj": "dense_energy_pj - energy_pj. [pJ]",
    # Cycles
    "compute_cycles": "The array (or vector unit) alone, every memory ideal. [cycles]",
    "onchip_stall_cycles": "Cycles added when on-chip buffers, ports and networks are real and DRAM is ideal. [cycles]",
    "dram_stall_cycles": "Cycles added when DRAM is real too, first fill and last drain included. [cycles]",
    "dram_latency_stall_cycles": "Part of dram_stall_cycles that would vanish with a DRAM latency of 0 (with a device: if data came at "
    "once, at the rate it gave while it had work); the rest is bandwidth, row misses, turnaround and refresh among it. [cycles]",
    "total_cycles": "compute_cycles + onchip_stall_cycles + dram_stall_cycles. Layers run one after another. [cycles]",
    "stall": "Cycles in which the array waits, and for whom.",
    "wait_ifmap_cycles": "Part of dram_stall_cycles in which the array waited for ifmap values from DRAM. [cycles]",
    "wait_weight_cycles": "Part of dram_stall_cycles in which the array waited for weights from DRAM. [cycles]",
    "wait_psum_cycles": "Part of dram_stall_cycles in which the array waited for psums to come back from DRAM. [cycles]",
    "wait_write_back_cycles": "Part of dram_stall_cycles in which the output buffer was full and had to be written back. [cycles]",
    "wait_last_drain_cycles": "Part of dram_stall_cycles after the last computation, until the last ofmap bytes are in DRAM. "
    "The five wait columns add up to dram_stall_cycles. [cycles]",
    "utilization": "MACs that occupied a multiplier / (multipliers x total_cycles), 0..1: stalls and idle PEs lower it.",
    # Traffic
    "dram_read_bytes": "Bytes from DRAM to the chip, compressed where the arch compresses. [B]",
    "dram_write_bytes": "Bytes from the chip to DRAM, compressed where the arch compresses. [B]",
    "dram_words": "Values over the DRAM channel, both directions; of a coded operand the nonzero ones. In summary.json. [words]",
    "words_without_reuse": "4 x macs: values over the DRAM channel if every MAC fetched three and wrote one back. In summary.json. [words]",
    "dram_bytes": "dram_read_bytes + dram_write_bytes. [B]",
    # Energy, area
    "energy_pj": "Energy: of the layer in layers.csv (the sum of its components), of one kind of traffic in traffic.csv, "
    "of one component in energy.csv. [pJ] The assumptions in summary.json say what the table leaves out.",
    "component": "What the energy went to: mac, spad, each on-chip level and dram by name (its bursts; dram_activate, dram_refresh, "
    "dram_background and dram_io beside them), vector, wires, leakage. A column of energy.csv, actions.csv and area.csv.",
    "action": "What a component did: compute, read, write, activate, hop, span... A column of actions.csv.",
    "unit": "What one count of an action is: a MAC, a word, an access of so many bytes, a burst, a bit over a wire, a cycle.",
    "count": "How often the action was done, in units (actions.csv); equal pieces of a component (area.csv).",
    "unit_pj": "Energy of one action; count x unit_pj = energy_pj. [pJ] A column of actions.csv.",
    "unit_mm2": "Area of one piece; count x unit_mm2 = area_mm2. [mm2] A column of area.csv.",
    "cycles": "In dram.csv: from the layer's start to its last burst, in [cycles] of the DRAM device (tCK).",
    "burst_bytes": "What one DRAM burst moves. [B]",
    "activates": "Rows opened in DRAM; row hits are bursts that need none.",
    "precharges": "Rows closed in DRAM, those that a burst closes behind it too.",
    "reads": "Bursts read from DRAM.",
    "writes": "Bursts written to DRAM.",
    "refreshes": "Refreshes of all banks of a rank.",
    "missed_refreshes": "Refreshes that came only after the next one was due.",
    "open_cycles": "[cycles] of the DRAM device (tCK) in which a rank had a bank open, over all ranks.",
    "closed_cycles": "[cycles] of the DRAM device (tCK) in which a rank had all banks closed, over all ranks.",
    "bus_data_cycles": "[cycles] of the DRAM device (tCK) in which a data bus moved data, over all channels.",
    "bus_row_cycles": "[cycles] of the DRAM device (tCK) in which a data bus waited for a row to be opened or closed.",
    "bus_turnaround_cycles": "[cycles] of the DRAM device (tCK) between reads and writes, or between ranks.",
    "bus_bank_group_cycles": "[cycles] of the DRAM device (tCK) lost between bursts of one bank group.",
    "bus_refresh_cycles": "[cycles] of the DRAM device (tCK) in which a data bus waited for a refresh.",
    "bus_idle_cycles": "[cycles] of the DRAM device (tCK) in which nothing was waiting.",
    "bus_other_cycles": "[cycles] of the DRAM device (tCK): command bus taken, or data on its way at the end.",
    "source": "Whence a number comes: a key of energy_sources in summary.json, in actions.csv and area.csv.",
    "area_mm2": "Area of the chip from the energy table, per component. [mm2] What the table has no number for is not in it.",
    # Whole run
    "validation": "How far an arch was checked. validated: archsim meets published numbers of the chip; estimated: it stands for a real "
    "chip of which too little is published; example: for none.",
    "seconds": "total_cycles of all layers / clock. [s]",
    "frames_per_second": "batch / seconds.",
    "tops": "2 x macs / seconds / 1e12: operations asked for, zeros included, vector operators not. [1e12 ops/s]",
    "tops_per_watt": "2 x macs / energy_pj, which is 1e12 ops/s per watt over the whole run.",
    # Roofline
    "roofline": "Performance over operational intensity, under two roofs: compute = 2 x multipliers x clock, "
    "DRAM = bandwidth x ops_per_byte. They meet at the ridge.",
    "ridge": "ops_per_byte at which the compute roof and the DRAM roof meet: left of it DRAM limits, right of it the array. [ops/B]",
    "ops_per_byte": "Operational intensity: 2 x macs / dram_bytes; infinite where nothing crosses the DRAM channel. [ops/B]",
    "achieved_gops": "2 x macs / time of the layer, stalls included; above the compute roof only where zeros are skipped. [1e9 ops/s]",
    "roof_gops": "The lower of the two roofs at the layer's ops_per_byte; the compute roof with ideal DRAM. [1e9 ops/s]",
    # Bottlenecks
    "bottleneck": "What most of the layer's cycles go to: compute, mapping, on-chip, dram bandwidth, dram latency, or none.",
    "compute": "Bottleneck: the array is busy and well filled; only more multipliers or a faster clock help.",
    "mapping": "Bottleneck: compute_cycles prevail, but most of them are mapping loss; another dataflow, array shape or batch would help.",
    "mapping loss": "Compute cycles beyond MACs / multipliers: idle PEs, fill, drain and reloads of the array. [cycles]",
    "on-chip": "Bottleneck: on-chip stalls prevail; more banks, ports or width would help.",
    "dram bandwidth": "Bottleneck: the DRAM channel is busy while the array waits; more bandwidth or more reuse would help.",
    "dram latency": "Bottleneck: the array waits for the first bytes of transfers; a shorter latency or earlier requests would help.",
    "none": "Bottleneck: the layer takes no cycles (a view, or an operator that is not costed). Dataflow: the operator does not run.",
}  # fmt: skip


def explain(term: str) -> str:
    """Return what a term means.

    Parameters
    ----------
    term
        A key of `GLOSSARY`; case, ``_``, ``-`` and spaces do not matter.

    Raises
    ------
    ConfigError
        The glossary has no such term; the message names the nearest.
    """
    known = {_plain(key): key for key in GLOSSARY}
    found = known.get(_plain(term))
    if found is None:
        near = difflib.get_close_matches(_plain(term), sorted(known), n=1, cutoff=0.6)
        hint = (
            f" Did you mean {known[near[0]]!r}?" if near else " `archsim explain layer` shows what an entry looks like."
        )
        raise ConfigError(f"{term!r} is not in the glossary.{hint}")
    return GLOSSARY[found]


def _plain(term: str) -> str:
    return " ".join(term.replace("_", " ").replace("-", " ").lower().split())

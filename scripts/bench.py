"""How fast archsim is, as ratios to the work done; nothing here is asserted.

Run by hand: ``.venv/bin/python scripts/bench.py``. One core, warm unless it says cold. Where this
Python, or the one that ``$SCALESIM_PYTHON`` names, has SCALE-Sim 3, its time on one AlexNet layer stands beside ours.
"""

import argparse
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench_clocked import bench_clocked
from bench_numerics import bench_numerics
from bench_zeros import bench_zeros

BARS = {
    "archsim --help": 0.3, "import archsim": 0.5, "network": 1.0, "network on banks": 5.0,
    "sequential": 3e6, "random": 0.8e6, "mapping of alexnet": 2.0, "mapping of resnet50": 10.0,
}  # fmt: skip
"""What DESIGN asks for: seconds, or DRAM requests per second; every line says how many times better it is."""
BANKED_ARCHS = (("lpddr4_32x32", ()), ("tpu_like", ("levels.dram.device=LPDDR4_3200",)))
DRAM_DEVICE = "DDR4_2400"
DRAM_REQUESTS = 60_000
DRAM_OUTSTANDING = 32
DRAM_ELSEWHERE = {
    "seq_rd": (0.113, 0.176),
    "rand_rd": (0.152, 0.285),
    "rand_mix21": (0.191, 0.275),
    "tile_a": (0.094, 0.151),
}
"""CPU seconds of DRAMsim3 29817593 and Ramulator 2.1 c5b1c3a4 on the same requests, measured elsewhere (2026-11-20)."""
MAPPED_ELSEWHERE = {"alexnet": (5.0, 36.0), "resnet50": (22.0, 98.0)}
"""CPU seconds of Timeloop and ZigZag for the mappings of a network, from the issue that asked for this bench."""
DATAFLOWS = ("ws", "os", "is")
NETWORKS = ("resnet50", "light_resnet50.onnx")
ONE_LAYER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
ALEXNET_CONV3 = "conv3, 15, 15, 3, 3, 256, 384, 1,\n"
SCALE_SIM_CFG = """\
[general]
run_name = bench
[architecture_presets]
ArrayHeight: 32
ArrayWidth: 32
ifmapsramszkB: 64
filtersramszkB: 64
ofmapsramszkB: 64
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth: 10
Dataflow: ws
ReadRequestBuffer: 32
WriteRequestBuffer: 32
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport: false
SparseRep: ellpack_block
OptimizedMapping: false
BlockSize: 8
RandomNumberGeneratorSeed: 40
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""
RUN_SCALE_SIM = """
import time
from scalesim.scale_sim import scalesim
start = time.perf_counter()
run = scalesim(save_disk_space=True, verbose=False, config="bench.cfg", topology="net.csv", layout="layout.csv")
run.run_scale(top_path=".")
print()
print(time.perf_counter() - start)
"""
SCALE_SIM_LAYOUT = "Layer name," + ",".join(f"factor {i}" for i in range(20)) + ",\nconv3," + "1," * 20 + "\n"


def best_of(runs: int, work: Callable[[], object]) -> float:
    """Return the shortest wall time of several runs. [s]"""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_mib() -> float:
    """Return the largest resident set of this process so far. [MiB]"""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bench_cold_start() -> None:
    """Print the time of a fresh process, and of the bare interpreter beside it."""
    archsim = Path(sys.executable).with_name("archsim")
    commands = {
        "bare python": [sys.executable, "-c", "pass"],
        "import archsim": [sys.executable, "-c", "import archsim"],
    }
    if archsim.exists():
        commands["archsim --help"] = [str(archsim), "--help"]
    for label, command in commands.items():
        subprocess.run(command, check=True, capture_output=True)
        times = [best_of(1, lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(5)]  # noqa: B023 - called at once
        seconds = statistics.median(times)
        bar = f"{BARS[label] / seconds:6.1f} x the bar" if label in BARS else " " * 16
        print(f"{label:<34} {bar} {seconds:8.3f} s, a fresh process, median of 5")


def bench_networks() -> None:
    """Print time, simulated cycles and MACs per second of whole networks on a 32 x 32 array."""
    import archsim  # noqa: PLC0415 - after the cold start is measured

    for network in NETWORKS:
        workload = archsim.load_workload(_network_path(network))
        for dataflow in DATAFLOWS:
            arch = archsim.load_arch("scalesim_ws_32x32", [f"pe_array.dataflow={dataflow}"])
            run = archsim.simulate(arch, workload)
            seconds = best_of(3, lambda: archsim.simulate(arch, workload))  # noqa: B023 - called at once
            cycles = sum(layer.total_cycles for layer in run.layers)
            print(
                f"{network + ' ' + dataflow:<34} {BARS['network'] / seconds:6.1f} x the bar {seconds:8.3f} s, "
                f"{len(run.layers)} layers, "
                f"{cycles / seconds / 1e6:8.1f} M cycles/s, {workload.macs / seconds / 1e9:7.2f} GMAC/s, "
                f"peak {peak_mib():.0f} MiB"
            )


def bench_banks() -> None:
    """Print the time of ResNet-50 on 32 x 32 arrays with a DRAM simulated command by command."""
    import archsim  # noqa: PLC0415 - after the cold start is measured

    workload = archsim.load_workload("resnet50")
    for name, settings in BANKED_ARCHS:
        arch = archsim.load_arch(name, settings)
        run = archsim.simulate(arch, workload)
        seconds = best_of(3, lambda: archsim.simulate(arch, workload))  # noqa: B023 - called at once
        bursts = sum(layer.run.dram.counts.columns for layer in run.layers if layer.run.dram)
        print(
            f"{'resnet50 on banks, ' + name:<34} {BARS['network on banks'] / seconds:6.1f} x the bar {seconds:8.3f} s, "
            f"{bursts / 1e6:.2f} M bursts in the result"
        )


def bench_mapping() -> None:
    """Print the time of searching every layer's row-stationary mapping on Eyeriss, all layers, none remembered."""
    import archsim  # noqa: PLC0415 - after the cold start is measured
    from archsim.mapping.row_search import search_mapping  # noqa: PLC0415
    from archsim.mapping.row_stationary import row_work  # noqa: PLC0415
    from archsim.workload.layer import ArrayLayer  # noqa: PLC0415

    arch = archsim.load_arch("eyeriss_v1")
    for network, peers in MAPPED_ELSEWHERE.items():
        layers = [each for each in archsim.load_workload(network).layers if isinstance(each, ArrayLayer)]
        works = [row_work(layer, arch) for layer in layers]
        compared = sum(search_mapping(work).legal for work in works)
        seconds = best_of(3, lambda: [search_mapping(work) for work in works])  # noqa: B023 - called at once
        label = f"mapping of {network}"
        print(
            f"{label:<34} {BARS[label] / seconds:6.1f} x the bar {seconds:8.3f} s, {len(layers)} layers, {compared:,} mappings compared; "
            f"Timeloop {peers[0] / seconds:.0f} x, ZigZag {peers[1] / seconds:.0f} x as long, measured elsewhere"
        )


def bench_dram() -> None:
    """Print requests per second of the DRAM channel under the default policy, counts and bus use included."""
    from archsim.arch.dram_devices import load_device  # noqa: PLC0415 - after the cold start is measured
    from archsim.engine.dram_channel import run_dram_trace  # noqa: PLC0415
    from archsim.validate.dram_traces import scattered, scattered_mix, sequential, tile_reads  # noqa: PLC0415

    device = load_device(DRAM_DEVICE)
    traces = {
        "seq_rd": sequential(DRAM_REQUESTS),
        "rand_rd": scattered(DRAM_REQUESTS, 1),
        "rand_mix21": scattered_mix(DRAM_REQUESTS, 1, 3),
        "tile_a": tile_reads(DRAM_REQUESTS, 128, (512, 512 * 512), 32, 4096),
    }
    for name, trace in traces.items():
        run = run_dram_trace(device, trace, outstanding=DRAM_OUTSTANDING)
        seconds = best_of(9, lambda: run_dram_trace(device, trace, outstanding=DRAM_OUTSTANDING))  # noqa: B023 - called at once
        rate = len(trace) / seconds
        bar = rate / BARS["random" if name.startswith("rand") else "sequential"]
        dramsim3, ramulator = DRAM_ELSEWHERE[name]
        print(
            f"{'DRAM ' + name:<34} {bar:6.1f} x the bar {rate / 1e6:8.2f} M requests/s, "
            f"{run.cycles / seconds / 1e6:8.1f} M clocks/s; measured elsewhere: DRAMsim3 {dramsim3 / seconds:.0f} x, "
            f"Ramulator 2.1 {ramulator / seconds:.0f} x our time"
        )


def bench_scale_sim() -> None:
    """Print SCALE-Sim's time on AlexNet's conv3 over ours, its compute cycles beside ours."""
    python = os.environ.get("SCALESIM_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        _beside_scale_sim(Path(folder), python)


def _beside_scale_sim(folder: Path, python: str) -> None:
    import archsim  # noqa: PLC0415 - after the cold start is measured

    inputs = {"bench.cfg": SCALE_SIM_CFG, "net.csv": ONE_LAYER + ALEXNET_CONV3, "layout.csv": SCALE_SIM_LAYOUT}
    for name, text in inputs.items():
        (folder / name).write_text(text)
    done = subprocess.run([python, "-c", RUN_SCALE_SIM], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip().splitlines()[-1]
        print(f"SCALE-Sim 3 does not run in {python}: {why}; name a Python that has it: SCALESIM_PYTHON=...")
        return
    arch, workload = archsim.load_arch(folder / "bench.cfg"), archsim.load_workload(folder / "net.csv")
    (layer,) = archsim.simulate(arch, workload).layers
    ours = best_of(3, lambda: archsim.simulate(arch, workload))
    theirs = float(done.stdout.splitlines()[-1])
    report = (folder / "bench" / "COMPUTE_REPORT.csv").read_text().splitlines()[1].split(",")
    print(
        f"{'AlexNet conv3, SCALE-Sim / archsim':<34} {theirs / ours:8.0f} x ({theirs:.2f} s / {ours * 1e3:.2f} ms); "
        f"compute cycles {int(float(report[2])) + 1} / {layer.compute_cycles} (theirs + 1: they count from 0)"
    )


def _network_path(name: str) -> str | Path:
    if not name.endswith(".onnx"):
        return name
    spec = importlib.util.find_spec("onnx")
    assert spec is not None, "onnx is a dependency of archsim"
    assert spec.origin is not None, "onnx is a package of files"
    return Path(spec.origin).parent / "backend/test/data/light" / name


BENCHES = {
    "cold": bench_cold_start,
    "networks": bench_networks,
    "banks": bench_banks,
    "mapping": bench_mapping,
    "clocked": bench_clocked,
    "dram": bench_dram,
    "numerics": bench_numerics,
    "zeros": bench_zeros,
    "scalesim": bench_scale_sim,
}


def main() -> None:
    """Run the benches named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=f"of {', '.join(BENCHES)}; all by default")
    chosen = parser.parse_args().benches or list(BENCHES)
    unknown = [name for name in chosen if name not in BENCHES]
    if unknown:
        parser.error(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for name in chosen:
        BENCHES[name]()


if __name__ == "__main__":
    main()

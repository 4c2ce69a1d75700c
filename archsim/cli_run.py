"""`archsim run` and `archsim demo`: the options, and nothing else. Registered by `cli.py`."""

from pathlib import Path
from typing import TYPE_CHECKING

from archsim.cli_options import (
    Arch,
    AsJson,
    Batch,
    Check,
    Dram,
    DramChoice,
    EnergyTable,
    Inputs,
    Layers,
    Masks,
    Network,
    Out,
    RowMappings,
    Seed,
    Settings,
    Zeros,
)  # fmt: skip
from archsim.cli_output import deliver, progress, say

if TYPE_CHECKING:
    from archsim.arch.architecture import Architecture


def run(
    arch: Arch,
    workload: Network,
    *,
    out: Out = None,
    batch: Batch = None,
    layers: Layers = None,
    inputs: Inputs = None,
    masks: Masks = None,
    zeros: Zeros = None,
    settings: Settings = None,
    mapping: RowMappings = None,
    dram: Dram = None,
    energy_table: EnergyTable = None,
    seed: Seed = 0,
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Run a network on a chip."""
    from archsim.engine.link_zeros import cut_out
    from archsim.study.directory import check_directory
    from archsim.study.mapped_layers import check_mapped_layers
    from archsim.study.simulate import simulate
    from archsim.zero_sources import ZeroSources, unused_places

    if out is not None:
        check_directory(out)
    chip = _chip(arch, settings, dram=dram, mapping=mapping, energy_table=energy_table)
    sources = ZeroSources(masks=masks, inputs=inputs, zeros=tuple(zeros or ()))
    network = sources.load(workload, batch)
    if mapping is not None:
        check_mapped_layers(chip, network)
    if layers is not None:
        network = cut_out(network, layers)
    network = sources.draw(network)
    if check:
        from archsim.value_check import check_values

        say(check_values(workload, chip))
    with progress() as on_layer:
        result = simulate(chip, network, seed=seed, on_layer=on_layer)
    deliver(result, out, as_json=as_json)
    for line in unused_places(chip, sources):
        say(line)


def demo(out: Out = Path("archsim-demo")) -> None:
    """Run ResNet-50 (from the onnx package) on the shipped arch tpu_like."""
    from archsim.convert.light_models import light_model

    run("tpu_like", str(light_model("resnet50")), out=out)


def _chip(
    arch: str, settings: list[str] | None, *, dram: DramChoice | None, mapping: str | None, energy_table: str | None
) -> "Architecture":
    from archsim.arch.mapping_keys import with_mapping
    from archsim.catalog import load_arch
    from archsim.cost.price_source import with_energy_table

    chip = load_arch(arch, tuple(settings or ()))
    if dram is DramChoice.IDEAL:
        chip = chip.with_ideal_dram()
    if mapping is not None:
        chip = with_mapping(chip, mapping)
    return chip if energy_table is None else with_energy_table(chip, energy_table)

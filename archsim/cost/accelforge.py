"""AccelForge architectures whose nodes say what their actions cost, in SI units: read and written.

`price_source.py` reads them, `study/result.py` writes one beside a run. AccelForge (1.0) takes an action
with a number under ``energy`` as it is; one without would ask a model that archsim does not have.
"""

from collections.abc import Iterator
from math import fsum
from typing import Any

from archsim.arch.architecture import Architecture
from archsim.config_file import ConfigText, KeyPath, validate
from archsim.cost.foreign_schema import AccelForgeFile, Node
from archsim.cost.foreign_table import BITS, ForeignAction, ForeignComponent, ForeignTable
from archsim.cost.price_list import MAC, SPAD, Price, PriceList
from archsim.cost.price_places import LEAK, place_of, quoted, six_digits, table_name
from archsim.cost.spads import spad_words
from archsim.errors import ConfigError
from archsim.terms import HELD_OPERANDS

PJ_PER_J = 1e12
MM2_PER_M2 = 1e6
MW_PER_W = 1e3
BITS_PER_ACTION = 1.0
"""Of a memory's action that does not say."""


def read_accelforge(text: ConfigText) -> ForeignTable:
    """Read the nodes of an architecture, those inside groups too.

    Notes
    -----
    Fan-outs are not read: area and leakage are those of the nodes as they stand.

    Raises
    ------
    ConfigError
        A fault in a node, with line and key.
    """
    validate(text, AccelForgeFile, ConfigError)
    components = tuple(_component(node) for node in _nodes(text, text.data["arch"]["nodes"], ("arch", "nodes")))
    return ForeignTable(
        path=text.path, kind="AccelForge architecture", components=components, default_bits=BITS_PER_ACTION
    )


def accelforge_text(prices: PriceList, arch: Architecture) -> str:
    """Return an architecture with the chip's prices, outermost node first; area and leakage of all pieces together."""
    by_node: dict[str, list[Price]] = {}
    for price in prices.prices:
        by_node.setdefault(_node_name(price), []).append(price)
    outwards = [MAC, SPAD, *(level.name for level in arch.srams), arch.dram.name]
    order = sorted(by_node, key=lambda node: -next((i for i, n in enumerate(outwards) if _is_part(node, n)), 0.5))
    lines = [f"# Prices of {table_name(arch.name)}: J per action, W, m2", "arch:", "  nodes:"]
    for node in order:
        lines += _node_lines(node, by_node[node], prices, arch)
    return "\n".join(lines) + "\n"


def _nodes(text: ConfigText, nodes: Any, at: KeyPath) -> Iterator[Node]:
    for index, node in enumerate(nodes if isinstance(nodes, (list, tuple)) else ()):
        here = (*at, index)
        if isinstance(node, dict) and "nodes" in node:
            yield from _nodes(text, node["nodes"], (*here, "nodes"))
        if not isinstance(node, dict) or "name" in node or "nodes" not in node:
            yield validate(text, Node, ConfigError, here)


def _component(node: Node) -> ForeignComponent:
    return ForeignComponent(
        path=node.name,
        actions=tuple(
            ForeignAction(name=each.name, arguments=(), pj=each.energy * PJ_PER_J, bits=each.bits_per_action)
            for each in node.actions or ()
            if each.energy is not None
        ),
        area_mm2=None if node.area is None else node.area * MM2_PER_M2,
        leak_mw=None if node.leak_power is None else node.leak_power * MW_PER_W,
    )


def _node_name(price: Price) -> str:
    component, _ = place_of(price)
    return f"{component}_{price.operand}" if price.operand else component


def _is_part(node: str, component: str) -> bool:
    return node == component or node.startswith(f"{component}_")


def _node_lines(node: str, own: list[Price], prices: PriceList, arch: Architecture) -> Iterator[str]:
    leak_pj = fsum(each.pj for each in own if place_of(each)[1] == LEAK)
    area_mm2 = fsum(part.area_mm2 for part in prices.areas if part.component == node)
    size = _size_bits(node, arch)
    yield f"  - {'!Compute' if node == MAC else '!Memory' if size else '!Container'}"
    yield f"    name: {quoted(node)}"
    if size:
        yield f"    size: {size}"
    yield f"    area: {six_digits(area_mm2 / MM2_PER_M2)}"
    yield f"    leak_power: {six_digits(leak_pj * arch.clock_mhz * 1e-6)}"
    acting = [each for each in own if place_of(each)[1] != LEAK]
    yield "    actions:" + ("" if acting else " []")
    for each in acting:
        bits = f", {BITS}: {six_digits(each.bits)}" if each.bits else ""
        yield f"    - {{name: {place_of(each)[1]}, energy: {six_digits(each.pj / PJ_PER_J)}{bits}}}"


def _size_bits(node: str, arch: Architecture) -> str:
    """Return the size of a memory in bits; empty for what is none."""
    if node == arch.dram.name:
        return "inf"
    for level in arch.srams:
        parts = {f"{level.name}_{operand}": size for operand, size in level.partition_bytes or ()}
        if _is_part(node, level.name):
            return str(8 * parts.get(node, level.capacity_bytes))
    spads = {
        f"{SPAD}_{operand}": str(spad_words(arch.pe_array, operand) * arch.formats.of(operand).width_bits)
        for operand in HELD_OPERANDS
    }
    return spads.get(node, "")

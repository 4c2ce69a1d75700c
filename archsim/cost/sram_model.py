"""What a bank of SRAM costs on one chip: energy, leakage, area and time; called by `energy_table.py`.

CACTI 7 at five nodes for low standby power and high performance cells, on a coarser grid for low
operating power; `load_sram_model` brings the points to the chip's node and `SramModel.point` reads them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import sqrt
from pathlib import Path

from archsim.arch.memory_level import PortKind, SramCell, SramPorts
from archsim.cost.sram_surface import COSTS, Costs, SramSurface, read_sram_surface
from archsim.cost.sram_tree import macro_tree

Factor = Callable[[float, float], float]
"""(from node, to node) -> what to multiply by. [nm]"""

_TABLES = Path(__file__).parent / "tables"
SHIPPED_GRIDS = {cell: _TABLES / f"sram_cacti_{cell}.csv" for cell in SramCell}
TEMPERATURES_K = {SramCell.LSTP: 300, SramCell.LOP: 300, SramCell.HP: 350}
"""That CACTI was run at. [K]"""
_SOURCES = {
    cell: f"CACTI 7, itrs-{cell} cells at {TEMPERATURES_K[cell]} K"
    + (", a coarse grid" if cell is SramCell.LOP else "")
    for cell in SramCell
}
_PORT_POINTS = {
    PortKind.READ_OR_WRITE: (_TABLES / "sram_cacti_lstp_2rw.csv", 2),
    PortKind.READ_AND_WRITE: (_TABLES / "sram_cacti_lstp_1r1w.csv", 1),
}
"""Points of more ports than one that reads or writes, and how many of their kind they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SramPoint:
    """One bank.

    Parameters
    ----------
    read_pj, write_pj
        Of one access of the full width through one port. [pJ]
    leakage_mw, area_mm2
        Of the bank. [mW], [mm2]
    access_ns, cycle_ns
        From the address to the data; between accesses. None where the grid has no times. [ns]
    """

    read_pj: float
    write_pj: float
    leakage_mw: float
    area_mm2: float
    access_ns: float | None
    cycle_ns: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SramModel:
    """SRAM of one cell type at one node.

    Parameters
    ----------
    node_nm
        Of the chip. [nm]
    cell
        Of the SRAM.
    source
        Whence the points are, for a report.
    surface
        The points of one port that reads or writes.
    grid_node_nm
        Where the surface is read: the chip's node, or the nearest one it has. [nm]
    energy_factor, area_factor
        From there to the chip's node; 1 inside the grid.

    Notes
    -----
    Held against CACTI at capacities between the grid's (see `archsim validate sram`). With one node left
    out of the points, 90 % of its reads come within 21 %, leakage within 3 x. Not modelled:
    redundancy, error correction, power gating, sleep transistors, temperatures but the one of the cell
    type; leakage, access and cycle time beyond the nodes of the grid stay those of its nearest node.
    """

    node_nm: float
    cell: SramCell
    source: str
    surface: SramSurface
    grid_node_nm: float
    energy_factor: float
    area_factor: float

    def point(self, *, bank_bytes: float, access_bits: float, ports: SramPorts) -> SramPoint:
        """Cost of a bank.

        A word wider than the grid's widest is that many macros side by side; a bank larger than its
        largest macro is that many macros behind a tree of wires; one smaller or narrower than its smallest
        costs as much as that.
        """
        return _point(self, bank_bytes, access_bits, ports)

    def banked(self, *, bank_bytes: float, access_bits: float, ports: SramPorts, banks: int) -> SramPoint:
        """Cost of ``banks`` equal banks behind one tree of wires: an access goes to one of them."""
        bank = self.point(bank_bytes=bank_bytes, access_bits=access_bits, ports=ports)
        return _behind_tree(self, bank, banks, access_bits)

    def beyond(self, *, bank_bytes: float, access_bits: float, ports: SramPorts) -> tuple[str, ...]:
        """Return what `point` did for lack of points, as ends of a sentence; none inside the grid."""
        least, most, narrowest, widest = self._extent(access_bits)
        columns = max(access_bits / widest, 1.0)
        said = []
        if access_bits > widest:
            said.append(f"{columns:.4g} macros of {widest:g} bit side by side")
        if access_bits < narrowest:
            said.append(f"costs as a word of {narrowest:g} bit")
        if bank_bytes / columns > most:
            said.append(f"{bank_bytes / columns / most:.4g} macros of {most:.10g} bytes behind a tree of wires")
        if bank_bytes / columns < least:
            said.append(f"costs as the smallest macro of its width, {least * columns:.10g} bytes")
        if ports != SramPorts():
            said.append(self._about_ports(ports, bank_bytes / columns, access_bits / columns))
        return tuple(said)

    def lists(self, *, capacity_bytes: float, width_bits: float, ports: SramPorts) -> bool:
        """Whether a bank is one of the points, rather than drawn between or beyond them."""
        surface = self.surface
        if ports != SramPorts():
            path, count = _PORT_POINTS[ports.kind]
            if ports.count != count or self.cell is not SramCell.LSTP:
                return False
            surface = _read(path, None, 0)
        column = surface.columns.get(self.node_nm, {}).get(width_bits)
        return column is not None and capacity_bytes in column.capacities

    def statements(self) -> tuple[str, ...]:
        """Sentences for the report: cells, temperature, source, and what was done to get to the node."""
        nodes = ", ".join(f"{node:g}" for node in self.surface.nodes)
        return (f"SRAM at {self.node_nm:g} nm: {self.source}; every access moves the full width", *self._scaling(nodes))

    def _about_ports(self, ports: SramPorts, bank_bytes: float, access_bits: float) -> str:
        listed = SramPorts(count=_PORT_POINTS[ports.kind][1], kind=ports.kind)
        ratios = port_ratios(ports.kind)
        first, last = ratios.nodes[0], ratios.nodes[-1]
        least, most, narrowest, widest = ratios.extent(self.grid_node_nm, access_bits)
        is_inside = least <= bank_bytes <= most and narrowest <= access_bits <= widest
        is_inside &= first <= self.grid_node_nm <= last
        points = f"{least:.10g} to {most:.10g} bytes by {narrowest:g} to {widest:g} bit, {first:g} to {last:g} nm"
        nearest = "" if is_inside else f", at the nearest of its points ({points})"
        beyond = "" if ports == listed else f", drawn on from {listed} to {ports}"
        return f"costs what CACTI's itrs-lstp cells with {listed} ports cost over one port{nearest}{beyond}"

    def _scaling(self, nodes: str) -> tuple[str, ...]:
        if self.node_nm in self.surface.nodes:
            return ()
        if self.node_nm == self.grid_node_nm:
            return (
                f"SRAM at {self.node_nm:g} nm lies between its points ({nodes} nm): log-log between them; CACTI's leakage "
                "rises and falls from node to node, by up to 3 x",
            )
        return (
            f"SRAM at {self.node_nm:g} nm is beyond its points ({nodes} nm): energy x {self.energy_factor:.4g} and area x "
            f"{self.area_factor:.4g} from {self.grid_node_nm:g} nm, by the factors of logic; leakage and access time are "
            f"those of {self.grid_node_nm:g} nm",
        )

    def _extent(self, access_bits: float) -> tuple[float, float, float, float]:
        return self.surface.extent(self.grid_node_nm, access_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGrid:
    """A user's grid.

    Parameters
    ----------
    path
        The .csv file.
    node_nm
        Node of its points, where it has no column of nodes. [nm]
    source
        Whence they are.
    """

    path: Path
    node_nm: float
    source: str


def load_sram_model(
    *, node_nm: float, cell: SramCell, energy_factor: Factor, area_factor: Factor, grid: OwnGrid | None = None
) -> SramModel:
    """Read the points of a cell type (each file once) and bring them to a node.

    Parameters
    ----------
    node_nm, cell
        Of the chip. [nm]
    energy_factor, area_factor
        Used only where the node lies beyond those of the points.
    grid
        A user's own points, which stand for every cell type.

    Raises
    ------
    ConfigError
        A fault in the user's file, or a node that the factors do not know.
    """
    path = SHIPPED_GRIDS[cell] if grid is None else grid.path
    surface = _read(path, None if grid is None else grid.node_nm, path.stat().st_mtime_ns)
    nearest = min(max(node_nm, surface.nodes[0]), surface.nodes[-1])
    is_inside = nearest == node_nm
    return SramModel(
        node_nm=node_nm,
        cell=cell,
        source=grid.source if grid is not None else _SOURCES[cell],
        surface=surface,
        grid_node_nm=nearest,
        energy_factor=1.0 if is_inside else energy_factor(nearest, node_nm),
        area_factor=1.0 if is_inside else area_factor(nearest, node_nm),
    )


@lru_cache(maxsize=16)
def _read(path: Path, node_nm: float | None, _stamp: int) -> SramSurface:
    return read_sram_surface(path, node_nm)


@lru_cache(maxsize=4096)
def _point(model: SramModel, bank_bytes: float, access_bits: float, ports: SramPorts) -> SramPoint:
    _, _, _, widest = model._extent(access_bits)
    columns = max(access_bits / widest, 1.0)
    part_bytes, part_bits = bank_bytes / columns, access_bits / columns
    _, most, _, _ = model._extent(part_bits)
    macros = max(part_bytes / most, 1.0)
    costs = model.surface.at(model.grid_node_nm, part_bytes, part_bits)
    read, write, leakage, area, *times = _with_ports(model, costs, (part_bytes, part_bits), ports)
    access, cycle = times or (None, None)
    macro = SramPoint(
        read_pj=read * model.energy_factor, write_pj=write * model.energy_factor,
        leakage_mw=leakage, area_mm2=area * model.area_factor, access_ns=access, cycle_ns=cycle,
    )  # fmt: skip
    column = _behind_tree(model, macro, macros, part_bits)
    return replace(
        column, read_pj=column.read_pj * columns, write_pj=column.write_pj * columns,
        leakage_mw=column.leakage_mw * columns, area_mm2=column.area_mm2 * columns,
    )  # fmt: skip


def _behind_tree(model: SramModel, macro: SramPoint, macros: float, access_bits: float) -> SramPoint:
    tree = macro_tree(
        macro_mm2=macro.area_mm2 / model.area_factor, macros=macros, access_bits=access_bits, cell=model.cell,
        node_nm=model.grid_node_nm,
    )  # fmt: skip
    return SramPoint(
        read_pj=macro.read_pj + tree.access_pj * model.energy_factor,
        write_pj=macro.write_pj + tree.access_pj * model.energy_factor,
        leakage_mw=macro.leakage_mw * macros,
        area_mm2=macro.area_mm2 * macros + tree.area_mm2 * model.area_factor,
        access_ns=None if macro.access_ns is None else macro.access_ns + tree.access_ns,
        cycle_ns=macro.cycle_ns,
    )


def _with_ports(model: SramModel, costs: Costs, size: tuple[float, float], ports: SramPorts) -> Costs:
    """Multiply by what CACTI's low standby power cells cost with more ports over one.

    Beyond the ports that there are points of, energy, leakage and time grow by the same again for each
    further port; the area by the square, as every port adds a wire along both sides of a cell.
    """
    if ports == SramPorts():
        return costs
    more = port_ratios(ports.kind).at(model.grid_node_nm, *size)
    wires = ports.count * (2 if ports.kind is PortKind.READ_AND_WRITE else 1) - 1  # both kinds listed have one more
    area = COSTS.index("area_mm2")
    factors = [(1 + (sqrt(f) - 1) * wires) ** 2 if at == area else 1 + (f - 1) * wires for at, f in enumerate(more)]
    return tuple(cost * factor for cost, factor in zip(costs, factors, strict=False))


@lru_cache(maxsize=2)
def port_ratios(kind: PortKind) -> SramSurface:
    """Return what CACTI's points of more ports cost over those of one, by node, width and capacity."""
    more, one = _read(_PORT_POINTS[kind][0], None, 0), _read(SHIPPED_GRIDS[SramCell.LSTP], None, 0)
    return more.over(one)

"""Which nodes of a float network become one layer of the converted one, and which tensor their scale is measured on.

A relu that alone reads a product, a sum or an average is done as the results are written. Called by `quantise.py`
and `pipeline.py`.
"""

from dataclasses import dataclass

from archsim.convert.float_network import (
    AnyFloatNode,
    FloatAdd,
    FloatBatchNorm,
    FloatConv,
    FloatDense,
    FloatNetwork,
    FloatPool,
    FloatRelu,
)  # fmt: skip
from archsim.errors import SimulationError
from archsim.terms import PoolKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One layer of the converted network.

    Parameters
    ----------
    node
        What it computes.
    sources
        Names of the stages it reads; "" = the network's input.
    relu
        Whether negative results become zero as they are written.
    written
        Name of the float node whose ofmap it writes: its own, or the relu's.
    measured
        Name of the float node on which the scale of its ofmap is chosen: behind a max pool that alone reads it,
        the pool, as that is what the next layer sees.
    is_last
        Whether nobody reads it: it makes the logits.
    """

    node: AnyFloatNode
    sources: tuple[str, ...]
    relu: bool
    written: str
    measured: str
    is_last: bool

    @property
    def name(self) -> str:
        """Of the converted layer."""
        return self.node.name

    @property
    def is_product(self) -> bool:
        """Whether the PE array runs it."""
        return isinstance(self.node, FloatConv | FloatDense)

    @property
    def makes_codes(self) -> bool:
        """Whether it computes new values, which need a format and a scale of their own."""
        return _makes_values(self.node)


def cut_into_stages(network: FloatNetwork) -> tuple[Stage, ...]:
    """Return the stages in running order.

    Raises
    ------
    SimulationError
        A batch norm is left: `fold_batchnorm` goes first.
    """
    readers: dict[str, list[AnyFloatNode]] = {}
    for node in network.nodes:
        for source in node.sources:
            readers.setdefault(source, []).append(node)
    maker: dict[str, str] = {"": ""}
    stages: list[Stage] = []
    for node in network.nodes:
        if isinstance(node, FloatBatchNorm):
            raise SimulationError(f"batch norm {node.name!r} must be folded before the network is cut into stages")
        if node.name in maker:  # a relu that its source has taken in
            continue
        relu = _only_reader(node, readers, FloatRelu) if _makes_values(node) else None
        written = relu or node
        pool = _only_reader(written, readers, FloatPool)
        is_pooled = isinstance(pool, FloatPool) and pool.kind is PoolKind.MAX
        stages.append(
            Stage(
                node=node,
                sources=tuple(maker[source] for source in node.sources),
                relu=relu is not None,
                written=written.name,
                measured=pool.name if pool is not None and is_pooled else written.name,
                is_last=written.name not in readers,
            )
        )
        maker[node.name] = maker[written.name] = node.name
    return tuple(stages)


def _makes_values(node: AnyFloatNode) -> bool:
    """Whether new values come out, which are written once: a relu behind them is part of the writing."""
    return isinstance(node, FloatConv | FloatDense | FloatAdd) or (
        isinstance(node, FloatPool) and node.kind is PoolKind.AVERAGE
    )


def _only_reader(
    node: AnyFloatNode, readers: dict[str, list[AnyFloatNode]], kind: type[FloatRelu | FloatPool]
) -> AnyFloatNode | None:
    found = readers.get(node.name, [])
    return found[0] if len(found) == 1 and isinstance(found[0], kind) else None

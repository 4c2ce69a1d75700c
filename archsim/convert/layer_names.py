"""Names of layers: the nodes' own where they can be used, else numbered.

Called by `onnx_reader.py`.
"""

import re
from collections import Counter

from archsim.convert.node import Node

MAX_NAME_LENGTH = 120


def name_layers(nodes: list[Node]) -> list[str]:
    """Give each node a name of its own, fit for a CSV cell and a --layers pattern.

    A node's own name stays if no other node has it; otherwise it is the operator and its number among
    all of that operator: ``conv_1``.
    """
    wanted = [_cleaned(node.name) for node in nodes]
    uses = Counter(wanted)
    taken = {name for name in wanted if name and uses[name] == 1}
    numbers: Counter[str] = Counter()
    names = []
    for node, own in zip(nodes, wanted, strict=True):
        numbers[node.op] += 1
        if own and uses[own] == 1:
            names.append(own)
            continue
        numbered = _numbered(_cleaned(node.op.lower()) or "node", numbers[node.op], taken)
        taken.add(numbered)
        names.append(numbered)
    return names


def _cleaned(name: str) -> str:
    """Letters, digits and the marks that exporters use; anything else becomes an underscore."""
    return re.sub(r"[^\w./:\-]+", "_", name)[:MAX_NAME_LENGTH].lstrip("-").strip("_")


def _numbered(op: str, number: int, taken: set[str]) -> str:
    name = f"{op}_{number}"
    suffix = 1
    while name in taken:
        suffix += 1
        name = f"{op}_{number}_{suffix}"
    return name

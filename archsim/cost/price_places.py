"""Where a price stands in another tool's table; called by what reads and writes those tables.

The parts of DRAM are actions of the DRAM, leakage is an action ``leak`` of the component that leaks.
"""

import json
import re

from archsim.cost.price_list import LEAKAGE, Price, PriceList

LEAK = "leak"
DRAM_ACTIONS = ("activate", "refresh", "open", "closed", "transfer")
"""What DRAM does beyond its bursts."""


def place_of(price: Price) -> tuple[str, str]:
    """Return the component and the action under which a foreign table has a price."""
    if price.component == LEAKAGE:
        return price.action, LEAK
    is_dram_part = price.action in DRAM_ACTIONS
    return (price.component.rpartition("_")[0] if is_dram_part else price.component), price.action


def instances(prices: PriceList, component: str) -> int:
    """Return how many equal pieces a component has; 1 where they are not equal."""
    parts = [part for part in prices.areas if part.component == component]
    return max(parts[0].count, 1) if len(parts) == 1 else 1


def table_name(chip: str) -> str:
    """Return the chip's name with what would be taken for a path, a range or a comment replaced."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", chip)


def quoted(name: str) -> str:
    """Return a name as YAML text."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", name) else json.dumps(name)


def six_digits(value: float) -> str:
    """Return a number of six significant digits that YAML 1.1 takes for a number too."""
    text = f"{value:.6g}"
    mantissa, mark, exponent = text.partition("e")
    return text if not mark or "." in mantissa else f"{mantissa}.0e{exponent}"

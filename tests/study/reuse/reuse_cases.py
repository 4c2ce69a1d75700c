"""Small layers for the tests of the dataflow study."""

from random import Random

from archsim.study.reuse.square_layer import SquareLayer
from archsim.study.reuse.storage import Storage


def small_layer(**sizes: int) -> SquareLayer:
    """Return a layer whose ifmap is as large as its windows, unless said otherwise."""
    given = {"channels": 4, "filters": 6, "kernel": 3, "stride": 1, "ofmap_side": 4, "batch": 2, "groups": 1} | sizes
    side = given["stride"] * (given["ofmap_side"] - 1) + given["kernel"]
    return SquareLayer(**{"name": "small", "ifmap_side": side} | given)


def random_case(seed: int) -> tuple[SquareLayer, Storage]:
    """Return a layer and a storage that is often too small for the whole layer."""
    draw = Random(seed).randint
    layer = small_layer(channels=draw(1, 5), filters=draw(1, 6), kernel=draw(1, 3), stride=draw(1, 2),
                        ofmap_side=draw(1, 5), batch=draw(1, 4), groups=draw(1, 2))  # fmt: skip
    return layer, Storage(pes=draw(1, 30), spad_words=draw(4, 40), glb_words=draw(20, 400))

"""Write a workload YAML one flow-style line per layer; used by `make_workloads.py`.

Shapes follow from the layer before, so only what the paper's table gives has to be typed.
"""


class Network:
    """A network being written: one line of YAML per layer, and the shape each layer makes."""

    def __init__(self, name: str, source: str, notes: tuple[str, ...], ifmap: tuple[int, int] = (3, 224)) -> None:
        self.name, self.source, self.notes = name, source, notes
        self.lines: list[str] = []
        self.shapes: dict[str, tuple[int, int]] = {"": ifmap}  # channels, height = width
        self.last = ""
        self.macs = 0

    def conv(self, name: str, kernel: int, out: int, *, stride: int = 1, groups: int = 1, source: str | None = None,
             padding: int | None = None, ifmap_zeros: float | None = None,
             weight_zeros: float | None = None) -> str:  # fmt: skip
        """Add a square convolution; padding is half the kernel unless given."""
        channels, size = self.shapes[self.last if source is None else source]
        pad = kernel // 2 if padding is None else padding
        ofmap = (size + 2 * pad - kernel) // stride + 1
        self.macs += ofmap**2 * out * kernel**2 * channels // groups
        keys = {"in_channels": channels, "ifmap": [size, size], "kernel": kernel, "stride": stride, "padding": pad,
                "out_channels": out}  # fmt: skip
        if groups > 1:
            keys["groups"] = groups
        return self._add(name, "conv", keys | _zeros(ifmap_zeros, weight_zeros), (out, ofmap), source)

    def pool(self, name: str, op: str, kernel: int, stride: int, *, padding: int = 0, is_ceil: bool = False,
             source: str | None = None) -> str:  # fmt: skip
        """Add a square pool."""
        channels, size = self.shapes[self.last if source is None else source]
        span = size + 2 * padding - kernel
        ofmap = (-(-span // stride) if is_ceil else span // stride) + 1
        keys = {"channels": channels, "ifmap": [size, size], "kernel": kernel, "stride": stride, "padding": padding}
        if is_ceil:
            keys["ofmap_rounding"] = "ceil"
        return self._add(name, op, keys, (channels, ofmap), source)

    def global_pool(self, name: str) -> str:
        """Add an average over the whole ifmap."""
        channels, size = self.shapes[self.last]
        return self._add(name, "global_average_pool", {"channels": channels, "ifmap": [size, size]}, (channels, 1))

    def fc(
        self, name: str, columns: int, *, ifmap_zeros: float | None = None, weight_zeros: float | None = None
    ) -> str:
        """Add a fully connected layer on the flattened last ofmap."""
        channels, size = self.shapes[self.last]
        inner = channels * size**2
        self.macs += inner * columns
        keys: dict[str, object] = {"rows": 1, "inner": inner, "columns": columns}
        return self._add(name, "fc", keys | _zeros(ifmap_zeros, weight_zeros), (columns, 1))

    def matmul(self, name: str, rows: int, inner: int, columns: int, **more: object) -> str:
        """Add a matrix product; ``more`` holds batches, weight_input, inputs."""
        batches = more.get("batches", 1)
        assert isinstance(batches, int)
        self.macs += batches * rows * inner * columns
        op = "matmul" if "weight_input" in more else "gemm"
        return self._add(name, op, {"rows": rows, "inner": inner, "columns": columns} | more, (0, 0))

    def vector(self, name: str, op: str, elements: int, **more: object) -> str:
        """Add an operator that is given by its ofmap values; ``more`` holds inputs, weight_words."""
        return self._add(name, op, {"elements": elements} | more, (0, 0))

    def join(self, name: str, op: str, inputs: list[str]) -> str:
        """Add an add or concat of feature maps."""
        size = self.shapes[inputs[0]][1]
        channels = [self.shapes[source][0] for source in inputs]
        out = sum(channels) if op == "concat" else channels[0]
        return self._add(name, op, {"elements": out * size**2, "inputs": inputs}, (out, size))

    def lrn(self, name: str) -> str:
        """Add a local response normalisation over 5 channels."""
        channels, size = self.shapes[self.last]
        return self._add(name, "lrn", {"elements": channels * size**2}, (channels, size))

    def _add(
        self, name: str, op: str, keys: dict[str, object], shape: tuple[int, int], source: str | None = None
    ) -> str:
        if source is not None and source != self.last:
            keys = keys | {"inputs": [source]}
        words = ", ".join(f"{key}: {_flow(value)}" for key, value in ({"name": name, "op": op} | keys).items())
        self.lines.append(f"  - {{{words}}}")
        self.shapes[name], self.last = shape, name
        return name

    def text(self) -> str:
        """Return the file."""
        head = [
            f"# {self.name}: {self.macs:,} MACs on one input. Written by scripts/make_workloads.py: change it there.",
            "schema: archsim/workload/v1", f"name: {self.name}", f'source: "{self.source}"', "notes:",
            *(f'  - "{note}"' for note in self.notes), "layers:",
        ]  # fmt: skip
        return "\n".join(head + self.lines) + "\n"


def _zeros(ifmap: float | None, weight: float | None) -> dict[str, object]:
    """Return the key ``zero_fractions``, where something is known."""
    known = {name: share for name, share in (("ifmap", ifmap), ("weight", weight)) if share is not None}
    return {"zero_fractions": known} if known else {}


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(each)}' for key, each in value.items())}}}"
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)

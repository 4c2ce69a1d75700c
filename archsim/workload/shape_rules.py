"""What the sizes of a layer must obey, and how windows are counted."""

from archsim.errors import WorkloadError


def window_count(size: int, kernel: int, stride: int, dilation: int, *, keep_partial: bool) -> int:
    """Count the windows along one padded axis; ``keep_partial`` counts a last one that only partly fits."""
    span = size - ((kernel - 1) * dilation + 1)
    if keep_partial:
        return -(-span // stride) + 1
    return span // stride + 1


def check_positive(name: str, **sizes: int | tuple[int, ...]) -> None:
    """Raise WorkloadError for the first size that is not positive."""
    for label, value in sizes.items():
        if min(value if isinstance(value, tuple) else (value,)) < 1:
            raise WorkloadError(f"layer {name!r}: {label} (={value!r}) must be positive")


def check_kept_of(name: str, kept_of: tuple[int, int] | None) -> None:
    """Raise WorkloadError for an N:M sparsity that keeps nothing or more than all."""
    if kept_of is not None and not 1 <= kept_of[0] <= kept_of[1]:
        raise WorkloadError(f"layer {name!r}: N:M sparsity (={kept_of[0]}:{kept_of[1]}) needs 1 <= N <= M")

"""Which bursts a transfer moves: runs of bytes, cut where bursts begin."""

from archsim.kernels.compiled import compiled_in_place


@compiled_in_place
def list_bursts(blocks, is_write, burst_bytes, runs):
    """Write the bursts of a transfer as a slot of `dram_streams.py` holds them.

    Parameters
    ----------
    blocks : int64 array, shape (capacity,)
        Filled with ``2 * block + is_write``; block = address // bytes of a burst.
    is_write, burst_bytes : int
    runs : int64 array, shape (7,)
        The fields of `DramRuns`, in their order.

    Returns
    -------
    int
        Bursts, at least one. One that two runs in a row share counts once.
    """
    base, run_bytes, run_count, run_pitch, planes, plane_pitch, joins = runs
    count, last = 0, -1
    for plane in range(planes):
        for run in range(run_count):
            first_byte = base + plane * plane_pitch + run * run_pitch
            block = (first_byte + (burst_bytes - 1) * joins) // burst_bytes
            if block == last:
                block += 1
            end = (first_byte + run_bytes - 1) // burst_bytes
            while block <= end:
                blocks[count] = 2 * block + is_write
                last = block
                count += 1
                block += 1
    if count == 0:
        blocks[0] = 2 * (base // burst_bytes) + is_write
        count = 1
    return count

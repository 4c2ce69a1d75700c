"""A trace as the arrays that policy ``bank_rr`` works on; called by `dram_channel.py`."""

import numpy as np

from archsim.arch.dram_device import DramDevice
from archsim.arch.dram_mapping import blocks_of, decode
from archsim.engine.dram_run import DramTrace
from archsim.engine.dram_state import make_times
from archsim.kernels import dram_bank_queues, dram_bus_use
from archsim.kernels.dram_bank_queues import BankQueues
from archsim.kernels.dram_record import LOG_COLUMNS
from archsim.kernels.dram_rules import NEVER


def make_bank_queues(device: DramDevice, trace: DramTrace, log_lines: int) -> BankQueues:
    """Return idle channels at clock 0 and the trace that they are to serve; ``log_lines`` commands are kept."""
    times = make_times(device)
    banks = len(times.banks)
    block = blocks_of(device.mapping, trace.address, device.request_bytes)
    to = decode(device.mapping, block)
    group = (to.channel * device.ranks + to.rank) * device.bankgroups + to.bankgroup
    requests = np.zeros((len(trace), dram_bank_queues.REQUEST_COLUMNS), dtype=np.int64)
    requests[:, dram_bank_queues.BANK] = group * device.banks_per_group + to.bank
    requests[:, dram_bank_queues.ROW] = to.row
    requests[:, dram_bank_queues.COLUMN] = to.column
    requests[:, dram_bank_queues.IS_WRITE] = trace.is_write
    requests[:, dram_bank_queues.ARRIVAL] = trace.arrival
    requests[:, dram_bank_queues.BLOCK] = block
    channels = np.zeros((device.channels, dram_bank_queues.CHANNEL_COLUMNS), dtype=np.int64)
    channels[:, dram_bank_queues.DUE] = device.timing.trefi // device.ranks if device.has_refresh else NEVER
    return BankQueues(
        times=times,
        scalars=np.zeros(dram_bank_queues.SCALARS, dtype=np.int64),
        channels=channels,
        buses=np.zeros((device.channels, dram_bus_use.BUS_COLUMNS), dtype=np.int64),
        requests=requests,
        lists=np.zeros((2 * device.channels, dram_bank_queues.LIST_ENTRIES), dtype=np.int64),
        queues=np.zeros((banks, dram_bank_queues.QUEUE_ENTRIES), dtype=np.int64),
        counts=np.zeros(banks, dtype=np.int64),
        wakes=np.zeros(banks, dtype=np.int64),
        ring=np.zeros(len(trace), dtype=np.int64),
        log=np.zeros((log_lines, LOG_COLUMNS), dtype=np.int64),
    )

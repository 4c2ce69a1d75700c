"""A DRAM device as the arrays that its kernels work on; see `kernels/dram_rules.py` and `kernels/dram_queues.py`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.arch.dram_device import DramDevice
from archsim.engine.dram_run import DramController
from archsim.kernels import dram_bus_use, dram_queues, dram_rules, dram_streams
from archsim.kernels.dram_queues import DramState
from archsim.kernels.dram_record import LOG_COLUMNS
from archsim.kernels.dram_rules import LONG_AGO, NEVER, DramTimes
from archsim.terms import PagePolicy

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSizes:
    """How much room a state has, and how it is driven.

    Parameters
    ----------
    streams, slot_requests, tags
        Streams, requests of a slot at most, tags in use.
    is_paced
        Requests of a slot may have an arrival each.
    log_lines
        Commands kept; 0 = none.
    every_clock
        Look at every clock, skip none: the slow reference of the same rules.
    """

    streams: int = 1
    slot_requests: int
    tags: int = 1
    is_paced: bool = False
    log_lines: int = 0
    every_clock: bool = False


def make_times(device: DramDevice) -> DramTimes:
    """Return all banks closed, nothing issued yet, the first refreshes of the ranks spread over tREFI."""
    all_ranks = device.channels * device.ranks
    banks = np.zeros((all_ranks * device.banks_per_rank, dram_rules.BANK_COLUMNS), dtype=np.int64)
    number = np.arange(len(banks))
    banks[:, dram_rules.OPEN_ROW] = -1
    banks[:, dram_rules.GROUP] = number // device.banks_per_group
    banks[:, dram_rules.RANK] = number // device.banks_per_rank
    banks[:, dram_queues.HEAD : dram_queues.OPENER + 1] = -1
    groups = np.zeros((all_ranks * device.bankgroups, dram_rules.GROUP_COLUMNS), dtype=np.int64)
    ranks = np.zeros((all_ranks, dram_rules.RANK_COLUMNS), dtype=np.int64)
    rank = np.arange(all_ranks)
    ranks[:, dram_rules.FAW_RING : dram_rules.FAW_RING + 4] = LONG_AGO
    ranks[:, dram_rules.REFRESHED] = LONG_AGO
    ranks[:, dram_rules.FIRST_BANK] = rank * device.banks_per_rank
    ranks[:, dram_rules.FIRST_RANK] = rank // device.ranks * device.ranks
    due = device.timing.trefi * (rank % device.ranks + 1) // device.ranks
    ranks[:, dram_rules.NEXT_DUE] = due if device.has_refresh else NEVER
    return DramTimes(timing=_timing(device), banks=banks, groups=groups, ranks=ranks)


def make_state(device: DramDevice, controller: DramController, outstanding: int, sizes: StateSizes) -> DramState:
    """Return idle channels with empty streams, at clock 0.

    Parameters
    ----------
    device, controller
        What is simulated.
    outstanding
        Reads in flight at most, over all channels.
    sizes
        See its class.
    """
    times, channels, entries = make_times(device), device.channels, controller.queue_entries
    in_flight = channels * (device.timing.cl // device.burst_cycles + controller.return_cycles + 3)
    ring = 1 << in_flight.bit_length()
    streams = _zeros(sizes.streams, dram_streams.STREAM_COLUMNS)
    streams[:, dram_streams.ORDER] = np.arange(sizes.streams)
    scalars = np.zeros(dram_queues.SCALARS, dtype=np.int64)
    scalars[[dram_queues.STOP_AT, dram_queues.INJECT_AT]] = NEVER
    return DramState(
        times=times,
        settings=_settings(device, controller, outstanding, sizes),
        scalars=scalars,
        channels=_channels(device, times, 2 * entries + device.ranks * device.banks_per_rank),
        buses=_zeros(channels, dram_bus_use.BUS_COLUMNS),
        busy=_zeros(dram_queues.LISTS * channels, device.ranks * device.banks_per_rank),
        places=_places(channels, 2 * entries + device.ranks * device.banks_per_rank),
        ring=np.zeros(ring, dtype=np.int64),
        endings=_zeros(2 * ring, 2),
        streams=streams,
        blocks=_zeros(sizes.streams, sizes.slot_requests),
        arrivals=_zeros(sizes.streams, sizes.slot_requests if sizes.is_paced else 0),
        tags=_zeros(sizes.tags, 2),
        log=_zeros(sizes.log_lines, LOG_COLUMNS),
    )


def _zeros(rows: int, columns: int) -> IntArray:
    return np.zeros((rows, columns), dtype=np.int64)


def _timing(device: DramDevice) -> IntArray:
    timing, burst = device.timing, device.burst_cycles
    write_end = timing.cwl + burst
    places = {
        dram_rules.CL: timing.cl,
        dram_rules.CWL: timing.cwl,
        dram_rules.BURST: burst,
        dram_rules.RCD_RD: timing.trcd_rd,
        dram_rules.RCD_WR: timing.trcd_wr,
        dram_rules.RP: timing.trp,
        dram_rules.RAS: timing.tras,
        dram_rules.RC: timing.trc,
        dram_rules.RTP: timing.trtp,
        dram_rules.RRD_S: timing.trrd_s,
        dram_rules.RRD_L: timing.trrd_l,
        dram_rules.FAW: timing.tfaw,
        dram_rules.RFC: timing.trfc,
        dram_rules.REFI: timing.trefi,
        dram_rules.PPD: timing.tppd,
        dram_rules.READ_TO_READ_S: max(burst, timing.tccd_s),
        dram_rules.READ_TO_READ_L: max(burst, timing.tccd_l),
        dram_rules.READ_TO_READ_RANK: burst + timing.trtrs,
        dram_rules.READ_TO_WRITE: timing.cl + burst + timing.trtrs - timing.cwl,
        dram_rules.WRITE_TO_PRE: write_end + timing.twr,
        dram_rules.WRITE_TO_WRITE_S: max(burst, timing.tccd_s),
        dram_rules.WRITE_TO_WRITE_L: max(burst, timing.tccd_l),
        dram_rules.WRITE_TO_WRITE_RANK: burst,
        dram_rules.WRITE_TO_READ_S: write_end + timing.twtr_s,
        dram_rules.WRITE_TO_READ_L: write_end + timing.twtr_l,
        dram_rules.WRITE_TO_READ_RANK: write_end + timing.trtrs - timing.cl,
        dram_rules.RANKS: device.ranks,
        dram_rules.BANKS: device.banks_per_rank,
        dram_rules.SPLIT_BUS: int(device.splits_command_bus),
        dram_rules.CLOSED_PAGE: int(device.page_policy is PagePolicy.CLOSED),
    }
    vector = np.zeros(dram_rules.TIMING_WORDS, dtype=np.int64)
    vector[list(places)] = list(places.values())
    return vector


def _settings(device: DramDevice, controller: DramController, outstanding: int, sizes: StateSizes) -> IntArray:
    places = {
        dram_queues.QUEUE_ENTRIES: controller.queue_entries,
        dram_queues.WRITE_HIGH: controller.write_high,
        dram_queues.WRITE_LOW: controller.write_low,
        dram_queues.IDLE_DRAIN: controller.idle_drain,
        dram_queues.HIT_CAP: controller.hit_cap,
        dram_queues.RETURN_CYCLES: controller.return_cycles,
        dram_queues.OUTSTANDING: outstanding,
        dram_queues.PER_CYCLE: device.channels,
        dram_queues.EVERY_CLOCK: int(sizes.every_clock),
        dram_queues.CHANNEL_STEP: device.ranks * device.banks_per_rank,
        dram_queues.RANK_STEP: device.banks_per_rank,
        dram_queues.GROUP_STEP: device.banks_per_group,
    }
    vector = np.zeros(dram_queues.SETTINGS, dtype=np.int64)
    vector[list(places)] = list(places.values())
    fields = device.mapping.shifts_and_masks.ravel()
    vector[dram_queues.FIELD_SHIFTS : dram_queues.FIELD_SHIFTS + len(fields)] = fields
    return vector


def _channels(device: DramDevice, times: DramTimes, entries: int) -> IntArray:
    channels = _zeros(device.channels, dram_queues.CHANNEL_COLUMNS)
    channels[:, dram_queues.FREE] = np.arange(device.channels) * entries
    channels[:, dram_queues.PLAN_AT] = NEVER
    due = times.ranks[:, dram_rules.NEXT_DUE].reshape(device.channels, device.ranks).min(axis=1)
    channels[:, dram_queues.DUE] = due
    channels[:, dram_queues.WAKE] = due
    return channels


def _places(channels: int, of_channel: int) -> IntArray:
    places = _zeros(channels * of_channel, dram_queues.PLACE_COLUMNS)
    following = np.arange(1, len(places) + 1)
    places[:, dram_queues.NEXT] = np.where(following % of_channel == 0, -1, following)
    return places

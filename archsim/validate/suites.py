"""The suites of `archsim validate` by name."""

from collections.abc import Callable, Sequence
from pathlib import Path

from archsim.config_file import did_you_mean
from archsim.errors import ConfigError
from archsim.validate.chips import chips_suite
from archsim.validate.cnvlutin import cnvlutin_suite
from archsim.validate.dram import dram_suite
from archsim.validate.eyeriss import eyeriss_suite
from archsim.validate.feie import feie_suite
from archsim.validate.isca16 import isca16_suite
from archsim.validate.masked import CHIPS, masked_suite
from archsim.validate.numerics import numerics_suite
from archsim.validate.nvdla import nvdla_suite
from archsim.validate.rtl import rtl_suite
from archsim.validate.scnn import scnn_suite
from archsim.validate.sram import sram_suite
from archsim.validate.suite import SuiteResult
from archsim.validate.tpu import tpu_suite
from archsim.validate.zasca import zasca_suite

SUITES: dict[str, Callable[[Path | None], SuiteResult]] = {
    "dram": dram_suite,
    "sram": sram_suite,
    "numerics": numerics_suite,
    "rtl": rtl_suite,
    "isca16": isca16_suite,
    "eyeriss": eyeriss_suite,
    "nvdla": nvdla_suite,
    "tpu": tpu_suite,
    "chips": chips_suite,
    "feie": feie_suite,
    "zasca": zasca_suite,
    "scnn": scnn_suite,
    "cnvlutin": cnvlutin_suite,
}
"""Name -> what runs it, against a reference of the user's or its own."""


def run_suites(names: Sequence[str], reference: Path | None = None, masks: Path | None = None) -> list[SuiteResult]:
    """Run suites in the order given, each once.

    Parameters
    ----------
    names
        Of `SUITES`; none = all.
    reference
        Published rows in place of the shipped ones; for one suite only.
    masks
        A folder of tensors to run in place of a suite's own cases: see `masked_suite`.

    Raises
    ------
    ConfigError
        A suite that does not exist or takes no masks, several suites with one reference, or faults in the reference.
    """
    for name in names:
        if name not in SUITES:
            raise ConfigError(f"no suite is named {name!r}.{did_you_mean(name, SUITES)} Known: {', '.join(SUITES)}")
    chosen = list(dict.fromkeys(names)) or list(SUITES)
    if reference is not None and len(chosen) > 1:
        raise ConfigError(
            f"--reference {reference}: has the rows of one suite; name it, e.g. archsim validate {chosen[0]} --reference {reference}"
        )
    if masks is not None:
        strange = [name for name in chosen if name not in CHIPS]
        if strange:
            raise ConfigError(
                f"--masks {masks}: suite {strange[0]!r} runs no tensors; name one that does: {', '.join(CHIPS)}"
            )
        return [masked_suite(name, masks, reference) for name in chosen]
    return [SUITES[name](reference) for name in chosen]

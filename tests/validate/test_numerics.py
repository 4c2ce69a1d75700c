"""The numerics suite: what it compares, what a broken bound and missing images look like, and faults of a reference."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archsim.convert.image_files import MNIST_VARIABLE
from archsim.errors import ConfigError
from archsim.study.plain_json import json_text
from archsim.validate.numerics import ACCURACIES, CLUSTERS, NO_IMAGES, numerics_suite
from archsim.validate.numerics_accuracy import Mnist, read_mnist
from archsim.validate.numerics_casts import VECTORS, ac_fixed_tiers
from archsim.validate.numerics_golden import GOLDEN, golden_tiers
from archsim.validate.numerics_sizes import CLAIM, claim_tiers
from archsim.validate.suite import SuiteResult, Tier
from archsim.validate.tables import plain_suite, suite_notes, suite_tables, suite_verdict
from tests.convert.float_models import mnist_folder

WEBINAR, FORMATS, LOGARITHMS = ACCURACIES
NEEDS_IMAGES = ("3 codes", "4 fixed point", "4 shared exponents", "4 shared exponents, biases", "4 float sums",
                "4 logarithms, linear sums", "4 logarithms, log sums", "4 two-sided Mitchell adder")  # fmt: skip
WITHOUT = {
    "1 ac_fixed, floats": 334_656, "1 ac_fixed, integers": 334_656, "2 floats": 254 + 248 + 224 + 240 + 16 + 63_488 + 65_280,
    "2 logarithms": 2 * (16 + 2 * 32 + 2 * 64 + 2 * 128 + 5 * 256), "3 weights": 3,
}  # fmt: skip
"""Tier -> cases, by hand: finite codes are all but 2 NaN (e4m3fn), 8 (e5m2), 32 (e3m4), 16 (e4m3), 2**11 (fp16), 2**8 (bf16)."""
SINGLE = "int_bits_incl_sign,frac_bits,quant,overflow,accumulator,images,accuracy\n"

Write = Callable[[str], Path]


@pytest.fixture(scope="module")
def without_images(tmp_path_factory: pytest.TempPathFactory) -> SuiteResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("nowhere"))
        patch.delenv(MNIST_VARIABLE, raising=False)
        return numerics_suite()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(text: str) -> Path:
        path = tmp_path / "r.csv"
        path.write_text(text)
        return path

    return _write


@pytest.fixture(scope="module")
def images() -> Mnist:
    """Networks are measured once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MNIST_VARIABLE, str(mnist_folder()))
        return read_mnist()


@pytest.fixture
def mnist(images: Mnist, monkeypatch: pytest.MonkeyPatch) -> Mnist:
    monkeypatch.setattr("archsim.validate.numerics.read_mnist", lambda: images)
    return images


def tier_of(suite: SuiteResult, name: str) -> Tier:
    return next(tier for tier in suite.tiers if tier.name == name)


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        numerics_suite(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("name", WITHOUT)
def test_no_case_of_the_casts_is_lost_and_each_is_equal(without_images: SuiteResult, name: str) -> None:
    tier = tier_of(without_images, name)
    assert sum(row.published for row in tier.rows) == WITHOUT[name]
    assert tier.is_exact
    assert [row for row in tier.rows if row.error] == []


def test_every_midpoint_is_looked_at_from_both_sides(without_images: SuiteResult) -> None:
    rows = {row.group: row for row in tier_of(without_images, "2 midpoints of logarithms").rows}
    # lns8: logarithms -63 to 63 have 126 midpoints; ulns8: -127 to 127, 254
    assert (rows["lns8"].published, rows["ulns8"].published) == (2 * 126, 2 * 254)
    assert all(row.published == row.simulated for row in rows.values())


def test_sizes_of_clustered_networks_are_those_of_the_table_to_the_bit(without_images: SuiteResult) -> None:
    conv, total = tier_of(without_images, "5 bits of convolutions"), tier_of(without_images, "5 bytes of networks")
    assert [len(tier.rows) for tier in (conv, total)] == [8, 8]
    assert [row.error for row in (*conv.rows, *total.rows)] == [0] * 16
    assert conv.notes == (
        "2 rows of shared+chscale are not compared: archsim has no scale per channel of clustered kernels",
    )


def test_tiers_without_their_images_are_skipped_and_say_what_to_do(without_images: SuiteResult) -> None:
    assert tuple(tier.name for tier in without_images.tiers if tier.skipped) == NEEDS_IMAGES
    verdicts = {row[0]: row[-1] for row in suite_tables(without_images)[0].rows}
    assert {verdicts[name] for name in NEEDS_IMAGES} == {"skipped"}
    assert {verdict for name, verdict in verdicts.items() if name not in NEEDS_IMAGES} == {"pass"}
    assert f"{', '.join(NEEDS_IMAGES)}: skipped: {NO_IMAGES}" in suite_notes(without_images)
    assert suite_verdict(without_images) == "numerics: pass: all bounds of 10 tiers hold; 8 skipped"


def test_a_skipped_tier_has_not_passed_in_json(without_images: SuiteResult) -> None:
    tiers = {tier["tier"]: tier for tier in json.loads(json_text(plain_suite(without_images)))["tiers"]}
    assert {tiers[name]["passes"] for name in NEEDS_IMAGES} == {None}
    assert tiers["3 codes"]["skipped"] == NO_IMAGES
    assert (tiers["3 weights"]["passes"], tiers["3 weights"]["skipped"]) == (True, None)
    assert tiers["4 float sums"]["bounds"] == {"max images": 2}


def test_a_folder_that_is_named_and_not_there_is_a_fault_not_a_skip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MNIST_VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=MNIST_VARIABLE):
        numerics_suite()


def test_one_wrong_vector_breaks_the_tier(tmp_path: Path) -> None:
    with np.load(VECTORS) as vectors:
        arrays = dict(vectors)
    arrays["code"][-1] += 1
    np.savez(tmp_path / "v.npz", **arrays)
    for tier in ac_fixed_tiers(tmp_path / "v.npz"):
        assert not tier.passes
        (row,) = tier.worst(5)
        assert row.published - row.simulated == 1


def test_one_wrong_checksum_breaks_the_tier(tmp_path: Path) -> None:
    golden = json.loads(GOLDEN.read_text())
    golden["weights_sha256"]["c2"] = "0" * 64
    (tmp_path / "g.json").write_text(json.dumps(golden))
    weights, codes = golden_tiers(None, "no images", tmp_path / "g.json")
    assert [row.case for row in weights.worst(3)] == ["c2"]
    assert (weights.passes, codes.skipped) == (False, "no images")


def test_a_claim_that_is_off_by_its_last_digit_breaks_the_tier(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(CLAIM.read_text().replace("1.112", "1.113"))
    assert [tier.passes for tier in claim_tiers(path)] == [False, True]


def test_codes_of_every_layer_have_the_checksums_of_the_reference(mnist: Mnist) -> None:
    _, codes = golden_tiers(mnist)
    assert len(codes.rows) == 16
    assert [(row.group, row.case) for row in codes.rows if row.error] == []


def test_a_count_that_is_off_by_one_image_breaks_an_exact_tier(mnist: Mnist, write: Write) -> None:
    suite = numerics_suite(
        write(SINGLE + "5,9,RND,WRAP,per-MAC same type,500,0.524\n5,5,RND,SAT,exact-wide,500,0.978\n")
    )
    (tier,) = suite.tiers
    assert [row.distance for row in tier.rows] == [0, -1]  # the published 0.976 are 488
    assert suite_verdict(suite) == "numerics: FAIL: 4 fixed point (equal)"


def test_float_sums_may_differ_by_two_images_and_no_more(mnist: Mnist, write: Write) -> None:
    lns = "dataset,width,frac_bits,act_unsigned,accumulation,antilog,lut_frac_bits,acc_bits_or_fa,table_entries,images,accuracy\n"
    row = "mnist,8,3,0,lin,exact,8,32,8,200,{}\n"
    found = numerics_suite(write(lns + row.format(1.0))).tiers[0].rows[0].simulated
    verdicts = []
    for distance in (2, 3):
        suite = numerics_suite(write(lns + row.format((found - distance) / 200)))
        verdicts.append(suite_verdict(suite))
    assert verdicts == [
        "numerics: pass: all bounds of 1 tiers hold", "numerics: FAIL: 4 float sums (max 2 images)"
    ]  # fmt: skip


def test_the_two_sided_mitchell_adder_is_shown_and_not_gated(mnist: Mnist, write: Write) -> None:
    lines = LOGARITHMS.read_text().splitlines()
    row = next(line for line in lines if ",log,mitchell," in line).replace(",2000,0.7655,", ",100,0.5,")
    suite = numerics_suite(write("\n".join([lines[0], row]) + "\n"))
    (tier,) = suite.tiers
    assert (tier.name, tier.bounds, tier.passes) == ("4 two-sided Mitchell adder", (), True)
    assert suite_tables(suite)[0].rows[0][-1] == "reported"
    assert any("where this adder rounds inside is not published" in note for note in suite_notes(suite))


def test_the_table_of_clusters_is_a_reference_of_its_own() -> None:
    suite = numerics_suite(CLUSTERS)
    assert [(tier.name, len(tier.rows)) for tier in suite.tiers] == [
        ("5 bits of convolutions", 8),
        ("5 bytes of networks", 8),
    ]


def test_a_reference_without_its_images_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(MNIST_VARIABLE, raising=False)
    assert f"Set {MNIST_VARIABLE} to" in faults(write(SINGLE + "5,9,RND,SAT,exact-wide,10,1\n"))[0]


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        (WEBINAR, ("quant", "round"), "1: the table of single types has other columns; missing: quant; unknown: 'round'"),
        (FORMATS, ("calibration", "calibratio"), "1: the table of formats has other columns; missing: calibration; unknown: 'calibratio' Did you mean 'calibration'"),
        (WEBINAR, ("16,9,RND,WRAP", "16,9,RMD,WRAP"), "3: quant must be one of TRN, TRN_ZERO, RND, RND_ZERO, RND_INF, RND_MIN_INF, RND_CONV, RND_CONV_ODD (found 'RMD')"),
        (WEBINAR, ("16,9,RND,WRAP,exact-wide", "16,9,RND,WRAP,wide"), "3: accumulator must be one of exact-wide, per-MAC same type (found 'wide')"),
        (WEBINAR, ("16,9,RND,WRAP", "x,9,RND,WRAP"), "3: int_bits_incl_sign must be a whole number from -64 to 64 (found 'x')"),
        (WEBINAR, ("exact-wide,10000,0.9817", "exact-wide,10001,0.9817"), "3: images must be a whole number from 1 to 10000 (found '10001')"),
        (WEBINAR, ("exact-wide,10000,0.9817", "exact-wide,10000,98.17"), "3: accuracy must be a share from 0 to 1 (found '98.17')"),
        (FORMATS, ("s12 shared-exp", "q12 shared-exp"), "3: weight_format must be a format as s8 shared-exp, u8 shared-exp, LNS8 f=3, "),
        (FORMATS, ("big,fp32", "huge,fp32"), "2: net must be one of web, big (found 'huge')"),
        (LOGARITHMS, ("lin,lut,8,32,2,10000", "lin,lutt,8,32,2,10000"), "2: antilog must be exact, lut, mitchell or hyb1 to hyb15 (found 'lutt')"),
        (CLUSTERS, ("shared,32,8-bit", "shared,32,4-bit"), "2: fc must be one of 8-bit (found '4-bit')"),
    ],
)  # fmt: skip
def test_a_faulty_reference_is_named_with_its_line(
    table: Path, change: tuple[str, str], message: str, write: Write
) -> None:
    assert change[0] in table.read_text()
    (fault,) = faults(write(table.read_text().replace(*change, 1)))
    assert fault.startswith(message)


def test_faults_of_several_rows_come_together(write: Write) -> None:
    found = faults(
        write(SINGLE + "5,9,R,SAT,exact-wide,10,1\n5,9,RND,SAT,exact-wide,10,1\n5,9,RND,S,exact-wide,10,1,7\n")
    )
    assert [fault[:8] for fault in found] == ["2: quant", "4: more "]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " holds no rows"),
        ("a,b\n1,2\n", "1: none of the published tables has these columns. Known: single types: int_bits_incl_sign, "),
        (SINGLE, " none of its rows can be compared"),
    ],
)
def test_what_is_no_table_is_told(text: str, message: str, write: Write) -> None:
    assert faults(write(text))[0].startswith(message)


def test_rows_of_a_network_that_is_not_published_are_counted_and_left_out(write: Write) -> None:
    lines = LOGARITHMS.read_text().splitlines()
    path = write("\n".join([lines[0], lines[1].replace("mnist", "digits", 1)]) + "\n")
    assert faults(path) == [
        " none of its rows can be compared: rows of digits are not compared: their network is not published"
    ]


def test_the_shipped_copies_are_the_golden_files() -> None:
    originals = Path(__file__).parents[1] / "golden" / "numerics"
    for path in (GOLDEN, VECTORS, CLUSTERS):
        assert path.read_bytes() == (originals / path.name).read_bytes()
    for path in ACCURACIES:
        wanted = [line for line in (originals / path.name).read_text().splitlines() if not line.startswith("digits")]
        own = path.read_text().splitlines()
        width = wanted[0].count(",") + 1
        assert [",".join(line.split(",")[:width]) for line in own] == wanted

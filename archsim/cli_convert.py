"""`archsim convert`: the options, and nothing else. Registered by `cli.py`.

What the options mean together is worked out in `convert/request.py`.
"""

from pathlib import Path
from typing import Annotated

import typer

from archsim.cli_options import AsJson, Seed, named_path
from archsim.terms import CalibrationMethod, WeightScales

Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="An .onnx file, or a shipped network: digits_cnn, mnist_webinar...")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="NAME.yaml", parser=named_path, help="Write the workload here; its .npz is put beside it."
    ),
]
Format = Annotated[
    str,
    typer.Option(
        "--format", metavar="F", help="Of weights and ifmaps: int8, sx<6>, fx<10,5>, fp8_e4m3, lns8, ternary..."
    ),
]
WeightFormat = Annotated[str | None, typer.Option("--weight-format", metavar="F", help="Of the weights alone.")]
IfmapFormat = Annotated[str | None, typer.Option("--ifmap-format", metavar="F", help="Of ifmaps and ofmaps alone.")]
Sums = Annotated[
    str | None,
    typer.Option(
        "--accumulator", metavar="A", help="exact, exact<24>, wrap<20>, sat<20,8>, linear<24>, log<8>, fp32..."
    ),
]
Calibration = Annotated[
    str | None,
    typer.Option(
        "--calibration",
        metavar="IMAGES|METHOD",
        help="mnist, digits, a folder, an .npz (NAME:N = first N), or how: max, mse, p99.9, p99.99, none; both with a comma.",
    ),
]
Method = Annotated[CalibrationMethod | None, typer.Option("--calibration-method", help="How a scale is chosen.")]
Scales = Annotated[WeightScales, typer.Option("--weight-scales", help="What shares a scale of integer weights.")]
Prune = Annotated[
    str | None, typer.Option("--prune", metavar="HOW", help="magnitude:0.5, kernels:0.3, channels:0.25, han:NETWORK.")
]
Clusters = Annotated[
    str | None, typer.Option("--clusters", metavar="K[:SCOPE]", help="Kernels in the codebook; SCOPE network or layer.")
]
FineTune = Annotated[
    float, typer.Option("--fine-tune", metavar="EPOCHS", min=0.0, help="Train what pruning or clustering left.")
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--accuracy-budget",
        metavar="POINTS",
        min=0.0,
        max=100.0,
        help="Lower bits per layer while accuracy loses no more points.",
    ),
]
Evaluate = Annotated[
    str | None,
    typer.Option(
        "--evaluate",
        metavar="IMAGES",
        help="Test images with labels: mnist, digits, a folder, an .npz (NAME:N = first N).",
    ),
]
Golden = Annotated[
    str | None,
    typer.Option(
        "--golden", metavar="IMAGES", help="Kept in the workload, with checksums; the first 4 of the calibration."
    ),
]
Beside = Annotated[
    str | None,
    typer.Option("--beside", metavar="F,F...", help="Formats to show beside it; int8 and fp8_e4m3 with --report."),
]
Chip = Annotated[
    str | None, typer.Option("--arch", metavar="ARCH", help="Price one image on this chip, made for each format.")
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="DIR", parser=named_path, help="Write tables, pictures and a page here."),
]


def convert(
    model: Model,
    *,
    out: Out = None,
    fmt: Format = "int8",
    weight_format: WeightFormat = None,
    ifmap_format: IfmapFormat = None,
    accumulator: Sums = None,
    calibration: Calibration = None,
    calibration_method: Method = None,
    weight_scales: Scales = WeightScales.CHANNEL,
    prune: Prune = None,
    clusters: Clusters = None,
    fine_tune: FineTune = 0.0,
    accuracy_budget: Budget = None,
    evaluate: Evaluate = None,
    golden: Golden = None,
    beside: Beside = None,
    arch: Chip = None,
    report: Report = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Convert a float ONNX network into codes, and prove bit for bit what that did to its accuracy."""
    from archsim.conversion import convert as run
    from archsim.conversion import write_workload
    from archsim.convert.request import Request
    from archsim.report.conversion_json import conversion_mapping
    from archsim.study.plain_json import json_text

    request = Request(
        model=model, out=out, format=fmt, weight_format=weight_format, ifmap_format=ifmap_format,
        accumulator=accumulator, calibration=calibration, calibration_method=calibration_method,
        weight_scales=weight_scales, prune=prune, clusters=clusters, fine_tune_epochs=fine_tune,
        accuracy_budget_points=accuracy_budget, evaluate=evaluate, golden=golden, beside=beside, arch=arch, report=report, seed=seed,
    )  # fmt: skip
    conversion, found = run(request)
    if out is not None:
        write_workload(conversion, found, out)
    if report is not None:
        from archsim.report.conversion_page import write_conversion

        write_conversion(found, report)
    if as_json:
        typer.echo(json_text(conversion_mapping(found)), nl=False)
    else:
        from archsim.report.conversion_terminal import print_conversion

        print_conversion(found)
    if out is not None:
        typer.echo(f"{out} and {out.with_suffix('.npz')}", err=True)
    if report is not None:
        typer.echo(f"tables, pictures and conversion.html are in {report}", err=True)

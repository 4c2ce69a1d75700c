"""What the commands print: a result on stdout, talk and progress on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from archsim.engine.simulate import Progress
    from archsim.study.result import RunResult


def deliver(result: "RunResult", out: Path | None, *, as_json: bool) -> None:
    """Print a result, write it where asked, and say what was not costed."""
    from archsim.report.terminal import uncosted_lines

    if out is not None:
        from archsim.report.pictures import write_run

        write_run(result, out)
    if as_json:
        print_json(result.summary())
    else:
        from archsim.report.terminal import print_run

        print_run(result)
    for line in uncosted_lines(result.uncosted):
        say(line)
    if out is not None:
        say(f"tables and pictures are in {out}")


def print_json(value: object) -> None:
    """Print a value as JSON on stdout."""
    from archsim.study.plain_json import json_text

    typer.echo(json_text(value), nl=False)


@contextmanager
def progress() -> Iterator["Progress | None"]:
    """Show a bar on stderr, when that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from archsim.report.terminal import progress_bar

    with progress_bar() as on_layer:
        yield on_layer


def say(text: str) -> None:
    """Print a line on stderr."""
    typer.echo(text, err=True)

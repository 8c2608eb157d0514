"""`python -m synode_df demo` and `python -m synode_df run`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl

import synode_df as sd
from synode_df.cli import shop


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; from the shell if not given.

    Returns
    -------
    int
        0, or 2 where something is wrong with what was asked for.
    """
    parser = argparse.ArgumentParser("synode_df", description="Synthetic behavioural event data.")
    parser.add_argument("--version", action="version", version=sd.__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    demo = commands.add_parser("demo", help="generate a shop's events to Parquet and show the funnel")
    demo.add_argument("--users", type=int, default=100_000, help="how many users (default: 100,000)")
    _add_options(demo, output="demo-events")

    run = commands.add_parser("run", help="generate the events of a module that has `journeys`")
    run.add_argument("module", help="an importable module, such as pkg.scenario; it may have persona and datasets")
    run.add_argument("--users", type=int, required=True, help="how many users")
    _add_options(run, output="events")

    options = parser.parse_args(arguments)
    try:
        return _demo(options) if options.command == "demo" else _run(options)
    except sd.SynodeError as error:
        print(error.format(), file=sys.stderr)
        return 2


def _add_options(parser: argparse.ArgumentParser, *, output: str) -> None:
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same data (default: 7)")
    parser.add_argument("--output", type=Path, default=Path(output), help=f"directory to write (default: {output})")
    parser.add_argument("--n-jobs", type=int, default=1, help="worker processes, -1 for all cores (default: 1)")
    parser.add_argument("--overwrite", action="store_true", help="replace what an earlier run has written")


def _demo(options: argparse.Namespace) -> int:
    """A shop: some journeys, a funnel."""
    report = sd.generate(
        shop.journeys(),
        users=options.users,
        persona=shop.shopper(),
        datasets=shop.datasets(),
        adapter=_adapter(options, overwrite=options.overwrite or options.output == Path("demo-events")),
        n_jobs=options.n_jobs,
        seed=options.seed,
    )
    events = pl.scan_parquet(options.output / "*.parquet")
    with pl.Config(
        tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, tbl_formatting="UTF8_FULL_CONDENSED"
    ):
        print(funnel_table(events, options.users))
    _tell(report, options.output)
    return 0


def _run(options: argparse.Namespace) -> int:
    """The journeys of a module."""
    sys.path.insert(0, str(Path.cwd()))
    report = sd.generate(
        users=options.users,
        worker_module=options.module,
        adapter=_adapter(options, overwrite=options.overwrite),
        n_jobs=options.n_jobs,
        seed=options.seed,
    )
    _tell(report, options.output)
    return 0


def _adapter(options: argparse.Namespace, *, overwrite: bool) -> sd.ParquetAdapter:
    return sd.ParquetAdapter(options.output, mode="overwrite" if overwrite else "create")


def _tell(report: sd.Report, output: Path) -> None:
    print(report)
    print(f'\nRead it with pl.read_parquet("{output}/*.parquet")')


def funnel_table(events: pl.LazyFrame, users: int) -> pl.DataFrame:
    """How many users reached each step of the shop.

    Parameters
    ----------
    events : polars.LazyFrame
        The shop's events.
    users : int
        The size of the population.

    Returns
    -------
    polars.DataFrame
        `step`, `users`, `of all` and `of previous`, the shares as text.
    """
    counts = events.group_by(pl.col("event").cast(pl.String)).agg(pl.col("user_id").n_unique().alias("users")).collect()
    reached = dict(counts.iter_rows())
    rows = [reached.get(step, 0) for step in shop.FUNNEL]
    previous = [users, *rows[:-1]]
    return pl.DataFrame(
        {
            "step": shop.FUNNEL,
            "users": rows,
            "of all": [_share(count, users) for count in rows],
            "of previous": [_share(count, before) for count, before in zip(rows, previous, strict=True)],
        }
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"

"""The command `export report`: a report in a file, as CSV or as Parquet.

Stands inside `cli`: marts → reports → here. The same options as `report`, the same figures.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mithril_elt.cli.report import asked_report, report_options, tell_warnings
from mithril_elt.cli.saying import say
from mithril_elt.errors import UsageError
from mithril_elt.reports import render, with_names
from mithril_elt.whole_files import whole_file

if TYPE_CHECKING:
    from mithril_elt.reports import Report

__all__ = ["export_report_command"]


@click.command("report")
@report_options
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A name that ends in .csv or .parquet; a file that is there is written anew.",
)
def export_report_command(*, name: str, out: Path, **values: Any) -> None:
    """Write a report into a file: .csv or .parquet, by the name's ending.

    In Parquet amounts and hours are decimals of 12 places, instants are timestamps in UTC, days and months are dates;
    what is not known is null. The warnings of the report are among the file's metadata, and on stderr.

    \b
    Example:
      mithril-elt export report cost --by day --out cost.parquet
    """
    ending = out.suffix.lower()
    if ending not in _WRITERS:
        raise UsageError(f"--out {out}: the name's ending says what is written: {' or '.join(_WRITERS)}")
    answer = asked_report(name, **values)
    with whole_file(out) as part:
        _WRITERS[ending](answer, part)
    tell_warnings(answer)
    say(f"{out}: {len(answer.rows):,} row{'' if len(answer.rows) == 1 else 's'}")


def _write_csv(answer: Report, part: Path) -> None:
    part.write_text(render(answer, "csv"), encoding="utf-8", newline="")


def _write_parquet(answer: Report, part: Path) -> None:
    import pyarrow.parquet as pq  # noqa: PLC0415  # half a second

    from mithril_elt.reports.typed import typed  # noqa: PLC0415  # imports pyarrow

    told = {**answer.head, "written_by": f"mithril-elt {version('mithril-elt')}"}
    pq.write_table(typed(with_names(answer)).replace_schema_metadata({"mithril_elt": json.dumps(told)}), part)


_WRITERS = {".csv": _write_csv, ".parquet": _write_parquet}

"""What `check` found, as a frame that shows whole sentences."""

from __future__ import annotations

from typing import Final

import polars as pl

_SHOWN: Final = 2_000


class Findings(pl.DataFrame):
    """A DataFrame of findings: `code`, `path`, `message`; shown as text that can be read, not cut to fit columns.

    Parameters
    ----------
    found : list of (str, str, str)
        The rows.
    """

    def __init__(self, found: list[tuple[str, str, str]]) -> None:
        schema = {"code": pl.String, "path": pl.String, "message": pl.String}
        super().__init__(found, schema=schema, orient="row")

    def __repr__(self) -> str:
        if self.is_empty():
            return "no findings"
        parts = [f"{self.height} finding{'s' if self.height > 1 else ''}"]
        parts += [f"{code}  {path}\n    {message}" for code, path, message in self.iter_rows()]
        return "\n".join(parts)

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self, *, _from_series: bool = False) -> str:
        with pl.Config(fmt_str_lengths=_SHOWN, tbl_rows=-1, tbl_hide_column_data_types=True):
            return super()._repr_html_(_from_series=_from_series)

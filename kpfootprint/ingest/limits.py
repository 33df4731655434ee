"""How much of an input is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on an input; the defaults let a million stones through with room to spare.

    Parameters
    ----------
    max_rows : int
        Rows of one table.
    max_columns : int
        Columns of one table.
    max_unpacked_bytes : int
        Bytes of all files together once an archive, a workbook or gzip is unpacked.
    max_ratio : float
        Unpacked bytes for each packed one; looked at above 10 MB unpacked, as small files may shrink a lot.
    max_files : int
        Files of an archive or a folder.
    max_problems : int
        Problems listed before the rest is only counted.
    """

    max_rows: int = 2_000_000
    max_columns: int = 200
    max_unpacked_bytes: int = 1_000_000_000
    max_ratio: float = 200.0
    max_files: int = 200
    max_problems: int = 1000

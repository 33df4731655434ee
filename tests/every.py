"""A table whose every row is held by one test: cheaper than a test a row, and each row that fails is named."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

Test = Callable[..., None]


def every(names: str, rows: Iterable[Any]) -> Callable[[Test], Test]:
    """Return what turns a test of one row into a test of them all, as ``parametrize`` turns it into many.

    Its fixtures are made once for all rows: it is for tests that leave them as they were. Below another ``every`` it
    is run with each row of both.
    """
    asked, table = [name.strip() for name in names.split(",")], list(rows)

    def of_all(test: Test) -> Test:
        signature = inspect.signature(test)

        @wraps(test)
        def held(**fixtures: Any) -> None:
            failed: list[BaseException] = []
            for row in table:
                case = dict(zip(asked, row if len(asked) > 1 else (row,), strict=True))
                try:
                    test(**fixtures, **case)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(", ".join(f"{name} = {value!r:.60}" for name, value in case.items()))
                    failed.append(error)
            if failed:  # a group shows a few of its errors: its title names them all
                rows_of = "; ".join(error.__notes__[-1] for error in failed)
                raise BaseExceptionGroup(f"{len(failed)} of {len(table)} rows: {rows_of}", failed)

        left = [parameter for name, parameter in signature.parameters.items() if name not in asked]
        held.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return held

    return of_all

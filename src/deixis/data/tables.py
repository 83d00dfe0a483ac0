"""Tables of data sets as comma-separated text."""

import csv
from collections.abc import Iterator
from pathlib import Path

from deixis.errors import DatasetError


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the columns of each line that is not empty.

    Raises:
        DatasetError: the file is missing, or is not such text.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in (reader := csv.reader(file)):
                if row:
                    yield reader.line_num, row
    except FileNotFoundError as error:
        raise DatasetError(
            f"there is no {path}; check the root folder and the archives unpacked there"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"cannot read {path}: {error}; unpack it again") from error

"""The checks of the exercises tried: how many solutions of each are told right from wrong, and the wrong ones named.

Run `python tests solutions`, or with the names of exercises behind it; it ends with 1 if a check is mistaken.
"""

import sys
from collections.abc import Sequence

from support.solution_matrix import Row, row_of

from wslab.exercises.sets.catalogue import EXERCISES


def main(names: Sequence[str]) -> int:
    print(f"{'exercise':20}{'wrong':>7}{'rejected':>10}{'fault named':>13}{'right':>7}{'accepted':>10}")
    rows: list[Row] = []
    for name in names or EXERCISES:
        rows.append(row_of(name))
        print(rows[-1], flush=True)
    print(Row("all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))))
    return 0 if all(row.is_trusted for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

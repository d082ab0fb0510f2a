"""Two schemes beside plain under all thefts: a table, its rows in a file, and the rows that a sentence is about.

Run it with `python examples/matrix_to_csv.py [FILE.csv]`; it takes some five seconds.
"""

import sys

import attacks as lab

file = sys.argv[1] if len(sys.argv) > 1 else "thefts.csv"
matrix = lab.matrix(["plain", "envelope", "split-key"], "*-theft", smoke=True)

print(matrix)
print()
for row in matrix.rows():
    if row["verdict"] == "BREACH":
        print(f"{row['scheme']} under {row['attack']}: {row['excluded']} of {row['sent']} texts against the claim")
print(f"{len(matrix.rows())} rows are in {matrix.save(file)}")

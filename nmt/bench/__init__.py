"""The benchmark of `nmt bench`: sizes, their speed, and the table that is printed."""

"""A corpus of many files, worked on by many processes of one machine or a cluster, with Ray Data.

`corpus` finds the shards, `columns` reads them, `stream` has Ray work on windows of their rows,
`records` knows which shards are finished, and `work` writes the results. What is done to a window
is a `Job`: nothing here knows of translation.
"""

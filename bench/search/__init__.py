"""How fast the search index is: ours against Whoosh as it comes and tantivy bare, over the same analysed
words.

`python -m bench.search` builds what is missing under bench/.cache (a few minutes, once), measures everything
in one run, each engine in turn on each query, and prints CPU milliseconds and ratios. The ratios are the
figures; the machine is not.
"""

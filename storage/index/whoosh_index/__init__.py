"""The embedded backend: an inverted index in Whoosh's files, attributes in numpy columns, one SQLite file
that commits.

How it fits together, from the disk up: `codec` (postings), `columns` (attributes and vocabulary), `segment`
(both, opened and merged), `sidecar` (which segments and documents hold), `snapshot` (what a process sees),
`matching`, `filtering`, `paging`, `counting`, `suggestions` (answers), `batch` and `merging` (writing),
`index` (the whole).

What of Whoosh is used: its term dictionary, field writer, segment reader and file storage. Its searcher walks
postings one by one, its parser hangs on hostile input, its table of contents commits apart from everything
else.
"""

from storage.index.whoosh_index.index import WhooshIndex

__all__ = ["WhooshIndex"]

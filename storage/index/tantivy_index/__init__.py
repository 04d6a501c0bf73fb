"""The backend for large libraries: tantivy keeps words and attributes, answers filters, facets and orders
natively.

From the disk up: `schema` (fields, and a document as tantivy takes it), `asking` (plans and conditions as its
queries), `paging` (exact keyset pages from an engine that sorts by one field), `counting`, `suggestions`,
`index` (the whole).

Its own query parser, highlighter and analysers are not used: text arrives as terms of our analyser, blank
between.
"""

from storage.index.tantivy_index.index import TantivyIndex

__all__ = ["TantivyIndex"]

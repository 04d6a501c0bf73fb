"""The parts of Whoosh 2.7.4 in use, imported without the warnings its old source gives when first compiled.

Whoosh is frozen upstream; its regular expressions and comparisons predate today's compiler checks. The forks
that look maintained return deleted documents after a refresh, so the version is pinned exactly.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from whoosh import fields
    from whoosh.codec import whoosh3
    from whoosh.filedb.filestore import FileStorage, RamStorage
    from whoosh.reading import SegmentReader, TermNotFound

__all__ = ["FileStorage", "RamStorage", "SegmentReader", "TermNotFound", "fields", "whoosh3"]

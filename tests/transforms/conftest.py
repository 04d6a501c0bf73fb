"""The same picture as in tests of IIIF, and the same workers."""

from __future__ import annotations

from tests.iiif.conftest import _impatience, gallery, hang

__all__ = ["_impatience", "gallery", "hang"]

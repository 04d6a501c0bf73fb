"""How much of a stranger's file we are willing to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Limits:
    """Bounds on what one file may make us do; all of them are checked before anything is decoded."""

    #: Width × height, from the header: half a gigapixel is beyond every camera and most stitched panoramas.
    pixels: int = 500_000_000
    #: The same for formats whose readers hold the whole canvas several times over.
    canvas_pixels: int = 250_000_000
    #: Width × height × frames or pages.
    frame_pixels: int = 5_000_000_000
    #: The longest side of any picture, in pixels.
    longest_side: int = 100_000
    #: The longer side divided by the shorter one: gradient strips pass, needles do not.
    aspect: int = 2_000
    #: Frames and pages are counted up to here.
    frames: int = 100_000
    #: Embedded XMP that is longer is left unread.
    xmp_bytes: int = 1_048_576
    #: Facts kept per file; the rest is dropped.
    entries: int = 400
    #: Longer text values are cut here.
    value_letters: int = 4_000
    #: Values in one list; the rest is dropped.
    list_values: int = 200
    #: Letters of a document that can be searched; the index reads no more words than stand in these.
    text_letters: int = 100_000
    #: Pages of a document that are read for search.
    text_pages: int = 500
    #: A longer vector drawing is not drawn.
    drawing_bytes: int = 16_777_216
    #: Width × height × frames of one animation made.
    moving_pixels: int = 100_000_000
    #: How much of a recording is listened to.
    listened_seconds: int = 3_600

    @property
    def of_canvases(self) -> Limits:
        """These, for readers that hold the whole canvas several times over."""
        return replace(self, pixels=min(self.pixels, self.canvas_pixels))

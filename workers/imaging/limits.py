"""How much of a stranger's file we are willing to look at."""

from __future__ import annotations

from dataclasses import dataclass


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

"""Raw pictures as cameras store them, by LibRaw (the extra `raw`).

The camera's own finished preview is taken where it is large enough for what is asked: it looks as the photographer
saw it, and costs a hundredth. Else the sensor's values are developed with the camera's white balance.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from domain.recipes import Recipe
from workers.imaging import depth, opening
from workers.imaging.formats.still import Known, Still, enlargement, library
from workers.imaging.limits import Limits

MEDIA_TYPES = frozenset(
    {
        "image/x-adobe-dng",
        "image/x-canon-cr2",
        "image/x-canon-cr3",
        "image/x-canon-crw",
        "image/x-nikon-nef",
        "image/x-sony-arw",
        "image/x-fuji-raf",
        "image/x-olympus-orf",
        "image/x-panasonic-rw2",
        "image/x-pentax-pef",
        "image/x-samsung-srw",
        "image/x-hasselblad-3fr",
        "image/x-phaseone-iiq",
        "image/x-leica-rwl",
        "image/x-sigma-x3f",
        "image/x-minolta-mrw",
    }
)

#: LibRaw's turns as EXIF says them.
_ORIENTATIONS = {0: 1, 3: 3, 5: 8, 6: 6}
_LYING = frozenset({5, 6, 7, 8})
#: A preview cropped to another shape than the picture would move what a focal point points at.
_SAME_SHAPE = 0.02
_HALF = 0.5


def still(source: Path, _media_type: str, recipes: Sequence[Recipe], limits: Limits) -> Still:
    with _opened(source, limits) as camera:
        width, height, orientation = _size(camera)
        scale = min(1.0, enlargement(recipes, width, height))
        stored = (height, width) if orientation in _LYING else (width, height)
        picture = _preview(camera, stored, scale, limits) or _developed(camera, scale)
        return Still(depth.resizable(picture), width, height, picture.info.get("icc_profile"), orientation)


def known(source: Path, _media_type: str, limits: Limits) -> Known:
    with _opened(source, limits) as camera:
        width, height, orientation = _size(camera)
        return Known(
            width=width,
            height=height,
            mode="RGB",
            bit_depth=max(1, int(camera.white_level).bit_length()),
            orientation=orientation,
            entries=tuple(("raw", name, value) for name, value in _camera(camera).items() if value),
        )


def _opened(source: Path, limits: Limits) -> Any:
    os.environ["OMP_NUM_THREADS"] = "1"  # read when the library is loaded: the cores are shared out among processes
    rawpy = library("rawpy", "raw")
    camera = rawpy.imread(str(source))
    try:
        opening.check_size(camera.sizes.raw_width, camera.sizes.raw_height, limits.of_canvases)
    except BaseException:
        camera.close()
        raise
    return camera


def _size(camera: Any) -> tuple[int, int, int]:
    """Width and height as displayed, and how the sensor lay."""
    sizes = camera.sizes
    orientation = _ORIENTATIONS.get(sizes.flip, 1)
    stored = (sizes.width, sizes.height)
    return (*(stored[::-1] if orientation in _LYING else stored), orientation)


def _camera(camera: Any) -> dict[str, Any]:
    other = getattr(camera, "other", None)
    return {
        "CameraPattern": (camera.color_desc or b"").decode("ascii", "replace"),
        "IsoSpeed": round(float(getattr(other, "iso_speed", 0) or 0)),
        "ShutterSeconds": float(getattr(other, "shutter", 0) or 0),
        "Aperture": round(float(getattr(other, "aperture", 0) or 0), 2),
        "FocalLength": round(float(getattr(other, "focal_len", 0) or 0), 1),
    }


def _preview(camera: Any, size: tuple[int, int], scale: float, limits: Limits) -> Image.Image | None:
    """None where there is none that would do."""
    rawpy = library("rawpy", "raw")
    try:
        found = camera.extract_thumb()
    except rawpy.LibRawError:
        return None
    if found.format is not rawpy.ThumbFormat.JPEG:
        return None
    try:
        picture = Image.open(io.BytesIO(found.data), formats=["JPEG"])
        opening.check_size(*picture.size, limits)
        shape, wanted = picture.width / picture.height, size[0] / size[1]
        if picture.width < size[0] * scale or abs(shape / wanted - 1) > _SAME_SHAPE:
            return None
        picture.load()
    except (OSError, ValueError):
        return None
    return picture


def _developed(camera: Any, scale: float) -> Image.Image:
    rawpy = library("rawpy", "raw")
    pixels = camera.postprocess(
        half_size=scale <= _HALF,
        use_camera_wb=True,
        output_bps=8,
        output_color=rawpy.ColorSpace.sRGB,
        user_flip=0,
    )
    return Image.fromarray(pixels)

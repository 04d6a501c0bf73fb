"""Pictures made for tests: every format, every orientation, known colours.

Everything is deterministic and returned as bytes; `kept` writes them to a file. Hostile files are in
`made_hostile`, embedded metadata in `made_metadata`, photographs in `tests/pictures`.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

PICTURES = Path(__file__).parent.parent / "pictures"
PROFILES = Path(__file__).parents[2] / "workers" / "imaging" / "icc"

#: The corners of `quadrants`, clockwise from the top left.
CORNERS = ((220, 30, 30), (30, 200, 30), (30, 30, 220), (240, 240, 240))

Rgb = tuple[int, int, int]


def photograph(name: str) -> Path:
    """A real photograph, such as `coffee.jpg` (600 × 400)."""
    return PICTURES / name


def kept(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def encoded(picture: Image.Image, reader: str, **options: Any) -> bytes:
    target = io.BytesIO()
    picture.save(target, reader, **options)
    return target.getvalue()


def quadrants(width: int = 240, height: int = 160, mode: str = "RGB") -> Image.Image:
    """Red, green, blue and near-white, clockwise from the top left: no turn or flip looks the same."""
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    across, down = width // 2, height // 2
    pixels[:down, :across], pixels[:down, across:] = CORNERS[0], CORNERS[1]
    pixels[down:, across:], pixels[down:, :across] = CORNERS[2], CORNERS[3]
    return Image.fromarray(pixels, "RGB").convert(mode)


def corners(picture: Image.Image) -> tuple[Rgb, ...]:
    """The colours in the middle of each quarter, clockwise from the top left."""
    seen = picture.convert("RGB")
    left, right, top, bottom = seen.width // 4, seen.width * 3 // 4, seen.height // 4, seen.height * 3 // 4
    pixels = [seen.getpixel(at) for at in ((left, top), (right, top), (right, bottom), (left, bottom))]
    return tuple((int(p[0]), int(p[1]), int(p[2])) for p in pixels if isinstance(p, tuple))


def distance(one: Rgb, other: Rgb) -> int:
    """The largest difference in any channel."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def every_format() -> dict[str, tuple[str, bytes]]:
    """File name → (media type, `quadrants` in that format)."""
    picture = quadrants()
    return {
        "a.jpg": ("image/jpeg", encoded(picture, "JPEG", quality=95, subsampling=0)),
        "progressive.jpg": ("image/jpeg", encoded(picture, "JPEG", quality=95, subsampling=0, progressive=True)),
        "a.mpo.jpg": ("image/jpeg", multi_picture_jpeg()),
        "a.png": ("image/png", encoded(picture, "PNG")),
        "a.webp": ("image/webp", encoded(picture, "WEBP", quality=95)),
        "lossless.webp": ("image/webp", encoded(picture, "WEBP", lossless=True)),
        "a.avif": ("image/avif", encoded(picture, "AVIF", quality=95, subsampling="4:4:4")),
        "a.gif": ("image/gif", encoded(picture.quantize(16), "GIF")),
        "a.tif": ("image/tiff", encoded(picture, "TIFF")),
        "lzw.tif": ("image/tiff", encoded(picture, "TIFF", compression="tiff_lzw")),
        "big.tif": ("image/tiff", encoded(picture, "TIFF", big_tiff=True)),
        "a.bmp": ("image/bmp", encoded(picture, "BMP")),
        "a.jp2": ("image/jp2", encoded(picture, "JPEG2000")),
        "a.psd": ("image/vnd.adobe.photoshop", photoshop(picture)),
        "a.pdf": ("application/pdf", encoded(picture, "PDF", resolution=72)),
    }


def lying(orientation: int, reader: str = "JPEG", width: int = 240, height: int = 160, **options: Any) -> bytes:
    """`quadrants` stored so that a reader which honours `orientation` (1–8) shows it upright."""
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = quadrants(width, height)
    stored = stored.transpose(back[orientation]) if orientation in back else stored
    exif = Image.Exif()
    exif[0x0112] = orientation
    if reader == "JPEG":
        options |= {"quality": 95, "subsampling": 0}
    return encoded(stored, reader, exif=exif, **options)


def multi_picture_jpeg() -> bytes:
    """As telephones write them: the picture, then a smaller one with a meaning of its own."""
    picture = quadrants()
    return encoded(picture, "MPO", save_all=True, append_images=[picture.resize((60, 40))], quality=95, subsampling=0)


def solid(colour: Any, mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new(mode, size, colour)


def in_cmyk(ink: tuple[int, int, int, int], reader: str = "JPEG", *, with_profile: bool = False) -> bytes:
    """A plain area of `ink`, 0–255 each; the profile is FOGRA39."""
    options: dict[str, Any] = {"quality": 100} if reader == "JPEG" else {}
    if with_profile:
        options["icc_profile"] = press_profile()
    return encoded(solid(ink, "CMYK"), reader, **options)


def press_profile() -> bytes:
    return (PROFILES / "FOGRA39L.icc").read_bytes()


def display_p3(colour: Rgb, reader: str = "PNG", mode: str = "RGB") -> bytes:
    """A plain area of `colour` in Display P3, tagged so."""
    options = {"quality": 100, "subsampling": 0} if reader == "JPEG" else {}
    picture = solid(colour).convert(mode)
    return encoded(picture, reader, icc_profile=display_p3_profile(), **options)


def display_p3_profile() -> bytes:
    """A matrix profile after ICC.1:2001-04 with Display P3's primaries (adapted to D50) and sRGB's curve."""
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
        b"wtpt": (0.96420, 1.00000, 0.82491),
    }
    ramp = np.linspace(0, 1, 1024)
    linear = np.where(ramp <= 0.04045, ramp / 12.92, ((ramp + 0.055) / 1.055) ** 2.4)
    curve = b"curv\0\0\0\0" + struct.pack(">I", 1024) + (linear * 65535).round().astype(">u2").tobytes()
    name = b"Test P3\0"
    tags = {tag: b"XYZ \0\0\0\0" + b"".join(map(_fixed, xyz)) for tag, xyz in primaries.items()}
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve, b"cprt": b"text\0\0\0\0CC0\0"}
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * 78
    return _profile(tags)


def srgb_profile() -> bytes:
    """sRGB as another program writes it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def lab_tiff(lightness: int, a: int, b: int) -> bytes:
    """A plain area of CIE L*a*b*: L* 0–100, a* and b* −128 to 127."""
    return encoded(solid((round(lightness * 2.55), a + 128, b + 128), "LAB"), "TIFF")


def sixteen_bit_ramp() -> np.ndarray[Any, np.dtype[np.uint16]]:
    """257 columns from 0 to 65,536 − 1 in equal steps."""
    return np.tile((np.arange(256, dtype=np.uint32) * 257).astype(np.uint16), (64, 1))


def sixteen_bit_png(pixels: np.ndarray[Any, np.dtype[np.uint16]]) -> bytes:
    """Grey (rows, columns) or RGB (rows, columns, 3), 16 bits a channel."""
    colour_type = 0 if pixels.ndim == 2 else 2
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, colour_type, 0, 0, 0)
    return png([(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])


def grey_tiff(
    pixels: np.ndarray[Any, Any], *, bits: int = 16, photometric: int = 1, order: str = "<", sample_format: int = 1
) -> bytes:
    """An uncompressed grey TIFF written by hand: Pillow cannot write all that it can read."""
    data = pixels.astype(order + {1: f"u{pixels.dtype.itemsize}", 3: "f4"}[sample_format]).tobytes()
    entries = [
        (256, 4, pixels.shape[1]),
        (257, 4, pixels.shape[0]),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, pixels.shape[0]),
        (279, 4, len(data)),
        (339, 3, sample_format),
    ]
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(data))
    fields = b"".join(_tiff_field(order, *entry) for entry in entries)
    return head + data + struct.pack(order + "H", len(entries)) + fields + b"\0\0\0\0"


def transparent_palette_png() -> bytes:
    """Left half opaque red, right half fully transparent."""
    picture = Image.new("P", (80, 60), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (40, 0, 80, 60))
    return encoded(picture, "PNG", transparency=b"\xff\x00")


def half_transparent(mode: str = "RGBA") -> Image.Image:
    """Left half opaque red (grey: mid grey), right half transparent black."""
    picture = Image.new(mode, (80, 60), (0, 0, 0, 0) if mode == "RGBA" else (0, 0))
    picture.paste((255, 0, 0, 255) if mode == "RGBA" else (128, 255), (0, 0, 40, 60))
    return picture


def colour_key_png() -> bytes:
    """RGB with one colour, the right half's, declared transparent."""
    picture = solid((255, 0, 0), size=(80, 60))
    picture.paste((0, 255, 0), (40, 0, 80, 60))
    return encoded(picture, "PNG", transparency=(0, 255, 0))


def animation(reader: str, frames: int = 3) -> bytes:
    """GIF, WEBP, PNG, AVIF or TIFF; the first frame is red, the others blue."""
    first, *others = [solid((220, 30, 30)), *(solid((30, 40 * (n % 5), 220)) for n in range(frames - 1))]
    timing = {} if reader == "TIFF" else {"duration": 100}
    return encoded(first, reader, save_all=True, append_images=others, **timing)


def photoshop(picture: Image.Image, bits: int = 8, resources: bytes = b"") -> bytes:
    """A flat Photoshop file: header, no layers, one uncompressed composite."""
    mode = {"L": 1, "RGB": 3, "CMYK": 4}[picture.mode]
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, len(picture.getbands()), *picture.size[::-1], bits, mode)
    planes = b"".join(band.tobytes() for band in picture.split())
    return (
        header
        + struct.pack(">I", 0)
        + struct.pack(">I", len(resources))
        + resources
        + struct.pack(">IH", 0, 0)
        + planes
    )


def photo_like(width: int, height: int, name: str = "coffee.jpg", seed: int = 1) -> Image.Image:
    """A photograph blown up to any size, with the grain of a sensor: compresses and decodes as large pictures do."""
    with Image.open(photograph(name)) as small:
        large = np.asarray(small.convert("RGB").resize((width, height), Image.Resampling.BICUBIC))
    noise = np.random.default_rng(seed).integers(-6, 7, size=(height, width, 1), dtype=np.int16)
    return Image.fromarray(np.clip(large + noise, 0, 255).astype(np.uint8), "RGB")


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG from its chunks, check sums included."""
    parts = (struct.pack(">I", len(b)) + name + b + struct.pack(">I", zlib.crc32(name + b)) for name, b in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_text(**texts: str) -> PngImagePlugin.PngInfo:
    information = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        information.add_itxt(name, text)
    return information


def _tiff_field(order: str, tag: int, kind: int, value: int) -> bytes:
    packed = struct.pack(order + ("HH" if kind == 3 else "I"), *((value, 0) if kind == 3 else (value,)))
    return struct.pack(order + "HHI", tag, kind, 1) + packed


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _profile(tags: dict[bytes, bytes]) -> bytes:
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        padded = content + b"\0" * (-len(content) % 4)
        table += tag + struct.pack(">II", at + len(body), len(content))
        body += padded
    date = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    illuminant = b"".join(map(_fixed, (0.96420, 1.0, 0.82491)))
    header = b"test" + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ " + date + b"acspAPPL" + b"\0" * 20
    header = (header + struct.pack(">I", 0) + illuminant).ljust(124, b"\0")
    whole = header + table + body
    return struct.pack(">I", len(whole) + 4) + whole

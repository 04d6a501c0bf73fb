"""Makes a folder of pictures to import: the demo brand's photographs, and two hundred drawn ones.

    uv run python examples/first_hour/make_pictures.py DIR

The same files every time. Among them stand what real folders hold too: the same picture twice, names in other
scripts, an empty file, and a text that calls itself a picture.
"""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path

from PIL import Image, ImageDraw

BRAND = Path(__file__).resolve().parents[1] / "brand"
SIZE = (320, 240)
#: Folder, how many pictures it gets, and the hue (0 to 255) around which they are painted.
FOLDERS = (
    ("Campaigns/Summer 2026", 60, 28),
    ("Campaigns/Winter 2026", 60, 150),
    ("Patterns", 50, 80),
    ("Архив/Обои", 30, 210),
)


def main() -> None:
    target = Path(sys.argv[1])
    for folder, count, hue in FOLDERS:
        (target / folder).mkdir(parents=True)
        for number in range(1, count + 1):
            name = f"{folder.rpartition('/')[2]} {number:03}"
            drawn(hue, number).save(target / folder / f"{name}.jpg", quality=85)
    photographs = target / "Photographs"
    photographs.mkdir()
    for photograph in sorted([*BRAND.glob("*.jpg"), *BRAND.glob("*.png")]):
        if photograph.name == "coffee-warm.jpg":  # a later version, and no picture of its own
            continue
        shutil.copyfile(photograph, photographs / photograph.name)
    shutil.copyfile(photographs / "cat.jpg", photographs / "cat (copy).jpg")
    (target / "empty.jpg").touch()
    (target / "notes.jpg").write_text("A shopping list, not a picture: beans, milk, oranges.\n")
    files = [path for path in target.rglob("*") if path.is_file()]
    print(f"{len(files)} files in {target}")


def drawn(hue: int, number: int) -> Image.Image:
    """Rings around a point that wanders with the number, in a colour near the hue."""
    picture = Image.new("HSV", SIZE, ((hue + number % 20) % 256, 90, 235))
    pen = ImageDraw.Draw(picture)
    x, y = SIZE[0] * (0.5 + 0.35 * math.cos(number)), SIZE[1] * (0.5 + 0.35 * math.sin(1.7 * number))
    for ring in range(6 + number % 5, 0, -1):
        radius = ring * (9 + number % 7)
        colour = ((hue + ring * 6 + number) % 256, 140 + ring * 9, 120 + 12 * ring)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    pen.text((8, SIZE[1] - 18), f"{number:03}", fill=(0, 0, 40))
    return picture.convert("RGB")


if __name__ == "__main__":
    main()

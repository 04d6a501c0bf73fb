"""How files carry what Pillow does not write by itself: XMP in a GIF, and the page of a PDF."""

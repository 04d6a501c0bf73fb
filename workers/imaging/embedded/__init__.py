"""The languages in which metadata is written inside files: EXIF, IPTC-IIM, XMP. Each module reads one of them."""

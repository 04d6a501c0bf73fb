"""What is written into a rendition beside its pixels: statements in XMP and IPTC, and the page of a PDF.

Only words of ours are written, never any of the original's: each packet is built anew from a `Statement`.
"""

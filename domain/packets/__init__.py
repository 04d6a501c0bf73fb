"""Statements as the packets that files carry them in: XMP, IPTC-IIM, and the segments of a JPEG that hold both.

Only words of ours are written, never any of an original's: each packet is built anew from a `Statement`.
"""

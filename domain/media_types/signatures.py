"""The formats that say at a fixed place what they are."""

from __future__ import annotations

#: (offset, bytes, type), most telling first.
_AT: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"8BPS\x00", "image/vnd.adobe.photoshop"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
    (0, b"\xff\x4f\xff\x51", "image/jp2"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\x76\x2f\x31\x01", "image/x-exr"),
    (0, b"#?RADIANCE", "image/vnd.radiance"),
    (0, b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (0, b"IIRO\x08", "image/x-olympus-orf"),
    (0, b"IIRS\x08", "image/x-olympus-orf"),
    (0, b"MMOR\x00", "image/x-olympus-orf"),
    (0, b"IIU\x00", "image/x-panasonic-rw2"),
    (6, b"HEAPCCDR", "image/x-canon-crw"),
    (0, b"FOVb", "image/x-sigma-x3f"),
    (0, b"\x00MRM", "image/x-minolta-mrw"),
    (0, b"%!PS", "application/postscript"),
    (0, b"\xc5\xd0\xd3\xc6", "application/postscript"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", "application/mxf"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (0, b"\x00\x00\x01\xb3", "video/mpeg"),
    (0, b"ID3\x02", "audio/mpeg"),
    (0, b"ID3\x03", "audio/mpeg"),
    (0, b"ID3\x04", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS\x00", "audio/ogg"),
    (0, b"MThd\x00", "audio/midi"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"\x06\x06\xed\xf5\xd8\x1d\x46\xe5\xbd\x31\xef\xe7\xfe\x74\xb7\x1d", "application/x-indesign"),
    (0, b"\x00\x01\x00\x00\x00", "font/ttf"),
    (0, b"true\x00", "font/ttf"),
    (0, b"OTTO\x00", "font/otf"),
    (0, b"ttcf\x00", "font/collection"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (4, b"1AY&SY", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (257, b"ustar", "application/x-tar"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (0, b"PAR1\x15", "application/vnd.apache.parquet"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (0, b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (0, b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
)

#: Writers put a few stray bytes before it, and readers accept that.
_PDF_WITHIN = 1024
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_ICONS = (b"\x00\x00\x01\x00", b"\x00\x00\x02\x00")
_MOST_ICONS = 255
_RESERVED_SAMPLING = 3
_PE_POINTER = slice(60, 64)
_ADTS = frozenset({b"\xff\xf1", b"\xff\xf9"})
_FRAME_BYTES = 4
_FRAME_SYNC = 0xFFE0


def recognise(head: bytes) -> str | None:
    for offset, magic, name in _AT:
        if head.startswith(magic, offset):
            return name
    return _by_structure(head)


def _by_structure(head: bytes) -> str | None:
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return "application/pdf"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    if head[:4] in _ICONS and 0 < int.from_bytes(head[4:6], "little") <= _MOST_ICONS:
        return "image/x-icon"
    if _is_portable_executable(head):
        return "application/vnd.microsoft.portable-executable"
    return None


def recognise_frames(head: bytes) -> str | None:
    """Sound that begins with a frame and no header: too weak a mark to be asked before text is ruled out."""
    if head[:2] in _ADTS:
        return "audio/aac"
    return "audio/mpeg" if _is_mpeg_audio_frame(head) else None


def _is_portable_executable(head: bytes) -> bool:
    at = int.from_bytes(head[_PE_POINTER], "little")
    return head[:2] == b"MZ" and (head[at : at + 4] == b"PE\x00\x00" or b"\x00" in head[:64])


def _is_mpeg_audio_frame(head: bytes) -> bool:
    """Sync word, a real version and layer, a bit rate and a sampling rate that exist."""
    if len(head) < _FRAME_BYTES or int.from_bytes(head[:2], "big") & _FRAME_SYNC != _FRAME_SYNC:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bit_rate, sampling = head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer != 0 and bit_rate not in {0, 15} and sampling != _RESERVED_SAMPLING

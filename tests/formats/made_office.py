"""Office documents and ZIPs, made from nothing: what is in them is known to the letter."""

from __future__ import annotations

import io
import zipfile
from typing import Final

OFFICE: Final = "application/vnd.openxmlformats-officedocument"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def archive(**files: bytes) -> bytes:
    return zipped({name.replace("__", "."): content for name, content in (files or {"a__txt": b"one"}).items()})


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as holder:
        for name, content in files.items():
            holder.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return target.getvalue()


def letter(text: str = "Dear printer, please print.") -> bytes:
    """A Word document of one paragraph, with a title."""
    body = f'<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    core = (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A letter</dc:title>'
        "<dc:creator>Ada</dc:creator></cp:coreProperties>"
    )
    parts = {"word/document.xml": (f"{OFFICE}.wordprocessingml.document.main+xml", body)}
    return _packed(parts, {}, {"docProps/core.xml": core})


def sheet(*rows: tuple[str | int, ...]) -> bytes:
    """An Excel workbook of one sheet: words and numbers."""
    lines = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows or (("Cup", 3), ("Plate", 7)))
    book = (
        f'<workbook xmlns="{S}" xmlns:r="{R}"><sheets><sheet name="Prices" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
    named = f"{OFFICE}.spreadsheetml"
    parts = {
        "xl/workbook.xml": (f"{named}.sheet.main+xml", book),
        "xl/worksheets/sheet1.xml": (
            f"{named}.worksheet+xml",
            f'<worksheet xmlns="{S}"><sheetData>{lines}</sheetData></worksheet>',
        ),
    }
    return _packed(parts, {"xl/workbook.xml": (("worksheet", "worksheets/sheet1.xml"),)})


def slides(*texts: str) -> bytes:
    """A PowerPoint presentation: a slide with a line of text for each, on a master and a layout without anything."""
    told = texts or ("Spring campaign",)
    named = f"{OFFICE}.presentationml"
    space = f'xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{R}"'
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="r{n + 2}"/>' for n in range(len(told)))
    show = (
        f'<p:presentation {space}><p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="r1"/></p:sldMasterIdLst>'
        f'<p:sldIdLst>{ids}</p:sldIdLst><p:sldSz cx="9144000" cy="5143500"/><p:notesSz cx="6858000" cy="9144000"/>'
        "</p:presentation>"
    )
    master = (
        f"<p:sldMaster {space}><p:cSld>{_shapes('')}</p:cSld>"
        '<p:clrMap bg1="lt1" tx1="dk1" bg2="lt2" tx2="dk2" accent1="accent1" accent2="accent2" accent3="accent3" '
        'accent4="accent4" accent5="accent5" accent6="accent6" hlink="hlink" folHlink="folHlink"/>'
        '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="r1"/></p:sldLayoutIdLst></p:sldMaster>'
    )
    layout = f"<p:sldLayout {space}><p:cSld>{_shapes('')}</p:cSld></p:sldLayout>"
    parts = {
        "ppt/presentation.xml": (f"{named}.presentation.main+xml", show),
        "ppt/slideMasters/slideMaster1.xml": (f"{named}.slideMaster+xml", master),
        "ppt/slideLayouts/slideLayout1.xml": (f"{named}.slideLayout+xml", layout),
    }
    slide_names = [f"slides/slide{n}.xml" for n in range(1, len(told) + 1)]
    for name, text in zip(slide_names, told, strict=True):
        body = f"<p:sld {space}><p:cSld>{_shapes(_text_box(text))}</p:cSld></p:sld>"
        parts[f"ppt/{name}"] = (f"{named}.slide+xml", body)
    master_name, layout_name = "slideMasters/slideMaster1.xml", "slideLayouts/slideLayout1.xml"
    related = {
        "ppt/presentation.xml": (("slideMaster", master_name), *(("slide", name) for name in slide_names)),
        f"ppt/{master_name}": (("slideLayout", f"../{layout_name}"),),
        f"ppt/{layout_name}": (("slideMaster", f"../{master_name}"),),
        **{f"ppt/{name}": (("slideLayout", f"../{layout_name}"),) for name in slide_names},
    }
    return _packed(parts, related)


def open_letter(text: str = "Print <text:span>this</text:span> gladly.", more: str = "") -> bytes:
    """An OpenDocument text: a word inside a word's style must stay in its place."""
    return open_document("text", f"<office:text><text:p>{text}</text:p>{more}</office:text>")


def open_sheet(text: str) -> bytes:
    cell = f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    rows = f'<table:table table:name="Prices"><table:table-row>{cell}</table:table-row></table:table>'
    return open_document("spreadsheet", f"<office:spreadsheet>{rows}</office:spreadsheet>")


def open_slide(text: str) -> bytes:
    place = 'svg:x="2cm" svg:y="2cm" svg:width="20cm" svg:height="5cm"'
    frame = f"<draw:frame {place}><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>"
    return open_document(
        "presentation", f'<office:presentation><draw:page draw:name="one">{frame}</draw:page></office:presentation>'
    )


def open_document(kind: str, body: str) -> bytes:
    """An OpenDocument of this kind and body."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
        for name, space in (
            *((each, each) for each in ("office", "text", "table")),
            ("draw", "drawing"),
            ("svg", "svg-compatible"),
        )
    )
    content = (
        f'<office:document-content{names} xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.2">'
        f"<office:body>{body}</office:body></office:document-content>"
    )
    named = f"application/vnd.oasis.opendocument.{kind}"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        f'manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:media-type="{named}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as holder:
        holder.writestr(zipfile.ZipInfo("mimetype", (2026, 1, 1, 0, 0, 0)), named)
        holder.writestr("content.xml", content)
        holder.writestr("META-INF/manifest.xml", manifest)
    return target.getvalue()


def _packed(
    parts: dict[str, tuple[str, str]],
    related: dict[str, tuple[tuple[str, str], ...]],
    more: dict[str, str] | None = None,
) -> bytes:
    """An Office Open XML package: parts with their types, the first of which is the document; what each refers to."""
    types = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, (kind, _) in parts.items())
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    files = {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="{rels}"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>'
        ),
        "_rels/.rels": _relations((("officeDocument", next(iter(parts))),)),
        **(more or {}),
        **{name: body for name, (_, body) in parts.items()},
    }
    for name, targets in related.items():
        folder, _, own = name.rpartition("/")
        files[f"{folder}/_rels/{own}.rels"] = _relations(targets)
    return zipped({name: text.encode() for name, text in files.items()})


def _relations(targets: tuple[tuple[str, str], ...]) -> str:
    told = "".join(
        f'<Relationship Id="r{number}" Target="{target}" Type="{R}/{kind}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{told}</Relationships>'


def _cell(value: str | int) -> str:
    if isinstance(value, int):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def _shapes(inside: str) -> str:
    about = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>'
    return f"<p:spTree>{about}<p:grpSpPr/>{inside}</p:spTree>"


def _text_box(text: str) -> str:
    return (
        '<p:sp><p:nvSpPr><p:cNvPr id="2" name="Text"/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr><p:spPr><a:xfrm>'
        '<a:off x="900000" y="1500000"/><a:ext cx="7200000" cy="1500000"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/>'
        '</a:prstGeom></p:spPr><p:txBody><a:bodyPr/><a:p><a:r><a:rPr lang="en" sz="6000"/>'
        f"<a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    )

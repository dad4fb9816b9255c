"""The ledger for people and for programs: terminal, JSON, one page, one folder."""

from checks.report.document import as_document, on_record, write_json
from checks.report.folder import CERTIFICATES, LEDGER, PAGE, PICTURES, begin, draw
from checks.report.page import render_page
from checks.report.pictures import Picture, PictureError, read
from checks.report.progress import Bar
from checks.report.terminal import (
    catalogue,
    console,
    controls,
    details,
    ledger,
    measured,
    shows_unicode,
    summary,
    troubles,
)

__all__ = [
    "CERTIFICATES",
    "LEDGER",
    "PAGE",
    "PICTURES",
    "Bar",
    "Picture",
    "PictureError",
    "as_document",
    "begin",
    "catalogue",
    "console",
    "controls",
    "details",
    "draw",
    "ledger",
    "measured",
    "on_record",
    "read",
    "render_page",
    "shows_unicode",
    "summary",
    "troubles",
    "write_json",
]

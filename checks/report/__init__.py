"""The ledger for people and for programs.

`terminal` prints one row per claim (`progress` is its bar), `document` is the same as JSON, `page` one HTML file that
carries everything it needs, `folder` all of them with pictures and certificates. The page opens a claim by `entry`, from
the `notes`, in MathML (`mathml`) with `links`; it begins with `surprises` (drawn by `sketches`), shows `pictures` and one
`slider` over `two_nets`, and explains its `words`. `symbols` sets mathematics where there is no MathML.
"""

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

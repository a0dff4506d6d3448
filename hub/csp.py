"""What a page of the hub may load and do, as headers say it to the browser.

The theme decides two of the directives. Its pages are run by Alpine.js, which makes functions of the expressions that
stand in the page's attributes (`unsafe-eval`), and it writes its colours into the page (`unsafe-inline` for styles).
No script of a page itself runs: neither ours nor one that somebody smuggled into a text.
"""

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

DIRECTIVES = {
    "default-src": [NONE],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
    "object-src": [NONE],
}
# The interactive page of the API needs no evaluation of texts
DOCS = {**DIRECTIVES, "script-src": [SELF]}
# Everything that is no page: data, tables, uploaded files. Opened in a browser, it can do nothing at all.
NO_PAGE = "default-src 'none'; sandbox; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"

UNUSED = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "publickey-credentials-get",
    "screen-wake-lock",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS = ", ".join([*(f"{feature}=()" for feature in UNUSED), "clipboard-write=(self)", "fullscreen=(self)"])

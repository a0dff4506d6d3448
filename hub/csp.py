"""What a page of the hub may load and do, as headers say it to the browser.

The theme decides two of the directives. It writes its colours into the page (`unsafe-inline` for styles), and its
pages are run by Alpine.js, which makes functions of the expressions that stand in attributes (`unsafe-eval`).

No `<script>` in a page runs, no `onclick` and no `javascript:` address: neither ours nor one smuggled into a text. An
attribute for Alpine, smuggled in as markup, would run: against that stands the escaping of every text, and not this
policy. docs/operations.md says what keeps us from the build of Alpine that needs no evaluation.
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

"""The reference pages: where to write now, and the escalation path. They say the directory in the reader's language.

What is built here is ready to be shown: texts, links and tones, no rows. A door reads the request and renders.
"""

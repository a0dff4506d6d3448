import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
application = get_wsgi_application()

# An answer makes thousands of objects and no cycles: looking through all of them every 700 costs a tenth of it
gc.freeze()
gc.set_threshold(20_000, 50, 100)

from hub.wsgi import application as wsgi  # first of all: it sets Django up

from hub.front import Front  # isort: skip

application = Front(wsgi)

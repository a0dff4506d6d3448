from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _

from hub import checks, timestamps


class HubConfig(AppConfig):
    name = "hub"
    verbose_name = _("People and access")

    def ready(self) -> None:
        for check in checks.ALL:
            register(check)
        timestamps.listen()
        from hub import theme  # noqa: PLC0415 - it needs the models

        theme.name_cells()

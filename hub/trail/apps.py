from django.apps import AppConfig
from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class TrailConfig(AppConfig):
    name = "hub.trail"
    verbose_name = _("Trail")

    def ready(self) -> None:
        from hub.trail import listening  # noqa: PLC0415 - it needs the models

        listening.listen()
        admin.site.unregister(
            self.get_model("TrailEntry")
        )  # its library's page shows every line to whoever may open it

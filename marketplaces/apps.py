from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from marketplaces import folding


class MarketplacesConfig(AppConfig):
    name = "marketplaces"
    verbose_name = _("Directory")

    def ready(self) -> None:
        folding.listen()

from marketplaces import platform


class Ozon(platform.Platform):
    name = "marketplaces.ozon"
    slug = "ozon"
    verbose_name = "Ozon"

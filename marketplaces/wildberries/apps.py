from marketplaces import platform


class Wildberries(platform.Platform):
    name = "marketplaces.wildberries"
    slug = "wildberries"
    verbose_name = "Wildberries"

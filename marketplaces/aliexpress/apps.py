from marketplaces import platform


class AliExpress(platform.Platform):
    name = "marketplaces.aliexpress"
    slug = "aliexpress"
    verbose_name = "AliExpress Russia"

from marketplaces import platform


class YandexMarket(platform.Platform):
    name = "marketplaces.yandex_market"
    slug = "yandex_market"
    verbose_name = "Yandex Market"

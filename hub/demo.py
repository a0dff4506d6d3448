"""A believable team for the demonstration: people, shops, and some eighty appeals in every state.

The stories are played through the ordinary verbs at past moments, so that every clock, event and result is what the
hub itself would have made of them. All people, firms and numbers are made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import Group

from appeals import lifecycle
from appeals.models import Appeal, Membership, Shop
from hub import demo_stories
from hub.models import User
from marketplaces.models import Channel, Marketplace, ResponseTarget, Topic
from marketplaces.working_time import Unit

PASSWORD = "demo-seller-hub"  # noqa: S105 - of the embedded demonstration, which holds nothing secret

PEOPLE = {
    "lead@example.com": ("Мария Образцова", "ru", "Europe/Moscow"),
    "agent@example.com": ("Иван Примеров", "ru", "Europe/Moscow"),
    "second.agent@example.com": ("Ольга Тестова", "ru", "Asia/Yekaterinburg"),
    "english.agent@example.com": ("Alex Sample", "en", "Europe/Berlin"),
}
SHOPS = {
    "Чайный дом (Ozon)": ("ozon", "10001", "ООО «Пример Чай»", "7700000001", "1027700000001"),
    "Чайный дом (Wildberries)": ("wildberries", "20001", "ООО «Пример Чай»", "7700000001", "1027700000001"),
    "Тёплые вещи (Ozon)": ("ozon", "10002", "ИП Образцова М. А.", "770000000002", "304770000000002"),
    "Тёплые вещи (Яндекс Маркет)": ("yandex_market", "30002", "ИП Образцова М. А.", "770000000002", "304770000000002"),
    "Детские книги (AliExpress)": ("aliexpress", "40003", "ООО «Пример Книга»", "7700000003", "1027700000003"),
}


@dataclass(frozen=True)
class Matter:
    """What goes wrong for sellers: a topic, a subject, a text, the outcome wanted, roubles at stake."""

    topic: str
    subject: str
    body: str
    wish: str
    stake: int
    urgent: bool = False
    is_complex: bool = False


MATTERS = (
    Matter(
        "finance",
        "Не поступила выплата за {period}",
        "По отчёту за {period} к выплате {stake} ₽. Деньги на счёт не поступили, статус в «Финансах» не меняется."
        " Заказы: {orders}. Отчёт и выписка банка приложены.",
        "Перечислить {stake} ₽ и назвать дату платежа",
        184_320,
    ),
    Matter(
        "logistics",
        "Потеряна поставка на склад",
        "Поставка принята {date}, по акту 40 мест, в остатках 36. Не найдены артикулы {products}. Акт и видео"
        " упаковки приложены.",
        "Найти товар или возместить его стоимость",
        61_200,
        is_complex=True,
    ),
    Matter(
        "assortment",
        "Карточка {products} скрыта без объяснения",
        "С {date} карточка не показывается покупателям. Причина в кабинете не указана, документы на товар действуют до"
        " конца года.",
        "Вернуть карточку в продажу или назвать причину",
        27_500,
    ),
    Matter(
        "technical",
        "Не загружаются остатки",
        "С {date} обновление остатков отвечает ошибкой, по артикулам {products} продаём то, чего нет. Снимок экрана"
        " с временем приложен.",
        "Устранить сбой и отменить штрафы за отмены",
        15_900,
        urgent=True,
    ),
    Matter(
        "returns",
        "Возврат принят, товар не вернулся",
        "По заказам {orders} покупатели вернули товар до {date}. На склад он не поступил, деньги удержаны.",
        "Вернуть товар или деньги за него",
        9_870,
    ),
    Matter(
        "penalties",
        "Штраф за отмену, которой не было",
        "За заказы {orders} начислен штраф. Отправления переданы в срок, скан приёмки приложен.",
        "Отменить штраф",
        4_350,
    ),
    Matter(
        "advertising",
        "Списано за показы отключённой кампании",
        "Кампания остановлена {date}, списания продолжались ещё двое суток. Отчёт приложен.",
        "Вернуть списанное",
        7_640,
    ),
    Matter(
        "account",
        "Нет доступа к кабинету после смены телефона",
        "Код приходит на старый номер, изменить его без входа нельзя. Заявление и выписка из реестра приложены.",
        "Восстановить доступ",
        0,
        urgent=True,
    ),
    Matter(
        "reviews",
        "Отзыв о чужом товаре",
        "В карточке {products} отзыв с фотографией другого товара. Снимок приложен.",
        "Удалить отзыв",
        0,
    ),
    Matter(
        "documents",
        "Ошибка в закрывающих документах за {period}",
        "В акте за {period} сумма услуг отличается от отчёта на {stake} ₽. Сверка приложена.",
        "Исправить акт",
        3_280,
    ),
)

Move = tuple[str, float]
# Stories: when it was sent (hours ago), and what happened how many hours after that
PLOTS: tuple[tuple[float, tuple[Move, ...]], ...] = (
    (0, ()),
    (3, (("acknowledgement", 0.1),)),
    (30, (("acknowledgement", 0.1), ("brush_off", 4))),
    (26, (("acknowledgement", 0.1), ("question", 12))),
    (75, (("question", 6), ("message", 20), ("answer", 30), ("granted", 40))),
    (340, (("acknowledgement", 0.2), ("brush_off", 30), ("repeat-request", 120))),
    (200, (("answer", 50), ("partly_granted", 60))),
    (520, (("brush_off", 20), ("message", 26))),
    (620, (("brush_off", 24), ("repeat-request", 130), ("operator-complaint", 300))),
    (90, (("question", 80),)),
    (800, (("brush_off", 40), ("operator-complaint", 200), ("answer", 500), ("refused", 520))),
    (1300, (("brush_off", 60), ("operator-complaint", 400), ("claim", 800))),
    (430, (("answer", 70), ("granted", 80), ("reopened", 200))),
    (500, (("acknowledgement", 0.1), ("ignored", 450))),
)
TEXTS = {
    "acknowledgement": "Здравствуйте! Обращение принято, ответим в порядке очереди.",
    "question": "Пришлите, пожалуйста, номера отправлений и снимок экрана с датой.",
    "brush_off": "Мы проверили вашу ситуацию, нарушений не обнаружено. Подробнее читайте в справке.",
    "answer": "Мы провели проверку. Начисление будет исправлено в ближайшем отчёте.",
    "message": "Номера отправлений и снимки экрана во вложении. Просим ответить по существу.",
    "repeat-request": "Повторяем вопрос: на первое обращение ответа по существу нет.",
    "operator-complaint": "Подали жалобу: срок ответа прошёл, вопрос не решён.",
    "claim": "Отправили претензию заказным письмом.",
    "reopened": "Деньги по решению не поступили.",
    "granted": "Решено в нашу пользу.",
    "partly_granted": "Возместили половину.",
    "refused": "Отказали, готовим следующий шаг.",
    "ignored": "Ответа так и не было.",
}
COUNT = 60
# No official promise of these three is known; a team counts by its own rule then
OWN_RULE_WORKING_DAYS = {"wildberries": 5, "yandex_market": 3, "aliexpress": 5}


def is_empty() -> bool:
    """Whether the hub holds no work of anybody yet, so that the demonstration may fill it."""
    return not (Shop.objects.exists() or Appeal.objects.exists())


def fill(*, now: datetime) -> int:
    """Makes the team, its shops and its appeals; returns the number of appeals. The directory must be loaded."""
    people = [_person(email, *facts) for email, facts in PEOPLE.items()]
    for slug, days in OWN_RULE_WORKING_DAYS.items():
        _own_rule(Marketplace.objects.get(slug=slug), days)
    shops = [_shop(name, facts, people) for name, facts in SHOPS.items()]
    for number in range(COUNT):
        _play(number, shops[number % len(shops)], people, now)
    demo_stories.tell(shops, people, now)
    return Appeal.objects.count()


def _person(email: str, full_name: str, language: str, time_zone: str) -> User:
    person = User.objects.create_user(email, PASSWORD, full_name=full_name, language=language, time_zone=time_zone)
    person.groups.add(Group.objects.get(name="lead" if _is_lead(person) else "agent"))
    return person


def _is_lead(person: User) -> bool:
    return person.email.startswith("lead")


def _own_rule(marketplace: Marketplace, working_days: int) -> None:
    ResponseTarget.objects.create(
        marketplace=marketplace,
        kind=ResponseTarget.Kind.ANSWER,
        amount=working_days,
        unit=Unit.WORKING_DAYS,
        source="правило нашей команды",
        note="Площадка срока не обещает: столько ждём сами, прежде чем напомнить.",
        note_en="The marketplace promises no term: so long do we wait before we press on.",
    )


def _shop(name: str, facts: tuple[str, str, str, str, str], people: list[User]) -> Shop:
    slug, seller_id, legal_name, inn, ogrn = facts
    shop = Shop.objects.create(
        name=name,
        marketplace=Marketplace.objects.get(slug=slug),
        seller_id=seller_id,
        legal_name=legal_name,
        inn=inn,
        ogrn=ogrn,
        postal_address="101000, Москва, Примерная улица, дом 1",
    )
    for person in people:
        Membership.objects.create(shop=shop, user=person, is_lead=_is_lead(person))
    return shop


def _play(number: int, shop: Shop, people: list[User], now: datetime) -> None:
    matter = MATTERS[(number * 7) % len(MATTERS)]
    hours_ago, moves = PLOTS[number % len(PLOTS)]
    actor = people[1 + number % (len(people) - 1)]
    sent_at = now - timedelta(hours=hours_ago + number % 5, minutes=number * 7 % 50)
    appeal = _draft(number, matter, shop, actor, sent_at)
    if not moves:
        return
    appeal = lifecycle.submit(appeal=appeal, actor=actor, now=sent_at, external_number=str(31_400_000 + number * 977))
    for move, after in moves:
        _move(appeal, move, actor, sent_at + timedelta(hours=after))


def _draft(number: int, matter: Matter, shop: Shop, actor: User, at: datetime) -> Appeal:
    facts = dict(_facts(number, matter, at))
    return lifecycle.create(
        actor=actor,
        now=at,
        shop=shop,
        topic=Topic.objects.filter(slug=matter.topic, marketplace=None).first(),
        channel=Channel.objects.usable_by_sellers().filter(marketplace=shop.marketplace).order_by("position").first(),
        subject=matter.subject.format(**facts),
        body=matter.body.format(**facts),
        desired_outcome=matter.wish.format(**facts),
        order_numbers=facts["orders"].split(", ") if "{orders}" in matter.body else [],
        product_codes=facts["products"].split(", ") if "{products}" in matter.subject + matter.body else [],
        amount_at_stake=Decimal(facts["stake"]) if matter.stake else None,
        priority="urgent" if matter.urgent else "normal",
        is_complex=matter.is_complex,
        assignee=actor if number % 6 else None,
    )


def _facts(number: int, matter: Matter, at: datetime) -> Iterator[tuple[str, str]]:
    yield "orders", f"{50_000_000 + number * 1313}-0001-1, {50_000_000 + number * 1717}-0002-1"
    yield "products", f"TEA-{100 + number}"
    yield "stake", str(matter.stake + number * 37)
    yield "date", f"{at - timedelta(days=3):%d.%m.%Y}"
    yield "period", f"{at - timedelta(days=20):%m.%Y}"


def _move(appeal: Appeal, move: str, actor: User, at: datetime) -> None:
    text = TEXTS[move]
    if move in lifecycle.ReplyKind.values:
        lifecycle.record_reply(appeal=appeal, actor=actor, now=at, kind=move, text=text)
    elif move == "message":
        lifecycle.message(appeal=appeal, actor=actor, now=at, text=text)
    elif move == "reopened":
        lifecycle.reopen(appeal=appeal, actor=actor, now=at, note=text)
    elif move in Appeal.Outcome.values:
        recovered = (appeal.amount_at_stake or 0) * {"granted": 100, "partly_granted": 50}.get(move, 0) / 100
        lifecycle.resolve(
            appeal=appeal, actor=actor, now=at, outcome=move, amount_recovered=Decimal(recovered) or None, note=text
        )
    else:
        _escalate(appeal, move, actor, at, text)


def _escalate(appeal: Appeal, key: str, actor: User, at: datetime, text: str) -> None:
    """Takes the step named `key`, or the next one of a marketplace that has none of that name."""
    path = appeal.shop.marketplace.escalation_steps
    step = path.filter(key=key).exclude(available_from__gt=at.date()).first() or lifecycle.next_step(appeal, at)
    if step is not None:
        lifecycle.escalate(appeal=appeal, actor=actor, now=at, step=step, note=text)

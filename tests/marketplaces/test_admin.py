"""The directory in the workplace: reading it, keeping it true, and not overwriting a colleague."""

import re
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from hub.models import User
from marketplaces import history
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Rule, Source, Topic
from tests.marketplaces.workplace import change, filled, listed, save

LISTS = ["marketplace", "channel", "topic", "responsetarget", "escalationstep", "rule", "source"]


def full_directory(market: Marketplace, count: int) -> None:
    for index in range(count):
        topic = Topic.objects.create(slug=f"topic-{index}", name="Тема", marketplace=market, source="S1")
        channel = Channel.objects.create(marketplace=market, kind="chat", name=f"Чат {index}", source="S1")
        Channel.objects.create(marketplace=market, kind="post", name=f"Почта {index}", source="S1")
        ResponseTarget.objects.create(
            marketplace=market, kind="answer", topic=topic, channel=channel, amount=1, unit="hours", source="S1"
        )
        EscalationStep.objects.create(marketplace=market, position=index, name="Шаг", channel=channel, source="S1")
        Rule.objects.create(marketplace=market, topic=topic, name="Правило", source="S1")
        Source.objects.create(key=f"S{index}", title="Статья", grade="C")


@pytest.mark.parametrize("model", LISTS)
def test_lists_and_pages_stay_within_fifteen_queries_however_many_rows(
    client: Client,
    editor: User,
    market: Marketplace,
    model: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    full_directory(market, 30)
    client.force_login(editor)
    with django_assert_max_num_queries(15):
        page = client.get(listed(model))
    row = page.context["cl"].result_list[0]
    with django_assert_max_num_queries(15):
        assert client.get(change(row)).status_code == 200


def test_a_list_says_whether_somebody_is_there_now(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    assert "always open" in client.get(listed("channel")).content.decode()
    Channel.objects.filter(pk=chat.pk).update(opening_hours="")
    assert "hours unknown" in client.get(listed("channel")).content.decode()


@pytest.mark.parametrize("state", ["dead", "historic", "disputed"])
def test_a_list_does_not_say_that_a_channel_nobody_should_use_is_open(
    client: Client, editor: User, chat: Channel, state: str
) -> None:
    Channel.objects.filter(pk=chat.pk).update(state=state)
    client.force_login(editor)
    assert "always open" not in client.get(listed("channel")).content.decode()


def test_first_replies_are_entered_in_minutes(client: Client, editor: User, chat: Channel) -> None:
    Channel.objects.filter(pk=chat.pk).update(first_reply_typical=timedelta(minutes=10))
    client.force_login(editor)
    form = filled(client, chat)
    assert form["first_reply_typical"] == 10
    save(client, chat, form | {"first_reply_worst": "90"})
    assert (chat.first_reply_typical, chat.first_reply_worst) == (timedelta(minutes=10), timedelta(minutes=90))
    lines = client.get(reverse("admin:marketplaces_channel_history", args=[chat.pk])).context["past"][0]["fields"]
    assert "Usual first reply" not in [line[0] for line in lines]
    for wrong in ("00:10:00", "0", "9" * 20, "1.5"):
        answer = client.post(change(chat), filled(client, chat) | {"first_reply_worst": wrong})
        assert answer.context["adminform"].form.errors == {
            "first_reply_worst": ["Write whole minutes from 1 to 100000, for example 90."]
        }
    save(client, chat, filled(client, chat) | {"first_reply_typical": ""})
    assert chat.first_reply_typical is None


def test_channels_in_dispute_are_shown_where_there_are_some(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    assert "Channels in dispute" not in client.get(reverse("admin:marketplaces_channel_add")).content.decode()
    assert "Channels in dispute" not in client.get(change(chat)).content.decode()
    Channel.objects.create(marketplace=chat.marketplace, kind="chat", name="Спор", source="S1", contradicts=chat)
    assert "Channels in dispute" in client.get(change(chat)).content.decode()


@pytest.mark.parametrize("model", [Marketplace, Topic, Rule])
def test_lists_name_their_rows_in_the_readers_language(
    client: Client, editor: User, market: Marketplace, model: type[Topic] | type[Rule] | type[Marketplace]
) -> None:
    full_directory(market, 1)
    model.objects.update(name="По-русски", name_en="In English")
    client.force_login(editor)
    page = client.get(listed(model.__name__.lower())).content.decode()
    assert "In English</" in page
    assert "По-русски</" not in page


@pytest.mark.parametrize("asked", ["ПОЧТА", "почта", "очт", "mail@EXAMPLE", "ПИШИТЕ"])
def test_a_list_is_searched_whatever_the_case_of_the_letters(
    client: Client, editor: User, chat: Channel, asked: str
) -> None:
    said = {"name": "Почта", "address": "mail@example.com", "instructions": "Пишите 100%"}
    mail = Channel.objects.create(marketplace=chat.marketplace, kind="email", **said)
    client.force_login(editor)
    address = reverse("admin:marketplaces_channel_changelist")
    assert list(client.get(address, {"q": asked}).context["cl"].result_list) == [mail]
    assert not client.get(address, {"q": "1_0"}).context["cl"].result_list


def test_retired_rows_are_out_of_sight_until_asked_for(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    client.post(listed("channel"), {"action": "retire", "_selected_action": [chat.pk]})
    assert client.get(listed("channel")).context["cl"].result_count == 0
    assert client.get(listed("channel", "?use=retired")).context["cl"].result_count == 1
    client.post(listed("channel", "?use=retired"), {"action": "bring_back", "_selected_action": [chat.pk]})
    assert client.get(listed("channel")).context["cl"].result_count == 1


def test_a_new_row_says_who_entered_it(client: Client, editor: User, market: Marketplace) -> None:
    client.force_login(editor)
    page = client.get(reverse("admin:marketplaces_channel_add"))
    assert page.context["adminform"].form["source"].value() == "entered by Edith"
    form = {
        "marketplace": market.pk,
        "kind": "email",
        "audience": "sellers",
        "name": "Почта",
        "opening_hours": "24/7",
        "state": "unconfirmed",
        "source": "entered by Edith",
        "source_grade": "C",
        "verified_on": "2026-02-03",
        "position": "0",
    }
    client.post(reverse("admin:marketplaces_channel_add"), form)
    added = Channel.objects.get(name="Почта")
    assert (added.verified_by, added.time_zone) == (editor, "Europe/Moscow")


def test_a_new_date_of_checking_names_who_checked(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    save(client, chat, filled(client, chat) | {"address": "https://example.com"})
    assert (chat.address, chat.verified_by) == ("https://example.com", None)
    save(client, chat, filled(client, chat) | {"verified_on": "2026-03-01"})
    assert (chat.verified_on, chat.verified_by) == (date(2026, 3, 1), editor)


def test_checked_today_is_one_click_and_stands_in_the_history(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    client.post(listed("channel"), {"action": "check_today", "_selected_action": [chat.pk]})
    chat.refresh_from_db()
    assert (chat.verified_on, chat.verified_by, chat.version) == (timezone.localdate(), editor, 2)
    history = client.get(reverse("admin:marketplaces_channel_history", args=[chat.pk]))
    (line,) = history.context["past"]
    assert (line["what"], line["who"]) == ("checked", "Edith")
    assert line["fields"][0][:2] == ("Checked on", "1 January 2026")


def test_of_two_people_who_edit_one_row_the_second_is_told(
    client: Client, editor: User, colleague: User, chat: Channel
) -> None:
    client.force_login(editor)
    opened = filled(client, chat)
    theirs = Client()
    theirs.force_login(colleague)
    save(theirs, chat, filled(theirs, chat) | {"address": "https://theirs.example.com"})

    answer = client.post(change(chat), opened | {"address": "https://mine.example.com"})
    text = answer.content.decode()
    assert "Colin" in text
    assert "Address" in text
    assert "https://mine.example.com" in text
    chat.refresh_from_db()
    assert chat.address == "https://theirs.example.com"

    again = {name: field.value() for name, field in ((f.name, f) for f in answer.context["adminform"].form)}
    save(client, chat, {name: value for name, value in again.items() if value is not None and value is not False})
    assert chat.address == "https://mine.example.com"


def test_opening_hours_that_nobody_can_read_are_refused_at_their_field(
    client: Client, editor: User, chat: Channel
) -> None:
    client.force_login(editor)
    answer = client.post(change(chat), filled(client, chat) | {"opening_hours": "Mo-Fr nine to five"})
    assert "opening_hours" in answer.context["adminform"].form.errors


def test_a_channel_of_mail_needs_an_address_of_mail(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    mail = filled(client, chat) | {"kind": "email"}
    for wrong in ("не-почта@", "one@example.com, two@example.com"):
        answer = client.post(change(chat), mail | {"address": wrong})
        assert "address" in answer.context["adminform"].form.errors
    save(client, chat, mail | {"address": "помощь@пример.рф"})


def test_a_pattern_that_cannot_be_read_is_refused_with_its_place(
    client: Client, editor: User, market: Marketplace
) -> None:
    client.force_login(editor)
    answer = client.post(change(market), filled(client, market) | {"ticket_number_pattern": "^([0-9]{8}$"})
    (told,) = answer.context["adminform"].form.errors["ticket_number_pattern"]
    assert told == "The pattern cannot be read at position 2. An example: ^[0-9]{8}$."


def test_lists_of_a_topic_are_typed_one_per_line(client: Client, editor: User, market: Marketplace) -> None:
    topic = Topic.objects.create(slug="finance", name="Финансы", examples=["Выплата"], source="S1")
    client.force_login(editor)
    form = filled(client, topic)
    save(client, topic, form | {"examples": "Нет выплаты\n\n Не тот акт ", "required": ["dates", "evidence"]})
    assert topic.examples == ["Нет выплаты", "Не тот акт"]
    assert topic.required == ["dates", "evidence"]


def test_a_viewer_reads_the_directory_and_changes_nothing(client: Client, db: None, chat: Channel) -> None:
    viewer = User.objects.create_user("viewer@example.com")
    viewer.groups.add(Group.objects.get(name="viewer"))
    client.force_login(viewer)
    assert client.get(change(chat)).status_code == 200
    assert client.post(change(chat), {"name": "Другое"}).status_code == 403
    client.post(listed("channel"), {"action": "retire", "_selected_action": [chat.pk]})
    chat.refresh_from_db()
    assert (chat.name, chat.retired_at) == ("Чат", None)


def test_sources_are_read_only(client: Client, editor: User) -> None:
    source = Source.objects.create(key="S1", title="Статья", grade="C")
    client.force_login(editor)
    assert client.post(change(source), {"title": "Другая"}).status_code == 403


def test_a_country_without_a_calendar_is_refused(client: Client, editor: User, market: Marketplace) -> None:
    client.force_login(editor)
    answer = client.post(change(market), filled(client, market) | {"country": "ZZ"})
    assert list(answer.context["adminform"].form.errors) == ["country"]


def test_a_step_with_a_term_that_nobody_can_mean_is_refused(client: Client, editor: User, market: Marketplace) -> None:
    step = EscalationStep.objects.create(marketplace=market, position=1, name="Жалоба", source="S1")
    client.force_login(editor)
    endless = {"term_amount": 2_000_000_000, "term_unit": "calendar_days"}
    answer = client.post(change(step), filled(client, step) | endless)
    assert list(answer.context["adminform"].form.errors) == ["term_amount"]


@pytest.mark.parametrize("number", ["abc", "9" * 5000, "", "0"])
def test_an_offer_that_there_is_not_is_not_found(client: Client, editor: User, number: str) -> None:
    client.force_login(editor)
    assert client.post(reverse("offers"), {"fact": number, "verb": "take"}).status_code == 404


@pytest.mark.parametrize("model", ["responsetarget", "escalationstep"])
def test_a_term_of_no_marketplace_is_refused_at_the_marketplace(client: Client, editor: User, model: str) -> None:
    client.force_login(editor)
    form = {"amount": 3, "unit": "hours", "term_amount": 3, "term_unit": "hours"}
    answer = client.post(reverse(f"admin:marketplaces_{model}_add"), form)
    assert "marketplace" in answer.context["adminform"].form.errors


def test_a_page_of_adding_shows_nothing_that_comes_later(client: Client, editor: User) -> None:
    client.force_login(editor)
    for name in ("marketplace", "topic", "channel", "escalationstep", "responsetarget", "rule"):
        page = client.get(reverse(f"admin:marketplaces_{name}_add")).content.decode()
        labels = set(re.findall(r"<label[^>]*>\s*([^<]+?)\s*<", page))
        assert labels
        assert labels.isdisjoint({"Changed", "Retired", "Sources", "Key"})


def test_a_marketplace_keeps_the_slug_by_which_releases_know_it(
    client: Client, editor: User, market: Marketplace
) -> None:
    client.force_login(editor)
    assert "slug" in client.get(reverse("admin:marketplaces_marketplace_add")).context["adminform"].form.fields
    slug = market.slug
    save(client, market, filled(client, market) | {"slug": "renamed", "name": "Renamed"})
    assert (market.name, market.slug) == ("Renamed", slug)


def test_what_a_target_leaves_open_is_said_to_fit_all(client: Client, editor: User) -> None:
    client.force_login(editor)
    page = client.get(reverse("admin:marketplaces_responsetarget_add")).content.decode()
    for field, empty, said in (("priority", "", "all of them"), ("is_complex", "unknown", "either")):
        assert f'<option value="{empty}" selected>{said}' in choice(page, field)
    assert "Unknown" not in page
    for field in ("topic", "channel"):
        assert 'data-placeholder="all of them"' in choice(page, field)
    topic = client.get(reverse("admin:marketplaces_topic_add")).content.decode()
    assert '<option value="" selected>all marketplaces' in choice(topic, "marketplace")
    rule = client.get(reverse("admin:marketplaces_rule_add")).content.decode()
    assert 'data-placeholder="all topics"' in choice(rule, "topic")


def choice(page: str, field: str) -> str:
    found = re.search(rf'<select name="{field}".+?</select>', page, re.DOTALL)
    assert found
    return found[0]


def test_who_may_only_look_reads_hours_and_lengths_of_time_in_words(client: Client, chat: Channel) -> None:
    viewer = User.objects.create_user("viewer@example.com", language="en")
    viewer.groups.add(Group.objects.get(name="viewer"))
    Channel.objects.filter(pk=chat.pk).update(
        opening_hours="Mo-Fr 09:00-18:00; PH off", first_reply_typical=timedelta(minutes=10), first_reply_worst=None
    )
    client.force_login(viewer)
    page = client.get(change(chat)).content.decode()
    assert "10\u00a0min" in page
    assert "0:10:00" not in page
    assert "Mon–Fri 09:00–18:00" in page
    assert "Mo-Fr 09:00-18:00" not in page


def test_who_may_only_read_a_target_is_told_that_an_empty_choice_fits_all(
    client: Client, db: None, market: Marketplace
) -> None:
    target = ResponseTarget.objects.create(marketplace=market, kind="answer", amount=1, unit="hours", source="S1")
    viewer = User.objects.create_user("viewer@example.com", language="en")
    viewer.groups.add(Group.objects.get(name="viewer"))
    client.force_login(viewer)
    page = " ".join(client.get(change(target)).content.decode().split())
    assert re.search(r"For which appeals.{0,900}>\s*any\s*<", page)


def test_a_form_that_is_being_filled_has_no_link_that_would_empty_it(
    client: Client, editor: User, market: Marketplace
) -> None:
    client.force_login(editor)
    add = reverse("admin:marketplaces_responsetarget_add")
    assert "addlink" not in client.get(add).content.decode()
    assert f'href="{add}' in client.get(listed("responsetarget")).content.decode()


def test_what_closes_a_page_that_is_only_read_is_not_the_word_for_closing_an_appeal(
    client: Client, db: None, chat: Channel
) -> None:
    viewer = User.objects.create_user("viewer@example.com", language="ru")
    viewer.groups.add(Group.objects.get(name="viewer"))
    client.force_login(viewer)
    page = client.get(change(chat)).content.decode()
    assert "К списку" in page
    assert "Закрыть" not in page.replace("Закрыть меню", "")


def test_a_row_that_is_referred_to_is_retired_on_the_page_that_refuses_to_delete_it(
    client: Client, editor: User, market: Marketplace
) -> None:
    full_directory(market, 2)
    topic = Topic.objects.filter(marketplace=market)[0]
    client.force_login(editor)
    address = reverse("admin:marketplaces_topic_delete", args=[topic.pk])
    page = " ".join(client.get(address).content.decode().split())
    assert "<li> Response targets: 1 </li>" in page
    assert client.post(address, {"post": "yes"}).status_code == 200
    assert Topic.objects.get(pk=topic.pk).retired_at is None
    form = re.search(rf'<form method="post" action="({listed("topic")})">(.+?)</form>', page)
    assert form
    fields = dict(re.findall(r'name="(\w+)" value="(\w+)"', form[2]))
    client.post(form[1], fields)
    assert Topic.objects.get(pk=topic.pk).retired_at is not None
    assert 'value="retire"' not in client.get(address).content.decode()
    loose = Topic.objects.create(slug="loose", name="Ничья", marketplace=market, source="S1")
    address = reverse("admin:marketplaces_topic_delete", args=[loose.pk])
    page = client.get(address).content.decode()
    assert "Delete “Ничья” (topic)?" in page
    assert "Topics: 1" not in page  # nothing but itself goes
    client.post(address, {"post": "yes"})
    assert not Topic.objects.filter(pk=loose.pk).exists()


def test_the_head_says_what_is_done_on_a_page(client: Client, editor: User, market: Marketplace) -> None:
    client.force_login(editor)
    topic = Topic.objects.create(slug="loose", name="ничья", marketplace=market, source="S1")
    pages = {"add": ([], "New"), "history": ([topic.pk], "History"), "delete": ([topic.pk], "Deletion")}
    for name, (arguments, said) in pages.items():
        page = client.get(reverse(f"admin:marketplaces_topic_{name}", args=arguments)).content.decode()
        assert f"</span>{said}</span>" in page
    page = client.get(change(topic)).content.decode()
    assert '<span class="hub-of">' not in page
    assert ">Ничья</a>" in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?q=zzz", "Nothing fits “zzz”."),
        ("?use=retired", "With these filters nothing is left."),
        ("?q=zzz&use=any", "Nothing fits “zzz” and these filters."),
    ],
)
def test_an_empty_list_says_what_it_was_asked_for(
    client: Client, editor: User, market: Marketplace, query: str, said: str
) -> None:
    client.force_login(editor)
    assert said in client.get(listed("topic", query)).content.decode()


def test_the_steps_of_sellers_stand_first_in_the_order_of_their_path(
    client: Client, editor: User, market: Marketplace
) -> None:
    for position, audience in enumerate(["buyers", "both", "sellers", "other", "both"]):
        EscalationStep.objects.create(
            marketplace=market, position=position, audience=audience, name=f"Шаг {position}", source="S1"
        )
    client.force_login(editor)
    assert [step.position for step in client.get(listed("escalationstep")).context["cl"].result_list] == [
        1,
        2,
        4,
        0,
        3,
    ]


def test_a_term_that_nobody_gave_is_a_dash_and_rules_tell_their_state(
    client: Client, editor: User, market: Marketplace
) -> None:
    EscalationStep.objects.create(marketplace=market, position=1, name="Шаг", source="S1")
    Rule.objects.create(marketplace=market, name="Прежнее", state="historic", source="S1", term_amount=7)
    Rule.objects.create(marketplace=market, name="Нынешнее", source="S1", term_amount=72, term_unit="hours")
    client.force_login(editor)
    assert re.search(r"field-term[^>]*>\s*—\s*<", client.get(listed("escalationstep")).content.decode())
    rules = client.get(listed("rule")).content.decode()
    assert "72\u00a0hours" in rules
    assert re.search(r"field-shown_state.+?historic", rules, re.DOTALL)
    (found,) = client.get(listed("rule", "?state__exact=historic")).context["cl"].result_list
    assert found.name == "Прежнее"


def test_sources_stand_in_the_order_in_which_people_count(client: Client, editor: User) -> None:
    keys = ["A1", "L1", "L2", "L10", "S0", "S1e", "S1w", "S2", "W14", "amazonmarket", "vc-435879"]
    for key in reversed(keys):
        Source.objects.create(key=key, title="Статья", grade="A" if key == "L2" else "C")
    client.force_login(editor)
    page = client.get(listed("source"))
    shown = [row.key for row in page.context["cl"].result_list]
    assert [key for key in shown if key[0].isupper()] == keys[:-2]
    assert sorted(shown) == sorted(keys)
    assert re.search(r"field-address[^>]*>\s*—\s*<", page.content.decode())
    assert re.search(r"field-what.{0,200}<a ", page.content.decode(), re.DOTALL)
    assert [row.key for row in client.get(listed("source", "?grade=A")).context["cl"].result_list] == ["L2"]


def test_the_page_of_a_source_without_an_address_says_so_and_has_its_past(client: Client, editor: User) -> None:
    source = Source.objects.create(key="S1", title="Статья", grade="C")
    client.force_login(editor)
    assert re.search(r"Address\s*</label>.{0,500}>—<", client.get(change(source)).content.decode(), re.DOTALL)
    history = client.get(reverse("admin:marketplaces_source_history", args=[source.pk]))
    assert "Nothing has changed here yet." in history.content.decode()


def test_the_list_of_marketplaces_names_the_site_of_each_portal(
    client: Client, editor: User, market: Marketplace
) -> None:
    Marketplace.objects.update(seller_portal="https://seller.example.com/some/long/way")
    client.force_login(editor)
    assert ">seller.example.com</a>" in client.get(listed("marketplace")).content.decode()


def test_the_day_of_retiring_is_shown_of_what_is_retired(client: Client, editor: User, chat: Channel) -> None:
    client.force_login(editor)
    label = re.compile(r"<label[^>]*>\s*Retired\s*</label>")
    assert not label.search(client.get(change(chat)).content.decode())
    Channel.objects.update(retired_at=timezone.now())
    assert label.search(client.get(change(chat)).content.decode())


def test_a_key_of_a_source_opens_its_page_for_who_may_read_it(
    client: Client, editor: User, chat: Channel, market: Marketplace
) -> None:
    source = Source.objects.create(key="S1", title="Статья", grade="C")
    fact = {"source": "S1", "source_grade": "C", "verified_on": "2026-01-01"}
    Marketplace.objects.update(provenance={"seller_portal": fact})
    client.force_login(editor)
    link = f'<a href="{change(source)}" class="text-primary-600">S1</a>'
    for row in (chat, market):
        assert link in client.get(change(row)).content.decode()
    assert "<dt>Seller portal</dt>" in client.get(change(market)).content.decode()
    reader = User.objects.create_user("reader@example.com", language="en")
    reader.user_permissions.add(Permission.objects.get(codename="view_channel"))
    client.force_login(reader)
    page = client.get(change(chat)).content.decode()
    assert "Статья" in page
    assert link not in page


def test_pages_of_files_and_tables_lead_back_to_their_list(client: Client, editor: User) -> None:
    client.force_login(editor)
    pages = {reverse("directory-upload"): "marketplace"}
    pages |= {reverse(f"admin:marketplaces_rule_{verb}"): "rule" for verb in ("import", "export")}
    for page, model in pages.items():
        assert f'<a class="hub-button" href="{listed(model)}">' in client.get(page).content.decode()


def test_what_a_release_loaded_names_nobody_in_the_history(client: Client, editor: User, chat: Channel) -> None:
    history.write([history.line(row=chat, marketplace="", action=history.Action.LOADED, now=timezone.now())])
    client.force_login(editor)
    page = client.get(reverse("admin:marketplaces_channel_history", args=[chat.pk])).content.decode()
    assert "<b>Loaded from a release</b>, <time" in page


def test_a_new_channel_claims_no_hours_until_somebody_says_them(client: Client, editor: User) -> None:
    client.force_login(editor)
    form = client.get(reverse("admin:marketplaces_channel_add")).context["adminform"].form
    assert form["opening_hours"].value() == ""

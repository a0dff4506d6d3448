"""A refusal is a page in the reader's language that says why and leads back."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from hub.models import User


@pytest.fixture
def viewer(db: None) -> Client:
    user = User.objects.create_user("viewer@example.com")
    user.groups.add(Group.objects.get(name="viewer"))
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/admin/hub/user/add/", 403, "Вам сюда нельзя"),
        ("/admin/directory/file/", 403, "Вам сюда нельзя"),
        ("/admin/appeals/appeal/1/do/nothing/", 404, "Такой страницы нет"),
        ("/nowhere", 404, "Такой страницы нет"),
    ],
)
def test_a_page_that_is_not_open_says_so_in_russian(viewer: Client, address: str, status: int, words: str) -> None:
    answer = viewer.get(address)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert "На главную" in answer.content.decode()


def test_a_stranger_reads_russian_too(db: None) -> None:
    assert "Такой страницы нет" in Client().get("/nowhere").content.decode()


def test_a_form_of_an_old_session_says_that_nothing_was_saved(viewer: Client) -> None:
    answer = viewer.post("/admin/profile/", {"full_name": "Новое имя"})
    assert answer.status_code == 403
    assert "Ничего не сохранено" in answer.content.decode()


def test_a_reader_of_english_reads_english(viewer: Client) -> None:
    User.objects.update(language="en")
    assert "There is no such page" in viewer.get("/nowhere").content.decode()

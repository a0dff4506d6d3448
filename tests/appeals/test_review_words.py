"""Obscene and abusive words are found in every form, hidden or not; words that only look like them are not."""

import pytest

from appeals.review import words

GOOD = """
оскорблять страховка потребляемый хлебать рубля команда сабля скипидар мандарин употреблять ребёнок застрахуй
подстрахуйте подстрахуйтесь учебный небесный судебный херсон барсука сукно гребной мебель себя тебе EBITDA ебитда
психуй бухучёт хутор художник мандат сосуд суккулент сучок педаль блямба бляха гондола потребитель теребить лебедь
колебание погребной ущерб себестоимость стебель вебинар вебаналитика подебатируем Себастьян пенопласт поездка мудрец
дебет дебаты корабля Ебург Хуэйчжоу XYE-123 xyEB12 ABC-1234567 20х30 х/б т.е. и.т.д. support@ozon.ru инфо@почта.рф
ребаланс хлебушек сукровица срастить насрочный кастрат сократить манды мандолина гандикап жопер залупцевать
скотина вор мошенник бандит обманывать преступник козёл баран хам
"""
OBSCENE = """
хуй хуя ХУЙНЯ нахуй похуй охуели охуевшие хуесосы пиздец пизду спиздили распиздяи пиздёж пиздюлей заебали заебись
ебаный ёбаный ебать наебали наебалово долбоёб долбоёбы долбоебам уёбки уебище ебанутые выебываетесь разъебать
отъебитесь съебал ебло ебучий проебали хуёвый хуярить блядь блять бля бляди блядский выблядок мудак мудаки мудачьё
пидор пидорасы пидарас пидры гандон гандоны
сука говно говнюки дерьмо дерьмовый жопа срать насрать обосрались херня нахер похер хули
залупа xyй хyй сyка бляяя сукааа хууууй пиииздец пи3дец бл9дь 6лядь бля́дь ху\u200bй ху\u0301й
"""
HIDDEN = ["х*й", "бл@дь", "п.и.з.д.е.ц", "б л я д ь", "п***ц", "х.й", "пизд*ц", "х..й", "б*я", "заеб@ли", "х у й"]


@pytest.mark.parametrize("word", GOOD.split())
def test_a_harmless_word_is_passed_over(word: str) -> None:
    assert words.find(f"Наш {word} и прочее.") == []


@pytest.mark.parametrize("word", OBSCENE.split())
def test_an_obscene_word_is_found_where_it_stands(word: str) -> None:
    text = f"Где деньги, {word}, верните."
    [hit] = words.find(text)
    assert (hit.kind, text[hit.start : hit.end]) == ("obscene", word)


@pytest.mark.parametrize("word", HIDDEN)
def test_a_hidden_word_is_found(word: str) -> None:
    text = f"Это {word} какой-то"
    [hit] = words.find(text)
    assert (hit.kind, text[hit.start : hit.end]) == ("obscene", word)


@pytest.mark.parametrize(
    "text",
    [
        "Вы мошенники!",
        "Мошенники, верните деньги.",
        "Верните деньги, воры!",
        "Озон — воры",
        "У вас одни жулики",
        "вы воруете наши деньги",
        "Вы просто кидалы",
        "вы нас обманываете",
        "Там сидят идиоты и дебилы",
    ],
)
def test_abuse_of_the_addressee_is_found(text: str) -> None:
    assert {hit.kind for hit in words.find(text)} == {"insult"}


@pytest.mark.parametrize(
    "text",
    [
        "Мошенники взломали наш кабинет",
        "Покупатель мошенник, вернул другой товар.",
        "Прошу вас заблокировать мошенников",
        "вы знаете, мошенники звонят покупателям",
        "На складе воры украли товар",
        "Корм для беременных сук и щенков",
        "На дереве два сука и ветка",
        "Получатель П***в, карта ****1234",
        "Она кидала мяч; козёл отпущения; фигурка «Баран»",
        "Покупатель обманывает: он вернул камень",
        "5 * 3 = 15, 20*30, скидка 10%.",
    ],
)
def test_facts_about_others_are_no_abuse(text: str) -> None:
    assert words.find(text) == []


def test_places_are_those_of_the_text_as_it_was_typed() -> None:
    text = "Э\u0301то 🙂 пиз\u00adдец и блядь"
    assert [text[hit.start : hit.end] for hit in words.find(text)] == ["пиз\u00adдец", "блядь"]


def test_the_dictionary_is_not_loaded_before_it_is_needed() -> None:
    words._morph.cache_clear()
    assert words.find("2026 — 100 %") == []
    assert words._morph.cache_info().currsize == 0

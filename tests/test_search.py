"""A search index: what is found, and what is not, alike in SQLite and PostgreSQL."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ink import Ink
from PIL import Image
from searching import entry, page, places, says
from servers import PostgresServer

from docpipe import errors
from docpipe.search import Index, open_index, search
from docpipe.search.answers import SMOOTHING, fused
from docpipe.search.query import parse

pytestmark = pytest.mark.classify


@pytest.fixture(scope="session")
def vector_postgres() -> Iterator[PostgresServer]:
    """A server that can compare vectors."""
    server = PostgresServer(extension="vector")
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where there is no index yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'search.sqlite'}"
        return
    server = request.getfixturevalue("vector_postgres")
    made = server.database()
    yield made
    server.drop(made)


@pytest.fixture
def index(url: str) -> Iterator[Index]:
    made = open_index(url)
    yield made
    made.close()


def found(index: Index, text: str, **more) -> list[str]:
    return [answer.document.name for answer in search(index, text, **more)]


# ---- text ------------------------------------------------------------------------------------------------------------

PRINTED = {
    "invoice": "Rechnung RE-2024/0815 vom 3. April 2025 Summe 1.234,50 EUR",
    "english": "Invoice INV20871 dated 04/22/2025 total 1,234.50 USD",
    "bank": "IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX",
    "accents": "École Jacques Vernier, Straße der Bäckerei Größe",
    "korean": "전자세금계산서 공급가액 등록번호 214-86-07310 작성일자 2025년 7월 15일",
    "spaced": "세 금 계 산 서 합 계",
    "japanese": "請求書 合計金額は東京都の株式会社です",
    "chinese": "增值税发票 金额",
    "prose": "The quick brown fox jumps over the lazy dog",
    "reverse": "dog lazy the over jumps fox brown quick The",
}


@pytest.fixture
def library(index: Index) -> Index:
    for name, line in PRINTED.items():
        index.add(entry(name, line))
    return index


FOUND = [
    ("rechnung", {"invoice"}), ("RECHNUNG vom", {"invoice"}), ("invoice", {"english"}),
    ("RE-2024/0815", {"invoice"}), ("RE20240815", {"invoice"}), ("re 2024 0815", {"invoice"}),
    ("INV-20871", {"english"}), ("inv20871", {"english"}),
    ("1.234,50", {"invoice", "english"}), ("1,234.5", {"invoice", "english"}), ("1234.50", {"invoice", "english"}),
    ("1 234,50", {"invoice", "english"}),
    ("2025-04-03", {"invoice"}), ("03.04.2025", {"invoice"}), ("3 April 2025", {"invoice"}), ("22 April 2025", {"english"}),
    ("2025-07-15", {"korean"}), ("DE89370400440532013000", {"bank"}), ("DE89 3704 0044 0532 0130 00", {"bank"}),
    ("2148607310", {"korean"}), ("21486 07310", {"korean"}), ("214-86-07311", set()),
    ("ecole", {"accents"}), ("strasse", {"accents"}), ("BACKEREI", {"accents"}), ("größe", {"accents"}),
    ("계산", {"korean", "spaced"}), ("세금계산서", {"korean", "spaced"}), ("공급", {"korean"}), ("가액", {"korean"}), ("액", {"korean"}),
    ("공급 등록", {"korean"}), ("합계", {"spaced"}), ("산금", set()),
    ("東京", {"japanese"}), ("会社", {"japanese"}), ("京", {"japanese"}), ("合計金額", {"japanese"}), ("发票", {"chinese"}),
    ('"quick brown fox"', {"prose"}), ('"fox brown"', {"reverse"}), ('"brown fox', {"prose"}), ("qui* laz*", {"prose", "reverse"}),
    ("세금*", {"korean", "spaced"}), ("quic", set()), ("nowhere", set()), ('"fox quick"', set()), ("name:prose", {"prose"}),
]  # fmt: skip
NONSENSE = [
    "", " ", '"', '""', "*", "* *", "NEAR", "NEAR(a b)", "AND", "OR NOT", "a AND", "(", ")", "-", "--", "col:", ":", "=",
    "tokens:fox", "rowid:1", "'", "';DROP TABLE search_page;--", "\\", "fox\\", "a'b", "🎉", "🎉 fox", "%", "_", "^fox", "{fox}",
    "fox & dog", "fox | !dog", "fox:*", "\x00", "fox\x00dog", "\ud800", "fox " * 2500, "x" * 10_000, '"' * 10_000, "schema:",
    "schema:'", "status=", "a.b:c", "==",
]  # fmt: skip


def test_every_document_is_found_by_what_it_says_however_it_is_written(library):
    wrong = {query: names for query, wanted in FOUND if (names := set(found(library, query))) != wanted}
    assert not wrong


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda text: ascii(text)[:20])
def test_any_text_is_a_query(library, nonsense):
    assert len(search(library, nonsense)) <= 10
    assert set(found(library, f"fox {nonsense}")) >= ({"prose", "reverse"} if not nonsense.strip(' "*-:=()') else set())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=60))
def test_no_text_is_an_error(library, query):
    search(library, query)


def test_where_no_page_has_all_words_those_with_any_are_shown(library):
    assert [(one.document.name, one.whole) for one in search(library, "lazy nowhere")] == [("reverse", False), ("prose", False)]
    assert all(one.whole for one in search(library, "lazy dog"))


def test_an_answer_names_page_box_words_and_fields(index):
    pages = (page(1, "Nothing here"), page(2, "first line", "the grand total is 1.234,50 EUR today"))
    index.add(entry("bill", *pages, fields={"gross_total": "1234.50", "line_items[0].amount": "7"}, holder="a" * 32))
    (answer,) = search(index, "total 1234.5")
    assert (answer.document.name, answer.page, answer.document.pages) == ("bill", 2, 2)
    assert [hit.text for hit in answer.hits] == ["total", "1.234,50"]
    assert answer.box == pytest.approx((140, 120, 180, 130), abs=0.02) and answer.snippet.endswith(
        "the grand [total] is [1.234,50] EUR today"
    )
    assert [(one.path, one.value) for one in answer.fields] == [("gross_total", "1234.50"), ("line_items[0].amount", "7")]
    assert (answer.schema_name, answer.status, answer.jobs) == ("invoice", "accepted", ("a" * 32,))
    assert (answer.text_rank, answer.look_rank, answer.score) == (1, None, 1 / 61)


def test_the_words_of_a_phrase_are_one_hit_and_a_compound_s_box_is_its_word(index):
    index.add(entry("korean", page(1, "전자세금계산서 공급", "quick brown fox")))
    (compound,) = search(index, "세금")[0].hits
    assert compound.text == "전자세금계산서" and compound.box == pytest.approx((50, 100, 90, 110), abs=0.02)
    (phrase,) = search(index, '"brown fox"')[0].hits
    assert phrase.text == "brown fox" and phrase.box == pytest.approx((95, 120, 180, 130), abs=0.02)


def test_a_page_that_says_it_more_often_stands_first(index):
    index.add(entry("seldom", "oak and pine and beech and ash and elm and birch and fir and larch"))
    index.add(entry("often", "oak oak oak"))
    index.add(entry("never", "larch"))
    assert found(index, "oak") == ["often", "seldom"]


# ---- fields ----------------------------------------------------------------------------------------------------------


def test_filters_ask_what_results_say(index):
    acme = {"seller.name": "Acme Holz GmbH", "gross_total": "1190.00", "issue_date": "2025-04-03", "paid": "true"}
    index.add(entry("acme", "oak board", fields=acme))
    index.add(entry("other", "oak beam", fields={"seller.name": "Nordlicht KG", "gross_total": "119.00"}, schema="receipt"))
    index.add(entry("bare", "oak seller name acme"))
    asked = {
        "schema:invoice": {"acme"}, "schema=receipt": {"other"}, "status:accepted": {"acme", "other"}, "status:review": set(),
        "seller.name:acme": {"acme"}, "seller.name:ACM*": {"acme"}, "Seller.Name:holz": {"acme"}, 'seller.name:"acme holz"': {"acme"},
        'seller.name="acme holz gmbh"': {"acme"}, "seller.name=acme": set(), "gross_total=1190": {"acme"}, "gross_total:1.190,00": {"acme"},
        'gross_total="1,190.00"': {"acme"}, "issue_date:03.04.2025": {"acme"}, 'issue_date="3 April 2025"': {"acme"},
        "oak schema:invoice": {"acme"}, "beam schema:invoice": set(), "schema:receipt seller.name:nordlicht": {"other"},
        "name:bare oak": {"bare"}, "no.field:acme": set(),
    }  # fmt: skip
    assert {query: set(found(index, query)) for query in asked} == asked


def test_a_part_of_a_packet_has_its_own_fields(index):
    facts = (says({"number": "A1"}, pages=(1,)), says({"number": "B2"}, schema="receipt", pages=(2, 3)))
    index.add(entry("packet", "one", "two", "three", facts=facts))
    assert places(search(index, "number=B2")) == [("packet", 3), ("packet", 2)]
    assert places(search(index, "schema:invoice")) == [("packet", 1)]
    (answer,) = search(index, "two")
    assert [field.value for field in answer.fields] == ["B2"]


def test_a_document_without_pages_is_found_by_its_values(index):
    index.add(entry("xml", page(0), fields={"seller.name": "Alpenquell GmbH", "gross_total": "12.50"}))
    (answer,) = search(index, "alpenquell 12,50")
    assert (answer.document.name, answer.page, answer.box, [hit.text for hit in answer.hits]) == (
        "xml",
        None,
        None,
        ["Alpenquell", "12.50"],
    )


# ---- looks -----------------------------------------------------------------------------------------------------------


class Fixed(Ink):
    """What every picture and text is said to look like."""

    vector = (1.0, 0.0, 0.0)
    identity = "test"

    def images(self, images):
        return np.array([self.vector] * len(images), dtype=np.float32)

    texts = images


WHITE = Image.new("RGB", (4, 4), "white")


@pytest.fixture
def gallery(index: Index) -> Index:
    index.add(entry("near", page(1, "alpha", look=(0.9, 0.1, 0.0)), fields={"total": "1"}))
    index.add(entry("far", page(1, "beta gamma", look=(0.0, 1.0, 0.0)), fields={"total": "2"}))
    index.add(entry("middle", page(1, "gamma", look=(0.5, 0.5, 0.0)), page(2, "delta", look=(-1.0, 0.0, 0.0))))
    return index


def test_pages_are_found_by_their_look(gallery):
    answers = search(gallery, like=WHITE, embedder=Fixed(""))
    assert places(answers) == [("near", 1), ("middle", 1), ("far", 1), ("middle", 2)]
    assert [answer.cosine for answer in answers] == pytest.approx([0.9 / 0.82**0.5, 0.5**0.5, 0.0, -1.0], abs=2e-3)
    assert [(answer.text_rank, answer.look_rank) for answer in answers[:2]] == [(None, 1), (None, 2)]
    assert places(search(gallery, "total=2", like=WHITE, embedder=Fixed(""))) == [("far", 1)], "filters hold for looks too"


def test_text_and_look_are_ranked_together(gallery):
    answers = search(gallery, "gamma", like=WHITE, embedder=Fixed(""))
    assert places(answers)[0] == ("middle", 1), "on both lists, above those that lead one"
    first = answers[0]
    assert first.score == pytest.approx(1 / (SMOOTHING + first.text_rank) + 1 / (SMOOTHING + first.look_rank))
    assert places(search(gallery, "gamma", embedder=Fixed("")))[0] == ("middle", 1), "text is looked for in pictures as well"
    assert set(found(gallery, "gamma")) == {"middle", "far"}, "and only in text without an embedder"


def test_fusion_is_the_sum_of_reciprocal_ranks():
    assert fused([[7, 8], [8, 9]]) == pytest.approx({7: 1 / 61, 8: 1 / 62 + 1 / 61, 9: 1 / 62})


def test_looks_of_another_embedder_are_refused_until_the_index_is_rebuilt(gallery):
    other = entry("late", page(1, "late", look=(0.0, 1.0)), embedder="other")
    with pytest.raises(errors.MismatchError, match="not of other"):
        gallery.add(other)
    assert found(gallery, "late") == []

    class Stranger(Fixed):
        identity = "other"

    with pytest.raises(errors.MismatchError, match="rebuild"):
        search(gallery, like=WHITE, embedder=Stranger(""))
    assert gallery.rebuild() == 4
    assert gallery.add(other) == "added" and set(found(gallery, "gamma")) == {"middle", "far"}
    assert gallery.figures(tenant="default").looks == 1


def test_a_database_that_cannot_compare_looks_says_so(vector_postgres):
    url = sa.make_url(vector_postgres.database())
    rights = ("CREATE ROLE plain LOGIN", "GRANT ALL ON SCHEMA public TO plain", f"REVOKE ALL ON DATABASE {url.database} FROM public")
    with psycopg.connect(host=url.query["host"], user="docpipe", dbname=url.database, autocommit=True) as admin:
        for right in (*rights, f"GRANT CONNECT ON DATABASE {url.database} TO plain"):
            admin.execute(right)
    index = open_index(url.set(username="plain").render_as_string())
    with pytest.raises(errors.MissingError, match="cannot compare looks"):
        index.add(entry("seen", page(1, "oak", look=(1.0, 0.0))))
    assert index.add(entry("read", "oak")) == "added" and found(index, "oak") == ["read"]
    index.close()
    vector_postgres.drop(url.render_as_string())


# ---- what changes ----------------------------------------------------------------------------------------------------


def test_what_is_there_is_not_indexed_again_and_a_new_result_replaces_the_old(index):
    assert index.add(entry("a", "oak", fields={"total": "1"})) == "added"
    assert index.add(entry("a", "oak", fields={"total": "1"})) == "same"
    assert index.add(entry("a", fields={"total": "2"})) == "updated"
    assert (found(index, "total=1"), found(index, "total=2"), found(index, "oak")) == ([], ["a"], ["a"])
    assert index.add(entry("a", "oak", "pine", fields={"total": "2"})) == "updated", "a page that was missing"
    assert index.add(entry("a", page(1, "oak", look=(1, 0)), page(2, "pine", look=(0, 1)), fields={"total": "2"})) == "updated"
    figures = index.figures(tenant="default")
    assert (figures.documents, figures.pages, figures.looks, figures.embedder) == (1, 2, 2, "test") and figures.size > 0


def test_a_document_goes_with_all_that_finds_it(gallery):
    sha256 = entry("near").document.sha256
    assert gallery.drop_document(sha256, tenant="default") and not gallery.drop_document(sha256, tenant="default")
    assert (found(gallery, "alpha"), found(gallery, "total=1"), found(gallery, "name:near")) == ([], [], [])
    assert "near" not in found(gallery, "", like=WHITE, embedder=Fixed(""))
    assert gallery.known(sha256, tenant="default") is None and gallery.figures(tenant="default").pages == 3


def test_a_document_stays_for_as_long_as_somebody_holds_it(index):
    one, two = "1" * 32, "2" * 32
    index.add(entry("shared", "oak", fields={"total": "1"}, holder=one))
    index.add(entry("shared", "oak", fields={"total": "2"}, schema="receipt", holder=two))
    assert (found(index, "total=1"), found(index, f"job:{two}")) == (["shared"], ["shared"])
    assert search(index, "oak")[0].schema_name == "receipt", "the newest result is shown"
    assert index.drop_job(two, tenant="default") and not index.drop_job(two, tenant="default")
    assert (found(index, "total=2"), found(index, "total=1")) == ([], ["shared"])
    assert search(index, "oak")[0].schema_name == "invoice"
    assert index.drop_job(one, tenant="default") and found(index, "oak") == []


def test_no_tenant_sees_another_s_documents(index):
    for tenant in ("acme", "ACME", "other"):
        index.add(entry("same", page(1, f"oak {tenant}", look=(1.0, 0.0)), fields={f"only_{tenant}": "1"}, tenant=tenant))
    for tenant in ("acme", "ACME", "other"):
        answers = search(index, "oak", like=WHITE, embedder=Pair(""), tenant=tenant)
        assert [answer.snippet for answer in answers] == [f"[oak] {tenant}"]
        assert index.figures(tenant=tenant).documents == 1
    assert not index.is_field("only_other", tenant="acme")
    assert not index.drop_job("file", tenant="nobody") and search(index, "oak", tenant="nobody") == []
    index.drop_document(entry("same").document.sha256, tenant="acme")
    assert found(index, "oak", tenant="ACME") == ["same"] and found(index, "oak", tenant="acme") == []


class Pair(Fixed):
    vector = (1.0, 0.0)


def test_many_threads_index_the_same_documents_once(index):
    entries = [entry(f"d{number}", f"oak n{number}", fields={"total": str(number)}) for number in range(12)]
    said: list[str] = []
    threads = [threading.Thread(target=lambda: said.extend(index.add(one) for one in entries)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (said.count("added"), said.count("same")) == (12, 36)
    assert len(found(index, "oak", most=50)) == 12 and found(index, "total=7") == ["d7"]


def test_an_index_of_another_version_is_rebuilt_before_it_is_used(library, url):
    engine = sa.create_engine(url)
    with engine.begin() as other:
        other.execute(sa.text("UPDATE search_meta SET value = '0' WHERE name = 'version'"))
    engine.dispose()
    with pytest.raises(errors.MismatchError, match="rebuild"):
        open_index(url)
    again = open_index(url, stale=True)
    assert again.rebuild() == len(PRINTED) and found(again, "세금계산서") == ["spaced", "korean"]
    again.close()
    open_index(url).close()


def test_fields_are_asked_for_only_where_they_are_known():
    assert parse("total:5 oak").filters == () and parse("total:5", is_field=lambda name: name == "total").terms == ()
    assert len(parse("word " * 500).terms) == 32

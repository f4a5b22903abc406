"""The API: the same lists as the pages', with tokens, idempotency, an error for each row, and never a server error."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cohort.actions.hospitals import tokens
from cohort.api.plumbing import UnitThrottle
from cohort.models import HospitalList, ListFact, UnitToken
from shielding.accounts.actions import end_membership
from shielding.accounts.models import Membership, Role
from shielding.accounts.policies import NotAllowed
from shielding.audit.models import ReadLog
from tests.accounts.people import member
from tests.cohort.factories import NOW, MembershipFactory
from tests.cohort.hospitals.scene import AMINA, BOB, STRANGER, Scene, entry_of, make_scene

pytestmark = pytest.mark.django_db
LISTS = "/api/v1/lists/"


@pytest.fixture
def scene(db: None, settings: Any) -> Scene:
    cache.clear()
    return make_scene(settings)


@pytest.fixture
def administrator(scene: Scene) -> Membership:
    return member(Role.ADMINISTRATOR)


@pytest.fixture
def token(scene: Scene, administrator: Membership) -> str:
    return tokens.make_token(unit=scene.unit, name="Renal system", days=90, by=administrator, at=timezone.now())[1]


Call = Callable[..., Any]


@pytest.fixture
def call(token: str) -> Call:
    def _call(
        method: str, address: str, body: Any = None, *, key: str | None = None, secret: str = token, **options: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {secret}", **({"Idempotency-Key": key} if key else {})}
        content = body if isinstance(body, bytes) else json.dumps(body)
        options.setdefault("content_type", "application/json")
        if method == "get":
            return Client(raise_request_exception=True).get(address, body or {}, headers=headers)
        return Client().post(address, content, headers=headers, **options)

    return _call


def test_a_list_is_sent_and_each_row_says_what_became_of_it(scene: Scene, call: Call) -> None:
    bad = scene.row(BOB, birth_date="1961-02-30")
    unknown = scene.row(STRANGER, given_name="Nobody", family_name="Atall", birth_date="1990-01-01")
    answer = call("post", LISTS, {"rows": [scene.row(), bad, unknown]}, key="list-of-friday")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["counts"] == {"rows": 2, "taken": 1, "to_decide": 0, "not_found": 1, "wrong": 1}
    assert made["errors"] == [{"row": 2, "column": "birth_date", "reason": "is not a day of the calendar."}]
    assert entry_of(AMINA).is_on_list
    assert entry_of(AMINA).reviewed_by.name == "St Anselm's Renal Unit (by its computer)"  # type: ignore[union-attr]
    rows = call("get", f"{LISTS}{made['id']}/rows/").json()
    assert [(row["row"], row["action"], row["outcome"]) for row in rows["results"]] == [
        (1, "add", "ON_LIST"),
        (3, "add", "NOT_FOUND"),
    ]
    assert AMINA not in json.dumps(rows)
    assert call("get", f"{LISTS}{made['id']}/").json() == made
    listed = call("get", LISTS).json()
    assert (listed["count"], listed["results"][0]["id"]) == (1, made["id"])
    assert ReadLog.objects.filter(what="api:rows", patient_ids__contains=[entry_of(AMINA).pk]).exists()


def test_the_same_key_and_list_again_give_the_same_answer(scene: Scene, call: Call) -> None:
    body = {"rows": [scene.row()]}
    first = call("post", LISTS, body, key="list-of-friday")
    again = call("post", LISTS, body, key="list-of-friday")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert ListFact.objects.count() == 1
    other = call("post", LISTS, {"rows": [scene.row(BOB)]}, key="list-of-friday")
    assert (other.status_code, other.json()["error"]) == (409, "key_used")


def test_a_request_is_taken_back(scene: Scene, call: Call) -> None:
    made = call("post", LISTS, {"rows": [scene.row()]}, key="list-of-friday").json()
    row = call("get", f"{LISTS}{made['id']}/rows/").json()["results"][0]
    address = f"/api/v1/rows/{row['id']}/withdraw/"
    for body in ({}, [], {"reason": ""}, {"reason": 7}, {"reason": "x" * 301}, {"reason": "a\0b"}, None):
        assert call("post", address, body).status_code == 422
    assert call("post", address, {"reason": "Wrong patient"}).json()["outcome"] == "WITHDRAWN"
    assert not entry_of(AMINA).is_on_list
    assert call("post", address, {"reason": "Again"}).status_code == 409
    assert call("post", f"/api/v1/rows/{uuid4()}/withdraw/", {"reason": "None"}).status_code == 404


def test_another_units_lists_and_unsent_ones_do_not_exist(scene: Scene, call: Call, administrator: Membership) -> None:
    made = call("post", LISTS, {"rows": [scene.row()]}, key="list-of-friday").json()
    row = call("get", f"{LISTS}{made['id']}/rows/").json()["results"][0]
    other = scene.other_staff.organisation
    secret = tokens.make_token(unit=other, name="Other", days=9, by=administrator, at=timezone.now())[1]
    for address in (f"{LISTS}{made['id']}/", f"{LISTS}{made['id']}/rows/"):
        answer = call("get", address, secret=secret)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert call("post", f"/api/v1/rows/{row['id']}/withdraw/", {"reason": "x"}, secret=secret).status_code == 404
    assert call("get", LISTS, secret=secret).json()["count"] == 0
    assert entry_of(AMINA).is_on_list


BAD = [
    (b"", 422),
    (b"{", 400),
    (b"\xff", 400),
    (b"[" * 100_000, 400),
    (b'{"rows": [{"reason": "\\ud800"}]}', 422),
    (b'{"rows": [{"nhs_number": ' + b"9" * 5000 + b"}]}", 400),
    (b"[]", 422),
    (b"null", 422),
    (b'{"rows": {}}', 422),
    (b'{"rows": []}', 422),
    (b'{"rows": [1]}', 422),
    (b'{"rows": [{"x": 1}]}', 422),
    (b'{"rows": [{}], "x": 1}', 422),
    (b'{"rows": [{"action": NaN, "nhs_number": Infinity}]}', 422),
]


@pytest.mark.parametrize(("body", "status"), BAD)
def test_a_bad_body_is_told(call: Call, body: bytes, status: int) -> None:
    answer = call("post", LISTS, body, key="list-of-friday")
    assert answer.status_code == status, answer.content
    assert set(answer.json()) >= {"error", "message"}


def test_a_list_of_wrong_rows_alone_tells_each_and_keeps_nothing(scene: Scene, call: Call) -> None:
    answer = call("post", LISTS, {"rows": [scene.row(action="?", reason="")]}, key="list-of-friday")
    assert answer.status_code == 422
    assert sorted(error["column"] for error in answer.json()["errors"]) == ["action", "reason"]
    assert not HospitalList.objects.exists()


@pytest.mark.parametrize("key", [None, "short", "x" * 101, "has space in", "ünïcode-key"])
def test_a_list_needs_a_key(scene: Scene, call: Call, key: str | None) -> None:
    answer = call("post", LISTS, {"rows": [scene.row()]}, key=key)
    assert (answer.status_code, answer.json()["error"]) == (400, "no_idempotency_key")


def test_other_kinds_of_body_and_method_are_refused(call: Call) -> None:
    assert call("post", LISTS, b"a=1", key="list-of-friday", content_type="text/plain").status_code == 415
    assert Client().put(LISTS).status_code == 401
    answer = call("post", LISTS, b"{}", key="list-of-friday", CONTENT_LENGTH=str(21 * 1024 * 1024))
    assert answer.status_code == 413
    for page in ("0", "2", "-1", "x", "9" * 20, "²"):
        assert call("get", LISTS, {"page": page}).status_code == 404


def test_tokens_end(scene: Scene, call: Call, administrator: Membership) -> None:
    now = timezone.now()

    def made(**options: Any) -> tuple[UnitToken, str]:
        return tokens.make_token(
            **{"unit": scene.unit, "name": "x", "days": 9, "by": administrator, "at": now, **options}
        )

    _, expired = made(at=now - timedelta(days=10))
    revoked, secret = made()
    assert call("get", LISTS, secret=secret).status_code == 200
    assert UnitToken.objects.get(pk=revoked.pk).last_used_at is not None
    tokens.revoke_token(token_id=revoked.pk, by=administrator, at=now)
    for wrong in (expired, secret, "", "x", "shu_" + "x" * 43, "ÿÿ"):
        answer = call("get", LISTS, secret=wrong)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "application/json" in answer.headers["Content-Type"]
    _, working = made()
    end_membership(
        membership=Membership.objects.get(
            tokens__begins=working[:8], tokens__revoked_at=None, tokens__digest=tokens.digest(working)
        ),
        at=now,
    )
    assert call("get", LISTS, secret=working).status_code == 401
    _, last = made()
    assert call("get", LISTS, secret=last).status_code == 200
    scene.unit.closed_date = NOW.date()
    scene.unit.save()
    assert call("get", LISTS, secret=last).status_code == 401
    with pytest.raises(tokens.NotAUnit):
        made()


def test_only_an_administrator_makes_tokens_and_their_secrets_are_not_kept(scene: Scene, token: str) -> None:
    with pytest.raises(NotAllowed):
        tokens.make_token(unit=scene.unit, name="x", days=1, by=scene.staff, at=NOW)
    kept = json.dumps(list(UnitToken.objects.values()), default=str)
    assert token not in kept
    assert not Membership.objects.get(tokens__isnull=False).user.has_usable_password()


def test_a_session_is_no_token(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.staff.user)
    assert client.get(LISTS).status_code == 401


def test_a_unit_that_asks_too_often_is_told_to_wait(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnitThrottle, "rate", "2/min")
    assert [call("get", LISTS).status_code for _ in range(3)] == [200, 200, 429]
    assert "Retry-After" in call("get", LISTS).headers


def schema() -> dict[str, Any]:
    answer = Client().get("/api/v1/schema/")
    assert answer.status_code == 200
    return answer.json()


def test_the_openapi_document_is_whole_and_without_warnings(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    document = schema()
    said = capsys.readouterr()
    assert "Warning" not in said.err + said.out
    assert "Error" not in said.err + said.out
    assert set(document["paths"]) == {
        "/api/v1/lists/",
        "/api/v1/lists/{list_id}/",
        "/api/v1/lists/{list_id}/rows/",
        "/api/v1/rows/{row_id}/withdraw/",
        "/api/v1/arrivals/",
    }
    assert document["components"]["securitySchemes"] == {
        "token": {"type": "http", "scheme": "bearer"},
        "cookieAuth": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }
    from drf_spectacular.validation import validate_schema

    validate_schema(document)


def check(document: dict[str, Any], path: str, method: str, answer: Any) -> None:
    """Holds an answer against the OpenAPI document: a status that is named, and a body of that shape."""
    operation = document["paths"][path][method]
    assert str(answer.status_code) in operation["responses"], (path, method, answer.status_code, answer.content)
    shape = operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), {**shape, "components": document["components"]})


def test_every_answer_is_as_the_document_says(scene: Scene, call: Call) -> None:
    document = schema()
    sent = call(
        "post",
        LISTS,
        {"rows": [scene.row(), scene.row(BOB, birth_date="1961-02-15"), scene.row(action="?")]},
        key="a-list-1",
    )
    check(document, "/api/v1/lists/", "post", sent)
    list_id = sent.json()["id"]
    check(document, "/api/v1/lists/", "get", call("get", LISTS))
    check(document, "/api/v1/lists/", "get", call("get", LISTS, {"page": "7"}))
    check(document, "/api/v1/lists/{list_id}/", "get", call("get", f"{LISTS}{list_id}/"))
    rows = call("get", f"{LISTS}{list_id}/rows/")
    check(document, "/api/v1/lists/{list_id}/rows/", "get", rows)
    for body in ({"reason": "Wrong"}, {"reason": "Wrong"}, {}):
        address = f"/api/v1/rows/{rows.json()['results'][0]['id']}/withdraw/"
        check(document, "/api/v1/rows/{row_id}/withdraw/", "post", call("post", address, body))
    check(document, "/api/v1/lists/", "get", call("get", LISTS, secret="none"))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)),
    max_leaves=8,
)
ROW = st.dictionaries(
    st.sampled_from(["action", "nhs_number", "given_name", "family_name", "birth_date", "postcode", "reason"]),
    st.one_of(JSON, st.sampled_from(["add", "remove", AMINA, "Amina", "Khan", "1961-02-14", "SM1 1AA"])),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(JSON, st.fixed_dictionaries({"rows": st.lists(ROW, max_size=3)})),
    key=st.text("ab-", min_size=8, max_size=9),
)
def test_no_body_is_a_server_error(call: Call, body: Any, key: str) -> None:
    cache.clear()  # or the throttle would answer
    document = schema()
    check(document, "/api/v1/lists/", "post", call("post", LISTS, body, key=key))


def test_an_administrator_makes_and_revokes_a_token_in_admin(scene: Scene, administrator: Membership) -> None:
    client = Client()
    client.force_login(administrator.user)
    address = reverse("admin:cohort_unittoken_add")
    assert client.get(address).status_code == 200
    answer = client.post(address, {"unit": scene.unit.pk, "name": "Renal system", "days": "30"}, follow=True)
    made = UnitToken.objects.get()
    assert f"The token is {made.begins}" in answer.content.decode()
    shown = answer.content.decode().split("The token is ")[1].split(" ")[0]
    assert tokens.digest(shown) == made.digest
    listing = reverse("admin:cohort_unittoken_changelist")
    assert shown not in client.get(listing).content.decode()
    assert client.get(reverse("admin:cohort_unittoken_change", args=[made.pk])).status_code == 200
    client.post(listing, {"action": "revoke", "_selected_action": [str(made.pk)]})
    assert UnitToken.objects.get().revoked_at is not None
    practice = Client()
    practice.force_login(MembershipFactory().user)
    assert practice.get(listing).status_code in {302, 403}

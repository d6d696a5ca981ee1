"""What the secret holds, and which passwords it may hold."""

import json
from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.operations.secret import administrator
from temporal_dsql_deploy.operations.secret.administrator import Administrator

TEXT = st.text(min_size=1, max_size=30)
OTHERS = st.dictionaries(
    TEXT.filter(lambda key: key not in {"admin_user", "admin_password"}), TEXT, max_size=3
)


@given(user=TEXT, password=TEXT, others=OTHERS)
def test_what_is_written_is_read_and_the_rest_is_kept(
    user: str, password: str, others: dict[str, str]
) -> None:
    made = Administrator(user, password, others)
    assert administrator.parse(made.document()) == made
    assert json.loads(made.document()) == {
        **others,
        "admin_user": user,
        "admin_password": password,
    }


@given(password=st.text(alphabet="xyzXYZ789!", min_size=10))
def test_its_words_have_nothing_of_a_password(password: str) -> None:
    made = Administrator("admin", password, {"other": password})
    assert password not in repr(made)
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - its words are what is asked for
        administrator.parse(password)
    assert password not in str(raised.value)
    assert password not in repr(raised.value.__cause__)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no JSON"),
        ("", "no JSON"),
        ("{", "no JSON"),
        ('["admin"]', "no object"),
        ('{"admin_user": "admin"}', "no admin_password"),
        ('{"admin_password": "x"}', "no admin_user"),
        ('{"admin_user": "", "admin_password": "x"}', "admin_user is no text"),
        ('{"admin_user": "admin", "admin_password": 12}', "admin_password is no text"),
        ('{"admin_user": "admin", "admin_password": null}', "admin_password is no text"),
    ],
)
def test_what_is_no_administrator_is_said(text: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        administrator.parse(text)


def test_a_generated_password_is_long_new_and_plain_everywhere() -> None:
    made = {administrator.generate() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert len(password) >= 32
        assert password.isalnum()
        assert password.isascii()
        assert administrator.check_password(password) == password


@given(st.text(alphabet=st.one_of(st.sampled_from(printable + "${}é"), st.characters())))
def test_a_password_of_ones_own_reaches_grafana_as_it_is_or_is_refused(password: str) -> None:
    try:
        administrator.check_password(password)
    except InvalidSetting as error:
        said = f"{error.message} {error.cause} {error.fix}"
        # Of the refused ones that are longer than a word none is repeated.
        assert len(password) < 8 or password not in said
        return
    assert 8 <= len(password) <= 256
    assert password == password.strip()
    assert not {"\n", "\r", "\0", "\t"} & set(password)
    assert "${" not in password


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "a" * 257,
        " leading-space",
        "with\nnewline",
        "x$__file{/etc/passwd}x",
        "has %(name)s in it",
    ],
)
def test_such_a_password_is_refused(password: str) -> None:
    with pytest.raises(InvalidSetting):
        administrator.check_password(password)


@pytest.mark.parametrize("user", ["", "-x", "a b", "a:b", "a\nb", "x" * 200])
def test_such_a_user_is_refused(user: str) -> None:
    with pytest.raises(InvalidSetting, match="--user"):
        administrator.check_user(user)

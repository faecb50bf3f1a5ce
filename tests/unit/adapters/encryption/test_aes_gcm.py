import pytest

from adapters.encryption.aes_gcm import AesGcmSecretBox
from application.operations.ports import Sealed, SecretBox
from domain.operations.errors import SecretKeyMissingError, SecretUnreadableError
from tests.fakes.secret_box import ReversibleSecretBox

KEY, OTHER = "k" * 32, "o" * 32
HERE, THERE = "setting server token", "setting server other"


@pytest.mark.parametrize("box", [AesGcmSecretBox(KEY), ReversibleSecretBox(KEY)], ids=type)
@pytest.mark.parametrize("secret", ["hunter2", "", "ключ 🔑\n" * 500])
def test_a_secret_comes_back_as_it_was(box: SecretBox, secret: str) -> None:
    assert box.open(box.seal(secret, place=HERE), place=HERE) == secret


@pytest.mark.parametrize("box", [AesGcmSecretBox(KEY), ReversibleSecretBox(KEY)], ids=type)
def test_a_secret_opens_in_its_own_place_only(box: SecretBox) -> None:
    sealed = box.seal("hunter2", place=HERE)

    with pytest.raises(SecretUnreadableError):
        box.open(sealed, place=THERE)


@pytest.mark.parametrize("kind", [AesGcmSecretBox, ReversibleSecretBox])
def test_another_key_opens_nothing(kind: type[AesGcmSecretBox] | type[ReversibleSecretBox]) -> None:
    sealed = kind(KEY).seal("hunter2", place=HERE)

    with pytest.raises(SecretUnreadableError):
        kind(OTHER).open(sealed, place=HERE)


@pytest.mark.parametrize("kind", [AesGcmSecretBox, ReversibleSecretBox])
def test_the_previous_key_still_opens_and_never_seals(
    kind: type[AesGcmSecretBox] | type[ReversibleSecretBox],
) -> None:
    old, rotating, new = kind(KEY), kind(OTHER, KEY), kind(OTHER)
    before = old.seal("hunter2", place=HERE)
    after = rotating.seal("hunter2", place=HERE)

    assert rotating.open(before, place=HERE) == rotating.open(after, place=HERE) == "hunter2"
    assert (rotating.is_current(before), rotating.is_current(after)) == (False, True)
    assert new.open(after, place=HERE) == "hunter2"


def test_neither_the_secret_nor_a_repetition_shows() -> None:
    box = AesGcmSecretBox(KEY)

    one, two = (box.seal("hunter2", place=HERE).ciphertext for _ in range(2))

    assert one != two
    assert b"hunter2" not in one + two
    # Only the version and the id of the key are the same.
    assert one[:9] == two[:9]


@pytest.mark.parametrize("index", [0, 1, 9, 21, -1])
def test_a_changed_byte_is_noticed(index: int) -> None:
    box = AesGcmSecretBox(KEY)
    changed = bytearray(box.seal("hunter2", place=HERE).ciphertext)
    changed[index] ^= 1

    with pytest.raises(SecretUnreadableError):
        box.open(Sealed(bytes(changed)), place=HERE)


@pytest.mark.parametrize("length", [0, 5, 12, 25])
def test_what_was_cut_off_is_noticed(length: int) -> None:
    box = AesGcmSecretBox(KEY)
    cut = box.seal("hunter2", place=HERE).ciphertext[:length]

    with pytest.raises(SecretUnreadableError):
        box.open(Sealed(cut), place=HERE)


def test_without_a_key_it_says_what_is_missing() -> None:
    sealed = AesGcmSecretBox(KEY).seal("hunter2", place=HERE)
    keyless = AesGcmSecretBox(None)

    with pytest.raises(SecretKeyMissingError, match="STOA_SECRET_KEY"):
        keyless.seal("hunter2", place=HERE)
    with pytest.raises(SecretKeyMissingError, match="STOA_SECRET_KEY"):
        keyless.open(sealed, place=HERE)
    assert not keyless.is_current(sealed)

"""The print supplier over real HTTP: one file a key whatever happens, and errors that say what is known."""

import uuid
from typing import Any

import pytest

from letters.rules import Format
from letters.transports import Item, Pages
from letters.transports.errors import HandOverMismatch, Refused, TransportError, TryLater
from letters.transports.print_supplier import client
from letters.transports.print_supplier.client import PrintSupplier
from letters.transports.print_supplier.stub import PrintStub

BATCH = uuid.uuid4()


def item(pdf: bytes = b"", **more: Any) -> Item:
    return Item(f"{uuid.uuid4()}-1", Pages(pdf or f"%PDF-1.7 {uuid.uuid4()}".encode()), **more)


def test_what_is_handed_over_is_found_and_read_again(printer: PrintStub) -> None:
    key, items = uuid.uuid4(), [item(), item(b"%PDF-1.7 two", format=Format.BRAILLE, language="ur")]
    supplier = PrintSupplier()
    assert supplier.find(key=key, batch_id=BATCH) is None
    receipt = supplier.hand_over(items, key=key, batch_id=BATCH)
    assert receipt.references == {each.reference for each in items}
    assert supplier.find(key=key, batch_id=BATCH) == receipt
    assert supplier.read_letter(items[1].reference, key=key, batch_id=BATCH) == b"%PDF-1.7 two"
    assert supplier.read_letter("another-1", key=key, batch_id=BATCH) is None
    assert supplier.read_letter(items[1].reference, key=uuid.uuid4(), batch_id=BATCH) is None
    wanted = {entry["reference"]: (entry["format"], entry["language"]) for entry in printer.accepted}
    assert wanted == {items[0].reference: ("STANDARD", "en-GB"), items[1].reference: ("BRAILLE", "ur")}


def test_a_key_is_taken_once_and_what_is_there_stays(printer: PrintStub) -> None:
    key, first, second = uuid.uuid4(), [item()], [item()]
    one = PrintSupplier().hand_over(first, key=key, batch_id=BATCH)
    assert PrintSupplier().hand_over(first, key=key, batch_id=BATCH) == one
    assert PrintSupplier().hand_over(second, key=key, batch_id=BATCH).references == one.references
    assert [entry["reference"] for entry in printer.accepted] == [first[0].reference]


def test_a_reference_in_another_file_is_a_mismatch_and_is_printed_once(printer: PrintStub) -> None:
    had, new = item(), item()
    PrintSupplier().hand_over([had], key=uuid.uuid4(), batch_id=BATCH)
    with pytest.raises(HandOverMismatch):
        PrintSupplier().hand_over([had, new], key=uuid.uuid4(), batch_id=BATCH)
    assert [entry["reference"] for entry in printer.accepted] == [had.reference]


@pytest.mark.parametrize(
    ("way", "taken"),
    [
        ("too_many", False),
        ("error", False),
        ("unavailable", False),
        ("drop", False),
        ("hang", False),
        ("error_after", True),
        ("drop_after", True),
        ("hang_after", True),
    ],
)
def test_whatever_goes_wrong_the_same_key_again_gives_one_file(
    printer: PrintStub, way: str, taken: bool, monkeypatch: Any
) -> None:
    monkeypatch.setattr(client, "TIMEOUT", (1, 0.3))
    printer.misbehave(**{way: 1, "times": 1})
    key, items = uuid.uuid4(), [item(), item()]
    with pytest.raises(TryLater):
        PrintSupplier().hand_over(items, key=key, batch_id=BATCH)
    assert bool(PrintSupplier().find(key=key, batch_id=BATCH)) == taken
    PrintSupplier().hand_over(items, key=key, batch_id=BATCH)
    assert sorted(entry["reference"] for entry in printer.accepted) == sorted(each.reference for each in items)


def test_a_refused_file_is_permanent_and_a_supplier_that_is_down_is_not(printer: PrintStub) -> None:
    with pytest.raises(Refused):
        PrintSupplier().hand_over([item(b"not a PDF")], key=uuid.uuid4(), batch_id=BATCH)
    printer.misbehave(too_many=1)
    with pytest.raises(TryLater) as told:
        PrintSupplier().hand_over([item()], key=uuid.uuid4(), batch_id=BATCH)
    assert told.value.after_seconds == 1
    printer.misbehave(down=True)
    with pytest.raises(TryLater):
        PrintSupplier().find(key=uuid.uuid4(), batch_id=BATCH)
    assert printer.accepted == []


def test_a_wrong_password_fails_nobody_and_is_loud(printer: PrintStub, settings: Any, caplog: Any) -> None:
    supplier = PrintSupplier()
    supplier._session = client._session("", "")
    supplier._session.auth = lambda request: request
    with pytest.raises(TryLater):
        supplier.hand_over([item()], key=uuid.uuid4(), batch_id=BATCH)
    assert "user and password" in caplog.text


def test_nobody_there_is_try_later(settings: Any) -> None:
    settings.PRINT_SUPPLIER_URL = "http://127.0.0.1:1"
    with pytest.raises(TransportError) as told:
        PrintSupplier().find(key=uuid.uuid4(), batch_id=BATCH)
    assert isinstance(told.value, TryLater)


def test_receipts_are_read_until_they_are_acknowledged(printer: PrintStub) -> None:
    printer.write_receipt({"statuses": []})
    printer.write_receipt(b"not JSON")
    supplier = PrintSupplier()
    assert [content for _, content in supplier.new_receipts()] == [{"statuses": []}, None]
    for name, _ in supplier.new_receipts():
        supplier.acknowledge(name)
    assert list(supplier.new_receipts()) == []

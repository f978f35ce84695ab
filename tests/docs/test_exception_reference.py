"""Exception classes: each is named like one, documented, and raised somewhere."""

import pytest

from tools.reference.errors import ClassName, ErrorClass, error_classes

CLASSES = error_classes()


def test_exceptions_of_every_package_are_found() -> None:
    names = {name.name for name in CLASSES}
    assert {"SettingsError", "SourceRefusedError", "MigrationError", "ProblemError"} <= names
    assert CLASSES[ClassName("collectors.http.errors", "SourceRefusedError")].base == "SourceError"


@pytest.mark.parametrize(("name", "error"), CLASSES.items(), ids=[one.name for one in CLASSES])
def test_exception_is_named_documented_and_raised(name: ClassName, error: ErrorClass) -> None:
    assert name.name.endswith("Error")
    assert error.meaning
    is_base = name.name in {other.base for other in CLASSES.values()}
    assert error.raised_by or is_base

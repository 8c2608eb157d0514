"""The tests against PostgreSQL are left out where it is missing, but never in CI."""

from __future__ import annotations

import pytest

from tests.output import postgresql


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_server_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]) -> None:
    monkeypatch.setattr(postgresql, "programs", lambda: None)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="not installed"), postgresql.running():
        pass

"""Assertions in the helpers tell what they compared, too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.talk", "tests.conversation.scenes")

import os

import pytest
from paths import missing


def pytest_collection_modifyitems(items):
    """Everything here loads programs into the kernel."""
    reason = "needs root to load BPF programs" if os.geteuid() != 0 else missing("dataplane/backend/decap.bpf.o")
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))

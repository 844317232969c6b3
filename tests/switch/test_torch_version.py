"""TorchVersion compares as a version, with strings, tuples and itself."""

import pytest

from kagari.torch_version import TorchVersion

VERSIONS = ["1.9", "2.0.0.dev3", "2.0.0rc1", "2.0.0", "2.0.1", "2.9.1", "2.10", "2.13.0"]


@pytest.mark.parametrize("i", range(len(VERSIONS)))
def test_order(i):
    mine = TorchVersion(VERSIONS[i])
    for j, other in enumerate(VERSIONS):
        assert (mine < other, mine <= other, mine == other) == (i < j, i <= j, i == j)
        assert (mine > TorchVersion(other), mine >= other, mine != other) == (i > j, i >= j, i != j)


def test_tuples_zeros_and_local_parts():
    version = TorchVersion("2.13.0+cpu")
    assert version >= (2, 13) and version < (2, 14) and version > (2, 9, 1)
    assert version == "2.13" and str(version) == "2.13.0+cpu" and version.split("+")[0] == "2.13.0"
    assert isinstance(version, str) and version.startswith("2.")

"""Types for annotations that TorchScript reads: a list, or one number for all of its places."""

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: F401, UP035  # libraries take them from here


class _BroadcastingList:
    """BroadcastingList2[int] is a list of two ints, or one int that stands for both."""

    def __getitem__(self, types: Any) -> Any:
        return list[types]


BroadcastingList1 = BroadcastingList2 = BroadcastingList3 = _BroadcastingList()
BroadcastingList4 = BroadcastingList5 = BroadcastingList6 = BroadcastingList1

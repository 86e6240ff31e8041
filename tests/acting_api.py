"""A made-up API for tests of pausing: the status of each instance, and how a request to pause some is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from scripted import Answer, Asked

__all__ = ["DATE", "Server"]

DATE = {"Date": "Tue, 31 Mar 2026 12:00:00 GMT"}  # the server's clock stands at as_of


@dataclass
class Server:
    """A made-up API: the status of each instance, and how a PATCH of certain instances is answered."""

    statuses: dict[str, str] = field(default_factory=lambda: {"inst_idle": "RUNNING", "inst_broken": "ERROR"})
    refusals: dict[str, Answer] = field(default_factory=dict)
    takes_up: bool = True
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        """The answer to one request."""
        if asked.path == "/v2/me":
            return Answer(body={"fid": "user_1"}, headers=DATE)
        if asked.method == "PATCH":
            self.asked.append(json.loads(asked.body)["instances"])
            return self.patched(self.asked[-1])
        fid = asked.path.split("/")[3]
        return Answer(body={"fid": fid, "name": fid, "status": f"STATUS_{self.statuses[fid]}"}, headers=DATE)

    def patched(self, fids: list[str]) -> Answer:
        """All of them are paused, or none: the first that is refused says why."""
        refused = next((self.refusals[fid] for fid in fids if fid in self.refusals), None)
        if refused is None or (refused.how != "whole" and self.takes_up):
            self.statuses |= dict.fromkeys(fids, "PAUSED")
        return refused or Answer(body={"instances": dict.fromkeys(fids, "STATUS_STOPPING")}, headers=DATE)

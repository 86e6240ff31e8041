"""Who is who in the account, and what is known of each at a given moment.

Stands between `account` and the sandbox's answers: everything they show is looked up here, by fid,
project and order, and as of `now_us`: what lies later has not happened.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from mithril_elt.sandbox.lifecycle import ENDED
from mithril_elt.sandbox.refusals import RefusedError

if TYPE_CHECKING:
    from mithril_elt.sandbox.account import Account, Bid, Instance, Project, Reservation

__all__ = ["Directory", "changes_until", "ended_at_us", "status_at"]

_change_time = attrgetter("at_us")


def changes_until(instance: Instance, now_us: int) -> int:
    """How many of the instance's changes have happened by `now_us`."""
    return bisect_right(instance.changes, now_us, key=_change_time)


def status_at(instance: Instance, now_us: int) -> str:
    """The instance's status at `now_us`; new, if nothing has happened to it yet."""
    happened = changes_until(instance, now_us)
    return instance.changes[happened - 1].status if happened else "STATUS_NEW"


def ended_at_us(instance: Instance, now_us: int) -> int | None:
    """When the instance ended for good; None if it has not by `now_us`."""
    happened = changes_until(instance, now_us)
    last = instance.changes[happened - 1] if happened else None
    return last.at_us if last is not None and last.status in ENDED else None


@dataclass(frozen=True)
class Directory:
    """The account by fid, project and order. Instances stand in the order of (created_at_us, fid).

    `leaves_list_us`: an instance leaves the list so long after its end; None: never.
    """

    account: Account
    instances: dict[str, Instance]
    reservations: dict[str, Reservation]
    in_project: dict[str, list[Instance]]
    in_order: dict[str, list[Instance]]
    leaves_list_us: int | None = None

    @classmethod
    def of(cls, account: Account, *, leaves_list_us: int | None = None) -> Directory:
        """Sorts the account once; rows that are added to it later are not seen."""
        in_project: dict[str, list[Instance]] = {project.fid: [] for project in account.projects}
        in_order: dict[str, list[Instance]] = defaultdict(list)
        for instance in sorted(account.instances, key=attrgetter("created_at_us", "fid")):
            in_project[instance.project].append(instance)
            for order in (instance.bid, instance.reservation):
                if order is not None:
                    in_order[order].append(instance)
        return cls(
            account=account,
            instances={instance.fid: instance for instance in account.instances},
            reservations={reservation.fid: reservation for reservation in account.reservations},
            in_project=in_project,
            in_order=dict(in_order),
            leaves_list_us=leaves_list_us,
        )

    def projects(self, now_us: int) -> list[Project]:
        """The projects that exist."""
        return [project for project in self.account.projects if project.created_at_us <= now_us]

    def check_project(self, fid: str, now_us: int) -> None:
        """Raises RefusedError (404) if there is no such project."""
        if all(project.fid != fid for project in self.projects(now_us)):
            raise RefusedError(404, "Project not found")

    def is_listed(self, instance: Instance, now_us: int) -> bool:
        """Whether the list has that instance: it was made, and has not left."""
        if not instance.listed or instance.created_at_us > now_us:
            return False
        ended_us = None if self.leaves_list_us is None else ended_at_us(instance, now_us)
        return ended_us is None or self.leaves_list_us is None or now_us < ended_us + self.leaves_list_us

    def listed_instances(self, project: str, now_us: int) -> list[Instance]:
        """The instances that the list of a project has."""
        return [one for one in self.in_project[project] if self.is_listed(one, now_us)]

    def listed_instance(self, fid: str, now_us: int) -> Instance:
        """An instance that the list has. Raises RefusedError (404) for any other."""
        instance = self.instances.get(fid)
        if instance is None or not self.is_listed(instance, now_us):
            raise RefusedError(404, "Instance not found")
        return instance

    def listed_reservations(self, project: str, now_us: int) -> list[Reservation]:
        """The reservations that the list of a project has."""
        return [
            one
            for one in self.account.reservations
            if one.listed and one.project == project and one.placed_at_us <= now_us
        ]

    def listed_reservation(self, fid: str, now_us: int) -> Reservation:
        """A reservation that the list has. Raises RefusedError (404) for any other."""
        reservation = self.reservations.get(fid)
        if reservation is None or not reservation.listed or reservation.placed_at_us > now_us:
            raise RefusedError(404, "Reservation not found")
        return reservation

    def bids(self, project: str | None, now_us: int) -> list[Bid]:
        """The bids of a project, or of all."""
        return [
            bid
            for bid in self.account.bids
            if bid.created_at_us <= now_us and (project is None or bid.project == project)
        ]

    def instances_of(self, order: str, now_us: int) -> list[Instance]:
        """The listed instances of a bid or a reservation."""
        return [one for one in self.in_order.get(order, []) if self.is_listed(one, now_us)]

    def members_of(self, order: str, now_us: int) -> list[Instance]:
        """The instances of a bid or a reservation that are or once were in the list."""
        return [one for one in self.in_order.get(order, []) if one.listed and one.created_at_us <= now_us]

"""The actions of requests on devices: find those of its scope, add one or many, give new passwords, revoke.

    records changed ─► the broker's files written from them ─► the broker reads its files again

A password is in the result of the change that made it and nowhere else. Certificates are for the command line alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

from dashboards.api.access import is_visible, visible_device
from dashboards.api.context import AppContext, DeviceActions
from dashboards.http.problem import Problem, fact_errors, field_error, invalid_request, not_found
from registry.actor import Actor
from registry.device_csv import RequestedDevice, read_devices
from registry.device_senders import sender_changes
from registry.devices import CERTIFICATE, GATEWAY, Device, check_device
from registry.lift_facts import FactsError
from registry.roles import Verb
from registry.scope import Scope
from store.records.devices import DeviceExists, UnknownDevice

IMPORT_LIMIT = 500


class DevicePassword(NamedTuple):
    """A device with its new password."""

    device: Device
    password: str


class RefusedLine(NamedTuple):
    """A line of a CSV file that is refused, by its number, and the problem."""

    number: int
    problem: Problem


class DeviceAdministration:
    """The acts of one request on devices: each raises a problem where the request may not."""

    def __init__(self, context: AppContext, actions: DeviceActions, scope: Scope) -> None:
        self.context, self.actions, self.scope = context, actions, scope
        self.acting = scope.acting or scope.lifts

    def devices(self) -> list[Device]:
        """Return the devices of the scope in the order of their ids, without the programs of Liftwatch itself."""
        found = self.context.records().devices()
        return [each for each in found if is_visible(self.context, self.scope.lifts, each)]

    def device(self, device_id: str) -> Device:
        """Return a device of the scope; a problem (404) where there is none."""
        found = visible_device(self.context, device_id, self.scope.lifts)
        if found is None:
            raise not_found("device", device_id)
        return found

    def may_change(self, device: Device) -> bool:
        """Return whether the request may change a device: its organisation keeps all of the device's lifts."""
        return is_visible(self.context, self.acting, device)

    def add(self, device_id: str, kind: str, lifts: Sequence[str], by: Actor) -> DevicePassword:
        """Add a device with a password; its lifts name the device as their sender where they name none."""
        wanted = RequestedDevice(0, device_id, kind, tuple(lifts), "")
        self._check(wanted)
        return self._store([wanted], by)[0]

    def rotate(self, device_id: str, by: Actor) -> DevicePassword:
        """Give a device a new password; the old password or certificate is refused from then on."""
        if self.device(device_id).revoked_ns is not None:
            raise Problem(409, "revoked", f"{device_id} is revoked; add it again.")
        credential, password = self.actions.new_password(device_id)
        records = self.context.records()
        self._change(lambda: records.rotate_devices([(device_id, credential)], by, time.time_ns()))
        return DevicePassword(records.device(device_id), password)

    def revoke(self, device_id: str, by: Actor) -> Device:
        """Revoke a device: the broker ends its connection and refuses it from then on."""
        self.device(device_id)
        records = self.context.records()
        self._change(lambda: records.revoke_devices([device_id], by, time.time_ns()))
        return records.device(device_id)

    def add_from_csv(self, document: bytes, by: Actor) -> tuple[list[DevicePassword], list[RefusedLine]]:
        """Add the devices of a CSV file; return those with their passwords, and the refused lines.

        Raises a problem (422) where the document is not such a file, or has too many lines.
        """
        try:
            rows, wrong = read_devices(document, self.actions.reserved)
        except FactsError as error:
            raise invalid_request([field_error("csv", str(error))]) from None
        if len(rows) + len(wrong) > IMPORT_LIMIT:
            remedy = f"give at most {IMPORT_LIMIT}, or use `liftwatch devices import`"
            raise invalid_request([field_error("csv", f"has {len(rows) + len(wrong)} devices; {remedy}")])
        refused = [RefusedLine(each.number, invalid_request(fact_errors(each.errors))) for each in wrong]
        accepted = []
        for row in rows:
            try:
                self._check(row)
                accepted.append(row)
            except Problem as problem:
                refused.append(RefusedLine(row.number, problem))
        return self._store(accepted, by) if accepted else [], sorted(refused, key=lambda line: line.number)

    def _check(self, wanted: RequestedDevice) -> None:
        """Raise a problem where a device cannot be added."""
        if errors := check_device(wanted.device_id, wanted.lifts, wanted.kind, self.actions.reserved):
            raise invalid_request(fact_errors(errors))
        if wanted.credential == CERTIFICATE:
            remedy = "use `liftwatch devices add --certificate`"
            raise invalid_request([field_error("credential", f"a certificate cannot be issued here; {remedy}")])
        for lift_id in wanted.lifts:
            if not self.context.poller.current_view().lift_index.has(lift_id, self.acting):
                raise not_found("lift", lift_id)
        if Verb.REGISTER_LIFTS not in self.scope.verbs and wanted.kind == GATEWAY:
            self._require_assigned(wanted)
        if wanted.device_id in self._foreign_ids or self._is_taken(wanted.device_id):
            raise _exists(wanted.device_id)

    def _require_assigned(self, wanted: RequestedDevice) -> None:
        """Raise a problem where the operator did not name a gateway in the facts of all of its lifts and of no foreign
        one: the answer must be the same whether another organisation has a device of this id or not."""
        index = self.context.poller.current_view().lift_index
        named = {lift_id: facts.gateway_id for lift_id, facts in zip(index.lift_id, index.facts, strict=True) if facts}
        for lift_id in wanted.lifts:
            if named.get(lift_id) != wanted.device_id or wanted.device_id in self._foreign_ids:
                remedy = "ask the operator of this server to set it"
                why = f"the fact gateway_id of {lift_id} does not assign it to {wanted.device_id} alone; {remedy}"
                raise invalid_request([field_error("gateway", why)])

    @cached_property
    def _foreign_ids(self) -> frozenset[str]:
        """The ids of the lifts outside the scope, and of the gateways that they name."""
        index = self.context.poller.current_view().lift_index
        rows = zip(index.lift_id, index.facts, index.inside(self.scope.lifts).tolist(), strict=True)
        foreign = [
            (lift_id, facts.gateway_id if facts else None) for lift_id, facts, is_inside in rows if not is_inside
        ]
        return frozenset(name for pair in foreign for name in pair if name is not None)

    def _is_taken(self, device_id: str) -> bool:
        """Return whether another device has the id, or a revoked one that is not this scope's to replace."""
        try:
            found = self.context.records().device(device_id)
        except UnknownDevice:
            return False
        return found.revoked_ns is None or not is_visible(self.context, self.scope.lifts, found)

    def _store(self, wanted: Sequence[RequestedDevice], by: Actor) -> list[DevicePassword]:
        """Add devices that are checked; return them with their passwords."""
        records, now_ns = self.context.records(), time.time_ns()
        made = {each.device_id: (each, *self.actions.new_password(each.device_id)) for each in wanted}

        def add() -> None:
            records.add_devices([Device(i, w.kind, w.lifts, new) for i, (w, new, _) in made.items()], by, now_ns)
            named = {lift_id for each in wanted for lift_id in each.lifts}
            known = {each.facts.lift_id: each.facts for each in map(records.lift, named) if each and each.registered}
            for facts in sender_changes([(each.device_id, each.lifts) for each in wanted], known).changed:
                records.patch_lift(facts.lift_id, {"gateway_id": facts.gateway_id}, by, now_ns)

        self._change(add)
        return [DevicePassword(records.device(i), password) for i, (_, _, password) in made.items()]

    def _change(self, change: Callable[[], None]) -> None:
        """Make a change in the records, then in the broker's files; a problem (409) where this server cannot."""
        if why := self.actions.hindrance():
            raise Problem(409, "broker-files", why)
        try:
            change()
        except DeviceExists as error:
            raise Problem(409, "device-exists", f"{error}.") from None
        self.actions.apply(self.context.records())


def _exists(device_id: str) -> Problem:
    return Problem(409, "device-exists", f"{device_id} is a device already; rotate or revoke it.")

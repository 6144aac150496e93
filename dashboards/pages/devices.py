"""The pages of devices: a list with its filter and the ways to add devices, and one page for each device.

A new password is on the page that answers the form, which no browser stores, and nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from dashboards.api.access import needs, reader_of, scope_of
from dashboards.api.context import AppContext, DeviceActions
from dashboards.api.device_administration import IMPORT_LIMIT, DeviceAdministration, DevicePassword, RefusedLine
from dashboards.http.problem import Problem, field_error, invalid_request, not_found
from dashboards.pages.device_rows import STATES, ListedDevice, counts_of, device_rows, filtered
from dashboards.pages.private import render_administration
from dashboards.pages.problems.texts import problem_texts, translated_detail
from dashboards.pages.routes import language_of
from dashboards.pages.shown_time import shown_age, shown_time
from dashboards.sign_in.gate import FORM_LIMIT_BYTES
from dashboards.sign_in.requests import form_of
from registry.devices import GATEWAY, LIFT
from registry.roles import Verb

PATH = "/devices"
SEE_OTHER = 303
PAGE_ROWS = 100


def device_pages(context: AppContext, actions: DeviceActions) -> APIRouter:
    """Return the routes of these pages."""
    router = APIRouter(include_in_schema=False)
    allowed = [needs(Verb.MANAGE_DEVICES)]

    def pages_of(request: Request) -> DevicePages:
        return DevicePages(context, actions, request)

    @router.get(PATH, dependencies=allowed)
    def show_devices(request: Request) -> Response:
        return pages_of(request).listed()

    @router.post(PATH, dependencies=allowed)
    def add(request: Request) -> Response:
        return pages_of(request).add()

    @router.post(PATH + "/import", dependencies=allowed)
    def add_from_csv(request: Request) -> Response:
        return pages_of(request).add_from_csv()

    @router.get(PATH + "/{device_id}", dependencies=allowed)
    def show_device(request: Request, device_id: str) -> Response:
        return pages_of(request).shown(device_id)

    @router.post(PATH + "/{device_id}/{form}", dependencies=allowed)
    def change(request: Request, device_id: str, form: str) -> Response:
        return pages_of(request).change(device_id, form)

    return router


class DevicePages:
    """The pages and the forms of one request."""

    def __init__(self, context: AppContext, actions: DeviceActions, request: Request) -> None:
        self.context, self.request = context, request
        self.fields, self.by = form_of(request), reader_of(request)
        self.acting = DeviceAdministration(context, actions, scope_of(request))
        self.hindrance = actions.hindrance()

    def add(self) -> Response:
        """Add one device; answer with the list and the password, or with what is wrong."""
        lifts = [part for part in self.fields.get("lifts", "").replace(",", " ").split() if part]
        device_id, kind = self.fields.get("device_id", "").strip(), self.fields.get("kind", LIFT)
        try:
            made = self.acting.add(device_id, kind, lifts if kind == GATEWAY else (device_id,), self.by)
        except Problem as problem:
            return self.listed(problem)
        return self.listed(made=[made])

    def add_from_csv(self) -> Response:
        """Add the devices of a CSV document; answer with the list, the passwords and the refused lines."""
        try:
            made, refused = self.acting.add_from_csv(self.fields.get("csv", "").encode(), self.by)
        except Problem as problem:
            return self.listed(problem)
        return self.listed(made=made, refused=refused)

    def change(self, device_id: str, form: str) -> Response:
        """Give a device a new password, or revoke it, where the form confirms that."""
        if form not in ("rotate", "revoke"):
            raise not_found("form", form)
        device = self.acting.device(device_id)
        if self.fields.get("confirm") != "yes":
            missing = invalid_request([field_error("confirm", "is missing; tick the box to confirm")])
            return self.shown(device.device_id, missing)
        try:
            if form == "rotate":
                return self.shown(device_id, made=self.acting.rotate(device_id, self.by))
            self.acting.revoke(device_id, self.by)
        except Problem as problem:
            return self.shown(device_id, problem)
        return RedirectResponse(f"{PATH}/{device_id}?did=yes", SEE_OTHER)

    def listed(
        self, problem: Problem | None = None, made: Sequence[DevicePassword] = (), refused: Sequence[RefusedLine] = ()
    ) -> Response:
        """Return the page of the list; `made` are new passwords, `refused` the lines that were not added."""
        asked = self.request.query_params
        every = self._rows()
        found = filtered(every, asked.get("q", ""), asked.get("state", ""))
        after = asked.get("after", "")
        shown = [each for each in found if each.device.device_id > after]
        language = language_of(self.request)
        return self._page(
            "devices.html", PATH, problem, rows=shown[:PAGE_ROWS], counts=counts_of(every), total=len(every),
            asked=asked, following=shown[PAGE_ROWS - 1].device.device_id if len(shown) > PAGE_ROWS else "",
            states=STATES, given=self.fields, made=made, import_limit=IMPORT_LIMIT, bytes_limit=FORM_LIMIT_BYTES,
            refused=[(each.number, problem_texts(each.problem, language)) for each in refused],
        )  # fmt: skip

    def shown(self, device_id: str, problem: Problem | None = None, made: DevicePassword | None = None) -> Response:
        """Return the page of one device, with its new password where `made` has one."""
        device = self.acting.device(device_id)
        (row,) = device_rows([device], self.context.poller.current_view(), self.acting.may_change)
        did = self.request.query_params.get("did", "")
        return self._page("device.html", f"{PATH}/{device_id}", problem, row=row, made=[made] if made else [], did=did)

    def _rows(self) -> list[ListedDevice]:
        return device_rows(self.acting.devices(), self.context.poller.current_view(), self.acting.may_change)

    def _page(self, template: str, path: str, problem: Problem | None, **values: Any) -> Response:
        hindrance = self.hindrance and translated_detail(self.hindrance, language_of(self.request))
        return render_administration(
            self.request, template, problem, page="devices", page_path=path, hindrance=hindrance, now_ns=time.time_ns(),
            shown_time=shown_time, shown_age=shown_age, **values,
        )  # fmt: skip

"""What the guide's pictures of the desk show: the queue by keyboard, lists, supervisor, bureau, administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import Page

if TYPE_CHECKING:
    from tests.e2e.guide import Camera

HOOK = "区指挥中心"


def at_desk(page: Page, address: str) -> None:
    """A tray with its first case beside it."""
    page.goto(address)
    page.wait_for_selector("html.is-started[data-desk=started]")
    page.locator("#desk-panel [data-panel]").first.wait_for()


def desk(camera: Camera) -> None:
    """A case accepted and another dispatched by keyboard, taken back, and the letters."""
    page = camera.enter("受理员", "desk")
    at_desk(page, "/desk/")
    camera.take(page, "desk-queue")
    page.keyboard.press("a")
    page.locator("[data-pick-find]").wait_for()
    page.keyboard.type("垃圾")
    page.wait_for_timeout(300)
    camera.take(page, "desk-accept")
    at_desk(page, "/desk/?tray=dispatch")
    page.keyboard.press("d")
    page.locator("#do-dispatch").wait_for()
    camera.take(page, "desk-dispatch")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.locator(".toast-undo").wait_for()
    camera.take(page, "desk-undo")
    page.keyboard.press("?")
    page.locator("#keys-help").wait_for()
    camera.take(page, "desk-keys")
    page.keyboard.press("Escape")
    at_desk(page, "/desk/?tray=dispatch")
    for key in ("Space", "Shift+J", "Shift+J"):
        page.keyboard.press(key)
    page.locator(".lot-bar [data-lot-count]").wait_for()
    camera.take(page, "desk-lot")
    page.goto("/desk/handover/")
    camera.take(page, "desk-handover")
    page.context.close()


def find(camera: Camera) -> None:
    """The list narrowed by words and light, about to be kept; the map."""
    page = camera.enter("受理员", "desk")
    page.goto("/cases/?q=垃圾&light=red")
    page.locator("details.keep-filter > summary").click()
    camera.take(page, "desk-list")
    page.goto("/map/")
    page.wait_for_selector("html[data-map=drawn]")
    page.locator("#map-status:not(:empty)").wait_for()
    page.wait_for_timeout(3_000)
    camera.take(page, "desk-map")
    page.context.close()


def supervisor(camera: Camera) -> None:
    """The board, the indicators, what is late and how it is urged."""
    page = camera.enter("督查", "desk")
    for name, path in (("desk-board", "/board/"), ("desk-indicators", "/indicators/")):
        page.goto(path)
        camera.take(page, name)
    at_desk(page, "/desk/?tray=late")
    page.keyboard.press("u")
    page.locator("#do-urge").wait_for()
    camera.take(page, "desk-urge")
    page.context.close()


def bureau(camera: Camera) -> None:
    """The duty leader calls a district bureau; the bureau answers."""
    page = camera.enter("值班长", "desk")
    at_desk(page, "/desk/?tray=work")
    number = _without_a_call(page)
    page.get_by_role("link", name="呼叫区级部门").first.click()
    page.locator("#do-call").wait_for()
    page.locator("#do-call [name=department_id]").select_option(label="区交通/交警")
    page.locator("#do-call textarea").first.fill("在区管道路上，请派人会同处置。")
    camera.take(page, "desk-call")
    page.locator("#do-call").get_by_role("button", name="呼叫区级部门").click()
    page.wait_for_url("**done=*")
    page.context.close()
    page = camera.enter("区职能部门", "desk")
    page.goto(f"/cases/{number}/")
    camera.take(page, "desk-bureau")
    page.context.close()


def _without_a_call(page: Page) -> str:
    """Opens the first case of the tray that waits for no bureau yet: the walks may be walked twice. Its number."""
    for number in page.locator("tr[data-row] .number").all_inner_texts():
        page.goto(f"/cases/{number}/")
        page.wait_for_selector("html.is-started")
        if not page.locator(".asked .badge", has_text="区级呼叫").count():
            return number
    raise LookupError("every case of the tray has been called for already: ./run demo --fresh")


def admins(camera: Camera) -> None:
    """The three administrators, who cannot be one person."""
    page = camera.enter("系统管理员", "desk")
    shown = {"people": "/people", "calendar": "/calendar", "types": "/types/", "grid": "/grid/"}
    for name, path in shown.items():
        page.goto(path)
        camera.take(page, f"desk-{name}")
    page.context.close()
    page = camera.enter("安全管理员", "desk")
    page.goto("/security?q=huang")
    camera.take(page, "desk-security")
    page.context.close()
    page = camera.enter("审计管理员", "desk")
    page.goto("/audit/")
    page.get_by_role("button", name="核对审计链").click()
    page.locator("#verdicts").wait_for()
    camera.take(page, "desk-audit")
    page.context.close()


def doors(camera: Camera) -> None:
    """For integrators: program tokens, webhooks and what became of what was sent."""
    page = camera.enter("系统管理员", "desk")
    page.goto("/tokens")
    camera.take(page, "desk-tokens")
    page.goto("/webhooks/")
    if not page.get_by_role("link", name=HOOK).count():
        page.get_by_label("名称").fill(HOOK)
        page.get_by_label("地址").fill("https://command.invalid/jiequ")
        for event in ("report", "dispatch", "close"):
            page.locator(f"input[name=events][value={event}]").check()
        page.get_by_role("button", name="建立并生成密钥").click()
        page.goto("/webhooks/")
    camera.take(page, "desk-webhooks")
    page.get_by_role("link", name=HOOK).click()
    page.get_by_role("button", name="发一次测试").click()
    page.wait_for_timeout(6_000)  # a job calls the address
    page.reload()
    camera.take(page, "desk-webhook")
    page.context.close()


WALKS: dict[str, Callable[[Camera], None]] = {
    "desk": desk,
    "find": find,
    "supervisor": supervisor,
    "bureau": bureau,
    "admins": admins,
    "doors": doors,
}

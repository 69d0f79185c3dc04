"""What the guide's pictures of the phone show: the story 河道堵塞 from the resident to the rating, and what everybody has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page

from jiequ.web.cli.ready import set_up

if TYPE_CHECKING:
    from tests.e2e.guide import Camera

RIVER = "河道阻塞"


def photo(kind: str, *, is_after: bool = False, number: int = 7) -> dict[str, Any]:
    """A drawn photo of the demonstration, as a file field takes it."""
    set_up()
    from jiequ.web.demo.pictures import drawn

    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": drawn(kind, is_after=is_after, number=number)}


def add_photo(page: Page, scope: str, kind: str, *, is_after: bool = False) -> None:
    """Choose a photo in a form and wait for its preview."""
    page.locator(f"{scope} .photo-add-camera input[type=file]").first.set_input_files(photo(kind, is_after=is_after))
    page.locator(f"{scope} figure.photo").first.wait_for()


def story_step(page: Page, number: int) -> None:
    """Press the story's button of that step, counted from one."""
    page.goto("/demo")
    page.locator("ol.guide > li").nth(number - 1).locator("button").click()
    page.wait_for_selector("html.is-started")


def story(camera: Camera) -> None:
    """One blocked river channel, all the way round; every actor's picture on the way."""
    page = camera.enter()
    page.goto("/")
    camera.take(page, "phone-home")
    number, link = _resident_reports(camera, page)
    _leader_dispatches(camera, number)
    _officer_works(camera, number)
    _department_confirms(camera, number)
    _worker_checks(camera, number)
    _acceptor_closes(camera, number)
    _resident_rates(camera, page, link)


def _resident_reports(camera: Camera, page: Page) -> tuple[str, str]:
    story_step(page, 1)
    add_photo(page, "#report", "river")
    camera.take(page, "phone-report", top="main")
    page.locator("#report-words").fill("河涌被水浮莲堵住了，水快漫上来了")
    camera.take(page, "phone-report-words", top="#near")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/r/*/?new=1")
    camera.take(page, "phone-ticket")
    number = page.locator(".ticket-number").inner_text().strip()
    link = page.url.split("?")[0]
    page.goto("/query/")
    page.locator("#number").fill(number)
    page.locator("#last4").fill("5678")
    camera.take(page, "phone-query", part="main")
    return number, link


def _leader_dispatches(camera: Camera, number: str) -> None:
    page = camera.enter("街道领导")
    page.goto("/leader/")
    card = page.locator("article.pending", has_text=number)
    group = card.locator("select").first.locator(f"optgroup[label*='{RIVER}']")
    card.locator("select").first.select_option(value=group.locator("option").first.get_attribute("value"))
    camera.take(page, "phone-leader", top=f"article.pending:has-text('{number}')")
    card.get_by_role("button", name="派出去").click()
    page.get_by_role("heading", name="已经派出").wait_for()
    camera.take(page, "phone-leader-undo")
    camera.take(page, "phone-leader-sent", top="#sent")
    page.goto("/brief/")
    camera.take(page, "phone-brief")
    page.context.close()


def _officer_works(camera: Camera, number: str) -> None:
    page = camera.enter("执法人员")
    page.goto("/todo/")
    row = page.locator("li.todo", has_text=number)
    camera.take(page, "phone-todo", top=f"li.todo:has-text('{number}')")
    row.get_by_role("button", name="接单").click()
    page.wait_for_url("**done=*")
    page.wait_for_timeout(2_000)  # what was just done has been told to open pages by then
    page.goto(f"/cases/{number}/")
    camera.take(page, "phone-case")
    page.locator(".case-bar").get_by_text("提交处置").click()
    add_photo(page, "#do-handle", "river", is_after=True)
    camera.take(page, "phone-handle", top="section.act-card:has(#do-handle)")
    page.locator("#do-handle").get_by_role("button", name="提交处置").click()
    page.wait_for_url("**done=*")
    page.context.close()


def _department_confirms(camera: Camera, number: str) -> None:
    page = camera.enter("部门负责人")
    page.goto(f"/cases/{number}/")
    camera.take(page, "phone-confirm")
    page.locator(".case-bar").get_by_text("部门确认").first.click()
    confirm = page.locator("#do-confirm").get_by_role("button", name="部门确认")
    if confirm.count():
        confirm.click()
    page.wait_for_url("**done=*")
    page.context.close()


def _worker_checks(camera: Camera, number: str) -> None:
    page = camera.enter("网格员")
    page.goto("/todo/")
    row = f"li.todo:has-text('{number}')"
    page.locator(f"{row} summary").first.click()
    camera.take(page, "phone-check", top=row)
    page.locator(row).get_by_role("button", name="核查通过").first.click()
    page.wait_for_url("**done=*")
    page.context.close()


def _acceptor_closes(camera: Camera, number: str) -> None:
    page = camera.enter("受理员", "desk")
    page.goto(f"/cases/{number}/")
    page.locator("#do-close textarea").first.fill("水浮莲已清走，水流恢复正常。谢谢您的反映。")
    camera.take(page, "desk-close", top="#acts")
    page.locator("#do-close").get_by_role("button", name="结案").click()
    page.wait_for_url("**done=*")
    page.context.close()


def _resident_rates(camera: Camera, page: Page, link: str) -> None:
    page.goto(link)
    camera.take(page, "phone-closed")
    page.locator("#rate input[name=is_solved][value=yes]").check(force=True)
    page.locator('#rate input[name=satisfaction][value="5"]').check(force=True)
    camera.take(page, "phone-rate", top="#rate")
    page.locator("#reopen > summary").click()
    camera.take(page, "phone-reopen", top="#reopen")
    page.get_by_role("button", name="提交评价").click()
    page.wait_for_load_state("networkidle")
    page.context.close()


def staff_report(camera: Camera) -> None:
    """A grid worker reports on the spot and handles a small thing by themselves; then the network is gone."""
    page = camera.enter("网格员", at=_a_place(camera))
    page.goto("/report/")
    add_photo(page, "#report", "rubbish")
    camera.take(page, "phone-staff-report", top="#report")
    page.context.set_offline(True)
    page.locator("#report-words").fill("垃圾桶满了，旁边堆了几袋")
    page.get_by_role("button", name="提交").click()
    page.locator("[data-queue-list]:not([hidden])").wait_for()
    camera.take(page, "phone-offline")
    camera.take(page, "phone-waiting", top="main")
    page.context.set_offline(False)
    page.context.close()


def _a_place(camera: Camera) -> tuple[float, float]:
    """(lon, lat) of the newest open case of the street."""
    page = camera.enter("受理员", "desk")
    points = page.request.get("/cases/points.json").json()
    page.context.close()
    return points["lon"][0], points["lat"][0]


def everybody(camera: Camera) -> None:
    """Sign-in, one's own page, leave and deputy."""
    page = camera.enter()
    page.goto("/sign-in")
    camera.take(page, "phone-sign-in", part="form.form.card")
    page.context.close()
    page = camera.enter("部门负责人")
    for name, path in (("phone-me", "/me"), ("phone-leave", "/me/leave")):
        page.goto(path)
        camera.take(page, name)
    page.context.close()


def department(camera: Camera) -> None:
    """A department's lead returns a case, asks for more time, asks others."""
    page = camera.enter("部门负责人")
    page.goto("/todo/")
    page.locator("li.todo:has-text('主办') a.case").first.click()
    page.wait_for_selector("html.is-started")
    camera.take(page, "phone-lead-moves", top="#more")
    for name, label in (("phone-return", "退单"), ("phone-extend", "申请延期"), ("phone-consult", "发起会商")):
        link = page.locator("#more .move-links").get_by_role("link", name=label, exact=True)
        link.click()
        page.locator(f"#move-panel form[aria-label='{label}']").wait_for()
        camera.take(page, name, top="#more")
    page.context.close()


def eyes(camera: Camera) -> None:
    """The pilot, and the analyst who has the same: reporting, and what became of it."""
    place = _a_place(camera)
    page = camera.enter("飞手", at=place)
    page.goto("/report/")
    camera.take(page, "phone-pilot-report")
    if not page.request.get("/cases/points.json").json()["ids"]:
        add_photo(page, "#report", "river")
        page.locator("#report-words").fill("航拍看到河边堆了建筑垃圾")
        page.get_by_role("button", name="提交").click()
        page.wait_for_url("**/cases/*/?new=1")
    page.goto("/cases/?all=1")
    camera.take(page, "phone-pilot-cases", top=".list-split")
    page.context.close()


WALKS: dict[str, Callable[[Camera], None]] = {
    "story": story,
    "staff_report": staff_report,
    "everybody": everybody,
    "department": department,
    "eyes": eyes,
}

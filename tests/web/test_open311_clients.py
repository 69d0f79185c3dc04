"""Two public Open311 clients, as anybody installs them, read our door and post to it, over a live server on this machine."""

from __future__ import annotations

from typing import Any

import pytest
from civicbot.http import HttpTransport, RateLimiter
from civicbot.open311 import Open311Client, Open311Error
from civicbot.registry import Endpoint
from georeport import GeoReport

from jiequ.cases.models import Case
from jiequ.cases.queries import types
from jiequ.doors.open311.services import opening
from tests.actors import World, make_world
from tests.casework import Casework, make_condition
from tests.programs import program_of

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
JURISDICTION = "990101001"


@pytest.fixture
def work(live_server: Any, clock: Any, settings: Any) -> Casework:
    """Both streets open, so that jurisdiction_id must be given; two cases in the first."""
    world: World = make_world()
    work = Casework(world, make_condition())
    settings.BASE_URL = live_server.url
    for street in (world.street, world.other_street):
        opening.open_street(street_id=street.pk, contact="指挥中心", by=world.actor("xi"), at=clock.at)
    types.forget()
    work.closed()
    work.dispatched()
    return work


@pytest.mark.parametrize("form", ["json", "xml"])
def test_georeport_reads_everything(work: Casework, live_server: Any, form: str) -> None:
    client = GeoReport(f"{live_server.url}/open311/v2", jurisdiction=JURISDICTION, output_format=form)
    services = client.get_service_list()
    service = services[0] if isinstance(services, list) else services  # xmltodict gives a list of one as the one
    assert service["service_code"] == "0110"
    definition = client.get_service_definition("0110")
    assert definition["service_code"] == "0110"
    found = client.get_service_requests(
        status="open,closed", start_date="2026-02-01T00:00:00Z", end_date="2026-03-30T00:00:00Z"
    )
    assert {one["status"] for one in found} == {"open", "closed"}
    numbers = set(Case.objects.values_list("number", flat=True))
    assert {one["service_request_id"] for one in found} == numbers
    one = client.get_service_request(min(numbers))
    assert one["service_name"] == "暴露生活垃圾"
    assert float(one["lat"]) == pytest.approx(work.world.grid_a.lat)
    both = client.get_service_requests(service_request_id=",".join(numbers), service_code="9999")
    assert len(both) == 2


def test_georeport_hears_of_a_jurisdiction_that_is_missing_or_unknown(work: Casework, live_server: Any) -> None:
    for jurisdiction, status in ((None, 400), ("nowhere", 404)):
        with pytest.raises(Exception, match=str(status)):
            GeoReport(f"{live_server.url}/open311/v2", jurisdiction=jurisdiction).get_service_list()


def civic(live_server: Any) -> Open311Client:
    endpoint = Endpoint(id="jiequ", name="龙涧街道", base_url=f"{live_server.url}/open311/v2", write=True)
    transport = HttpTransport(rate_limiter=RateLimiter(min_interval=0.0))
    return Open311Client(endpoint, transport, jurisdiction_id=JURISDICTION)


def test_civicbot_checks_its_form_against_our_services_posts_it_and_reads_it_back(work: Casework, live_server: Any) -> None:
    client, key = civic(live_server), program_of(work.world, "lin", "open311", title="civicbot").token
    assert [one["service_code"] for one in client.list_services()] == ["0110"]
    assert client.get_service_definition("0110")["attributes"]
    assert {one["status"] for one in client.list_requests(status="open")} == {"open"}
    assert len(client.list_requests(page_size=1)) == 1
    lon, lat = work.world.point_in("a")
    sent = client.create_request(
        "0110", lat=lat, lng=lon, description="河边有一堆垃圾", api_key=key, dry_run=False, confirm="SEND", validate_remote=True
    )
    number = sent.response[0]["service_request_id"]
    case = Case.objects.get(number=number)
    assert (case.source, case.unit_grid_id) == ("outside", work.world.grid_a.pk)
    read = client.get_request(number)
    assert read is not None
    assert read["status"] == "open"
    assert len(client.list_requests(service_request_ids=[number])) == 1


def test_civicbot_refuses_by_our_definition_and_hears_of_a_wrong_key(work: Casework, live_server: Any) -> None:
    client = civic(live_server)
    lon, lat = work.world.point_in("a")
    with pytest.raises(Open311Error, match="not offered"):
        client.create_request("9999", lat=lat, lng=lon, validate_remote=True)
    with pytest.raises(Exception, match="403"):
        client.create_request("0110", lat=lat, lng=lon, api_key="wrong", dry_run=False, confirm="SEND")
    assert Case.objects.count() == 2

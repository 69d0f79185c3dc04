"""Strangers' bytes have one door each: pictures are opened in one module, forwarded addresses are read in one function."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OPENS_PICTURES = "jiequ/core/decode.py"
DRAWS_PICTURES = "jiequ/web/demo/pictures.py"  # the demonstration's own photos: drawn, never opened
OPENS_FLIGHTS = "jiequ/sense/engine/photos.py"  # operators' drone photos, in a job's process (RELIABILITY row 26), no page
READS_FORWARDED = {
    "jiequ/core/http.py",
    "jiequ/web/ops/health.py",  # refuses whatever was forwarded, believes none of it
}


def imports_pillow(source: str) -> bool:
    """True if the code can open a picture: whoever imports PIL could."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(name.name.split(".")[0] == "PIL" for name in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "PIL":
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("PIL."):
            return True
    return False


def opens_something(source: str) -> bool:
    """True if something is called that opens: ``Image.open(…)``, ``open(…)``."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return any(getattr(call, "attr", getattr(call, "id", "")) in {"open", "frombytes", "frombuffer"} for call in calls)


def uses_image_field(source: str) -> bool:
    """True for Django's own ImageField, which opens pictures behind our back."""
    return any(
        isinstance(node, ast.Attribute | ast.Name) and getattr(node, "attr", getattr(node, "id", "")) == "ImageField"
        for node in ast.walk(ast.parse(source))
    )


def reads_forwarded(source: str) -> bool:
    """True if the code looks at what a proxy, or anybody, says about the client's address."""
    words = {"HTTP_X_FORWARDED_FOR", "X-FORWARDED-FOR", "HTTP_X_REAL_IP", "X-REAL-IP", "HTTP_FORWARDED", "REMOTE_ADDR"}
    return any(isinstance(node, ast.Constant) and str(node.value).upper() in words for node in ast.walk(ast.parse(source)))


def product() -> dict[str, str]:
    return {
        str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
        for file in (ROOT / "jiequ").rglob("*.py")
        if "migrations" not in file.parts
    }


def test_pictures_are_opened_in_one_module_only() -> None:
    found = {name for name, source in product().items() if imports_pillow(source)}
    assert found == {OPENS_PICTURES, DRAWS_PICTURES, OPENS_FLIGHTS}
    assert not opens_something(product()[DRAWS_PICTURES])
    assert opens_something(product()[OPENS_PICTURES])
    assert [name for name, source in product().items() if uses_image_field(source)] == []


def test_the_clients_address_is_read_in_one_module() -> None:
    assert {name for name, source in product().items() if reads_forwarded(source)} == READS_FORWARDED


@pytest.mark.parametrize(
    "source",
    [
        "import PIL",
        "import PIL.Image as i",
        "from PIL import Image",
        "from PIL.Image import open",
        "import_module('PIL.Image')",
    ],
)
def test_the_search_finds_every_way_to_pillow(source: str) -> None:
    assert imports_pillow(source)
    assert not imports_pillow("import pillars\nfrom . import PIL_free\n'talks of PIL'")


def test_the_search_finds_image_fields_and_forwarded_headers() -> None:
    assert uses_image_field("photo = forms.ImageField()")
    assert uses_image_field("from django.forms import ImageField\nphoto = ImageField()")
    assert reads_forwarded("request.META['HTTP_X_FORWARDED_FOR']")
    assert reads_forwarded("request.headers.get('X-Real-Ip')")
    assert not reads_forwarded("request.META['HTTP_ACCEPT']")


def makes_pictures(source: str) -> bool:
    """True if a row of a picture is made, or said to be clean."""
    if "Clean(" not in source and "Picture" not in source:  # most of the product: not worth reading
        return False
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = {getattr(call, "attr", getattr(call, "id", "")) for call in calls}
    managers = [call.value for call in calls if isinstance(call, ast.Attribute) and call.attr == "create"]
    of = {getattr(one.value, "id", "") for one in managers if isinstance(one, ast.Attribute) and one.attr == "objects"}
    return "Clean" in names or "Picture" in names | of


def test_a_picture_is_clean_only_by_the_one_door() -> None:
    """RELIABILITY row 18: uploads, chats and links alike. The API's handle is signed by us over what that door gave."""
    found = {name for name, source in product().items() if makes_pictures(source)}
    assert found == {"jiequ/core/pictures.py", "jiequ/cases/api/moving.py"}


@pytest.mark.parametrize(
    "source", ["Picture(sha256=x)", "Picture.objects.create(sha256=x)", "pictures.Clean(a, b)", "Clean(a)"]
)
def test_the_search_finds_every_way_to_a_picture(source: str) -> None:
    assert makes_pictures(source)
    assert not makes_pictures("Proof.objects.create(picture=keep(clean(file)))")

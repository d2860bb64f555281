"""The page in a real browser, fed by hand."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("prometheus_client")
webdriver = pytest.importorskip("selenium.webdriver")

from visitors import TIMES, Result, found, get, result, serving, stats  # noqa: E402

from edgedet.camera.preview import Preview  # noqa: E402
from edgedet.camera.scene import draw_scene  # noqa: E402
from edgedet.results import Detections  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER) and not os.environ.get("EDGEDET_REQUIRE_PEERS"),
    reason="no chromium and chromedriver here",
)
#: With a folder in this variable the screenshots stay, to be looked at.
ALBUM = os.environ.get("EDGEDET_SCREENSHOTS")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    downloads = tmp_path_factory.mktemp("downloads")
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.downloads = downloads
    yield driver
    driver.quit()


@pytest.fixture
def preview() -> Iterator[Preview]:
    with serving() as running:
        running.watch(stats)
        yield running


def until(what: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    """Asks the browser again and again: it has a clock of its own."""
    end = time.monotonic() + timeout_s
    while not (answer := what()):
        assert time.monotonic() < end, "the page did not get there in time"
        time.sleep(0.02)
    return answer


def scene() -> Result:
    image, boxes, class_ids = draw_scene(7, (1280, 720))
    scores = np.linspace(0.95, 0.35, len(boxes), dtype=np.float32)
    labels = ("circle", "square", "triangle", "star", "cross", "ring", "heart", "arrow")
    shown = result(output=Detections(boxes, scores, class_ids, labels, (1280, 720)))
    object.__setattr__(shown.frame, "image", image)
    return shown


def text(browser: Any, name: str) -> str:
    return str(browser.find_element("id", name).text)


def see(browser: Any, preview: Preview, shown: Result) -> None:
    object.__setattr__(shown.frame, "captured_s", time.monotonic())
    preview.write(shown)
    until(lambda: browser.find_element("id", "snapshot").is_enabled())


def screenshot(browser: Any, name: str, tmp_path: Path) -> Any:
    path = Path(ALBUM or tmp_path) / f"{name}.png"
    assert browser.save_screenshot(str(path))
    return cv2.imread(str(path))


def emulate(browser: Any, width: int, height: int, ratio: float = 1, scheme: str = "light") -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": ratio, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def test_the_figures(browser: Any, preview: Preview) -> None:
    emulate(browser, 1280, 800)
    browser.get(preview.url)
    see(browser, preview, scene())
    until(lambda: text(browser, "state") == "running" and text(browser, "age").endswith("ms"))
    assert text(browser, "source") == 'door "1"'
    assert text(browser, "fps") == "13"
    assert text(browser, "dropped") == "7 %"
    legend = text(browser, "legend").replace("\n", " ")
    for name, value in TIMES._asdict().items():
        assert (f"{name} {1000 * value:.{1 if value < 0.00995 else 0}f} ms" in legend) == (name != "capture")
    assert not [line for line in browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]


def test_the_age_goes_on_when_frames_stop(browser: Any, preview: Preview) -> None:
    emulate(browser, 1280, 800)
    browser.get(preview.url)
    see(browser, preview, scene())
    until(lambda: "late" in browser.find_element("id", "age").get_attribute("class"))
    age = text(browser, "age")
    assert int(age.split()[0]) > 1000
    until(lambda: text(browser, "age") != age)
    preview.watch(lambda: stats(source="timeout"))
    until(lambda: text(browser, "notice") == "the camera sends nothing")
    assert text(browser, "state") == "timeout"


@pytest.mark.parametrize(
    ("name", "width", "height", "ratio", "scheme"),
    [("desktop-light", 1280, 800, 1, "light"), ("desktop-dark", 1600, 900, 2, "dark"), ("phone", 390, 844, 3, "dark")],
)
def test_boxes_are_sharp_and_in_place(
    browser: Any, preview: Preview, tmp_path: Path, name: str, width: int, height: int, ratio: int, scheme: str
) -> None:
    emulate(browser, width, height, ratio, scheme)
    browser.get(preview.url)
    plain = result()
    object.__setattr__(plain.frame, "image", np.full((480, 640, 3), 128, np.uint8))
    box = np.array([[160, 120, 480, 360]], np.float32)
    one = Detections(box, np.array([0.9], np.float32), np.array([0], np.int32), ("thing",), (640, 480))
    object.__setattr__(plain, "outputs", {"model": one})
    see(browser, preview, plain)
    until(lambda: text(browser, "count") == "1")
    pixels = browser.execute_script(
        "const c = document.getElementById('view');"
        "const row = c.getContext('2d').getImageData(0, c.height / 2, c.width, 1).data;"
        "return [c.width, c.height, c.clientWidth, c.clientHeight, [...row]]"
    )
    wide, high, client_width, client_height, row = pixels
    assert (wide, high) == (round(client_width * ratio), round(client_height * ratio))  # the screen's own pixels
    grey = np.array(row).reshape(-1, 4)[:, :3]
    colored = np.flatnonzero(np.ptp(grey, axis=1) > 60)
    scale = min(wide / 640, high / 480)
    left = (wide - 640 * scale) / 2
    for edge in (160, 480):
        near = colored[np.abs(colored - (left + edge * scale)) < 6 * ratio]
        # A line of two pixels of the page's, however large the picture is shown.
        assert abs(len(near) - 2 * ratio) <= 1
        assert abs(near.mean() + 0.5 - (left + edge * scale)) <= 1
    assert not browser.execute_script("return document.documentElement.scrollWidth > innerWidth")
    see(browser, preview, scene())
    until(lambda: "×" in text(browser, "classes") or int(text(browser, "count")) > 1)
    ground = screenshot(browser, name, tmp_path)[2, 2].mean()
    assert ground > 200 if scheme == "light" else ground < 60


def test_the_threshold_is_each_page_s_own(browser: Any, preview: Preview) -> None:
    emulate(browser, 1280, 800)
    browser.get(preview.url)
    see(browser, preview, result())
    until(lambda: text(browser, "classes") == "dog")
    browser.execute_script(
        "const t = document.getElementById('threshold'); t.value = 0.2; t.dispatchEvent(new Event('input'))"
    )
    until(lambda: text(browser, "classes") == "cat\ndog")
    assert text(browser, "threshold-value") == "0.20"


def test_the_snapshot_is_the_picture_on_the_page(browser: Any, preview: Preview) -> None:
    emulate(browser, 1280, 800)
    browser.get(preview.url)
    see(browser, preview, result())
    browser.find_element("id", "snapshot").click()
    (path,) = until(lambda: list(browser.downloads.glob("edgedet-*.jpg")))
    data = np.frombuffer(path.read_bytes(), np.uint8)
    drawn = np.frombuffer(get(f"{preview.url}snapshot.jpg?threshold=0.4").body, np.uint8)
    assert (data == drawn).all()


def test_comes_back_when_the_server_does(browser: Any) -> None:
    emulate(browser, 1280, 800)
    with serving() as preview:
        preview.watch(stats)
        browser.get(preview.url)
        see(browser, preview, result())
        port = preview.address.port
    until(lambda: text(browser, "state") == "offline")
    assert "trying again" in text(browser, "notice")
    again = Preview(port=port)
    with again:
        again.watch(stats)
        again.write(scene())
        until(lambda: text(browser, "state") == "running" and text(browser, "count") not in ("0", "1"))


def test_says_which_camera_is_lost_for_good(browser: Any, preview: Preview) -> None:
    one = stats()
    gone = dataclasses.replace(one.sources[0], name="gate", state="error", over=True)
    preview.watch(lambda: dataclasses.replace(one, sources=(*one.sources, gone)))
    browser.get(preview.url)
    until(lambda: text(browser, "notice") == "gate is lost; start edgedet again when it is back")


def test_says_that_too_many_pages_are_open(browser: Any) -> None:
    with serving(max_clients=0) as preview:
        browser.get(preview.url)
        until(lambda: text(browser, "notice") == "too many pages are open; close another")


def test_words_are_never_markup(browser: Any, preview: Preview) -> None:
    evil = "<img src=x onerror=document.title='gone'>"
    one = found()
    browser.get(preview.url)
    see(browser, preview, result(output=Detections(one.boxes, one.scores, one.class_ids, (evil, evil), one.image_wh)))
    until(lambda: text(browser, "classes") == evil)
    assert browser.title == "edgedet preview"


def test_of_several_cameras_one_is_chosen(browser: Any, preview: Preview) -> None:
    emulate(browser, 1280, 800)
    preview.watch(lambda: stats(names=("door", "yard")))
    browser.get(preview.url)
    see(browser, preview, result(source="door"))
    until(lambda: text(browser, "source") == "2 cameras")
    preview.write(scene_of("yard"))
    choice = browser.find_element("id", "watch")
    assert choice.is_displayed() and choice.get_property("value") == "door"
    assert text(browser, "classes") == "dog"
    browser.execute_script("arguments[0].value = 'yard'; arguments[0].dispatchEvent(new Event('change'))", choice)
    until(lambda: text(browser, "classes") not in ("", "dog"))
    until(lambda: choice.get_property("value") == "yard" and text(browser, "state") == "running")


def scene_of(source: str) -> Result:
    shown = scene()
    object.__setattr__(shown.frame, "source", source)
    return shown

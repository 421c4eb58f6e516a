"""Folium maps that carry everything inside: no script, style, picture or tile from elsewhere.

folium names eleven outside assets in every page it writes and calls offline use out of scope. An
:class:`OfflineMap` names none: Leaflet is inlined from our own copy, jQuery, Bootstrap, the icon
fonts and the tiles are not there at all, and the ground is drawn from the community's own data
(``maps.basemap``). One page is both what the site shows in a sandboxed frame and a file that
opens from a USB stick.

Because jQuery is gone, ``folium.Popup`` does not work here: use :func:`note` and the ``note``
property of :func:`shapes_layer`, whose words are escaped.
"""
# folium has no types, so each of its classes is Any to the checker, and a subclass of Any is "misc".
# mypy: disable-error-code="misc"

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import folium
from branca.element import Element, MacroElement
from folium.template import Template, tojavascript
from folium.utilities import JsCode

from grid.errors import DomainError
from grid.shapes import Geometry

LEAFLET_JS = Path("leaflet/dist/leaflet.js")
LEAFLET_CSS = Path("leaflet/dist/leaflet.css")
MARKER_PICTURES = {
    "iconUrl": "marker-icon.png",
    "iconRetinaUrl": "marker-icon-2x.png",
    "shadowUrl": "marker-shadow.png",
}

INNER_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
)
FRAME_SANDBOX = "allow-scripts allow-top-navigation-by-user-activation"
"""What a frame that shows a map may do: draw, and follow a link that a person clicked."""
FRAME_POLICY = f"sandbox {FRAME_SANDBOX}; {INNER_POLICY}; frame-ancestors 'self'"
"""The content-security policy to serve a map page with. The site's own strict one blanks it."""

MAX_ZOOM = 21
"""Said to Leaflet because no tile layer says it."""

WORDS = {
    "zh": {"in": "放大", "out": "缩小", "layers": "图层", "north": "北"},
    "en": {"in": "Zoom in", "out": "Zoom out", "layers": "Layers", "north": "N"},
}

_STYLE = """
html, body { margin: 0; height: 100%; }
body { font-family: "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei",
  "WenQuanYi Micro Hei", system-ui, sans-serif; --ground: #eef1ee; --panel: #fffffff0;
  --ink: #16202b; --muted: #55616e; --line: #c4ccd4; --halo: #fff; }
body.night { --ground: #10171e; --panel: #18212bf0; --ink: #eef2f6; --muted: #a9b6c3;
  --line: #33414f; --halo: #10171e; }
.leaflet-container { background: var(--ground); font: inherit; color: var(--ink); }
.leaflet-bar a, .leaflet-control-layers, .leaflet-tooltip, .leaflet-popup-content-wrapper,
.leaflet-popup-tip { background: var(--panel); color: var(--ink); border-color: var(--line); }
.leaflet-touch .leaflet-bar a { width: 40px; height: 40px; line-height: 40px; }
.leaflet-control-layers { font-size: 14px; }
.leaflet-control-layers label { padding: 3px 0; }
.leaflet-control-layers-selector { width: 18px; height: 18px; vertical-align: -4px; }
.leaflet-tooltip { white-space: normal; width: max-content; max-width: 260px; line-height: 1.5;
  font-size: 14px; box-shadow: 0 1px 5px #0006; }
.leaflet-popup-content { line-height: 1.55; font-size: 14px; margin: 12px 18px; }
.leaflet-popup-content a { color: #0f5fa8; font-weight: 600; }
body.night .leaflet-popup-content a { color: #6db3f2; }
.leaflet-control-scale-line { background: var(--panel); color: var(--ink); text-shadow: none;
  border-color: var(--muted); }
.word { width: 0; height: 0; overflow: visible; pointer-events: none; }
.word > span { position: absolute; transform: translate(-50%, -50%); white-space: nowrap;
  color: var(--ink); font-size: 12px; line-height: 1;
  text-shadow: 0 0 3px var(--halo), 0 0 3px var(--halo), 0 0 2px var(--halo), 0 0 2px var(--halo); }
.word.estate > span { font-size: 15px; font-weight: 700; letter-spacing: .08em; }
.word.cell > span { font-size: 12.5px; color: var(--muted); }
.word.street > span { font-size: 11px; color: var(--muted); }
.word.building > span, .word.place > span { font-size: 11px; }
.word.street, .word.building, .word.place, .word.dense { display: none; }
.middle .word.dense, .near .word.dense, .middle .word.street, .near .word.street, .near .word.building, .near .word.place { display: block; }
.near .word.estate { display: none; }
.panel { background: var(--panel); color: var(--ink); border: 1px solid var(--line);
  border-radius: 6px; padding: 8px 12px; font-size: 13px; line-height: 1.5; max-width: 320px;
  box-sizing: border-box; }
.panel summary { font-size: 15px; font-weight: 700; cursor: pointer; }
.panel p { margin: 2px 0; }
.panel .legend { display: grid; grid-template-columns: 22px 1fr; gap: 2px 8px; align-items: center;
  margin: 6px 0 0; padding: 0; list-style: none; }
.panel .swatch { width: 20px; height: 12px; border: 1px solid #0003; box-sizing: border-box; }
.panel .swatch.round { width: 12px; height: 12px; border-radius: 50%; justify-self: center; }
.panel .muted { color: var(--muted); font-size: 12px; }
.north { background: none; text-align: center; font-size: 13px; font-weight: 700; line-height: 1;
  color: var(--ink); }
.north svg { display: block; margin: 0 auto 2px; }
@media (max-width: 640px) { .panel { max-width: calc(100vw - 84px); font-size: 12px; } }
@media print { .leaflet-control-zoom, .leaflet-control-layers { display: none; }
  .panel { box-shadow: none; } }
"""


class MapAssetsMissing(DomainError):
    """Leaflet's files are not where they should be."""

    zh = "缺少地图脚本（{path}），无法绘制地图。请运行 ./xunge doctor 重新安装浏览器文件。"
    en = "The map scripts are missing ({path}); no map can be drawn. Run ./xunge doctor to install the browser files again."
    status = 503


class ReachesOutside(AssertionError):
    """A rendered map names an address outside itself: a fault of ours, never shown to anyone."""


class _Assets:
    """Leaflet's script and style as text, read once."""

    folder: Path | None = None
    js: str = ""
    css: str = ""

    @classmethod
    def read(cls, folder: Path) -> None:
        js, css = folder / LEAFLET_JS, folder / LEAFLET_CSS
        for path in (js, css):
            if not path.is_file():
                raise MapAssetsMissing(path=path)
        # Leaflet finds its marker pictures by the address of its style sheet: there is none here.
        pictures = {
            option: _data_address(css.parent / "images" / name)
            for option, name in MARKER_PICTURES.items()
        }
        # A source map is asked for only by a browser with its tools open, but then it is.
        cls.js = re.sub(r"//# sourceMappingURL=\S*", "", js.read_text("utf-8")) + (
            ";delete L.Icon.Default.prototype._getIconUrl;"
            f"L.Icon.Default.mergeOptions({json.dumps(pictures)});"
        )
        cls.css = _with_pictures_inside(css.read_text("utf-8"), css.parent)
        cls.folder = folder


def _data_address(picture: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"


def _with_pictures_inside(css: str, folder: Path) -> str:
    def inline(found: re.Match[str]) -> str:
        name = found.group(1)
        if name.startswith("#"):
            return found.group(0)
        return f"url({_data_address(folder / name)})"

    return re.sub(r"url\(([^)]+)\)", inline, css)


def configure_assets(folder: Path) -> None:
    """Say where the npm packages are; called once at start.

    Parameters
    ----------
    folder
        A ``node_modules`` folder that holds ``leaflet`` 1.9.

    Raises
    ------
    MapAssetsMissing
        Leaflet is not in it.
    """
    if _Assets.folder != folder:
        _Assets.read(folder)


class OfflineMap(folium.Map):
    """A folium map without tiles and without a single outside asset."""

    default_js: ClassVar[list[tuple[str, str]]] = []
    default_css: ClassVar[list[tuple[str, str]]] = []

    def __init__(
        self,
        *,
        title: str,
        centre: tuple[float, float] = (29.36, 104.78),
        zoom: float = 16,
        night: bool = False,
        locale: str = "zh",
    ) -> None:
        """Start a map.

        Parameters
        ----------
        title
            The page's title.
        centre
            Latitude, longitude in degrees, WGS 84.
        zoom
            Leaflet zoom level at the start; :func:`fit` replaces centre and zoom.
        night
            Dark colours, for a phone at night.
        locale
            ``zh`` or ``en``: the words on the controls.
        """
        if _Assets.folder is None:
            raise MapAssetsMissing(path="configure_assets")
        super().__init__(
            location=list(centre),
            zoom_start=zoom,
            tiles=None,
            prefer_canvas=True,
            zoom_control=False,
            attribution_control=False,
        )
        # Set here, not as an argument: without a tile layer Leaflet knows no limit.
        self.options["maxZoom"] = MAX_ZOOM
        self.options["zoomSnap"] = 0.25
        self.night = night
        self.locale = "en" if locale == "en" else "zh"
        figure = self.get_root()
        figure.title = escape(title)
        head = figure.header
        head.add_child(
            _Verbatim(
                f'<meta http-equiv="Content-Security-Policy" content="{escape(INNER_POLICY)}">\n'
                f"<style>{_Assets.css}{_STYLE}</style>\n<script>{_Assets.js}</script>\n"
            ),
            name="assets",
        )
        words = WORDS[self.locale]
        self.add_child(_Controls(words["in"], words["out"], words["north"]))


class _Verbatim(Element):
    """Text put into the page as it is: scripts hold braces that a template would read."""

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Verbatim"
        self.text = text


class _Controls(MacroElement):
    """Zoom buttons, a metric scale, a north arrow, and classes that follow the zoom level."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            (function (map) {
                L.control.zoom({position: "topleft", zoomInTitle: {{ this.zoom_in|tojson }},
                    zoomOutTitle: {{ this.zoom_out|tojson }}}).addTo(map);
                L.control.scale({imperial: false, position: "bottomright"}).addTo(map);
                const north = L.control({position: "bottomright"});
                north.onAdd = () => {
                    const box = L.DomUtil.create("div", "north");
                    box.innerHTML = '<svg width="18" height="22" viewBox="0 0 18 22"><path d="M9 0 L16 21 L9 16 L2 21 Z" fill="currentColor"/></svg>';
                    box.append({{ this.north|tojson }});
                    return box;
                };
                north.addTo(map);
                const sort = () => {
                    const zoom = map.getZoom(), at = map.getContainer().classList;
                    at.toggle("near", zoom >= 17.5);
                    at.toggle("middle", zoom >= 16 && zoom < 17.5);
                };
                map.on("zoomend", sort);
                map.whenReady(sort);
                window.xungeMap = map;
            })({{ this._parent.get_name() }});
        {% endmacro %}
    """)

    def __init__(self, zoom_in: str, zoom_out: str, north: str) -> None:
        super().__init__()
        self._name = "Controls"
        self.zoom_in, self.zoom_out, self.north = zoom_in, zoom_out, north


class _Words(MacroElement):
    """Words on the map, each [latitude, longitude, text]; they take no clicks."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            {{ this.words|tojson }}.forEach(([lat, lon, text]) => {
                const span = document.createElement("span");
                span.textContent = text;
                L.marker([lat, lon], {interactive: false, keyboard: false, pane: "words",
                    icon: L.divIcon({className: "word " + {{ this.kind|tojson }}, html: span,
                    iconSize: [0, 0]})}).addTo({{ this._parent.get_name() }});
            });
        {% endmacro %}
    """)

    def __init__(self, kind: str, words: Sequence[tuple[float, float, str]]) -> None:
        super().__init__()
        self._name = "Words"
        self.kind = kind
        self.words = [list(word) for word in words]


class _Panel(MacroElement):
    """A box in a corner: what the map shows, of when, from what, and what its colours mean."""

    _template = Template("""
        {% macro script(this, kwargs) %}
            (function (map) {
                const control = L.control({position: {{ this.position|tojson }}});
                control.onAdd = () => {
                    const box = L.DomUtil.create("details", "panel");
                    box.open = window.innerWidth > 640;
                    box.innerHTML = {{ this.html|tojson }};
                    L.DomEvent.disableClickPropagation(box);
                    return box;
                };
                control.addTo(map);
                const width = control.getContainer().offsetWidth;
                if (map.xungeBounds && width < window.innerWidth / 3) {
                    // Beside the box, where there is room for both.
                    map.fitBounds(map.xungeBounds,
                        {paddingTopLeft: [width + 20, 8], paddingBottomRight: [8, 8], animate: false});
                }
            })({{ this._parent.get_name() }});
        {% endmacro %}
    """)

    def __init__(self, html: str, position: str) -> None:
        super().__init__()
        self._name = "Panel"
        self.html = html
        self.position = position


class _Fit(MacroElement):
    _template = Template("""
        {% macro script(this, kwargs) %}
            {{ this._parent.get_name() }}.xungeBounds = {{ this.bounds|tojson }};
            {{ this._parent.get_name() }}.fitBounds({{ this.bounds|tojson }}, {padding: [8, 8], animate: false});
        {% endmacro %}
    """)

    def __init__(self, bounds: list[list[float]]) -> None:
        super().__init__()
        self._name = "Fit"
        self.bounds = bounds


class _Note(MacroElement):
    _template = Template("""
        {% macro script(this, kwargs) %}
            {{ this._parent.get_name() }}.bindPopup({{ this.html|tojson }});
        {% endmacro %}
    """)

    def __init__(self, html: str) -> None:
        super().__init__()
        self._name = "Note"
        self.html = html


class _NightSwitch(MacroElement):
    _template = Template("""
        {% macro script(this, kwargs) %}document.body.classList.add("night");{% endmacro %}
    """)

    def __init__(self) -> None:
        super().__init__()
        self._name = "Night"


_BIND_NOTES = JsCode("""
    function (feature, layer) {
        const words = feature.properties;
        if (words.note) { layer.bindPopup(words.note); }
        if (words.hint) { layer.bindTooltip(words.hint, {sticky: true}); }
    }
""")


def lines(*parts: str) -> str:
    """Return words as HTML, one per line, escaped; the first is strong. Empty ones are left out."""
    kept = [escape(part) for part in parts if part]
    return "<br>".join([f"<strong>{kept[0]}</strong>", *kept[1:]]) if kept else ""


def link(url: str, words: str) -> str:
    """Return a link for a note; it opens in the whole window, out of the map's frame."""
    return f'<a href="{escape(url)}" target="_top">{escape(words)}</a>'


def note(*parts: str) -> MacroElement:
    """Return a popup for a marker or a line: ``marker.add_child(note("东门", "停留 5 分钟"))``."""
    return _Note(lines(*parts))


def feature(
    geometry: Geometry,
    style: Mapping[str, object] | None = None,
    *,
    hint: str = "",
    note: str = "",
) -> dict[str, Any]:
    """Return a GeoJSON feature as :func:`shapes_layer` draws it.

    ``style`` holds Leaflet path options (color, weight, fillColor, fillOpacity, dashArray …);
    ``hint`` is HTML shown under the pointer, ``note`` HTML shown on a click: build both with
    :func:`lines` and :func:`link`, which escape.
    """
    return {
        "type": "Feature",
        "geometry": dict(geometry),
        "properties": {"style": dict(style or {}), "hint": hint, "note": note},
    }


def shapes_layer(
    name: str,
    features: Iterable[Mapping[str, Any]],
    *,
    show: bool = True,
    control: bool = True,
    pane: str | None = None,
    interactive: bool = True,
    radius: float | None = None,
) -> folium.GeoJson:
    """Return a layer of features. Points are drawn as circles of ``radius`` pixels.

    Always named: a nameless GeoJson stands in the layer list as ``macro_element_…``.
    """
    options: dict[str, Any] = {"interactive": interactive}
    if pane is not None:
        options["pane"] = pane
    marker = folium.CircleMarker(radius=radius) if radius is not None else None
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": [dict(one) for one in features]},
        name=name,
        show=show,
        control=control,
        smooth_factor=0.5,
        on_each_feature=_BIND_NOTES,
        marker=marker,
        **options,
    )


def circles_layer(
    name: str,
    circles: Iterable[tuple[float, float, float, Mapping[str, object], str, str]],
    *,
    show: bool = True,
) -> folium.FeatureGroup:
    """Return circles, each (latitude, longitude, radius in pixels, style, hint, note)."""
    group = folium.FeatureGroup(name=name, show=show)
    group.add_child(_Circles([[lat, lon, dict(style) | {"radius": radius}, hint, words]
                              for lat, lon, radius, style, hint, words in circles]))  # fmt: skip
    return group


class _Circles(MacroElement):
    # Circles grow with the zoom level, less than the ground does, so that on a phone's small view
    # they do not cover each other.
    _template = Template("""
        {% macro script(this, kwargs) %}
            (function (map) {
                const drawn = {{ this.circles|tojson }}.map(([lat, lon, style, hint, note]) => {
                    const circle = L.circleMarker([lat, lon], style);
                    if (note) { circle.bindPopup(note); }
                    if (hint) { circle.bindTooltip(hint, {sticky: true}); }
                    circle.addTo({{ this._parent.get_name() }});
                    return circle;
                });
                const grow = () => {
                    const factor = Math.min(1.6, Math.max(0.45, 2 ** ((map.getZoom() - 16.5) * 0.7)));
                    drawn.forEach((one) => one.setRadius(Math.max(3, one.options.full * factor)));
                };
                drawn.forEach((one) => { one.options.full = one.options.radius; });
                map.on("zoomend", grow);
                map.whenReady(grow);
            })({{ this._parent._parent.get_name() }});
        {% endmacro %}
    """)

    def __init__(self, circles: list[list[object]]) -> None:
        super().__init__()
        self._name = "Circles"
        self.circles = circles


def words(kind: str, placed: Iterable[tuple[float, float, str]]) -> MacroElement:
    """Return words on the map, each (latitude, longitude, text).

    ``kind`` is one of estate, cell, street, building, place: it decides size and from which zoom
    level on they are seen; "cell dense" is seen closer up than "cell".
    """
    return _Words(kind, list(placed))


def panel(
    title: str,
    paragraphs: Sequence[str] = (),
    legend: Sequence[tuple[str, str]] = (),
    *,
    source: str = "",
    position: str = "bottomleft",
) -> MacroElement:
    """Return the box that says what is drawn: title, period, n, legend and source line.

    ``legend`` pairs a CSS colour with words; a colour that starts with ``o`` is drawn round
    (``"o#c00"``). On a phone the box is folded to its title.
    """
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    rows = "".join(
        f'<li class="swatch{" round" if colour.startswith("o") else ""}" '
        f'style="background:{escape(colour.removeprefix("o"))}"></li><li>{escape(text)}</li>'
        for colour, text in legend
    )
    if rows:
        body += f'<ul class="legend">{rows}</ul>'
    if source:
        body += f'<p class="muted">{escape(source)}</p>'
    return _Panel(f"<summary>{escape(title)}</summary>{body}", position)


def layer_switch(page: OfflineMap) -> None:
    """Add the list of layers: open on a desk, folded on a phone. Call it after the layers."""
    folium.LayerControl(collapsed=JsCode("window.innerWidth <= 640")).add_to(page)


def fit(page: OfflineMap, south_west: tuple[float, float], north_east: tuple[float, float]) -> None:
    """Show a box of (latitude, longitude) corners."""
    page.add_child(_Fit([list(south_west), list(north_east)]))


def render(page: OfflineMap) -> str:
    """Return the page as one HTML text, the same for the same map.

    folium numbers its elements at random; they are renumbered here in order of appearance, so
    that the same map is the same file.

    Raises
    ------
    ReachesOutside
        Some element brought an outside asset with it.
    """
    if page.night:
        page.add_child(_NightSwitch())
    _let_no_word_be_a_template(page.get_root())
    html: str = page.get_root().render()
    html = html.replace("<html>", f'<html lang="{"en" if page.locale == "en" else "zh-CN"}">', 1)
    numbers: dict[str, str] = {}
    html = re.sub(
        r"(?<=_)[0-9a-f]{32}(?![0-9a-f])",
        lambda m: numbers.setdefault(m.group(), str(len(numbers))),
        html,
    )
    refuse_outside_assets(html)
    return html


def _let_no_word_be_a_template(element: Element) -> None:
    """Have every template under an element write words so that they are never read as a template.

    branca renders a script once and then reads the result as a template again: without this, a
    place called ``{{ … }}`` would be carried out on the server.
    """
    environment = element._template.environment
    environment.policies["json.dumps_function"] = _json_without_templates
    environment.filters["tojavascript"] = _javascript_without_templates
    for child in element._children.values():
        _let_no_word_be_a_template(child)


def _json_without_templates(value: object, **options: Any) -> str:  # noqa: ANN401
    return _broken_up(json.dumps(value, **options))


def _javascript_without_templates(value: Any) -> str:  # noqa: ANN401
    return _broken_up(tojavascript(value))


def _broken_up(text: str) -> str:
    """Write the openings of a template as escapes; JSON has such pairs inside strings only."""
    for opening in ("{{", "{%", "{#"):
        text = text.replace(opening, opening.replace("{", "\\u007b"))
    return text


def refuse_outside_assets(html: str) -> None:
    """Raise ReachesOutside where a page would load anything from elsewhere."""
    # Only markup loads: a place that is called “src=//…” is a word in a script or a title.
    markup = re.sub(r"(?is)(<(script|title)\b[^>]*>).*?(</\2>)", r"\1\3", html)
    found = re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//[^"'\s>]+""", markup)
    found += re.findall(r"""url\(\s*["']?(?:https?:)?//[^)]+\)|@import[^;]+;""", markup)
    # Leaflet's own credit line names its home page in a string; it is never drawn here.
    found = [one for one in found if "leafletjs.com" not in one]
    if found:
        raise ReachesOutside(", ".join(found[:5]))


def write(page: OfflineMap, path: Path) -> None:
    """Write the map as one HTML file that needs no network."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(page), encoding="utf-8")

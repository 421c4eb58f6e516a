"""A patrol's walk as GPX 1.1 (topografix.com/GPX/1/1): stops as waypoints, the way as a track."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as Xml

from api.today import LOCAL
from grid.shapes import Geometry
from scheduling.rosters import Patrol

SPACE = "http://www.topografix.com/GPX/1/1"


def gpx_of(
    title: str, patrol: Patrol, line: Geometry | None, stops: Sequence[dict[str, object]]
) -> bytes:
    """Return a GPX file in WGS 84; a waypoint's time is when its visit is planned, in UTC."""
    midnight = datetime(patrol.day.year, patrol.day.month, patrol.day.day, tzinfo=LOCAL)
    root = Xml.Element("gpx", {"xmlns": SPACE, "version": "1.1", "creator": "Xunge"})
    Xml.SubElement(Xml.SubElement(root, "metadata"), "name").text = title
    for number, stop in enumerate(stops, start=1):
        spot = Xml.SubElement(root, "wpt", {"lat": str(stop["lat"]), "lon": str(stop["lon"])})
        at = midnight + timedelta(minutes=int(str(stop["arrive_min"])))
        Xml.SubElement(spot, "time").text = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        Xml.SubElement(spot, "name").text = f"{number} {stop['name']}"
    if line is not None:
        track = Xml.SubElement(root, "trk")
        Xml.SubElement(track, "name").text = title
        parts = line["coordinates"] if line["type"] == "MultiLineString" else [line["coordinates"]]
        for part in parts:
            segment = Xml.SubElement(track, "trkseg")
            for lon, lat, *_ in part:
                Xml.SubElement(segment, "trkpt", {"lat": str(lat), "lon": str(lon)})
    content: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return content

"""Pictures and statistics: hotspots as array functions, folium maps from plain data."""

"""The engine: two rasters in, polygons out. Pure: numpy, rasterio, OpenCV, shapely; nothing of Django, no clock, no network."""

-- What is wrong with a partition, as one set of findings. Answers for grid/topology.py.
--
-- boundary   the community's boundary (EWKB, WGS 84)
-- codes, shapes, ids   the cells: code, EWKB in WGS 84, key or null; three arrays in step
-- community  whose buildings are asked about, or null for none
-- srid       the metric system of every length and area
-- sliver_m2, sliver_m   area and width below which a cell, or a part of one, is a sliver
-- width, contact       how close two borders are one (m), how much of it is contact (m)
-- share      how much of a building a second cell may hold
--
-- A row: kind, codes (text[]), amount (m², or a share), label, lon, lat of a point in it.
WITH boundary AS MATERIALIZED (
    -- MakeValid: a ring that only just does not touch itself may do so once it is transformed.
    SELECT ST_CollectionExtract(
        ST_MakeValid(ST_Transform(ST_SetSRID(ST_GeomFromWKB(:boundary), 4326), :srid)), 3
    ) AS shape
),
cell AS MATERIALIZED (
    SELECT position, code, id,
        ST_CollectionExtract(
            ST_MakeValid(ST_Transform(ST_SetSRID(ST_GeomFromWKB(wkb), 4326), :srid)), 3
        ) AS shape
    FROM unnest(
        CAST(:codes AS text[]), CAST(:shapes AS bytea[]), CAST(:ids AS bigint[])
    ) WITH ORDINALITY AS given (code, wkb, id, position)
),
covered AS MATERIALIZED (
    -- Without a grid size: GEOS 3.11 throws on some sound partitions when it is given one.
    SELECT ST_UnaryUnion(ST_Collect(shape)) AS shape FROM cell
),
overlap AS (
    SELECT 'overlap' AS kind, ARRAY[a.code, b.code] AS codes, ST_Area(common.shape) AS amount,
        '' AS label, common.shape AS place
    FROM cell a
    JOIN cell b ON a.position < b.position AND a.shape && b.shape
    CROSS JOIN LATERAL (
        SELECT ST_CollectionExtract(ST_Intersection(a.shape, b.shape), 3) AS shape
    ) AS common
    WHERE NOT ST_IsEmpty(common.shape)
),
hole AS MATERIALIZED (
    SELECT part.geom AS shape
    FROM boundary
    CROSS JOIN covered
    CROSS JOIN LATERAL ST_Dump(
        COALESCE(ST_Difference(boundary.shape, covered.shape), boundary.shape)
    ) AS part
),
gap AS (
    SELECT 'gap' AS kind,
        ARRAY(
            SELECT cell.code FROM cell
            CROSS JOIN LATERAL (
                SELECT ST_Length(
                    ST_Intersection(ST_Boundary(core.shape), ST_Buffer(cell.shape, 2.5 * :width))
                ) AS along
            ) AS shared
            WHERE ST_DWithin(cell.shape, core.shape, 2.5 * :width) AND along >= :contact
            ORDER BY along DESC, cell.code
        ) AS codes,
        ST_Area(hole.shape) AS amount, '' AS label, hole.shape AS place
    FROM hole
    -- Without the spikes of no width that run on between sound cells; a slit has no core.
    CROSS JOIN LATERAL (SELECT ST_Buffer(hole.shape, -:width, 'join=mitre') AS shape) AS shrunk
    CROSS JOIN LATERAL (
        SELECT CASE WHEN ST_IsEmpty(shrunk.shape) THEN hole.shape ELSE shrunk.shape END AS shape
    ) AS core
    WHERE ST_Area(hole.shape) > 0
),
outside AS (
    SELECT 'outside' AS kind, ARRAY[cell.code] AS codes, ST_Area(beyond.shape) AS amount,
        '' AS label, beyond.shape AS place
    FROM cell
    CROSS JOIN boundary
    CROSS JOIN LATERAL (SELECT ST_Difference(cell.shape, boundary.shape) AS shape) AS beyond
    WHERE NOT ST_IsEmpty(beyond.shape)
),
part AS (
    SELECT cell.code, dumped.geom AS shape, ST_Area(dumped.geom) AS area,
        2 * ST_Area(dumped.geom) / NULLIF(ST_Perimeter(dumped.geom), 0) AS width,
        count(*) OVER (PARTITION BY cell.position) AS parts
    FROM cell CROSS JOIN LATERAL ST_Dump(cell.shape) AS dumped
),
sliver AS (
    SELECT 'sliver' AS kind, ARRAY[code] AS codes, area AS amount,
        to_char(width, 'FM999990.00') AS label, shape AS place
    FROM part
    WHERE area < :sliver_m2 OR width < :sliver_m
),
pieces AS (
    SELECT 'cell_in_pieces' AS kind, ARRAY[code] AS codes, count(*)::float8 AS amount,
        '' AS label, ST_Collect(shape) AS place
    FROM part
    WHERE parts > 1
    GROUP BY code
),
building_here AS MATERIALIZED (
    SELECT building.id,
        COALESCE(building.name, estate.name || building.number || '栋', building.source_key)
            AS label,
        ST_MakeValid(ST_Transform(building.footprint, :srid)) AS shape
    FROM building
    LEFT JOIN estate ON estate.id = building.estate_id
    WHERE building.community_id = :community
),
held AS MATERIALIZED (
    SELECT building_here.id, cell.code,
        ST_Area(ST_Intersection(building_here.shape, cell.shape))
            / NULLIF(ST_Area(building_here.shape), 0) AS share
    FROM building_here
    JOIN cell ON ST_Intersects(building_here.shape, cell.shape)
),
shared_out AS (
    SELECT id, array_agg(code ORDER BY share DESC, code) AS codes,
        (array_agg(share ORDER BY share DESC, code))[2] AS second
    FROM held
    WHERE share > :share
    GROUP BY id
),
homeless AS (
    SELECT 'building_in_no_cell' AS kind, ARRAY[]::text[] AS codes, 0::float8 AS amount,
        label, shape AS place
    FROM building_here
    WHERE NOT EXISTS (
        SELECT FROM cell WHERE ST_Covers(cell.shape, ST_PointOnSurface(building_here.shape))
    )
),
parted AS (
    SELECT 'building_in_two_cells' AS kind, shared_out.codes, shared_out.second AS amount,
        building_here.label, building_here.shape AS place
    FROM shared_out
    JOIN building_here USING (id)
    WHERE cardinality(shared_out.codes) > 1
),
finding AS (
    SELECT * FROM overlap
    UNION ALL SELECT * FROM gap
    UNION ALL SELECT * FROM outside
    UNION ALL SELECT * FROM sliver
    UNION ALL SELECT * FROM pieces
    UNION ALL SELECT * FROM homeless
    UNION ALL SELECT * FROM parted
    UNION ALL
    SELECT 'measure_cells', ARRAY[]::text[], COALESCE((SELECT sum(ST_Area(shape)) FROM cell), 0),
        '', NULL
    UNION ALL
    SELECT 'measure_boundary', ARRAY[]::text[], ST_Area(shape), '', NULL FROM boundary
)
SELECT kind, codes, amount, label,
    ST_X(ST_Transform(ST_PointOnSurface(place), 4326)) AS lon,
    ST_Y(ST_Transform(ST_PointOnSurface(place), 4326)) AS lat
FROM finding
ORDER BY kind, codes, amount DESC

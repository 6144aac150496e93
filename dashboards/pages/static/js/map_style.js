// The style of the map: ground, base tiles of the operator, outlines of districts, lifts.
// Base tiles are pale and without saturated colour, which only severities have. Texts are drawn from the fonts of the page.

import { nameInLanguage, lang } from "./translations.js";

const CLUSTERED_TO = 15;
const NAMES = lang === "zh" ? ["name:zh", "name:zh-Hans", "name"] : ["name:en", "name_en", "name"];
const ROADS = ["roads", "transportation"], WATER = ["water"], GREEN = ["landuse", "landcover", "park"], BUILDINGS = ["buildings", "building"];
const BORDERS = ["boundaries", "boundary"], PLACES = ["places", "place"];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const name = ["coalesce", ...NAMES.map((key) => ["get", key]), ""];
const font = { "text-font": [lang === "zh" ? "Noto Sans CJK SC" : "Noto Sans"], "text-size": 13 };

/** Return the base layers of vector tiles in the schema of Protomaps or of OpenMapTiles: a layer that is not there is not drawn. */
function vectorLayers() {
  const each = (sources, make) => sources.map((source) => ({ id: `base-${source}`, source: "base", "source-layer": source, ...make }));
  return [
    ...each(GREEN, { type: "fill", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour("line"), "fill-opacity": 0.35 } }),
    ...each(WATER, { type: "fill", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour("glow"), "fill-opacity": 0.7 } }),
    ...each(BUILDINGS, { type: "fill", minzoom: 14, paint: { "fill-color": colour("line"), "fill-opacity": 0.8 } }),
    ...each(ROADS, { type: "line", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": colour("line-strong"), "line-opacity": 0.45, "line-width": ["interpolate", ["linear"], ["zoom"], 8, 0.5, 16, 4] } }),
    ...each(BORDERS, { type: "line", paint: { "line-color": colour("line-strong"), "line-dasharray": [3, 2] } }),
    ...each(PLACES, { type: "symbol", filter: ["==", ["geometry-type"], "Point"], layout: { "text-field": name, ...font, "text-size": 12 }, paint: text("soft") }),
  ];
}

const text = (ink) => ({ "text-color": colour(ink), "text-halo-color": colour("surface"), "text-halo-width": 1.5 });

function baseLayers({ tilesKind }) {
  if (!tilesKind) return [];
  if (tilesKind === "vector") return vectorLayers();
  return [{ id: "base", type: "raster", source: "base", paint: { "raster-saturation": -0.8, "raster-opacity": 0.75 } }];
}

/** Return the source of the base tiles: their protocols are in `map_canvas.js`. */
function baseSource({ tilesKind, tilesFrom, tiles }) {
  if (!tilesKind) return {};
  const where = tilesFrom === "file" ? { url: `pmtiles://${location.origin}${tiles}` } : { tiles: [`tiles://${tiles}`] };
  return { base: { type: tilesKind, ...where, ...(tilesKind === "raster" && { tileSize: 256 }) } };
}

/** Return the points at which the names of districts stand: the centre of each outline's box. */
function districtNames(outlines) {
  return { type: "FeatureCollection", features: outlines.features.map(({ properties, geometry }) => {
    const positions = geometry.coordinates.flat(geometry.type === "Polygon" ? 1 : 2);
    const middle = (axis) => { const all = positions.map((one) => one[axis]); return (Math.min(...all) + Math.max(...all)) / 2; };
    return { type: "Feature", properties: { name: nameInLanguage(properties.name) }, geometry: { type: "Point", coordinates: [middle(0), middle(1)] } };
  }) };
}

/**
 * Return the style. Points have `symbol`, `rank` (0 is the most urgent) and `lift_id`; those in `urgent` are never in a
 * cluster. The worst rank within a cluster chooses the symbol beside its number.
 */
export function mapStyle(data, { lifts, urgent, outlines, symbols }) {
  const ranked = ["match", ["get", "rank"], ...symbols.flatMap((symbol, rank) => [rank, symbol]), symbols.at(-1)];
  const single = (source) => ({ id: source, type: "symbol", source, filter: ["!", ["has", "point_count"]], layout: { "icon-image": ranked, "icon-size": source === "urgent" ? 1.3 : 1, "icon-allow-overlap": true, "symbol-sort-key": ["-", 0, ["get", "rank"]] } });
  return {
    version: 8,
    sources: {
      ...baseSource(data),
      districts: { type: "geojson", data: outlines },
      "district-names": { type: "geojson", data: districtNames(outlines) },
      lifts: { type: "geojson", data: lifts, cluster: true, clusterMaxZoom: CLUSTERED_TO, clusterRadius: 40, clusterProperties: { rank: ["min", ["get", "rank"]] } },
      urgent: { type: "geojson", data: urgent },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": colour("sunk") } },
      ...baseLayers(data),
      { id: "district-fill", type: "fill", source: "districts", paint: { "fill-color": colour("surface"), "fill-opacity": data.tilesKind ? 0.15 : 0.8 } },
      { id: "district-line", type: "line", source: "districts", paint: { "line-color": colour("line-strong"), "line-width": 1.4 } },
      { id: "district-name", type: "symbol", source: "district-names", layout: { "text-field": ["get", "name"], ...font }, paint: text("soft") },
      { id: "clusters", type: "circle", source: "lifts", filter: ["has", "point_count"], paint: { "circle-color": colour("surface"), "circle-stroke-color": colour("line-strong"), "circle-stroke-width": 1.5, "circle-radius": ["step", ["get", "point_count"], 16, 100, 20, 1000, 26] } },
      { id: "cluster-counts", type: "symbol", source: "lifts", filter: ["has", "point_count"], layout: { "text-field": ["get", "point_count_abbreviated"], ...font, "text-allow-overlap": true }, paint: { "text-color": colour("ink") } },
      { id: "cluster-worst", type: "symbol", source: "lifts", filter: ["all", ["has", "point_count"], ["<", ["get", "rank"], symbols.length - 1]], layout: { "icon-image": ranked, "icon-size": 0.8, "icon-offset": [17, -17], "icon-allow-overlap": true } },
      single("lifts"), single("urgent"),
    ],
  };
}
